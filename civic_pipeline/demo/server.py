"""The portals as one HTTP/1.1 server on loopback. Which protocol answers is decided by the path alone."""

import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl, unquote, urlsplit

import duckdb

from civic_pipeline.demo.arcgis import ArcgisPortal
from civic_pipeline.demo.exchange import Answer, Request
from civic_pipeline.demo.folder import ServedFile, read_folder
from civic_pipeline.demo.socrata import SocrataPortal
from civic_pipeline.errors import CivicError

HOST = "127.0.0.1"


class DemoPortTaken(CivicError):
    """Another program listens on the port asked for."""

    exit_code = 2

    def __init__(self, port: int) -> None:
        super().__init__(
            f"Port {port} on {HOST} is taken by another program. Choose another port, or none for a free one."
        )


class DemoPortals:
    """Serves a folder of files as a Socrata portal and as an ArcGIS portal at `url`.

    The files are read once, when the object is made: raises DemoFolderError or DemoPortTaken. As a context manager it
    serves from a thread; `serve_forever` serves from the caller's.
    """

    def __init__(self, folder: Path, port: int = 0) -> None:
        self._con = duckdb.connect()
        self.files: tuple[ServedFile, ...] = read_folder(folder, self._con)
        self._socrata, self._arcgis = SocrataPortal(self.files), ArcgisPortal(self.files)
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

    def answer(self, request: Request) -> Answer:
        """What the portals say to a request; safe to call from any thread."""
        with self._con.cursor() as con:
            if request.path.startswith(("/resource/", "/api/views/")):
                return self._socrata.answer(request, con)
            if request.path.startswith(("/sharing/", "/arcgis/")):
                return self._arcgis.answer(request, con)
        return Answer(b"<html><body>Not Found</body></html>\n", status=404, content_type="text/html;charset=utf-8")

    def _close(self) -> None:
        self._server.server_close()
        self._con.close()


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

    def do_POST(self) -> None:
        form = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self._reply(
            parse_qsl(urlsplit(self.path).query, keep_blank_values=True) + parse_qsl(form, keep_blank_values=True)
        )

    def _reply(self, parameters: list[tuple[str, str]]) -> None:
        portals = self.server.portals
        answer = portals.answer(Request(unquote(urlsplit(self.path).path), dict(parameters), portals.url))
        unchanged = answer.headers.get("ETag", "") == self.headers.get("If-None-Match")
        self.send_response(304 if unchanged else answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if unchanged:
            self.end_headers()
            return
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Silent: the client's own log says what was asked."""
