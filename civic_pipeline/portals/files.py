"""A file on the web or on disk: CSV, Excel, GeoJSON or JSON, plain or gzip. The format is detected from the content.

The columns are in the file, so `describe` downloads it, and its sha256 shows whether it changed. `ETag` and
`Last-Modified` avoid a second download after the read.
"""

import gzip
import hashlib
import re
import weakref
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pyarrow as pa

from civic_pipeline.catalog import FileHere, FileSource
from civic_pipeline.errors import AnswerUnreadable, FileUnreadable, SourceNotFound, writing
from civic_pipeline.portals.columns import typed
from civic_pipeline.portals.csv_file import open_csv
from civic_pipeline.portals.decompression_limit import check_decompressed_size
from civic_pipeline.portals.geojson import open_geojson
from civic_pipeline.portals.html_table import is_export
from civic_pipeline.portals.http import Access, Body, Client, detect_markup
from civic_pipeline.portals.json_objects import open_objects
from civic_pipeline.portals.source import About, Description, Freshness, Traffic
from civic_pipeline.portals.table import ROW_NUMBER, FileTable
from civic_pipeline.portals.workbook import open_html, open_sheet
from civic_pipeline.redaction import redacted
from civic_pipeline.scratch import Scratch

_GZIP, _ZIP, _OLE = b"\x1f\x8b", b"PK\x03\x04", b"\xd0\xcf\x11\xe0"  # .gz, .xlsx, .xls
_JSON = re.compile(rb"(\xef\xbb\xbf)?\s*(\{|\[\s*[\[{\]])")
_CONDITIONS = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}


@dataclass(frozen=True)
class _OpenFile:
    """The last version of the file: the sha256 of its bytes, its table, and the address that a redirect led to."""

    sha256: str
    table: FileTable
    answered_from: str | None = None


class FileDataset:
    """One file. A downloaded file is kept in a temporary folder until this object is deleted."""

    def __init__(self, source: FileSource, access: Access) -> None:
        self._source = source
        # The demo portals serve files by name, also those that an operator puts into the project, so that the sample and real
        # files do not mix. An address given by a user (FileHere) is used as it is.
        self._in_demo = access.root is not None and not isinstance(source, FileHere)
        self._address = f"{access.root}/files/{source.url.rpartition('/')[2]}" if self._in_demo else source.url
        is_web = urlsplit(self._address).scheme in {"http", "https"}
        self._path = None if is_web else access.project / source.url
        self._project = access.project.resolve()
        self._session = access.session()
        # Status of every response. A bound method as the hook would keep this object, and its folder, alive.
        self._statuses = statuses = list[int]()
        self._session.hooks["response"].append(lambda response, *_, **__: statuses.append(response.status_code))
        self._client = Client(at_once=1, session=self._session)
        self._current: _OpenFile | None = None
        self._paths = 0
        self._folder: Scratch | None = None

    @property
    def traffic(self) -> Traffic:
        return self._client.traffic

    def describe(self) -> Description:
        """Download the file and check all of it, unless the server or the sha256 shows that it is unchanged.

        Raises FileUnreadable if the file is not a table.
        """
        current = self._update()
        title = unquote(urlsplit(self._source.url).path).rpartition("/")[2] or self._source.url
        about = About(title, description=current.table.kind)
        return Description(
            redacted(self._address), about, current.table.columns, ROW_NUMBER, Freshness(current.sha256, "sha256"),
            answered_from=current.answered_from,
        )  # fmt: skip

    def count(self) -> int:
        return self._table.rows

    def read(self, description: Description, _counted: int, spool: Path, sequential: bool, /) -> Iterator[pa.Table]:
        """The rows in the order of the file, numbered from 1."""
        before = 0
        for page in self._table.read(spool, sequential):
            numbers = pa.array(range(before + 1, before + 1 + page.num_rows), pa.int64())
            arrays = [numbers, *(typed(page[column.name], column) for column in description.columns)]
            yield pa.table(arrays, schema=description.schema)
            before += page.num_rows

    def read_edited(self, *_: object) -> Iterator[pa.Table]:
        yield from ()  # never called: `edited` of the description is None

    def reused_ids(self) -> int:
        return 0

    @property
    def _table(self) -> FileTable:
        return (self._current or self._update()).table

    def _update(self) -> _OpenFile:
        """The file as it is now."""
        self._current = current = self._download() if self._path is None else self._open_local(self._path)
        return current

    def _download(self) -> _OpenFile:
        def parse(body: Body) -> _OpenFile:
            if self._current is not None and self._statuses[-1:] == [304]:
                return self._current
            current = self._open_if_changed(_sha256(body.path), body.path)
            if body.url != self._address.partition("?")[0]:
                current = replace(current, answered_from=redacted(body.url))
            for name, condition in _CONDITIONS.items():
                self._session.headers.pop(condition, None)
                if body.headers.get(name):
                    self._session.headers[condition] = body.headers[name]
            return current

        path = self._new_path()
        with writing(path):
            return self._client.download(self._address, {}, path, parse)

    def _open_local(self, path: Path) -> _OpenFile:
        inside = isinstance(self._source, FileHere) or path.resolve().is_relative_to(self._project)
        if not path.is_file() or not inside:
            why = "there is no such file" if inside else "a link leads outside the project"
            raise SourceNotFound("The file", self._source.url, why)
        try:
            sha256 = _sha256(path)
        except PermissionError as error:
            raise SourceNotFound("The file", self._source.url, f"it cannot be read ({error.strerror})") from error
        try:
            with writing(self._new_path()):
                return self._open_if_changed(sha256, path)
        except AnswerUnreadable as error:  # no portal answered
            raise FileUnreadable(self._address, f"it is {error.got}") from error

    def _open_if_changed(self, sha256: str, path: Path) -> _OpenFile:
        if self._current and self._current.sha256 == sha256:
            return self._current
        return _OpenFile(sha256, self._open(path))

    def _open(self, path: Path) -> FileTable:
        """The table in the file at `path`. Raises AnswerUnreadable if a retry may help, else FileUnreadable."""
        url, source = self._address, self._source
        beginning = _beginning(path)
        if beginning.startswith(_GZIP):
            path = _decompress(url, path, self._new_path())
            beginning = _beginning(path)
        if not beginning.strip():
            raise AnswerUnreadable(url, "a file", "an empty file")
        if markup := detect_markup(beginning):
            if is_export(source.url, beginning):
                return open_html(url, path, self._new_path())
            raise AnswerUnreadable(url, "a table", markup)
        if beginning.startswith((_ZIP, _OLE)):
            return open_sheet(url, path, source.sheet, self._new_path())
        if (
            source.sheet is not None and not self._in_demo
        ):  # the demo portals have CSV where the publisher has a workbook
            raise FileUnreadable(url, f"`source` names the sheet {source.sheet!r}, but it is not an Excel workbook")
        if _JSON.match(beginning):
            if source.member is not None:
                return open_objects(url, path, self._new_path(), source.member)
            return open_geojson(url, path, self._new_path())
        if source.member is not None:
            raise FileUnreadable(url, f"`source` names the member {source.member!r}, but it is not JSON")
        return open_csv(url, path, self._new_path(), source.encoding)

    def _new_path(self) -> Path:
        """A new path in a temporary folder that is removed together with this object."""
        if self._folder is None:
            self._folder = Scratch()
            weakref.finalize(self, self._folder.remove)
        self._paths += 1
        return self._folder.path / str(self._paths)


def _beginning(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(4096)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _decompress(url: str, path: Path, to: Path) -> Path:
    try:
        with gzip.open(path) as compressed, to.open("wb") as file:
            written = 0
            while chunk := compressed.read(1 << 20):
                written += file.write(chunk)
                check_decompressed_size(url, path.stat().st_size, written)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise AnswerUnreadable(url, "a complete gzip file", f"a damaged gzip file ({error})") from error
    return to
