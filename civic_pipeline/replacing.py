"""Files that are written beside their place and renamed: a reader, and a process that is killed, leaves the old file or the new."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from civic_pipeline.errors import writing


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """The path of a draft to write. After the block it is on disk and has the name `path`; if the block raises, it is removed.

    The draft has always the same name: the next attempt overwrites what a killed process left. Raises DiskFull, NotWritable.
    """
    draft = path.with_name(f".{path.name}.new")
    try:
        with writing(path):
            yield draft
            with draft.open("rb+") as file:
                os.fsync(file.fileno())
            draft.replace(path)
    except BaseException:
        with suppress(OSError):  # the first failure is the one to report
            draft.unlink(missing_ok=True)
        raise


def replace_text(path: Path, text: str) -> None:
    """Replace the file at `path`, or create it. Raises DiskFull, NotWritable."""
    with replacing(path) as draft:
        draft.write_text(text, encoding="utf-8")
