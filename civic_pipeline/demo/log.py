"""What the portals were asked, and how much of it at once."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from civic_pipeline.demo.exchange import Answered, Request


class Log:
    """Safe to write and to read from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answered: list[Answered] = []
        self._under_way = self.most_at_once = 0

    def answered(self) -> list[Answered]:
        with self._lock:
            return list(self._answered)

    @contextmanager
    def answering(self, request: Request) -> Iterator[Callable[[int], None]]:
        """Around one answer; the block is given a function to note the HTTP status with."""
        with self._lock:
            self._under_way += 1
            self.most_at_once = max(self.most_at_once, self._under_way)

        def note(status: int) -> None:
            with self._lock:
                self._answered.append(
                    Answered(request.method, request.path, request.parameters, request.headers, status)
                )

        try:
            yield note
        finally:
            with self._lock:
                self._under_way -= 1
