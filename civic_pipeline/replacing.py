"""Files that are written beside their place and renamed: a reader, and a process that is killed, leaves the old file or the new."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from civic_pipeline.errors import writing
from civic_pipeline.scratch import scratch


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """The path of a draft to write. After the block it is on disk and has the name `path`; if the block raises, it is removed.

    Each draft is in a folder of its own, so several processes may replace a file at once: the last one wins. What a killed
    process left is removed by the next. Raises DiskFull, NotWritable.
    """
    with writing(path), scratch(path.parent, f".{path.name}-") as folder:
        draft = folder / path.name
        yield draft
        with draft.open("rb+") as file:
            os.fsync(file.fileno())
        draft.replace(path)


def replace_text(path: Path, text: str) -> None:
    """Replace the file at `path`, or create it. Raises DiskFull, NotWritable."""
    with replacing(path) as draft:
        draft.write_text(text, encoding="utf-8")
