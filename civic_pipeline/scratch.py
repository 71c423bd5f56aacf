"""Temporary folders, each with a lock that the operating system drops with its process.

A process that is killed, or that ends without unwinding, cannot remove its own. The next folder of the same kind does.
"""

import glob
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from civic_pipeline.errors import writing

PREFIX = "civic-"
_LOCK = ".lock"


class Scratch:
    """An empty folder `path` until `remove`, for this user only. Raises DiskFull, NotWritable.

    It is in the folder for temporary files, or in `parent`; its name begins with `prefix`, and ends with `name` or is new.
    """

    def __init__(self, parent: Path | None = None, prefix: str = PREFIX, name: str | None = None) -> None:
        parent = parent or Path(tempfile.gettempdir())
        with writing(parent):
            _remove_left(parent, prefix)
            folder = parent / f"{prefix}{name or secrets.token_hex(8)}"
            # Beside the folder, so that the folder is empty and can be renamed. Before it, and waiting: another process
            # that looks for what was left may hold the new lock for a moment, and removes the folder it stands for.
            self._lock = FileLock(_lock_of(folder))
            self._lock.acquire()
            folder.mkdir(mode=0o700)
        self.path = folder

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        _lock_of(self.path).unlink(missing_ok=True)
        self._lock.release()


@contextmanager
def scratch(parent: Path | None = None, prefix: str = PREFIX, name: str | None = None) -> Iterator[Path]:
    """The path of a `Scratch` for the block."""
    held = Scratch(parent, prefix, name)
    try:
        yield held.path
    finally:
        held.remove()


def _lock_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}{_LOCK}")


def _remove_left(parent: Path, prefix: str) -> None:
    """Remove the folders whose lock nobody holds. Those without a lock are of others, or are just being made."""
    for file in parent.glob(f"{glob.escape(prefix)}*{_LOCK}"):
        try:
            status = file.lstat()
            if not stat.S_ISREG(status.st_mode) or status.st_uid != os.getuid():
                continue
            with FileLock(file, timeout=0):
                shutil.rmtree(file.with_name(file.name.removesuffix(_LOCK)), ignore_errors=True)
                file.unlink(missing_ok=True)
        except (Timeout, FileNotFoundError):  # in use, or removed meanwhile
            continue
