"""A web server with limits for strangers, which hold before any authentication.

uvicorn limits the size of a request's head and the idle time after a request, but neither the time until the first request
nor that of a stalled write. A silent or endless connection would stay for ever, and enough of them would take all files.
"""

import asyncio
import logging
import resource
from typing import ClassVar

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_BYTES = 64 * 1024
REQUEST_SECONDS = 10.0
# A reader must take about 50 kB, the part of the buffer that is sent at once, in this time.
STALLED_SECONDS = 60.0
MOST_CONNECTIONS = 2000
_SPARE_FILES = 64  # of this process, besides a socket and a file for each connection
_GRACE_SECONDS = 5  # for responses that are being sent at shutdown

_log = logging.getLogger(__name__)


def limited_server(app: ASGIApp, access_log: bool = True) -> uvicorn.Server:
    """A server for `app`. It closes connections that send no complete request in time, or do not read their response."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return uvicorn.Server(
        uvicorn.Config(
            app,
            http=_LimitedProtocol,
            h11_max_incomplete_event_size=HEAD_BYTES,
            log_config=None,
            access_log=access_log,
            lifespan="off",
            ws="none",
            server_header=False,
            proxy_headers=False,  # a stranger could write any address into the log
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
    )


def _most_connections() -> int:
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST_CONNECTIONS if files < 0 else max(1, min(MOST_CONNECTIONS, (files - _SPARE_FILES) // 2))


class _LimitedProtocol(H11Protocol):
    waiting: ClassVar[dict["_LimitedProtocol", None]] = {}  # connections without a complete request, oldest first
    _until_request: asyncio.TimerHandle | None = None
    _until_read: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > _most_connections():
            # A client that has sent its request is served before one that has not.
            next(iter(self.waiting), self).end("too many connections")
        self._await_request()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state in (h11.IDLE, h11.SEND_BODY):
            self._await_request()
        else:
            self._stop_waiting()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._until_read = self.loop.call_later(STALLED_SECONDS, self.end, "the response was not read")

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._until_read:
            self._until_read.cancel()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        if self._until_read:
            self._until_read.cancel()
        super().connection_lost(exc)

    def _await_request(self) -> None:
        if self not in self.waiting and not self.transport.is_closing():
            self.waiting[self] = None
            self._until_request = self.loop.call_later(REQUEST_SECONDS, self.end, "no complete request")

    def _stop_waiting(self) -> None:
        self.waiting.pop(self, None)
        if self._until_request:
            self._until_request.cancel()

    def end(self, why: str) -> None:
        """Close the connection at once, and log why."""
        _log.warning("%s:%s closed: %s", *(self.client or ("-", 0)), why)
        self._stop_waiting()
        self.transport.abort()
