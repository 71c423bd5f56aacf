"""A lock between processes: one writer at a time. The second waits, says for whom, and gives up after a while."""

import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from civic_pipeline.errors import LockHeld, writing
from civic_pipeline.settings import waits

_SAY_EVERY_SECONDS = 10.0


@contextmanager
def only_writer(
    path: Path, say: Callable[[str], None] | None = None, wait_seconds: float | None = None
) -> Iterator[None]:
    """Hold the lock of `path` while the block runs; `say` hears every few seconds for whom we wait.

    The operating system releases the lock when the process ends, so nothing needs repair after a crash. Raises LockHeld
    after `wait_seconds` (default: CIVIC_LOCK_SECONDS), with the holder's pid, host and start time.
    """
    if wait_seconds is None:
        wait_seconds = waits().lock_seconds
    with writing(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        lock, card = FileLock(f"{path}.lock"), Path(f"{path}.lock.json")
        _acquire(lock, path, card, wait_seconds, say)
    try:
        with writing(path.parent):
            card.write_text(
                json.dumps(
                    {
                        "pid": os.getpid(),
                        "host": socket.gethostname(),
                        "since": datetime.now(UTC).isoformat(timespec="seconds"),
                    }
                )
            )
        yield
    finally:
        card.unlink(missing_ok=True)
        lock.release()


def _acquire(lock: FileLock, path: Path, card: Path, wait_seconds: float, say: Callable[[str], None] | None) -> None:
    until = time.monotonic() + wait_seconds
    while True:
        left = max(0.0, until - time.monotonic())
        try:
            lock.acquire(timeout=min(left, _SAY_EVERY_SECONDS))
        except Timeout:
            if left == 0:
                raise LockHeld(path, _holder(card)) from None
            if say:
                say(f"waiting for {_holder(card)}, which holds {path}; {left:.0f} s left")
        else:
            return


def _holder(card: Path) -> str:
    try:
        holder = json.loads(card.read_text())
        return f"process {holder['pid']} on {holder['host']} since {holder['since']}"
    except (OSError, ValueError, LookupError, TypeError):  # it has not written its card yet, or the disk was full
        return "another process that has just started"
