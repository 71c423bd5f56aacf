"""A machine that lacks what a run needs is named before the run begins."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from civic_pipeline.errors import NotWritable
from civic_pipeline.machine import require_links
from civic_pipeline.settings import CHECKOUT, Settings


def test_a_file_system_without_links_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    require_links(Settings(data=tmp_path))

    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    with pytest.raises(NotWritable, match=rf"{tmp_path} cannot be written: its file system has no hard links"):
        require_links(Settings(data=tmp_path))
    assert list(tmp_path.iterdir()) == []


LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[1]), int(sys.argv[2])))
from civic_pipeline.errors import CivicError
from civic_pipeline.machine import require_files
try:
    require_files()
    print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
except CivicError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("soft", "hard", "printed"),
    [
        (100, 100, "This process may open 100 files at once, and a run needs up to 256. Raise the limit"),
        (100, 1000, "256"),
        (300, 1000, "300"),
    ],
)
def test_the_limit_of_open_files_is_raised_or_named(soft: int, hard: int, printed: str) -> None:
    command = [sys.executable, "-c", LIMITED, str(soft), str(hard)]
    assert subprocess.run(command, capture_output=True, text=True, cwd=CHECKOUT).stdout.startswith(printed)
