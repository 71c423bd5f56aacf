"""The base of every failure we foresee, and those of settings and of writing files."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from civic_pipeline.redaction import redacted


class CivicError(Exception):
    """Base of every failure we foresee; `str()` is the whole message, without secrets. `exit_code` is what `civic` ends with."""

    exit_code = 1

    def __init__(self, message: str) -> None:
        super().__init__(redacted(message))


class SettingInvalid(CivicError):
    """An environment variable holds something we cannot work with."""

    exit_code = 2

    def __init__(self, name: str, value: str, allowed: str) -> None:
        super().__init__(f"{name}={value!r} is not a setting we know. Set {name} to {allowed}, or unset it.")


class DiskFull(CivicError):
    """No space left where we write."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"No space is left on the disk under {path}. Free some (old captures live in data/lake) and run again."
        )


class NotWritable(CivicError):
    """We may not write where we must."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(
            f"{path} cannot be written: {problem}. Give this user write permission, or set CIVIC_DATA to another folder."
        )


class LockHeld(CivicError):
    """Another process is writing."""

    exit_code = 4

    def __init__(self, path: Path, holder: str) -> None:
        super().__init__(f"{path} is being written by {holder}. Wait for that run to end, or stop it, and run again.")


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Around code that writes under `path`: a full disk or a missing permission becomes DiskFull or NotWritable."""
    try:
        yield
    except CivicError:
        raise
    except Exception as error:
        code = getattr(error, "errno", None)
        if code in (errno.ENOSPC, errno.EDQUOT) or "No space left on device" in str(error):
            raise DiskFull(path) from error
        if (
            code in (errno.EACCES, errno.EPERM, errno.EROFS)
            or "Permission denied" in str(error)
            or "Read-only file system" in str(error)
        ):
            raise NotWritable(path, str(error)) from error
        raise
