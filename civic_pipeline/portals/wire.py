"""The bytes of one response as they come off the network: counted, and limited in time.

The timeout of a socket counts from byte to byte, so a portal that sends a byte a second would hold a night for ever.
"""

import io
import socket
import time
from typing import Any

from civic_pipeline.settings import waits

WINDOW_SECONDS = 120  # in which the least rate must come


class Wire:
    """The part of a socket that `http.client` reads a response from. `received` counts the bytes.

    Reading raises TimeoutError for a response that is too slow.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.received = 0
        self._started = self._window_started = now()
        self._in_window = 0
        self._waits = waits()

    def makefile(self, *_: object) -> io.BufferedReader:
        return io.BufferedReader(_Counted(self._connection.makefile("rb", buffering=0), self))

    def count(self, received: int) -> None:
        """Count bytes that came. Raises TimeoutError."""
        self.received += received
        self._in_window += received
        moment = now()
        if moment - self._started > self._waits.response_seconds:
            raise TimeoutError(f"the response was not complete after {self._waits.response_seconds:,} seconds")
        if moment - self._window_started > WINDOW_SECONDS:
            if self._in_window < self._waits.least_bytes_a_second * (moment - self._window_started):
                raise TimeoutError(
                    f"it sent fewer than {self._waits.least_bytes_a_second:,} bytes a second for {WINDOW_SECONDS} seconds"
                )
            self._window_started, self._in_window = moment, 0


class _Counted(io.RawIOBase):
    """A socket's file, whose bytes `wire` counts."""

    def __init__(self, file: Any, wire: Wire) -> None:
        self._file, self._wire = file, wire

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        received: int | None = self._file.readinto(buffer)
        if received:
            self._wire.count(received)
        return received

    def close(self) -> None:
        self._file.close()
        super().close()


def now() -> float:
    """Seconds of a clock that never goes back."""
    return time.monotonic()
