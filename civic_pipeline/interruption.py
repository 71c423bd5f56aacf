"""Whether this process was asked to end, even if a library swallowed the exception.

DuckDB raises "Query interrupted" for an interruption; Great Expectations treats it as a failed metric and retries.
"""

import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_SIGNALS = {signal.SIGINT, signal.SIGTERM}
_PATIENCE_SECONDS = 8.0  # to finish the current work; then the process exits

_received: signal.Signals | None = None


class Interrupted(KeyboardInterrupt):
    """The process was asked to end. Raised by the handler of signals, and between two tables, before a failure is recorded."""


def end(number: int, _frame: object) -> None:
    """A signal handler: record the signal at once, and raise Interrupted.

    Libraries print a traceback if that happens in their finalisers, and in the pools of SQLAlchemy. It is no news then.
    """
    global _received  # noqa: PLW0603
    sys.unraisablehook = lambda _: None
    logging.getLogger("sqlalchemy").setLevel(logging.CRITICAL + 1)
    _received = _received or signal.Signals(number)
    raise Interrupted


def received() -> signal.Signals | None:
    """The first signal to end that was received while `watched`, or None."""
    return _received


def check() -> None:
    """Raise Interrupted if this process was asked to end."""
    if _received is not None:
        raise Interrupted


@contextmanager
def watched() -> Iterator[None]:
    """Record SIGINT and SIGTERM during the block, whoever handles them; end the process if nobody does in time.

    Does nothing outside the main thread, where Python delivers no signals, and inside another such block.
    """
    global _received  # noqa: PLW0603 - signals are the whole process's
    if threading.current_thread() is not threading.main_thread() or (before := _wakeup_fd()) != -1:
        yield
        return
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    _received = None
    signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    threading.Thread(target=_listen, args=(reader,), daemon=True).start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        writer.close()


def _wakeup_fd() -> int:
    before = signal.set_wakeup_fd(-1)
    signal.set_wakeup_fd(before)
    return before


def _listen(reader: socket.socket) -> None:
    global _received  # noqa: PLW0603
    with reader:
        while numbers := reader.recv(16):
            if wanted := [number for number in numbers if number in _SIGNALS]:
                _received = signal.Signals(wanted[0])
                break
        else:
            return
        # If the signal was handled in time, the other end is closed by now; else the process is stuck.
        reader.settimeout(_PATIENCE_SECONDS)
        try:
            while reader.recv(16):
                pass
        except TimeoutError:
            os.write(2, b"Error: interrupted; what was under way was dropped\n")
            os._exit(128 + _received)
