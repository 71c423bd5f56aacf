"""A file on the web or on disk: CSV, Excel or GeoJSON, plain or in gzip, told apart by its bytes and not by its name.

Its columns are known only when it is here, so a description is a download; whether it changed is therefore told by the
bytes themselves. What a server says of the file (`ETag`, `Last-Modified`) saves the second download, after the read.
"""

import gzip
import hashlib
import re
import shutil
import tempfile
import weakref
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pyarrow as pa

from civic_pipeline.catalog import FileHere, FileSource
from civic_pipeline.errors import AnswerUnreadable, FileUnreadable, SourceNotFound, writing
from civic_pipeline.portals.columns import typed
from civic_pipeline.portals.csv_file import open_csv
from civic_pipeline.portals.geojson import open_geojson
from civic_pipeline.portals.growth import refuse_growth
from civic_pipeline.portals.http import Access, Body, Client, markup_in
from civic_pipeline.portals.source import About, Description, Freshness, Traffic
from civic_pipeline.portals.table import ROW_NUMBER, FileTable
from civic_pipeline.portals.workbook import open_sheet
from civic_pipeline.redaction import redacted

_GZIP, _ZIP, _OLE = b"\x1f\x8b", b"PK\x03\x04", b"\xd0\xcf\x11\xe0"  # .gz, .xlsx, .xls
_JSON = re.compile(rb"(\xef\xbb\xbf)?\s*(\{|\[\s*[\[{\]])")
_CONDITIONS = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}


@dataclass(frozen=True)
class _Held:
    """The file as it came last: the sha256 of its bytes, and the table in them."""

    sha256: str
    table: FileTable


class FileDataset:
    """One file. What comes from the web is kept in a folder of its own for as long as this object lives."""

    def __init__(self, source: FileSource, access: Access) -> None:
        self._source = source
        is_web = urlsplit(source.url).scheme in {"http", "https"}
        # The demo portals serve files by their names alone; what a person named is asked for where it is.
        in_demo = is_web and access.root and not isinstance(source, FileHere)
        self._address = f"{access.root}/files/{source.url.rpartition('/')[2]}" if in_demo else source.url
        self._path = None if is_web else access.project / source.url
        self._project = access.project.resolve()
        self._session = access.session()
        # Of every answer; a method here would keep this object, and its folder, alive.
        self._statuses = statuses = list[int]()
        self._session.hooks["response"].append(lambda answer, *_, **__: statuses.append(answer.status_code))
        self._client = Client(at_once=1, session=self._session)
        self._held: _Held | None = None
        self._made = 0
        self._folder: Path | None = None

    @property
    def traffic(self) -> Traffic:
        return self._client.traffic

    def describe(self) -> Description:
        """Fetches the file, and looks all of it through, unless its server or its bytes say that it is the one we hold.

        Raises FileUnreadable for a file that is no table.
        """
        held = self._look()
        title = unquote(urlsplit(self._source.url).path).rpartition("/")[2] or self._source.url
        about = About(title, description=held.table.kind)
        return Description(
            redacted(self._address), about, held.table.columns, ROW_NUMBER, Freshness(held.sha256, "sha256")
        )

    def count(self) -> int:
        return self._table.rows

    def read(self, description: Description, _counted: int, spool: Path, careful: bool, /) -> Iterator[pa.Table]:
        """The file's rows in its order, numbered from 1."""
        before = 0
        for page in self._table.read(spool, careful):
            numbers = pa.array(range(before + 1, before + 1 + page.num_rows), pa.int64())
            arrays = [numbers, *(typed(page[column.name], column) for column in description.columns)]
            yield pa.table(arrays, schema=description.schema)
            before += page.num_rows

    def read_edited(self, *_: object) -> Iterator[pa.Table]:
        yield from ()  # nothing marks an edit, so nobody asks

    def reused_ids(self) -> int:
        return 0

    @property
    def _table(self) -> FileTable:
        return (self._held or self._look()).table

    def _look(self) -> _Held:
        """The file as it is now."""
        self._held = held = self._fetched() if self._path is None else self._on_disk(self._path)
        return held

    def _fetched(self) -> _Held:
        """The file of the web."""

        def look_at(body: Body) -> _Held:
            if self._held is not None and self._statuses[-1:] == [304]:
                return self._held
            held = self._looked_at(_sha256(body.path), body.path)
            for name, condition in _CONDITIONS.items():
                self._session.headers.pop(condition, None)
                if body.headers.get(name):
                    self._session.headers[condition] = body.headers[name]
            return held

        arrived = self._new_path()
        with writing(arrived):
            return self._client.download(self._address, {}, arrived, look_at)

    def _on_disk(self, path: Path) -> _Held:
        inside = isinstance(self._source, FileHere) or path.resolve().is_relative_to(self._project)
        if not path.is_file() or not inside:
            why = "there is no such file" if inside else "a link leads out of the project"
            raise SourceNotFound("The file", self._source.url, why)
        try:
            sha256 = _sha256(path)
        except PermissionError as error:
            raise SourceNotFound("The file", self._source.url, f"it may not be read ({error.strerror})") from error
        with writing(path.parent):
            return self._looked_at(sha256, path)

    def _looked_at(self, sha256: str, path: Path) -> _Held:
        """The file at `path`: the one we hold where its bytes are the same."""
        return self._held if self._held and self._held.sha256 == sha256 else _Held(sha256, self._open(path))

    def _open(self, path: Path) -> FileTable:
        """The table in the file at `path`. Raises AnswerUnreadable for what is worth another try, FileUnreadable for the rest."""
        url, source = self._address, self._source
        beginning = _beginning(path)
        if beginning.startswith(_GZIP):
            path = _unpacked(url, path, self._new_path())
            beginning = _beginning(path)
        if not beginning.strip():
            raise AnswerUnreadable(url, "a file", "nothing, not a byte")
        if markup := markup_in(beginning):
            raise AnswerUnreadable(url, "a table", markup)
        if beginning.startswith((_ZIP, _OLE)):
            return open_sheet(url, path, source.sheet, self._new_path())
        if source.sheet is not None:
            raise FileUnreadable(url, f"its source names the sheet {source.sheet!r}, but it is no Excel workbook")
        if _JSON.match(beginning):
            return open_geojson(url, path, self._new_path())
        return open_csv(url, path, self._new_path(), source.encoding)

    def _new_path(self) -> Path:
        """A path nothing is at, in a folder that goes when this object goes."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="civic-file-"))
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._made += 1
        return self._folder / str(self._made)


def _beginning(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(4096)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _unpacked(url: str, path: Path, to: Path) -> Path:
    try:
        with gzip.open(path) as packed, to.open("wb") as file:
            written = 0
            while piece := packed.read(1 << 20):
                written += file.write(piece)
                refuse_growth(url, path.stat().st_size, written)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise AnswerUnreadable(url, "a whole gzip file", f"a damaged one ({error})") from error
    return to
