"""Dagster's configuration in the data folder: ours until somebody edits it."""

import pytest
import yaml

from civic_pipeline.dagster_home import prepare_home
from civic_pipeline.settings import Settings

QUEUE = "run_queue:\n  max_concurrent_runs: 3\n"


def test_it_is_written_once_and_again_where_the_checkout_changed(project: Settings) -> None:
    configured = prepare_home(project) / "dagster.yaml"
    written_at = configured.stat().st_mtime_ns
    prepare_home(project)
    assert configured.stat().st_mtime_ns == written_at
    (project.root / "dagster.yaml").write_text(QUEUE, encoding="utf-8")
    prepare_home(project)
    assert yaml.safe_load(configured.read_text(encoding="utf-8"))["run_queue"] == {"max_concurrent_runs": 3}


@pytest.mark.parametrize(
    "edit", [lambda text: text + QUEUE, lambda text: text.replace("false", "true"), lambda _: QUEUE]
)
def test_what_somebody_edited_stays(project: Settings, edit: object) -> None:
    configured = prepare_home(project) / "dagster.yaml"
    assert callable(edit)
    edited = edit(configured.read_text(encoding="utf-8"))
    configured.write_text(edited, encoding="utf-8")
    (project.root / "dagster.yaml").write_text("telemetry:\n  enabled: false\n", encoding="utf-8")
    prepare_home(project)
    assert configured.read_text(encoding="utf-8") == edited


def test_a_file_that_was_there_first_stays(project: Settings) -> None:
    project.dagster_home.mkdir(parents=True)
    (project.dagster_home / "dagster.yaml").write_text(QUEUE, encoding="utf-8")
    assert (prepare_home(project) / "dagster.yaml").read_text(encoding="utf-8") == QUEUE


def test_a_copy_of_before_is_replaced(project: Settings) -> None:
    """As commit 6f0f2e9 left it: without a sum, and with an event log that is no more."""
    project.dagster_home.mkdir(parents=True)
    old = "event_log_storage:\n  module: civic_pipeline.event_log\n  class: EventLog\n  config:\n    base_dir: /gone\n"
    (project.dagster_home / "dagster.yaml").write_text(old, encoding="utf-8")
    assert "/gone" not in (prepare_home(project) / "dagster.yaml").read_text(encoding="utf-8")
