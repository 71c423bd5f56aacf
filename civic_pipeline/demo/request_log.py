"""The log of requests, and the largest number of parallel requests."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from civic_pipeline.demo.exchange import LoggedRequest, Request


class RequestLog:
    """Requests in the order of their responses. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: list[LoggedRequest] = []
        self._active = self.most_at_once = 0

    def entries(self) -> list[LoggedRequest]:
        with self._lock:
            return list(self._entries)

    @contextmanager
    def record(self, request: Request) -> Iterator[Callable[[int], None]]:
        """Wrap the handling of one request. Yields a function that records the HTTP status."""
        with self._lock:
            self._active += 1
            self.most_at_once = max(self.most_at_once, self._active)

        def set_status(status: int) -> None:
            with self._lock:
                self._entries.append(
                    LoggedRequest(request.method, request.path, request.parameters, request.headers, status)
                )

        try:
            yield set_status
        finally:
            with self._lock:
                self._active -= 1
