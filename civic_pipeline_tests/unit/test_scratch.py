"""Temporary folders: gone at the end, and gone at the next start if their process could not remove them."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from civic_pipeline.scratch import Scratch, scratch

# Makes a folder, says where it is, and ends as it is asked to: by a signal, or without unwinding.
HOLDING = """
import os, sys
from pathlib import Path
from civic_pipeline.scratch import Scratch
made = Scratch(Path(sys.argv[1]))
(made.path / "rows.csv").write_text("what a portal sent")
print(made.path, flush=True)
sys.stdin.readline()
os._exit(1)
"""


@contextmanager
def holding(parent: Path) -> Iterator[tuple["subprocess.Popen[str]", Path]]:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDING, str(parent)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        yield process, Path(process.stdout.readline().strip())
        process.kill()


def test_a_folder_is_empty_private_and_removed_at_the_end(tmp_path: Path) -> None:
    with scratch(tmp_path, ".out-") as folder:
        assert folder.name.startswith(".out-")
        assert folder.stat().st_mode & 0o777 == 0o700
        assert list(folder.iterdir()) == []
        (folder / "rows").write_text("1")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL, None])
def test_the_next_start_removes_what_an_ended_process_left(tmp_path: Path, end: signal.Signals | None) -> None:
    with holding(tmp_path) as (process, left):
        if end:
            process.send_signal(end)
        else:
            process.communicate("\n")  # os._exit
        process.wait()
        assert (left / "rows.csv").exists()
        with scratch(tmp_path) as folder:
            assert not left.exists()
            assert folder.exists()
    assert list(tmp_path.iterdir()) == []


def test_the_folder_of_a_living_process_stays(tmp_path: Path) -> None:
    with holding(tmp_path) as (_, left):
        Scratch(tmp_path).remove()
        assert (left / "rows.csv").exists()


def test_what_others_put_there_stays(tmp_path: Path) -> None:
    kept = tmp_path / "mine"
    kept.mkdir()
    (tmp_path / "civic-mine").mkdir()  # without a lock
    (tmp_path / "civic-link").symlink_to(kept)
    (tmp_path / "civic-link.lock").symlink_to(kept)
    if os.getuid() == 0:
        foreign = tmp_path / "civic-foreign"
        foreign.mkdir()
        (tmp_path / "civic-foreign.lock").touch()
        os.chown(tmp_path / "civic-foreign.lock", 12345, 12345)
    before = sorted(tmp_path.iterdir())
    Scratch(tmp_path).remove()
    assert sorted(tmp_path.iterdir()) == before


def test_many_begin_at_the_same_moment(tmp_path: Path) -> None:
    """One looks for what was left while another has a lock file and no lock on it yet."""

    def use(_: int) -> None:
        for _ in range(20):
            with scratch(tmp_path) as folder:
                (folder / "rows.csv").write_text("what a portal sent")

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(use, range(16)))
    assert list(tmp_path.iterdir()) == []
