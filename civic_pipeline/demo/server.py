"""The portals as one HTTP/1.1 server on loopback. Which protocol answers is decided by the path alone."""

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
from civic_pipeline.demo.exchange import Answer, Answered, Request
from civic_pipeline.demo.faults import Faults
from civic_pipeline.demo.folder import read_folder
from civic_pipeline.demo.log import Log
from civic_pipeline.demo.opendatasoft import OpenDataSoftPortal
from civic_pipeline.demo.plain_files import PlainFiles
from civic_pipeline.demo.portal import Portal
from civic_pipeline.demo.portal_file import DemoFolderError
from civic_pipeline.demo.served_file import ServedFile
from civic_pipeline.demo.socrata import SocrataPortal
from civic_pipeline.errors import CivicError
from civic_pipeline.settings import CHECKOUT

HOST = "127.0.0.1"


class DemoPortTaken(CivicError):
    """Another program listens on the port asked for."""

    exit_code = 2

    def __init__(self, port: int) -> None:
        super().__init__(
            f"Port {port} on {HOST} is taken by another program. Choose another port, or none for a free one."
        )


class DemoPortals:
    """Serves a folder of files at `url`: over Socrata, ArcGIS and OpenDataSoft, and as they are.

    The files are read once, when the object is made: raises DemoFolderError or DemoPortTaken. As a context manager it
    serves from a thread; `serve_forever` serves from the caller's. `faults` are those of every file whose entry in
    `portal.yml` says no other. Datasets that it names are those of the checkout at `root`.
    """

    def __init__(self, folder: Path, port: int = 0, faults: Faults | None = None, root: Path = CHECKOUT) -> None:
        self._con = duckdb.connect()
        self.files: tuple[ServedFile, ...] = read_folder(folder, self._con, root, faults)
        # One core a request: clients that ask for several pages at once get the others.
        self._con.execute("set threads = 1")
        self._portals = _by_path(self.files, folder)
        self._log = Log()
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
    def requests(self) -> list[Answered]:
        """Every request answered so far, in the order of the answers."""
        return self._log.answered()

    @property
    def most_at_once(self) -> int:
        """The most requests that were being answered at the same time."""
        return self._log.most_at_once

    def file(self, name: str) -> ServedFile:
        """The file of this name. Raises DemoFolderError."""
        found = next((file for file in self.files if file.name == name), None)
        if found is None:
            known = ", ".join(file.name for file in self.files)
            raise DemoFolderError(f"The demo portals serve no file {name!r}. Choose one of {known}.")
        return found

    def addresses(self, file: ServedFile) -> list[str]:
        """Where a file's rows are: over Socrata, ArcGIS and OpenDataSoft, and as a plain file."""
        service, number = service_path(self.files, file)
        explore = f"/api/explore/v2.1/catalog/datasets/{file.opendatasoft_id}/records"
        paths = [f"/resource/{file.socrata_id}.json", f"{service}/{number}", explore, f"/files/{quote(file.name)}"]
        return [self.url + path for path in paths]

    def insert(self, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add rows to a served file, values by column name; all portals know at once. Raises DemoEditInvalid."""
        self.file(name).data.insert(rows)

    def update(self, name: str, where: str, values: Mapping[str, Any]) -> None:
        """Change the rows of a served file that meet `where`, DuckDB SQL over its columns. Raises DemoEditInvalid."""
        self.file(name).data.update(where, values)

    def delete(self, name: str, where: str) -> None:
        """Remove the rows of a served file that meet `where`, DuckDB SQL over its columns. Raises DemoEditInvalid."""
        self.file(name).data.delete(where)

    def replace(self, name: str) -> None:
        """Publish a served file anew as it is: every row gets another `:id`, as after a full replace."""
        self.file(name).data.replace()

    def misbehave(self, faults: Faults, name: str | None = None) -> None:
        """Serve a file, or every file, with these faults from now on, none of which has struck yet."""
        for file in [self.file(name)] if name else self.files:
            file.conduct.begin(faults)

    def struck(self, fault: str) -> bool:
        """Whether an answer was another because of this fault, since the file, or any file, has it."""
        return any(file.conduct.met(fault) for file in self.files)

    def answer(self, request: Request) -> Answer:
        """What the portals say to a request; safe to call from any thread."""
        portal = next((portal for start, portal in self._portals.items() if request.path.startswith(start)), None)
        if portal is None:
            return Answer(b"<html><body>Not Found</body></html>\n", status=404, content_type="text/html;charset=utf-8")
        found = portal.find(request)
        if found is None:
            return portal.elsewhere(request)
        file, asked = found
        answer = file.conduct.before(request, asked, portal.error)
        if answer is None:
            with file.data.reading() as con:
                answer = portal.answer(request, file, con)
            answer = file.conduct.after(request, asked, answer)
        if file.conduct.edit_due():
            file.data.disturb(file.faults.edit, file.faults.edit_rows)
        return answer

    def respond(self, request: Request) -> Answer:
        """`answer`, remembered in `requests`."""
        with self._log.answering(request) as note:
            answer = self.answer(request)
            note(answer.status)
            return answer

    def _close(self) -> None:
        self._server.server_close()
        self._con.close()


def _by_path(files: Sequence[ServedFile], folder: Path) -> dict[str, Portal]:
    """The portals by the beginnings of the paths they answer."""
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
    # Keep-alive connections are closed by their clients; waiting for them would hang a test's exit.
    block_on_close = False
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], portals: DemoPortals) -> None:
        super().__init__(address, _Handler)
        self.portals = portals

    def server_bind(self) -> None:
        """Without HTTPServer's look-up of our own name, which takes seconds where DNS is slow."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.server_address[1]

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up in the middle of an answer is no failure of ours."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    # Headers and body leave in one packet: without this every answer waits 40 ms for the client's delayed ACK.
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
        answer = portals.respond(
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
        held = {"ETag": self.headers.get("If-None-Match"), "Last-Modified": self.headers.get("If-Modified-Since")}
        unchanged = any(value and value == answer.headers.get(name) for name, value in held.items())
        self.send_response(304 if unchanged else answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if unchanged:
            self.end_headers()
            return
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if answer.dropped:
            self.close_connection = True
        if self.command != "HEAD":
            self.wfile.write(answer.body[: len(answer.body) // 2] if answer.dropped else answer.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Silent: the client's own log says what was asked."""
