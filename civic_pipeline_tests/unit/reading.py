"""Helpers that write and read a file. Each read is compared with the row count and with the other reader."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from civic_pipeline.catalog import FileHere
from civic_pipeline.errors import CivicError, FileUnreadable
from civic_pipeline.portals import Access
from civic_pipeline.portals.files import FileDataset


def here(folder: Path, content: bytes, name: str = "a file", **source: Any) -> FileDataset:
    path = folder / name
    path.write_bytes(content)
    return FileDataset(
        FileHere.model_validate({"portal": "file", "url": str(path), "recorded": "2026-01-01", **source}), Access()
    )


def read(file: FileDataset, spool: Path, sequential: bool = False) -> pa.Table:
    """All rows of a file; asserts that their number equals the count."""
    description = file.describe()
    pages = list(file.read(description, file.count(), spool, sequential))
    table = pa.concat_tables([description.schema.empty_table(), *pages])
    assert table.num_rows == file.count()
    assert table["_row"].to_pylist() == list(range(1, table.num_rows + 1))
    return table


def rows(file: FileDataset, spool: Path) -> list[dict[str, Any]]:
    """The rows; asserts that both readers give the same."""
    table = read(file, spool)
    assert table.equals(read(file, spool, sequential=True))
    return [{name: value for name, value in row.items() if name != "_row"} for row in table.to_pylist()]


def broken(folder: Path, content: bytes, error: type[CivicError] = FileUnreadable, **source: Any) -> str:
    """The message of the error that reading the file raises."""
    with pytest.raises(error) as raised:
        read(here(folder, content, **source), folder)
    assert "a file" in str(raised.value)
    return str(raised.value)
