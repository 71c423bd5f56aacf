"""The demo portals: one HTTP/1.1 server on loopback. The path of a request selects the protocol."""

import sys
import threading
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import duckdb

from civic_pipeline.demo.arcgis import ArcgisPortal
from civic_pipeline.demo.arcgis_layer import service_path
from civic_pipeline.demo.exchange import LoggedRequest, Request, Response
from civic_pipeline.demo.faults import Faults
from civic_pipeline.demo.folder import read_folder
from civic_pipeline.demo.opendatasoft import OpenDataSoftPortal
from civic_pipeline.demo.plain_files import PlainFiles
from civic_pipeline.demo.portal import Portal
from civic_pipeline.demo.portal_file import DemoFolderError
from civic_pipeline.demo.request_log import RequestLog
from civic_pipeline.demo.served_file import ServedFile
from civic_pipeline.demo.socrata import SocrataPortal
from civic_pipeline.errors import CivicError
from civic_pipeline.settings import CHECKOUT

HOST = "127.0.0.1"


class DemoPortTaken(CivicError):
    """Another program uses the requested port."""

    exit_code = 2

    def __init__(self, port: int) -> None:
        super().__init__(
            f"Port {port} on {HOST} is taken by another program. Choose another port, or 0 for a free one."
        )


class DemoPortals:
    """Serves a folder of files at `url`: over Socrata, ArcGIS and OpenDataSoft, and as plain files.

    The constructor reads all files; it raises DemoFolderError or DemoPortTaken. As a context manager it serves from a new
    thread, with `serve_forever` from the thread of the caller. `faults` are the defaults of every file; an entry in
    `portal.yml` overrides them. Datasets named in `portal.yml` come from the checkout at `root`.
    """

    def __init__(self, folder: Path, port: int = 0, faults: Faults | None = None, root: Path = CHECKOUT) -> None:
        self._con = duckdb.connect()
        self.files: tuple[ServedFile, ...] = read_folder(folder, self._con, root, faults)
        # One core per request, so that parallel requests of a client can use the other cores.
        self._con.execute("set threads = 1")
        self._portals = _by_path(self.files, folder)
        self.is_closed = False
        self._log = RequestLog()
        try:
            self._server = _Server((HOST, port), self)
        except OSError:
            raise DemoPortTaken(port) from None
        self.url = f"http://{HOST}:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="demo-portals", daemon=True
        ).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._close()

    def serve_forever(self) -> None:
        """Serve until interrupted."""
        try:
            self._server.serve_forever()
        finally:
            self._close()

    @property
    def requests(self) -> list[LoggedRequest]:
        """All requests so far, in the order of their responses."""
        return self._log.entries()

    @property
    def most_at_once(self) -> int:
        """The largest number of requests that were handled in parallel."""
        return self._log.most_at_once

    def file(self, name: str) -> ServedFile:
        """Return the file with this name. Raises DemoFolderError."""
        file = next((file for file in self.files if file.name == name), None)
        if file is None:
            known = ", ".join(served.name for served in self.files)
            raise DemoFolderError(f"The demo portals serve no file {name!r}. Choose one of {known}.")
        return file

    def addresses(self, file: ServedFile) -> list[str]:
        """Return the addresses of a file's rows: Socrata, ArcGIS, OpenDataSoft, plain file."""
        service, number = service_path(self.files, file)
        explore = f"/api/explore/v2.1/catalog/datasets/{file.opendatasoft_id}/records"
        paths = [f"/resource/{file.socrata_id}.json", f"{service}/{number}", explore, f"/files/{quote(file.name)}"]
        return [self.url + path for path in paths]

    def insert(self, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add rows to a served file, values by column name. All protocols show them at once. Raises DemoEditInvalid."""
        self.file(name).data.insert(rows)

    def update(self, name: str, where: str, values: Mapping[str, Any]) -> None:
        """Change the rows of a served file that meet `where`, DuckDB SQL over its columns. Raises DemoEditInvalid."""
        self.file(name).data.update(where, values)

    def delete(self, name: str, where: str) -> None:
        """Remove the rows of a served file that meet `where`, DuckDB SQL over its columns. Raises DemoEditInvalid."""
        self.file(name).data.delete(where)

    def replace(self, name: str) -> None:
        """Publish a served file again without changes: every row gets a new `:id`, as after a full replace on Socrata."""
        self.file(name).data.replace()

    def inject_faults(self, faults: Faults, name: str | None = None) -> None:
        """Replace the faults of a file, or of every file, and reset their counters."""
        for file in [self.file(name)] if name else self.files:
            file.fault_injection.set_faults(faults)

    def struck(self, fault: str) -> bool:
        """Return whether this fault has changed a response of any file since it was set."""
        return any(file.fault_injection.has_struck(fault) for file in self.files)

    def answer(self, request: Request) -> Response:
        """Return the response to a request. Thread-safe."""
        portal = next((portal for prefix, portal in self._portals.items() if request.path.startswith(prefix)), None)
        if portal is None:
            return Response(
                b"<html><body>Not Found</body></html>\n", status=404, content_type="text/html;charset=utf-8"
            )
        match = portal.find(request)
        if match is None:
            return portal.fallback(request)
        file, purpose = match
        response = file.fault_injection.error_response(request, purpose, portal.error)
        if response is None:
            with file.data.reading() as con:
                response = portal.answer(request, file, con)
            response = file.fault_injection.damage(request, purpose, response)
        if file.fault_injection.is_edit_due():
            file.data.edit_rows(file.faults.edit, file.faults.edit_rows)
        return response

    def respond(self, request: Request) -> Response:
        """Return the response to a request and add it to `requests`."""
        with self._log.record(request) as set_status:
            response = self.answer(request)
            set_status(response.status)
            return response

    def _close(self) -> None:
        self.is_closed = True
        self._server.server_close()
        self._con.close()


def _by_path(files: Sequence[ServedFile], folder: Path) -> dict[str, Portal]:
    """Return the portals by the prefix of the paths they serve."""
    socrata, arcgis = SocrataPortal(files), ArcgisPortal(files)
    opendatasoft, plain = OpenDataSoftPortal(files), PlainFiles(files, folder)
    return {
        "/resource/": socrata,
        "/api/views/": socrata,
        "/api/v3/": socrata,
        "/sharing/": arcgis,
        "/arcgis/": arcgis,
        "/api/explore/": opendatasoft,
        "/files/": plain,
    }


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # Clients close keep-alive connections. Waiting for them would block the end of a test.
    block_on_close = False
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], portals: DemoPortals) -> None:
        super().__init__(address, _Handler)
        self.portals = portals

    def server_bind(self) -> None:
        """Skip the DNS look-up of HTTPServer, which takes seconds when DNS is slow."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.server_address[1]

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore clients that close the connection during a response, and requests under way when the portals close."""
        if not self.portals.is_closed and not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    # Send headers and body in one packet: otherwise every response waits 40 ms for the delayed ACK of the client.
    wbufsize = 1 << 16
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._reply(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        is_form = "json" not in self.headers.get("Content-Type", "")
        form = parse_qsl(body.decode(), keep_blank_values=True) if is_form else []
        self._reply(parse_qsl(urlsplit(self.path).query, keep_blank_values=True) + form, body)

    def _reply(self, parameters: list[tuple[str, str]], body: bytes = b"") -> None:
        portals = self.server.portals
        response = portals.respond(
            Request(
                unquote(urlsplit(self.path).path),
                dict(parameters),
                portals.url,
                self.command,
                {name.lower(): value for name, value in self.headers.items()},
                self.path,
                body,
            )
        )
        cached = {"ETag": self.headers.get("If-None-Match"), "Last-Modified": self.headers.get("If-Modified-Since")}
        unchanged = any(value and value == response.headers.get(name) for name, value in cached.items())
        self.send_response(304 if unchanged else response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        if unchanged:
            self.end_headers()
            return
        self.send_header("Content-Type", response.content_type)
        self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        if response.dropped:
            self.close_connection = True
        if self.command != "HEAD":
            self.wfile.write(response.body[: len(response.body) // 2] if response.dropped else response.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Do not log to the terminal; `requests` has the log."""
