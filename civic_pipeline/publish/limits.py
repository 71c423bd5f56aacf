"""A web server with limits for strangers, which hold before any authentication.

uvicorn limits the size of a request's head and the idle time after a request, but neither the time until the first request
nor that of a stalled write. A silent or endless connection would stay for ever, and enough of them would take all files. Nor does it
limit the pieces of a body: 256 kB of chunks of one byte take half a second, in which nobody else is answered.
"""

import asyncio
import logging
import resource
from itertools import chain
from typing import Any, ClassVar

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_BYTES = 64 * 1024
_PIECE_BYTES = 16 * 1024  # parsed at once: h11 measures only heads that are not complete
REQUEST_SECONDS = 10.0
# A reader must take 64 kB, the part of a file that is sent at once, in this time.
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


class _Requests(h11.Connection):
    """Reads requests from a connection. One with a body is refused before the body is parsed: no client of ours sends one."""

    def next_event(self) -> Any:
        event = super().next_event()
        if isinstance(event, h11.Request) and any(
            name == b"transfer-encoding" or (name == b"content-length" and value != b"0")
            for name, value in event.headers
        ):
            raise h11.RemoteProtocolError("a request with a body")
        return event


class _LimitedProtocol(H11Protocol):
    # Connections that wait for their client, oldest first: for a complete request, or for a response to be read.
    silent: ClassVar[dict["_LimitedProtocol", None]] = {}
    stalled: ClassVar[dict["_LimitedProtocol", None]] = {}
    _until_request: asyncio.TimerHandle | None = None
    _until_read: asyncio.TimerHandle | None = None

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.conn = _Requests(h11.SERVER, HEAD_BYTES)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        # The limit of a stalled write holds from the first byte that the network does not take, also after the last write.
        transport.set_write_buffer_limits(0)
        if len(self.connections) > _most_connections():
            # A client that has sent its request is served before one that has not.
            next(chain(self.silent, self.stalled, [self])).end("too many connections")
        self._await_request()

    def data_received(self, data: bytes) -> None:
        for start in range(0, len(data), _PIECE_BYTES):
            if not self.transport.is_closing():
                super().data_received(data[start : start + _PIECE_BYTES])
        self._watch()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch()

    def pause_writing(self) -> None:
        super().pause_writing()
        self.stalled[self] = None
        self._until_read = self.loop.call_later(STALLED_SECONDS, self.end, "the response was not read")

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_stalling()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        self._stop_stalling()
        super().connection_lost(exc)

    def _watch(self) -> None:
        """Wait for a request, if none is being answered."""
        if self.conn.their_state is h11.IDLE:
            self._await_request()
        else:
            self._stop_waiting()

    def _await_request(self) -> None:
        if self not in self.silent and not self.transport.is_closing():
            self.silent[self] = None
            self._until_request = self.loop.call_later(REQUEST_SECONDS, self.end, "no complete request")

    def _stop_waiting(self) -> None:
        self.silent.pop(self, None)
        if self._until_request:
            self._until_request.cancel()

    def _stop_stalling(self) -> None:
        self.stalled.pop(self, None)
        if self._until_read:
            self._until_read.cancel()

    def end(self, why: str) -> None:
        """Close the connection at once, and log why."""
        _log.warning("%s:%s closed: %s", *(self.client or ("-", 0)), why)
        self._stop_waiting()
        self._stop_stalling()
        self.transport.abort()
