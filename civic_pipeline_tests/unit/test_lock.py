"""A lock between processes: who waits says for whom, and not for ever."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from civic_pipeline import lock
from civic_pipeline.errors import LockHeld
from civic_pipeline.lock import only_writer
from civic_pipeline.publish.site import build_site
from civic_pipeline.releases import restore_live
from civic_pipeline.run_report import report_run
from civic_pipeline.settings import Settings, Waits


def test_who_waits_says_for_whom_and_gives_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "_SAY_EVERY_SECONDS", 0.05)
    heard: list[str] = []
    with only_writer(tmp_path / "run"):
        with (
            pytest.raises(LockHeld, match=f"process {os.getpid()} on "),
            only_writer(tmp_path / "run", heard.append, 0.2),
        ):
            pass
        assert heard
        assert all(line.startswith(f"waiting for process {os.getpid()} on ") for line in heard)
    with only_writer(tmp_path / "run", heard.append, 0.0):
        pass


def test_who_waits_gives_up_after_the_time_that_is_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "waits", lambda: Waits(lock_seconds=0))
    with only_writer(tmp_path / "run"), pytest.raises(LockHeld), only_writer(tmp_path / "run"):
        pass


@pytest.mark.parametrize(
    ("locked", "write"),
    [
        ("site", lambda settings: build_site(settings.warehouse, settings.site)),
        ("build/build.duckdb", restore_live),
        ("notified", lambda settings: report_run(settings, "a run", None, print)),
    ],
    ids=["site", "live file", "notified.json"],
)
def test_what_several_processes_replace_has_one_writer(
    locked: str, write: Callable[[Settings], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "waits", lambda: Waits(lock_seconds=0))
    with only_writer(tmp_path / locked), pytest.raises(LockHeld):
        write(Settings(data=tmp_path))


@pytest.mark.parametrize("card", [b"", b"{", b"{}", b"[]", b"7", b"\xff"])
def test_who_waits_for_a_holder_with_a_damaged_note_is_no_traceback(tmp_path: Path, card: bytes) -> None:
    with only_writer(tmp_path / "run"):
        (tmp_path / "run.lock.json").write_bytes(card)
        with pytest.raises(LockHeld, match="by another process"), only_writer(tmp_path / "run", wait_seconds=0):
            pass


def test_a_note_that_a_killed_process_left_keeps_nobody_waiting(tmp_path: Path) -> None:
    (tmp_path / "run.lock.json").write_text('{"pid": 1, "host": "another", "since": "2026-01-01"}', encoding="utf-8")
    with only_writer(tmp_path / "run"):
        pass
