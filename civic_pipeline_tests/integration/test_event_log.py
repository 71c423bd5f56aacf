"""Dagster's event log with its files kept open: fewer openings, and everybody still sees everything at once."""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from queue import Queue
from typing import Any

import dagster as dg
import pytest

from civic_pipeline.dagster_home import prepare_home
from civic_pipeline.settings import CHECKOUT, Settings

# A run whose log is made, kept open and never closed, until it is told to end.
LOGGING = """
import sys
import dagster as dg

@dg.job
def nothing() -> None: ...

instance = dg.DagsterInstance.get()
run = instance.create_run_for_job(nothing)
print(run.run_id, flush=True)
for line in sys.stdin:
    instance.report_engine_event(line.strip(), run)
    print(line, end="", flush=True)
"""
# How often a run of so many checks opens the index of all runs.
OPENING = """
import sys
import dagster as dg

opened = 0

def count(event: str, given: tuple[object, ...]) -> None:
    global opened
    opened += event == "sqlite3.connect" and str(given[0]).endswith("index.db")

@dg.asset(check_specs=[dg.AssetCheckSpec(f"check_{number}", asset="table") for number in range(40)])
def table():
    yield dg.MaterializeResult()
    yield from (dg.AssetCheckResult(passed=True, check_name=f"check_{number}") for number in range(40))

with dg.DagsterInstance.get() as instance:
    sys.addaudithook(count)
    assert dg.materialize([table], instance=instance).success
    print(opened)
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = prepare_home(Settings(data=tmp_path))
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    return home


@pytest.fixture
def writer(home: Path) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen([sys.executable, "-c", LOGGING], stdin=-1, stdout=-1, text=True) as process:
        yield process


def test_a_run_opens_the_index_of_runs_a_few_times_and_not_for_every_event(home: Path) -> None:
    told = subprocess.run([sys.executable, "-c", OPENING], capture_output=True, text=True, check=True)
    # 122 events concern a check or an asset; Dagster's own storage opens it 252 times.
    assert int(told.stdout.split()[-1]) < 20


def test_whoever_follows_a_run_hears_of_an_event_while_the_writer_goes_on(writer: Any) -> None:
    run_id = writer.stdout.readline().strip()
    heard: Queue[str] = Queue()
    with dg.DagsterInstance.get() as instance:
        instance.watch_event_logs(run_id, None, lambda entry, _: heard.put(entry.message))
        for message in ("first", "second"):
            time.sleep(2)  # what the making of the file still makes the follower read is over
            writer.stdin.write(f"{message}\n")
            writer.stdin.flush()
            assert heard.get(timeout=20) == message
    writer.stdin.close()


def test_a_writer_that_was_killed_leaves_its_events(writer: Any) -> None:
    run_id = writer.stdout.readline().strip()
    writer.stdin.write("before\n")
    writer.stdin.flush()
    assert writer.stdout.readline().strip() == "before"
    writer.kill()
    writer.wait()
    with dg.DagsterInstance.get() as instance:
        assert "before" in [entry.message for entry in instance.all_logs(run_id)]


def test_more_runs_than_are_kept_open_can_be_read(home: Path) -> None:
    @dg.job
    def nothing() -> None: ...

    with dg.DagsterInstance.get() as instance:
        runs = [nothing.execute_in_process(instance=instance).run_id for _ in range(12)]
        assert all(instance.all_logs(run_id) for run_id in runs)
        instance.delete_run(runs[0])
        assert not instance.all_logs(runs[0])


def test_a_dagster_without_a_home_of_ours_starts_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`dg launch` in the checkout reads the `dagster.yaml` that lies there, for a temporary home."""
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    shutil.copyfile(CHECKOUT / "dagster.yaml", tmp_path / "dagster.yaml")

    @dg.job
    def nothing() -> None: ...

    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        assert nothing.execute_in_process(instance=instance).success
