"""What Dagster loads: the asset graph, its checks, the job, the schedule and the sensor."""

import os
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
from formulas import committed_models

from civic_pipeline import notify
from civic_pipeline.catalog import load_datasets, table_name
from civic_pipeline.defs.sensors import tell_about_failed_runs
from civic_pipeline.errors import FileInvalid, HeldBack, NotCaptured
from civic_pipeline.lake import progress_in_words
from civic_pipeline.settings import CHECKOUT, Settings

SNAPSHOT = Path(__file__).parents[1] / "snapshots" / "asset_keys.txt"


def test_the_asset_graph_holds_the_keys_of_the_snapshot(location: dg.Definitions, tmp_path: Path) -> None:
    found = "".join(
        f"{name}\n"
        for name in sorted(key.to_user_string() for key in location.resolve_asset_graph().get_all_asset_keys())
    )
    if found != SNAPSHOT.read_text(encoding="utf-8"):
        (tmp_path / SNAPSHOT.name).write_text(found, encoding="utf-8")
        was, now = set(SNAPSHOT.read_text(encoding="utf-8").split()), set(found.split())
        pytest.fail(
            f"gone: {sorted(was - now)}, new: {sorted(now - was)}. If that is meant: cp {tmp_path / SNAPSHOT.name} {SNAPSHOT}", pytrace=False,
        )  # fmt: skip


def test_every_table_is_an_asset_and_every_asset_is_made_here(location: dg.Definitions) -> None:
    graph = location.resolve_asset_graph()
    assert graph.external_asset_keys == set()
    raw = {f"raw/{table_name(name)}" for name in load_datasets(CHECKOUT)}
    sql = {name.replace(".", "/") for name in committed_models()}
    assert {key.to_user_string() for key in graph.get_all_asset_keys()} == raw | sql | {"warehouse"}


def test_every_asset_says_what_it_is_and_to_whom_it_belongs(location: dg.Definitions) -> None:
    graph = location.resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.description, key
        assert node.owners, key
        assert node.kinds, key
        assert node.group_name != "default", key


def test_the_release_comes_after_every_table(location: dg.Definitions) -> None:
    graph = location.resolve_asset_graph()
    tables = {key for key in graph.get_all_asset_keys() if key.path[0] in ("clean", "marts")}
    assert tables <= graph.get(dg.AssetKey("warehouse")).parent_keys


def test_every_check_belongs_to_an_asset_and_every_asset_has_checks(location: dg.Definitions) -> None:
    graph = location.resolve_asset_graph()
    checked = {key.asset_key for key in graph.asset_check_keys}
    assert checked == set(graph.get_all_asset_keys())
    rules = {key.name for key in graph.asset_check_keys if key.asset_key == dg.AssetKey("warehouse")}
    assert rules == {path.stem for path in (CHECKOUT / "sql" / "checks").rglob("*.sql")}


def test_the_location_is_loadable_and_writes_from_one_process(location: dg.Definitions) -> None:
    dg.Definitions.validate_loadable(location)
    assert location.executor is dg.in_process_executor
    pools = {pool for node in location.resolve_asset_graph().asset_nodes for pool in node.pools or ()}
    assert pools >= {"portal_arcgis", "portal_data_baltimorecity_gov"}


def test_the_job_runs_everything_and_the_schedule_asks_for_one_run_in_the_citys_own_night(
    location: dg.Definitions,
) -> None:
    job = location.resolve_job_def("nightly")
    assert job.asset_layer.executable_asset_keys == set(location.resolve_asset_graph().get_all_asset_keys())
    schedule = location.resolve_schedule_def("nightly_schedule")
    assert schedule.execution_timezone == "America/New_York"
    assert schedule.default_status is dg.DefaultScheduleStatus.STOPPED
    context = dg.build_schedule_context(scheduled_execution_time=datetime(2026, 7, 1, 9, 30, tzinfo=UTC))
    assert len(schedule.evaluate_tick(context).run_requests or []) == 1
    assert schedule.job_name == "nightly"


@pytest.mark.parametrize("failure", ["held back", "an unforeseen error"])
def test_a_failed_run_is_told_with_the_reason_its_step_gave(monkeypatch: pytest.MonkeyPatch, failure: str) -> None:
    @dg.op
    def build_warehouse() -> None:
        if failure == "held back":
            raise dg.Failure("marts.mart_months waits for clean.town_payments")
        raise ZeroDivisionError("marts.mart_months waits for clean.town_payments")

    @dg.job
    def nightly() -> None:
        build_warehouse()

    told: list[notify.Notification] = []
    monkeypatch.setattr(notify.LogNotifier, "send", lambda _, given: told.append(given))
    with dg.DagsterInstance.ephemeral() as instance:
        result = nightly.execute_in_process(instance=instance, raise_on_error=False)
        assert not result.success
        context = dg.build_run_status_sensor_context(
            sensor_name="tell_about_failed_runs", dagster_event=result.get_run_failure_event(),
            dagster_instance=instance, dagster_run=result.dagster_run,
        )  # fmt: skip
        tell_about_failed_runs(context.for_run_failure())
    (given,) = told
    assert given.subject == "civic_pipeline: nightly failed"
    assert given.run_id == result.run_id
    assert given.body.startswith("build_warehouse: ")
    assert "marts.mart_months waits for clean.town_payments" in given.body
    assert len(given.body.splitlines()) < 5


def test_the_sensor_is_off_until_somebody_switches_it_on(location: dg.Definitions) -> None:
    sensor = location.resolve_sensor_def("tell_about_failed_runs")
    assert sensor.default_status is dg.DefaultSensorStatus.STOPPED


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
    assert failed.step_failure_data.user_failure_data.description == str(HeldBack(held))
    assert not Settings.from_environment().warehouse.exists()


def test_a_mistake_in_a_definition_stops_the_load_with_its_line(project: Settings) -> None:
    file = project.root / "civic_pipeline" / "defs" / "baltimore" / "spending" / "defs.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("cadence: daily", "cadence: hourly"), encoding="utf-8")
    with pytest.raises(FileInvalid, match=r"spending/defs\.yaml:17: cadence: 'hourly' is not allowed"):
        load_datasets(project.root)


def test_loading_writes_nothing(location: dg.Definitions, tmp_path: Path) -> None:
    assert not Path(os.environ["CIVIC_DATA"]).exists()


def test_a_long_capture_says_rows_rate_and_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 1.0, 10.0, 12.0])
    monkeypatch.setattr("civic_pipeline.lake.progress.time.monotonic", lambda: next(clock))
    said: list[str] = []
    progress = progress_in_words(lambda text: said.append(f"baltimore/spending: {text}"), every_seconds=5)
    for landed in (1_000, 20_000, 24_000):
        progress(landed, 60_000)
    assert said == ["baltimore/spending: 20,000 of 60,000 rows, 2,000 rows/s, 20 s left"]


def test_a_read_that_begins_anew_has_no_rate_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 10.0, 20.0, 30.0])
    monkeypatch.setattr("civic_pipeline.lake.progress.time.monotonic", lambda: next(clock))
    said: list[str] = []
    progress = progress_in_words(said.append, every_seconds=5)
    for landed in (2_000, 0, 3_000):  # the rows of the first read are taken back
        progress(landed, 2_000)
    assert said == ["2,000 of 2,000 rows, 200 rows/s, 0 s left", "3,000 of 2,000 rows, 100 rows/s, 0 s left"]
