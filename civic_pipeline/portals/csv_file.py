"""Reads a CSV file as rows of text. Encoding and delimiter are detected; a file that does not match them is an error.

Python's csv module counts the rows and reports the line of an error; Arrow's CSV reader, which is independent of it, reads
the rows. The capture is verified if both give the same number of rows.
"""

import codecs
import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pyarrow as pa
from pyarrow import csv as arrow_csv

from civic_pipeline.errors import FileUnreadable, PagingBroken
from civic_pipeline.portals.pages import page_rows
from civic_pipeline.portals.source import PortalColumn, plain
from civic_pipeline.portals.table import text_columns

_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_CHUNK_BYTES = 1 << 20
_SAMPLE_CHARACTERS = 1 << 18
_SAMPLE_RECORDS = 200
# Polygons as text have up to 1 MB. A longer value is an unclosed quote, which must not fill the memory.
_MAX_VALUE_CHARACTERS = 16 << 20
# Arrow reads the file in blocks; a row must fit into one block.
_BLOCK_BYTES = 4 << 20

csv.field_size_limit(_MAX_VALUE_CHARACTERS)


@dataclass(frozen=True)
class CsvFile:
    """A checked CSV file in UTF-8. A record has `width` values; `places` are the positions of `columns` in it."""

    url: str
    path: Path
    kind: str
    delimiter: str
    width: int
    places: tuple[int, ...]
    columns: tuple[PortalColumn, ...]
    rows: int

    def read(self, _spool: Path, sequential: bool, /) -> Iterator[pa.Table]:
        """Pages of rows, read with Arrow; if `sequential`, with Python's csv module, which has no limit on the row length."""
        yield from self._read_with_python() if sequential else self._read_with_arrow()

    def _read_with_arrow(self) -> Iterator[pa.Table]:
        names = [str(place) for place in range(self.width)]
        try:
            reader = arrow_csv.open_csv(
                self.path,
                arrow_csv.ReadOptions(column_names=names, block_size=_BLOCK_BYTES, use_threads=False),
                arrow_csv.ParseOptions(delimiter=self.delimiter, newlines_in_values=True),
                arrow_csv.ConvertOptions(
                    column_types=dict.fromkeys(names, pa.string()),
                    include_columns=[str(place) for place in self.places],
                    null_values=[""],
                    strings_can_be_null=True,
                ),
            )
            header = 1
            for batch in reader:
                page = pa.Table.from_batches([batch.slice(header)]).rename_columns([c.name for c in self.columns])
                yield page
                header -= min(header, batch.num_rows)
        except pa.ArrowInvalid as error:
            raise PagingBroken(self.url, str(error)) from error

    def _read_with_python(self) -> Iterator[pa.Table]:
        records = _records(self.url, self.path, self.delimiter)
        next(records)
        schema = pa.schema([(column.name, pa.string()) for column in self.columns])
        while page := list(islice(records, page_rows(self.width))):
            by_place = list(zip(*(record for _, record in page), strict=True))
            yield pa.table(
                [pa.array([v or None for v in by_place[place]], pa.string()) for place in self.places], schema=schema
            )


def open_csv(url: str, path: Path, unpacked: Path, encoding: str | None) -> CsvFile:
    """Check the whole file at `path`. If it is not UTF-8, it is converted and written to `unpacked`.

    Without `encoding` it is detected: a byte order mark, else UTF-8 if the whole file is valid, else Windows-1252. Raises
    FileUnreadable.
    """
    encoding = encoding or _encoding_of(url, path)
    if encoding not in {"utf-8", "utf-8-sig"}:
        _rewrite(url, path, encoding, unpacked)
        path = unpacked
    delimiter = _delimiter_of(path)
    records = _records(url, path, delimiter)
    _, header = next(records, (0, []))
    if not any(map(plain, header)):
        raise FileUnreadable(url, "it is empty, or its first line has no column names")
    if re.fullmatch(r"sep=.?", header[0]):
        raise FileUnreadable(
            url, "its first line is a note for Excel (sep=), its second has the names: remove the first"
        )
    if any("\0" in name for name in header):
        raise FileUnreadable(url, "its header contains NUL bytes")
    rows, has_values = 0, [False] * len(header)
    unnamed = [place for place, name in enumerate(header) if not plain(name)]
    for line, record in records:
        if len(record) != len(header):
            values = f"{len(record)} value{'s' if len(record) > 1 else ''}"
            names = f"{len(header)} names" if len(header) > 1 else "1 name: if the first line is a title, remove it"
            raise FileUnreadable(
                url, f"line {line} has {values}, the header has {names} (separator: {_DELIMITERS[delimiter]})"
            )
        rows += 1
        for place in unnamed:
            has_values[place] = has_values[place] or record[place] != ""
    columns = text_columns(header, has_values)
    kind = f"CSV, {_display_name(encoding)}, separator: {_DELIMITERS[delimiter]}"
    return CsvFile(url, path, kind, delimiter, len(header), tuple(columns), tuple(columns.values()), rows)


def _records(url: str, path: Path, delimiter: str) -> Iterator[tuple[int, Sequence[str]]]:
    """Records that are not blank, each with the number of its last line. Raises FileUnreadable for invalid quoting."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        try:
            for record in reader:
                if record:
                    yield reader.line_num, record
        except csv.Error as error:
            raise FileUnreadable(url, f"line {reader.line_num}: {error}") from error


def _encoding_of(url: str, path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(4096)
    for mark, encoding in _MARKS.items():
        if start.startswith(mark):
            return encoding
    if b"\0" in start:
        raise FileUnreadable(url, "it is not a text file; if it is UTF-16 without a byte order mark, set `encoding`")
    has_letters = False
    try:
        for text in _decoded(path, "utf-8"):
            has_letters = has_letters or not text.isascii()
    except UnicodeDecodeError as error:
        if has_letters or not error.object[: error.start].isascii():
            raise FileUnreadable(
                url, "it begins as UTF-8, but a later part is not UTF-8: it is damaged, or two files were joined"
            ) from None
    else:
        return "utf-8"
    try:
        for _ in _decoded(path, "cp1252"):
            pass
    except UnicodeDecodeError:
        problem = "its text is neither UTF-8 nor Windows-1252; set `encoding` in defs.yaml"
        raise FileUnreadable(url, problem) from None
    return "cp1252"


def _decoded(path: Path, encoding: str) -> Iterator[str]:
    """The text of a file in chunks. Raises UnicodeDecodeError, also if the file ends within a character."""
    decoder = codecs.getincrementaldecoder(encoding)()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield decoder.decode(chunk)
    yield decoder.decode(b"", final=True)


def _rewrite(url: str, path: Path, encoding: str, to: Path) -> None:
    try:
        with to.open("w", encoding="utf-8", newline="") as file:
            file.writelines(_decoded(path, encoding))
    except UnicodeError as error:
        raise FileUnreadable(url, f"its text is not {_display_name(encoding)} ({error})") from error


def _delimiter_of(path: Path) -> str:
    """The delimiter that splits all first records into the same number of values, the largest such number.

    If there is none: the delimiter that splits the header into most values.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        sample = file.read(_SAMPLE_CHARACTERS)
        is_cut = bool(file.read(1))
    widths = {}
    for delimiter in _DELIMITERS:
        try:
            reader = csv.reader(sample.splitlines(keepends=True), delimiter=delimiter)
            lengths = [len(record) for record in islice(reader, _SAMPLE_RECORDS) if record]
        except csv.Error:
            lengths = []
        # The last record of a sample may be incomplete.
        widths[delimiter] = (lengths[:-1] if is_cut and len(lengths) > 1 else lengths) or [0]
    return max(_DELIMITERS, key=lambda d: (widths[d][0] > 1 and len(set(widths[d])) == 1, widths[d][0]))


def _display_name(encoding: str) -> str:
    names = {
        "utf-8": "UTF-8",
        "utf-8-sig": "UTF-8",
        "utf-16": "UTF-16",
        "cp1252": "Windows-1252 (assumed)",
    }
    return names.get(encoding, encoding)
