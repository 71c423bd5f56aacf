"""Plain files as a web server sends them: the current bytes on disk, with ETag and Last-Modified."""

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from email.utils import formatdate
from pathlib import Path

import duckdb

from civic_pipeline.demo.exchange import Request, Response
from civic_pipeline.demo.fault_injection import Purpose
from civic_pipeline.demo.served_file import ServedFile, update_time_of

_TYPES = {
    ".csv": "text/csv", ".geojson": "application/geo+json", ".gz": "application/gzip", ".json": "application/json",
}  # fmt: skip
_DOCUMENTS = {".xlsx", ".json"}


class PlainFiles:
    """Responds to requests below `/files/`. Workbooks and JSON documents are served only here: the other protocols cannot page them."""

    def __init__(self, files: Iterable[ServedFile], folder: Path) -> None:
        self._files = {
            f"/files/{name}": file for file in files for name in (file.name, file.entry.published_as) if name
        }
        self._documents = {f"/files/{path.name}": path for path in folder.iterdir() if path.suffix in _DOCUMENTS}

    def find(self, request: Request) -> tuple[ServedFile, Purpose] | None:
        file = self._files.get(request.path)
        return (file, Purpose("file")) if file else None

    def answer(self, _request: Request, file: ServedFile, _con: duckdb.DuckDBPyConnection, /) -> Response:
        response = _file_response(file.path)
        file.fault_injection.mark_struck("no_validators")
        return replace(response, headers={}) if file.faults.no_validators else response

    def fallback(self, request: Request) -> Response:
        document = self._documents.get(request.path)
        return _file_response(document) if document else Response.page("404 Not Found", status=404)

    @staticmethod
    def error(code: int, message: str, _details: str, status: int, /) -> Response:
        """Return the error as an HTML page."""
        return Response.page(f"{code} {message}", status=status)


def _file_response(path: Path) -> Response:
    content = path.read_bytes()
    headers = {
        "ETag": f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"',
        "Last-Modified": formatdate(update_time_of(content), usegmt=True),
    }
    return Response(content, content_type=_TYPES.get(path.suffix, "application/octet-stream"), headers=headers)
