"""What Dagster loads: the asset graph, its checks, the job, the schedule and the sensor."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import dagster as dg
import pytest
from formulas import committed_models

from civic_pipeline import notify
from civic_pipeline.catalog import Subject, load_datasets, load_places, table_name
from civic_pipeline.dagster_private import without_stack_trace
from civic_pipeline.defs.sensors import report_failed_runs
from civic_pipeline.errors import CivicError, FileInvalid, HeldBack, NotCaptured
from civic_pipeline.lake import report_progress
from civic_pipeline.quality import planned_checks
from civic_pipeline.settings import CHECKOUT, Settings
from civic_pipeline.warehouse.seeds import seed_columns


def test_tables_are_made_here_and_portals_and_seeds_are_outside(location: dg.Definitions) -> None:
    graph = location.resolve_asset_graph()
    datasets = [table_name(name) for name in load_datasets(CHECKOUT)]
    sql = {name.replace(".", "/") for name in committed_models()}
    inside = {f"raw/{name}" for name in datasets} | sql | {"warehouse", "site"}
    outside = {f"portal/{name}" for name in datasets} | {f"seeds/{name}" for name in seed_columns(CHECKOUT)}
    assert {key.to_user_string() for key in graph.executable_asset_keys} == inside
    assert {key.to_user_string() for key in graph.external_asset_keys} == outside


def test_every_asset_says_what_it_is_and_to_whom_it_belongs(location: dg.Definitions) -> None:
    graph, places = location.resolve_asset_graph(), load_places(CHECKOUT)
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.description, key
        assert node.owners, key
        assert node.kinds, key
        assert node.group_name in get_args(Subject), key
        assert node.tags.keys() >= {"subject", "layer", "cadence"}, key
        assert node.tags.get("place", "baltimore") in places, key


def test_the_release_comes_after_every_table(location: dg.Definitions) -> None:
    graph = location.resolve_asset_graph()
    tables = {key for key in graph.get_all_asset_keys() if key.path[0] in ("clean", "marts")}
    assert tables <= graph.get(dg.AssetKey("warehouse")).parent_keys


def test_a_table_has_one_check_per_severity_and_those_first_that_hold_it_back(location: dg.Definitions) -> None:
    graph = location.resolve_asset_graph()
    checks: dict[str, list[str]] = {}
    for key in sorted(graph.asset_check_keys, key=lambda key: key.name):
        checks.setdefault(key.asset_key.to_user_string(), []).append(key.name)
    assert {name for names in checks.values() for name in names} == {"contract", "data_age", "portal", "warnings"}
    for model in committed_models().values():
        severities = {check.severity for check in planned_checks(model).values() if check.layer != "time"}
        expected = ["contract", *(["data_age"] if "data_age" in planned_checks(model) else [])]
        expected += ["warnings"] if severities - {"critical"} else []
        assert checks.pop(model.name.replace(".", "/")) == expected, model.name
    assert set(map(tuple, checks.values())) == {("portal",)}
    assert len(checks) == len(load_datasets(CHECKOUT))


def test_the_location_is_loadable_and_writes_from_one_process(location: dg.Definitions) -> None:
    dg.Definitions.validate_loadable(location)
    assert location.executor is dg.in_process_executor


def test_the_job_runs_everything_and_the_schedule_asks_for_one_run_in_the_citys_own_night(
    location: dg.Definitions,
) -> None:
    job = location.resolve_job_def("nightly")
    assert job.asset_layer.executable_asset_keys == location.resolve_asset_graph().executable_asset_keys
    schedule = location.resolve_schedule_def("nightly_schedule")
    assert schedule.execution_timezone == "America/New_York"
    assert schedule.default_status is dg.DefaultScheduleStatus.STOPPED
    context = dg.build_schedule_context(scheduled_execution_time=datetime(2026, 7, 1, 9, 30, tzinfo=UTC))
    assert len(schedule.evaluate_tick(context).run_requests or []) == 1
    assert schedule.job_name == "nightly"


@pytest.mark.parametrize("failure", ["foreseen", "an unforeseen error"])
def test_a_failed_run_is_reported_once_with_its_reason_and_without_a_stack_trace(
    monkeypatch: pytest.MonkeyPatch, failure: str
) -> None:
    @dg.op
    def night() -> None:
        if failure == "foreseen":
            raise without_stack_trace(CivicError("marts.mart_months waits for clean.town_payments"))
        raise ZeroDivisionError("marts.mart_months waits for clean.town_payments")

    @dg.job
    def nightly() -> None:
        night()

    sent: list[notify.Notification] = []
    monkeypatch.setattr(notify.LogNotifier, "send", lambda _, given: sent.append(given))
    Settings.from_environment().data.mkdir()
    with dg.DagsterInstance.ephemeral() as instance:
        result = nightly.execute_in_process(instance=instance, raise_on_error=False)
        assert not result.success
        for _ in range(2):
            context = dg.build_run_status_sensor_context(
                sensor_name="report_failed_runs", dagster_event=result.get_run_failure_event(),
                dagster_instance=instance, dagster_run=result.dagster_run,
            )  # fmt: skip
            report_failed_runs(context.for_run_failure())
    (given,) = sent
    assert given.run_id == result.run_id
    where = "" if failure == "foreseen" else "night: ZeroDivisionError: "
    assert given.body.startswith(f"the run: {where}marts.mart_months waits for clean.town_payments")
    assert len(given.body.splitlines()) == 1
    step_failure, run_failure = (
        next(event for event in result.all_events if event.event_type_value == kind)
        for kind in ("STEP_FAILURE", "PIPELINE_FAILURE")
    )
    if failure == "foreseen":
        assert step_failure.step_failure_data.error.stack == run_failure.job_failure_data.error.stack == []


@pytest.mark.parametrize("name", ["report_failed_runs", "report_recovered_runs"])
def test_the_sensors_are_off_until_somebody_switches_them_on(location: dg.Definitions, name: str) -> None:
    assert location.resolve_sensor_def(name).default_status is dg.DefaultSensorStatus.STOPPED


def test_a_run_without_a_capture_publishes_nothing_and_lists_everything_that_is_held_back(
    location: dg.Definitions,
) -> None:
    datasets = load_datasets(CHECKOUT)
    with dg.DagsterInstance.ephemeral() as instance:
        result = location.resolve_job_def("nightly").execute_in_process(
            instance=instance, asset_selection=[dg.AssetKey(["clean", "baltimore_spending"]), dg.AssetKey("warehouse")], raise_on_error=False,
        )  # fmt: skip
    assert not result.success
    (failed,) = result.filter_events(lambda event: event.is_step_failure)
    held = {f"raw.{table_name(name)}": str(NotCaptured(name)) for name in datasets}
    held["clean.baltimore_spending"] = "waits for raw.baltimore_spending"
    assert failed.step_failure_data.error.message == str(HeldBack(held, released=True))
    assert not Settings.from_environment().warehouse.exists()


def test_a_mistake_in_a_definition_stops_the_load_with_its_line(project: Settings) -> None:
    file = project.root / "civic_pipeline" / "defs" / "baltimore" / "spending" / "defs.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("cadence: daily", "cadence: hourly"), encoding="utf-8")
    with pytest.raises(FileInvalid, match=r"spending/defs\.yaml:35: cadence: 'hourly' is not allowed"):
        load_datasets(project.root)


def test_loading_writes_nothing(location: dg.Definitions, tmp_path: Path) -> None:
    assert not Path(os.environ["CIVIC_DATA"]).exists()


def test_a_long_capture_says_rows_rate_and_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 1.0, 10.0, 12.0])
    monkeypatch.setattr("civic_pipeline.lake.progress.time.monotonic", lambda: next(clock))
    lines: list[str] = []
    progress = report_progress(lambda text: lines.append(f"baltimore/spending: {text}"), every_seconds=5)
    for landed in (1_000, 20_000, 24_000):
        progress(landed, 60_000)
    assert lines == ["baltimore/spending: 20,000 of 60,000 rows, 2,000 rows/s, 20 s left"]


def test_a_read_that_begins_anew_has_no_rate_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 10.0, 20.0, 30.0])
    monkeypatch.setattr("civic_pipeline.lake.progress.time.monotonic", lambda: next(clock))
    lines: list[str] = []
    progress = report_progress(lines.append, every_seconds=5)
    for landed in (2_000, 0, 3_000):  # the rows of the first read are taken back
        progress(landed, 2_000)
    assert lines == ["2,000 of 2,000 rows, 200 rows/s, 0 s left", "3,000 of 2,000 rows, 100 rows/s, 0 s left"]
