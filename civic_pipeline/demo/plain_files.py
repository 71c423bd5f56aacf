"""Files as a web server gives them: the bytes on the disk as they are now, with the headers that say whether they changed."""

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from email.utils import formatdate
from pathlib import Path

import duckdb

from civic_pipeline.demo.conduct import Asked
from civic_pipeline.demo.exchange import Answer, Request
from civic_pipeline.demo.served_file import ServedFile, instant_of

_TYPES = {".csv": "text/csv", ".geojson": "application/geo+json", ".gz": "application/gzip"}


class PlainFiles:
    """Answers requests below `/files/`. Workbooks of the folder, which no protocol can page through, are served here alone."""

    def __init__(self, files: Iterable[ServedFile], folder: Path) -> None:
        self._files = {f"/files/{file.name}": file for file in files}
        self._workbooks = {f"/files/{path.name}": path for path in folder.glob("*.xlsx")}

    def find(self, request: Request) -> tuple[ServedFile, Asked] | None:
        file = self._files.get(request.path)
        return (file, Asked("file")) if file else None

    def answer(self, _request: Request, file: ServedFile, _con: duckdb.DuckDBPyConnection, /) -> Answer:
        whole = _whole(file.path)
        file.conduct.meet("no_validators")
        return replace(whole, headers={}) if file.faults.no_validators else whole

    def elsewhere(self, request: Request) -> Answer:
        workbook = self._workbooks.get(request.path)
        return _whole(workbook) if workbook else Answer.page("404 Not Found", status=404)

    @staticmethod
    def error(code: int, message: str, _details: str, status: int, /) -> Answer:
        """A page of HTML, as web servers write it."""
        return Answer.page(f"{code} {message}", status=status)


def _whole(path: Path) -> Answer:
    content = path.read_bytes()
    headers = {
        "ETag": f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"',
        "Last-Modified": formatdate(instant_of(content), usegmt=True),
    }
    return Answer(content, content_type=_TYPES.get(path.suffix, "application/octet-stream"), headers=headers)
