"""Reads a JSON file of any length as Arrow columns of text in bounded memory, with DuckDB's JSON reader."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import duckdb
import pyarrow as pa

from civic_pipeline.errors import AnswerUnreadable
from civic_pipeline.portals.pages import page_rows
from civic_pipeline.sql_text import literal

# A longer row counts as damage. The reader has two buffers of this size.
MAX_ROW_BYTES = 64 << 20
_MEMORY_LIMIT = "512MB"


def json_rows(
    url: str, path: Path, form: Literal["array", "newline_delimited"], fields: dict[str, str], select: str, spool: Path
) -> Iterator[pa.Table]:
    """Pages of rows of the file at `path`.

    `fields`: name -> DuckDB type to read it as. `select`: SQL list of expressions over these fields. A missing field is
    null; a nested value that is read as text is its JSON. `url`: origin of the file, for the error. Raises
    AnswerUnreadable, possibly after some pages.
    """
    columns = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in fields.items())
    query = (
        f"select {select} from read_json({literal(str(path))}, format='{form}', records='true', columns={{{columns}}},"
        f" maximum_object_size={MAX_ROW_BYTES})"
    )
    with duckdb.connect(
        config={"threads": 1, "memory_limit": _MEMORY_LIMIT, "temp_directory": str(spool)}
    ) as connection:
        try:
            reader = connection.execute(query).to_arrow_reader(page_rows(select.count(",") + 1))
            yield from (pa.Table.from_batches([batch]) for batch in reader)
        except (duckdb.InvalidInputException, duckdb.ConversionException, pa.ArrowInvalid) as error:
            detail = str(error).partition(f'file "{path}"')[2].split("\n", 1)[0] or str(error).split("\n", 1)[0]
            raise AnswerUnreadable(url, "rows of JSON", f"broken JSON{detail}") from error
