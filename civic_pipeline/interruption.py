"""Whether this process was asked to end, also where a library swallowed the exception that said so.

DuckDB turns an interruption into "Query interrupted", which Great Expectations takes for a failed metric and tries again.
"""

import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_SIGNALS = {signal.SIGINT, signal.SIGTERM}
_PATIENCE_SECONDS = 8.0  # for what is under way; then the process ends without it

_received: signal.Signals | None = None


class Interrupted(KeyboardInterrupt):
    """Raised where a run can end: between two tables, before a failure is recorded."""


def received() -> signal.Signals | None:
    """The first signal to end that came while `watched`, or None."""
    return _received


def check() -> None:
    """Raise Interrupted if this process was asked to end."""
    if _received is not None:
        raise Interrupted


@contextmanager
def watched() -> Iterator[None]:
    """Notice SIGINT and SIGTERM while the block runs, whoever handles them; end the process if nobody does in time.

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
        # Whoever handles it has closed the other end by then, or is stuck.
        reader.settimeout(_PATIENCE_SECONDS)
        try:
            while reader.recv(16):
                pass
        except TimeoutError:
            os.write(2, b"Error: interrupted; what was under way was dropped\n")
            os._exit(128 + _received)
