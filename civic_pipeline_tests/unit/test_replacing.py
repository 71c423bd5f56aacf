"""A file that is replaced is the old one or the new one, whatever happens in between."""

import errno
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from civic_pipeline.errors import DiskFull
from civic_pipeline.replacing import replace_text, replacing


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "attempt.json"
    path.write_text("old")
    return path


def test_a_reader_sees_the_old_file_until_the_new_one_is_complete(file: Path) -> None:
    with replacing(file) as draft:
        draft.write_text("half of the ne")
        assert file.read_text() == "old"
        draft.write_text("new")
    assert file.read_text() == "new"
    assert list(file.parent.iterdir()) == [file]


def test_it_is_on_disk_before_it_gets_its_name(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fsync(_: int) -> None:
        assert file.read_text() == "old"
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(DiskFull):
        replace_text(file, "new")
    assert file.read_text() == "old"
    assert list(file.parent.iterdir()) == [file]


def test_a_failure_or_an_interruption_keeps_the_old_file(file: Path) -> None:
    with pytest.raises(KeyboardInterrupt), replacing(file) as draft:
        draft.write_text("half")
        raise KeyboardInterrupt
    assert file.read_text() == "old"
    assert list(file.parent.iterdir()) == [file]


KILLED = """
import os, sys
from pathlib import Path
from civic_pipeline.replacing import replacing
with replacing(Path(sys.argv[1])) as draft:
    draft.write_text("half")
    os._exit(9)
"""


def test_the_next_attempt_removes_the_draft_of_a_killed_process(file: Path) -> None:
    assert subprocess.run([sys.executable, "-c", KILLED, str(file)]).returncode == 9
    assert len(list(file.parent.iterdir())) > 1
    replace_text(file, "new")
    assert file.read_text() == "new"
    assert list(file.parent.iterdir()) == [file]


def test_many_replace_a_file_at_the_same_moment(file: Path) -> None:
    texts = [str(number) * 1000 for number in range(200)]
    with ThreadPoolExecutor(16) as threads:
        list(threads.map(partial(replace_text, file), texts))
    assert file.read_text() in texts
    assert list(file.parent.iterdir()) == [file]
