"""A sheet of an Excel workbook -> its rows as text, read by calamine; why by that, docs/adr.

Excel keeps every number as a double, and formats are not values: 02138 shown by a format is 2138. An error such as
#DIV/0! is no value.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from civic_pipeline.errors import FileUnreadable
from civic_pipeline.portals.source import PortalColumn
from civic_pipeline.portals.table import text_columns

_PROGRAM = Path(__file__).with_name("sheet_rows.py")


@dataclass(frozen=True)
class Sheet:
    """A sheet, its rows at `path`: the first that is not blank is the header, further blank rows are skipped.

    A workbook says nothing of its rows that could prove `rows`, but its parts carry checksums of their own.
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
    """Write the rows of the sheet `name`, or the first, to `rows_path`. Raises FileUnreadable."""
    # -P: else the program's folder comes before the standard library, and its http.py in place of that one's.
    command = [sys.executable, "-P", str(_PROGRAM), str(path), name or "", str(rows_path)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise FileUnreadable(
            url, "it is a damaged workbook, or one with cells so far apart that 4 GB do not hold what is between"
        )
    told = json.loads(ended.stdout)
    if "errno" in told:
        raise OSError(told["errno"], told["why"])
    if "problem" in told:
        raise FileUnreadable(url, told["problem"])
    header: list[str] | None = None
    rows, has_values = 0, list[bool]()
    for batch in _batches(rows_path):
        if header is None:
            header = [column[0].as_py() or "" for column in batch.columns]
            has_values = [False] * len(header)
            rows = -1  # of which one is the header
        rows += batch.num_rows
        has_values = [
            has or column.null_count < len(column) for has, column in zip(has_values, batch.columns, strict=True)
        ]
    if header is None:
        raise FileUnreadable(url, f"its sheet {told['sheet']!r} is empty")
    columns = text_columns(header, has_values)
    return Sheet(rows_path, f"Excel, sheet {told['sheet']}", tuple(columns), tuple(columns.values()), rows)


def _batches(path: Path) -> Iterator[pa.RecordBatch]:
    with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file) as stream:
        yield from stream
