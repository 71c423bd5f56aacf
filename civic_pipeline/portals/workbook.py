"""A sheet of an Excel workbook -> its rows as text. Calamine reads it; why that one: docs/adr.

Excel keeps every number as a double: it is written here as briefly as leads back to the same double. Dates are ISO text.
An error such as #DIV/0! is no value.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import islice
from pathlib import Path

import pyarrow as pa
from python_calamine import CalamineError, CalamineWorkbook

from civic_pipeline.errors import FileUnreadable
from civic_pipeline.portals.pages import page_rows
from civic_pipeline.portals.source import PortalColumn
from civic_pipeline.portals.table import text_columns

Cell = str | int | float | bool | date | datetime | time | timedelta


@dataclass(frozen=True)
class Sheet:
    """A sheet: its first row that is not blank is the header, further blank rows are skipped.

    A workbook says nothing of its rows that could prove `rows`, but its parts carry checksums of their own.
    """

    url: str
    path: Path
    sheet: str
    kind: str
    width: int
    places: tuple[int, ...]
    columns: tuple[PortalColumn, ...]
    rows: int

    def read(self, _spool: Path, _careful: bool, /) -> Iterator[pa.Table]:
        schema = pa.schema([(column.name, pa.string()) for column in self.columns])
        rows = _rows(self.url, self.path, self.sheet)
        next(rows)
        while page := list(islice(rows, page_rows(self.width))):
            by_place = list(zip(*page, strict=True))
            yield pa.table([pa.array(by_place[place], pa.string()) for place in self.places], schema=schema)


def open_sheet(url: str, path: Path, name: str | None) -> Sheet:
    """The sheet `name`, or the first. Raises FileUnreadable."""
    with _reading(url):
        names = CalamineWorkbook.from_path(path).sheet_names
    if not names or (name is not None and name not in names):
        raise FileUnreadable(url, f"it has no sheet {name!r}, only {', '.join(names) or 'none at all'}")
    sheet = names[0] if name is None else name
    rows = _rows(url, path, sheet)
    header = [value or "" for value in next(rows, ())]
    if not header:
        raise FileUnreadable(url, f"its sheet {sheet!r} is empty")
    has_values = [False] * len(header)
    count = 0
    for count, row in enumerate(rows, 1):  # noqa: B007 - the last count is what is asked for
        has_values = [has or value is not None for has, value in zip(has_values, row, strict=True)]
    columns = text_columns(header, has_values)
    return Sheet(url, path, sheet, f"Excel, sheet {sheet}", len(header), tuple(columns), tuple(columns.values()), count)


def _rows(url: str, path: Path, sheet: str) -> Iterator[Sequence[str | None]]:
    """Rows with a value, equally wide."""
    with _reading(url):
        for row in CalamineWorkbook.from_path(path).get_sheet_by_name(sheet).iter_rows():
            texts = [_text(value) for value in row]
            if any(text is not None for text in texts):
                yield texts


@contextmanager
def _reading(url: str) -> Iterator[None]:
    """Around calls of the library: what it cannot read becomes FileUnreadable, also where it panics."""
    try:
        yield
    except BaseException as error:
        if isinstance(error, CalamineError) or type(error).__name__ == "PanicException":
            raise FileUnreadable(url, f"it is no whole Excel workbook ({error})") from error
        raise


def _text(value: Cell) -> str | None:
    match value:
        case "":
            return None
        case str():
            return value
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case float():
            return f"{value:.0f}" if value.is_integer() else repr(value)
        case timedelta():
            minutes, seconds = divmod(value.total_seconds(), 60)
            return f"{minutes // 60:.0f}:{minutes % 60:02.0f}:{seconds:06.3f}".removesuffix(".000")
        case _:
            return value.isoformat()
