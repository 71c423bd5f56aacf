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

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_PATIENCE_SECONDS = 8.0  # to finish the current work; then the process exits

_received: signal.Signals | None = None
_is_ending = False  # Interrupted was raised for it


class Interrupted(KeyboardInterrupt):
    """The process was asked to end. Raised by the handler of signals, and between two tables, before a failure is recorded."""


def received() -> signal.Signals | None:
    """The first signal to end that was received while `watched`, or None."""
    return _received


def check() -> None:
    """Raise Interrupted if this process was asked to end."""
    if _received is not None:
        raise Interrupted


@contextmanager
def ending() -> Iterator[None]:
    """Raise Interrupted in the block at the first signal, and end the process if that does not end it in time.

    SIGINT counts also where a shell without job control ignores it; SIGHUP does not where `nohup` ignores it. After the block
    the process is at its end, and signals change nothing.
    """
    global _is_ending  # noqa: PLW0603 - signals are the whole process's
    with watched():
        for number in _SIGNALS:
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, _end)
        try:
            yield
        finally:
            _is_ending = True


def _end(number: int, _frame: object) -> None:
    """Record the first signal and raise Interrupted; a second one would only disturb what ends.

    Libraries print a traceback if that happens in their finalisers, and in the pools of SQLAlchemy. It is no news then.
    """
    global _received, _is_ending
    if _is_ending:
        return
    sys.unraisablehook = lambda _: None
    logging.getLogger("sqlalchemy").setLevel(logging.CRITICAL + 1)
    _received, _is_ending = _received or signal.Signals(number), True
    raise Interrupted


@contextmanager
def watched() -> Iterator[None]:
    """Record signals to end during the block, whoever handles them; end the process if nobody does in time.

    Does nothing outside the main thread, where Python delivers no signals, and inside another such block.
    """
    global _received, _is_ending
    if threading.current_thread() is not threading.main_thread() or (before := _wakeup_fd()) != -1:
        yield
        return
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    _received, _is_ending = None, False
    signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    listener = threading.Thread(target=_listen, args=(reader,), daemon=True)
    listener.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        writer.close()
        listener.join()


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
