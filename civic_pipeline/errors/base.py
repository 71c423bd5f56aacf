"""The base class of all expected errors, and the errors of settings, locks and writing files."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from civic_pipeline.foreign_text import in_one_line, printable, shortened
from civic_pipeline.redaction import redacted

_LONGEST = 5_000  # characters


class CivicError(Exception):
    """Base class of every expected error. `str()` is the full message without secrets; `exit_code` is for the CLI."""

    exit_code = 1

    def __init__(self, message: str) -> None:
        super().__init__(printable(redacted(message)))


class OneLineError(CivicError):
    """A message with text of a portal or a file, which must neither look like a second message nor fill the log."""

    def __init__(self, message: str) -> None:
        super().__init__(in_one_line(message))
        self.args = (shortened(str(self), _LONGEST),)


class SettingInvalid(CivicError):
    """An environment variable has a value that is not allowed."""

    exit_code = 2

    def __init__(self, name: str, value: str, allowed: str) -> None:
        super().__init__(f"{value!r} is not a valid {name}. Set {name} to {allowed}, or unset it.")


class DiskFull(CivicError):
    """The disk is full."""

    def __init__(self, path: Path, problem: str = "no space, or no inode, is left") -> None:
        super().__init__(f"The disk of {path} is full: {problem}. Free some space there, then run again.")


class NotWritable(CivicError):
    """A file or folder cannot be written: no permission, or a read-only file system."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(
            f"{path} cannot be written: {problem}. Give this user write permission, or set CIVIC_DATA to another folder."
        )


class OutputNotWritable(CivicError):
    """Standard output cannot be written, such as a file on a full disk."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"The standard output cannot be written: {problem}. Send it to another file.")


class OutputClosed(CivicError):
    """Whoever read the standard output has closed it: it has read enough. The exit code is that of SIGPIPE."""

    exit_code = 141

    def __init__(self) -> None:
        super().__init__("Nobody reads the standard output any more.")


class LockHeld(CivicError):
    """Another process holds the lock."""

    exit_code = 4

    def __init__(self, path: Path, holder: str) -> None:
        super().__init__(f"{path} is being written by {holder}. Wait until that run ends or stop it, then run again.")


class TooFewFiles(CivicError):
    """This process may not open as many files as a run needs."""

    def __init__(self, allowed: int, needed: int) -> None:
        super().__init__(
            f"This process may open {allowed} files at once, and a run needs up to {needed}. Raise the limit (`ulimit -n"
            f" {needed}`, or LimitNOFILE= of the service), then run again."
        )


class TookTooLong(CivicError):
    """DuckDB or another program did not end in time."""

    def __init__(self, what: str, seconds: int, setting: str) -> None:
        super().__init__(
            f"{what} was not complete after {seconds:,} seconds. Make it smaller, or set {setting} to more."
        )


# SQLite says "disk I/O error" on a full disk, too, when it cannot extend its shared memory.
_FULL = ("No space left on device", "database or disk is full", "disk I/O error", "File too large")
_NOT_WRITABLE = (
    "Permission denied", "Read-only file system", "attempt to write a readonly database", "unable to open database file",
)  # fmt: skip


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Context for code that writes under `path`: raises DiskFull or NotWritable instead of the system's error."""
    try:
        yield
    except CivicError:
        raise
    except Exception as error:
        foreseen = disk_error(path, str(error), getattr(error, "errno", None))
        if foreseen:
            raise foreseen from error
        raise


def disk_error(path: Path, text: str, code: int | None = None) -> DiskFull | NotWritable | None:
    """The expected error for what the system (by its `code`), DuckDB or SQLite (Dagster's storage) says about a disk, or None."""
    if code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) or any(words in text for words in _FULL):
        return DiskFull(path)
    if code in (errno.EACCES, errno.EPERM, errno.EROFS, errno.EISDIR, errno.ENOTDIR) or any(
        words in text for words in _NOT_WRITABLE
    ):
        return NotWritable(path, os.strerror(code) if code else text.split("\n", 1)[0])
    return None


def accept_command(capture_id: str) -> str:
    """The command by which a person accepts a capture that differs much from the one before."""
    return f'civic accept {capture_id.rpartition("/")[0]} --capture {capture_id} --because "..."'
