"""Reads a sheet of an Excel workbook as rows of text, with calamine (docs/adr says why).

Excel stores every number as a double without its format: 02138 that is only shown by a format is read as 2138. An error
value such as #DIV/0! is read as missing.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from civic_pipeline.errors import FileUnreadable
from civic_pipeline.portals.html_table import write_html_rows
from civic_pipeline.portals.source import PortalColumn
from civic_pipeline.portals.table import text_columns
from civic_pipeline.settings import waits

_PROGRAM = Path(__file__).with_name("sheet_rows.py")


@dataclass(frozen=True)
class Sheet:
    """A sheet whose rows are at `path`: the first row that is not blank is the header, other blank rows are skipped.

    A workbook does not state its number of rows, so `rows` cannot be verified; but the parts of the ZIP file have checksums.
    """

    path: Path
    kind: str
    places: tuple[int, ...]
    columns: tuple[PortalColumn, ...]
    rows: int

    def read(self, _spool: Path, _careful: bool, /) -> Iterator[pa.Table]:
        names = [column.name for column in self.columns]
        header = 1
        for batch in _batches(self.path):
            yield pa.Table.from_batches([batch]).slice(header).select(self.places).rename_columns(names)
            header = 0


def open_sheet(url: str, path: Path, name: str | None, rows_path: Path) -> Sheet:
    """Write the rows of the sheet `name` (None: the first sheet) to `rows_path`. Raises FileUnreadable."""
    # Without -P the program's folder is on the path, and its http.py hides the module of the standard library.
    command = [sys.executable, "-P", str(_PROGRAM), str(path), name or "", str(rows_path)]
    seconds = waits().process_seconds
    try:
        process = subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds)
    except subprocess.TimeoutExpired:
        raise FileUnreadable(url, f"its sheet was not read within {seconds:,} seconds") from None
    if process.returncode:
        raise FileUnreadable(
            url, "it is damaged, or its cells are so far apart that the area between them does not fit into 4 GB"
        )
    result = json.loads(process.stdout)
    if "errno" in result:
        raise OSError(result["errno"], result["message"])
    if "problem" in result:
        raise FileUnreadable(url, result["problem"])
    return _sheet_of(url, rows_path, f"Excel, sheet {result['sheet']}", f"its sheet {result['sheet']!r} is empty")


def open_html(url: str, path: Path, rows_path: Path) -> Sheet:
    """Write the rows of the HTML table in `path` to `rows_path`. Raises FileUnreadable."""
    write_html_rows(url, path, rows_path)
    return _sheet_of(url, rows_path, "HTML table", "its table is empty")


def _sheet_of(url: str, rows_path: Path, kind: str, if_empty: str) -> Sheet:
    """The sheet whose rows are at `rows_path`. Raises FileUnreadable if it has none."""
    header: list[str] | None = None
    rows, has_values = 0, list[bool]()
    for batch in _batches(rows_path):
        if header is None:
            header = [column[0].as_py() or "" for column in batch.columns]
            has_values = [False] * len(header)
            rows = -1  # the header does not count
        rows += batch.num_rows
        has_values = [
            has or column.null_count < len(column) for has, column in zip(has_values, batch.columns, strict=True)
        ]
    if header is None:
        raise FileUnreadable(url, if_empty)
    columns = text_columns(header, has_values)
    return Sheet(rows_path, kind, tuple(columns), tuple(columns.values()), rows)


def _batches(path: Path) -> Iterator[pa.RecordBatch]:
    with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file) as stream:
        yield from stream
