"""A lock between processes: one writer at a time. The error names the process that holds the lock."""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from civic_pipeline.errors import LockHeld, writing


@contextmanager
def only_writer(path: Path, wait_seconds: float = 0) -> Iterator[None]:
    """Hold the lock of `path` while the block runs.

    The operating system releases the lock when the process ends, so nothing needs repair after a crash. Raises LockHeld
    after `wait_seconds`, with the holder's pid, host and start time.
    """
    with writing(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        lock, card = FileLock(f"{path}.lock"), Path(f"{path}.lock.json")
        try:
            lock.acquire(timeout=wait_seconds)
        except Timeout:
            raise LockHeld(path, _holder(card)) from None
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


def _holder(card: Path) -> str:
    try:
        holder = json.loads(card.read_text())
    except (OSError, json.JSONDecodeError):  # the other process has the lock, but has not written its card yet
        return "another process that has just started"
    return f"process {holder['pid']} on {holder['host']} since {holder['since']}"
