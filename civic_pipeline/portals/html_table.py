"""Reads the one table of an HTML file as rows of text: some systems export HTML under the name of an Excel workbook."""

from html.parser import HTMLParser
from pathlib import Path

import pyarrow as pa

from civic_pipeline.errors import FileUnreadable

_LONGEST_TAG = 4096


def write_html_rows(url: str, path: Path, to: Path) -> None:
    """Write the rows of the table in `path` that have a value to `to`, as text.

    A row with one cell, such as a title, is skipped. Raises FileUnreadable unless there is exactly one table and all its rows
    have the same number of cells.
    """
    parser = _Cells()
    parser.feed(path.read_bytes().decode("utf-8-sig", errors="replace"))
    # Python's parser looks through the rest once for each `<` in it: 50 kB of unclosed tags would take 12 seconds, and 10 MB days.
    if len(parser.rawdata) > _LONGEST_TAG:
        raise FileUnreadable(url, "it ends in the middle of a tag or a comment")
    parser.close()
    if parser.tables != 1:
        raise FileUnreadable(url, f"it is an HTML page with {parser.tables} tables; an export has one")
    rows = [row for row in parser.rows if len(row) > 1 and any(row)]
    widths = sorted({len(row) for row in rows})
    if len(widths) != 1:
        raise FileUnreadable(url, f"the rows of its HTML table have {' or '.join(map(str, widths)) or 'no'} cells")
    schema = pa.schema([(str(place), pa.string()) for place in range(widths[0])])
    columns = [pa.array([text or None for text in values], pa.string()) for values in zip(*rows, strict=True)]
    with pa.OSFile(str(to), "wb") as file, pa.ipc.new_stream(file, schema) as stream:
        stream.write_batch(pa.record_batch(columns, schema))


class _Cells(HTMLParser):
    """The texts of the cells, row by row, with blanks as one."""

    def __init__(self) -> None:
        super().__init__()
        self.tables = 0
        self.rows: list[list[str]] = []
        self._cell: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002 - the base class names them
        if tag == "table":
            self.tables += 1
        elif tag == "tr":
            self._end_cell()
            self.rows.append([])
        elif tag in {"td", "th"}:
            self._end_cell()
            self._cell = []
        elif tag == "br":
            self.handle_data(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in {"td", "th", "tr", "table"}:
            self._end_cell()

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._cell.append(data)

    def _end_cell(self) -> None:
        if self._cell is not None and self.rows:
            self.rows[-1].append(" ".join("".join(self._cell).split()))
        self._cell = None


def is_export(name: str, beginning: bytes) -> bool:
    """Whether an HTML file is an export under the name of a workbook, by its name and its first bytes."""
    return name.lower().endswith(".xls") and b"<table" in beginning.lower()
