"""Dagster's configuration in the data folder: written once, then whoever runs the pipeline decides."""

from pathlib import Path

import dagster as dg
import pytest
import yaml

from civic_pipeline.dagster_home import prepare_home
from civic_pipeline.errors import NotWritable, RecordsDamaged, SettingInvalid
from civic_pipeline.settings import Settings

STORAGE = "storage:\n  sqlite:\n    base_dir: /elsewhere\n"
EVENT_LOG = (
    "\nevent_log_storage:\n  module: civic_pipeline.event_log\n  class: EventLog\n  config:\n    base_dir: /gone\n"
)


def test_it_is_written_once(project: Settings) -> None:
    configured = prepare_home(project) / "dagster.yaml"
    assert yaml.safe_load(configured.read_text(encoding="utf-8"))["telemetry"] == {"enabled": False}
    written_at = configured.stat().st_mtime_ns
    prepare_home(project)
    assert configured.stat().st_mtime_ns == written_at


def test_what_somebody_adds_or_wrote_there_first_stays(project: Settings) -> None:
    configured = prepare_home(project) / "dagster.yaml"
    for text in (configured.read_text(encoding="utf-8") + STORAGE, STORAGE, ""):
        configured.write_text(text, encoding="utf-8")
        prepare_home(project)
        assert configured.read_text(encoding="utf-8") == text


def test_an_event_log_that_is_no_more_is_taken_out_and_the_rest_stays(project: Settings) -> None:
    """As commit 6f0f2e9 left it."""
    project.dagster_home.mkdir(parents=True)
    configured = project.dagster_home / "dagster.yaml"
    configured.write_text(f"telemetry:\n  enabled: false\n{EVENT_LOG}run_queue: {{}}\n", encoding="utf-8")
    prepare_home(project)
    assert yaml.safe_load(configured.read_text(encoding="utf-8")) == {"telemetry": {"enabled": False}, "run_queue": {}}


def test_a_home_that_cannot_be_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotWritable, match="/proc/civic/dagster_home cannot be written: it cannot be created"):
        prepare_home(Settings(data=Path("/proc/civic")))
    (tmp_path / "file").touch()
    monkeypatch.setenv("CIVIC_DATA", str(tmp_path / "file"))
    with pytest.raises(SettingInvalid, match=r"is not a valid CIVIC_DATA\. Set CIVIC_DATA to a folder"):
        Settings.from_environment()


def test_a_run_that_another_start_takes_for_killed_ends_in_peace(project: Settings) -> None:
    """A start looks at the lock of a run in the moment before the run holds it: it is free, and is removed."""
    from civic_pipeline import runs

    prepare_home(project)
    with dg.DagsterInstance.ephemeral() as instance, runs.alive(project, instance) as run_id:
        (lock,) = (project.dagster_home / "alive").iterdir()
        assert lock.stem == run_id
        with runs.alive(project, instance):  # another start, while this run lives
            assert lock.exists()
        lock.unlink()
    assert list((project.dagster_home / "alive").iterdir()) == []


def test_a_path_that_dagster_cannot_store_is_named(tmp_path: Path) -> None:
    data = tmp_path / "why?"
    with pytest.raises(
        SettingInvalid, match=r"why\?' is not a valid CIVIC_DATA\. Set CIVIC_DATA to a folder whose path has no q"
    ):
        prepare_home(Settings(data=data))
    assert not data.exists()


@pytest.mark.parametrize("file", ["dagster.yaml", "history/runs.db", "history/runs/index.db"])
def test_damaged_records_are_one_sentence(project: Settings, monkeypatch: pytest.MonkeyPatch, file: str) -> None:
    from civic_pipeline import runs

    monkeypatch.setenv("DAGSTER_HOME", str(prepare_home(project)))
    damaged = project.dagster_home / file
    damaged.parent.mkdir(exist_ok=True, parents=True)
    damaged.write_text("not what it was: [\n" + "x" * 1_000, encoding="utf-8")
    with (
        pytest.raises(RecordsDamaged, match=rf"Dagster cannot read {project.dagster_home}: .*move the folder away"),
        runs.open_records(project) as instance,
    ):
        instance.get_asset_keys()
