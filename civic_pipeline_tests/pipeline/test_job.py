"""The nightly job on the sample, through Dagster: what it leaves in the catalog, and parts of it run alone."""

import gzip
import os
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dagster as dg
import duckdb
import pytest

from civic_pipeline.catalog import load_datasets
from civic_pipeline.cli.status_text import describe_status
from civic_pipeline.definitions import defs
from civic_pipeline.lake import Lake, last_attempt
from civic_pipeline.publish.answers import write_answers
from civic_pipeline.releases import connect, kept_releases
from civic_pipeline.settings import CHECKOUT, Settings

RELEASE, SITE = dg.AssetKey(["warehouse"]), dg.AssetKey(["site"])


# An operator feeds it; until then it was never captured.
MADE_FROM_FIRMS = (
    "dim_certified_firms", "bridge_certified_firms", "fct_vendor_certification_matches", "fct_participation_spend",
    "mart_mwbe_participation", "mart_mwbe_reported", "mart_mwbe_finder", "mart_mwbe_utilization", "mart_reconciliations",
    "mart_kpi_reproducibility",
)  # fmt: skip
UNFED = {dg.AssetKey(["raw", "baltimore_mwbe_register"])}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """An installation of its own, serving a sample of its own."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("CIVIC_", "SOCRATA_"))]:
            patch.delenv(name)
        folder = tmp_path_factory.mktemp("nightly")
        patch.setenv("CIVIC_DATA", str(folder / "data"))
        patch.setenv("CIVIC_DEMO_FOLDER", str(shutil.copytree(CHECKOUT / "data" / "sample", folder / "sample")))
        yield Settings.from_environment()


@pytest.fixture(scope="module")
def definitions(settings: Settings) -> dg.Definitions:
    return defs()


@pytest.fixture(scope="module")
def job(definitions: dg.Definitions) -> dg.JobDefinition:
    return definitions.resolve_job_def("nightly")


@pytest.fixture(scope="module")
def instance(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral(str(tmp_path_factory.mktemp("dagster"))) as instance:
        yield instance


@pytest.fixture(scope="module")
def night(job: dg.JobDefinition, instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    """The whole job, once."""
    return job.execute_in_process(instance=instance)


def materialized(result: dg.ExecuteInProcessResult) -> dict[dg.AssetKey, dict[str, Any]]:
    """What was materialized -> its metadata as plain values."""
    events = [event.materialization for event in result.get_asset_materialization_events()]
    return {event.asset_key: {name: value.value for name, value in event.metadata.items()} for event in events}


def ask(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    with connect(settings.warehouse) as warehouse:
        return warehouse.execute(query).fetchall()


def test_every_asset_is_materialized_and_every_check_evaluated(
    night: dg.ExecuteInProcessResult, job: dg.JobDefinition
) -> None:
    assert night.success
    assert set(materialized(night)) == set(job.asset_layer.executable_asset_keys) - UNFED
    evaluated = [evaluation.asset_check_key for evaluation in night.get_asset_check_evaluations()]
    assert len(evaluated) == len(set(evaluated)) > 50
    assert set(evaluated) == set(job.asset_layer.asset_graph.asset_check_keys)
    targets = [
        evaluation.target_materialization_data
        for evaluation in night.get_asset_check_evaluations()
        if evaluation.asset_key not in UNFED
    ]
    assert all(target is not None and target.run_id == night.run_id for target in targets)


def test_every_expectation_is_in_the_catalog_as_in_the_warehouse(
    night: dg.ExecuteInProcessResult, settings: Settings
) -> None:
    shown = {}
    for evaluation in night.get_asset_check_evaluations():
        records = [record.data for record in evaluation.metadata["expectations"].value.records]
        assert evaluation.passed == all(record["verdict"] != "failed" for record in records)
        shown |= {(".".join(evaluation.asset_key.path), record["expectation"]): record["verdict"] for record in records}
    books = ask(
        settings, "select table_name, check_name, coalesce(not_run, if(is_passed, 'passed', 'failed')) from meta.checks"
    )
    assert shown == {row[:2]: row[2] for row in books}
    assert len(books) > 200


def test_the_readme_shows_what_a_first_run_prints(night: dg.ExecuteInProcessResult, settings: Settings) -> None:
    def without_clock(text: str) -> list[str]:
        text = re.sub(r"asked .* UTC|\d+ days old$", "", text, flags=re.MULTILINE)
        return [line.rstrip() for line in text.splitlines()]

    printed = without_clock(describe_status(settings, every_table=False))
    readme = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```\nWarehouse [^\n]*\n(.*?)```", readme, re.DOTALL)
    lines = [line for line in without_clock(shown) if line != "..."]
    assert len(lines) > 8
    assert [line for line in lines if line not in printed] == []


def test_the_pages_for_analysts_show_the_answers_and_charts_of_this_release(
    night: dg.ExecuteInProcessResult, settings: Settings
) -> None:
    stale = write_answers(CHECKOUT / "docs" / "analysts", settings.warehouse, check=True)
    assert stale == [], "run `civic run` and `civic docs --answers`"


def test_facts_are_as_old_as_their_own_dates_not_those_of_dimensions(
    night: dg.ExecuteInProcessResult, settings: Settings
) -> None:
    ages = dict(ask(settings, "select table_name, data_date from meta.tables"))
    [(last_payment,)] = ask(settings, "select max(payment_date) from marts.fct_payments")
    assert ages["marts.dim_funds"] == last_payment  # read by every fact about money
    assert ages["marts.fct_payments"] == ages["marts.mart_vendor_spend_monthly"] == last_payment
    assert ages["marts.fct_budget_lines"] is None  # a budget has fiscal years, and its dimensions do not date it


def test_materializations_carry_rows_lineage_and_the_quality_report(
    night: dg.ExecuteInProcessResult, settings: Settings
) -> None:
    metadata = materialized(night)
    tables = ask(settings, "select table_name, row_count, quarantined_rows, repeated_rows, data_date from meta.tables")
    assert len(tables) > 20
    for table, rows, quarantined, repeated, newest in tables:
        metadata_of_table = metadata[dg.AssetKey(table.split("."))]
        assert metadata_of_table["dagster/row_count"] == rows == ask(settings, f"select count(*) from {table}")[0][0], (
            table
        )
        assert metadata_of_table.get("quarantined rows") == quarantined, table
        assert metadata_of_table.get("repeated rows") == repeated, table
        assert metadata_of_table.get("newest date") == (newest.isoformat() if newest else None), table
        lineage = metadata_of_table["dagster/column_lineage"].deps_by_column
        made_from = (
            f"select column_name, made_from from meta.columns where table_name = '{table}' and len(made_from) > 0"
        )
        assert {
            column: sorted(f"{'.'.join(dep.asset_key.path)}.{dep.column_name}" for dep in deps)
            for column, deps in lineage.items()
        } == dict(ask(settings, made_from)), table
    for name in load_datasets(CHECKOUT).keys() - {"baltimore/mwbe_register"}:
        capture = Lake(settings.lake).captures(name)[-1]  # after older copies
        assert metadata[dg.AssetKey(["raw", name.replace("/", "_")])]["dagster/row_count"] == capture.rows
    report, release = urlsplit(metadata[RELEASE]["quality report"]), Path(metadata[RELEASE]["file"])
    assert "clean.baltimore_spending" in Path(report.path).read_text(encoding="utf-8")
    page = urlsplit(metadata[dg.AssetKey(["clean", "baltimore_spending"])]["quality report"])
    assert "control_total__amount" in Path(page.path).read_text(encoding="utf-8")
    assert release.samefile(settings.warehouse)
    assert release.stat().st_size == metadata[RELEASE]["bytes"]


def test_the_declared_columns_are_those_of_the_released_tables(
    job: dg.JobDefinition, night: dg.ExecuteInProcessResult, settings: Settings
) -> None:
    assert night.success
    hidden = dict(ask(settings, "select table_name, personal_columns from meta.tables"))
    for key in job.asset_layer.executable_asset_keys:
        if key.path[0] in {"clean", "marts"}:
            schema = job.asset_layer.asset_graph.get(key).metadata["dagster/column_schema"]
            described = ask(settings, f"describe {'.'.join(key.path)}")
            released = [column for column in schema.columns if column.name not in hidden[".".join(key.path)]]
            assert [(column.name, column.type) for column in released] == [row[:2] for row in described], key
            assert all(column.description for column in schema.columns)


@pytest.mark.usefixtures("night")
def test_every_table_and_column_of_the_release_is_described(settings: Settings) -> None:
    for kind, name in (("tables", "table_name"), ("columns", "table_name || '.' || column_name")):
        blank = f"select schema_name || '.' || {name} from duckdb_{kind}() where database_name = 'warehouse' and not internal and comment is null"
        assert ask(settings, blank) == []
        assert ask(
            settings,
            f"select count(*) > 20 from duckdb_{kind}() where database_name = 'warehouse' and comment is not null",
        ) == [(True,)]


@pytest.mark.usefixtures("night")
@pytest.mark.parametrize("asset", ["raw/baltimore_spending", "clean/baltimore_mwbe", "marts/dim_dates"])
def test_one_asset_alone(asset: str, job: dg.JobDefinition, instance: dg.DagsterInstance, settings: Settings) -> None:
    key, before = dg.AssetKey(asset.split("/")), settings.warehouse.read_bytes()
    result = job.execute_in_process(instance=instance, asset_selection=[key])
    assert result.success
    assert set(materialized(result)) == {key}
    planned = {check for check in job.asset_layer.asset_graph.asset_check_keys if check.asset_key == key}
    assert {evaluation.asset_check_key for evaluation in result.get_asset_check_evaluations()} == planned
    assert settings.warehouse.read_bytes() == before  # nobody asked for a release


@pytest.mark.usefixtures("night")
def test_checks_alone_are_evaluated_and_change_nothing(
    definitions: dg.Definitions, instance: dg.DagsterInstance, settings: Settings
) -> None:
    wanted = {
        dg.AssetCheckKey(dg.AssetKey(["clean", "baltimore_spending"]), "contract"),
        dg.AssetCheckKey(dg.AssetKey(["marts", "mart_covid_indicators_daily"]), "contract"),
    }
    alone = dg.define_asset_job("checks_alone", selection=dg.AssetSelection.checks(*wanted))
    job = dg.Definitions.merge(definitions, dg.Definitions(jobs=[alone])).resolve_job_def("checks_alone")
    released, before = settings.warehouse.read_bytes(), accepted(settings)
    result = job.execute_in_process(instance=instance)
    assert result.success
    assert {
        evaluation.asset_check_key: evaluation.passed for evaluation in result.get_asset_check_evaluations()
    } == dict.fromkeys(wanted, True)
    assert materialized(result) == {}
    assert accepted(settings) == before
    assert settings.warehouse.read_bytes() == released


def accepted(settings: Settings) -> list[tuple[Any, ...]]:
    """When each table of the build was last swapped in."""
    with duckdb.connect(str(settings.build), read_only=True) as build:
        return build.execute("select table_name, built_at from meta.tables order by 1").fetchall()


def test_a_second_night_on_which_nothing_changed_says_so_and_makes_nothing(
    night: dg.ExecuteInProcessResult, job: dg.JobDefinition, instance: dg.DagsterInstance, settings: Settings
) -> None:
    released, before = settings.warehouse.read_bytes(), accepted(settings)
    again = job.execute_in_process(instance=instance)
    assert again.success
    assert set(materialized(again)) == set(job.asset_layer.executable_asset_keys) - UNFED
    assert {metadata["status"] for metadata in materialized(again).values()} == {"unchanged", "never_captured"}
    verdicts = [
        {(e.asset_check_key, e.passed) for e in result.get_asset_check_evaluations()} for result in (night, again)
    ]
    assert verdicts[0] == verdicts[1]
    assert len(verdicts[0]) > 50
    assert accepted(settings) == before
    assert settings.warehouse.read_bytes() == released
    assert len(kept_releases(settings)) == 1


@pytest.mark.usefixtures("night")
def test_one_changed_source_makes_its_dependants_again_and_nothing_else(
    job: dg.JobDefinition, instance: dg.DagsterInstance, settings: Settings
) -> None:
    file = settings.demo_folder / "mwbe.csv.gz"
    lines = gzip.decompress(file.read_bytes()).splitlines(keepends=True)
    file.write_bytes(gzip.compress(b"".join(lines[:-1])))
    changed = job.execute_in_process(instance=instance)
    assert changed.success
    statuses = {".".join(key.path): metadata["status"] for key, metadata in materialized(changed).items()}
    rebuilt = {name for name, status in statuses.items() if status in ("built", "released")}
    # What the warehouse knows of a table changes with it: its marts read meta, and are built last.
    about_tables = {f"marts.{path.stem}" for path in (CHECKOUT / "sql" / "marts" / "certification").glob("*.yml")}
    from_firms = {"clean.baltimore_mwbe", *(f"marts.{table}" for table in MADE_FROM_FIRMS), "warehouse", "site"}
    assert rebuilt <= from_firms | about_tables
    assert rebuilt >= {
        "clean.baltimore_mwbe",
        "marts.dim_certified_firms",
        "marts.bridge_certified_firms",
        "warehouse",
        "site",
    }
    assert statuses.pop("raw.baltimore_mwbe") == "captured"
    assert {status for name, status in statuses.items() if name.startswith("raw.")} == {"unchanged"}
    first, second = kept_releases(settings)
    assert {table for table in second.contents if second.contents[table] != first.contents[table]} <= rebuilt | {
        "quarantine.baltimore_mwbe"
    }
    assert second.contents["clean.baltimore_mwbe"] != first.contents["clean.baltimore_mwbe"]


def asked(settings: Settings) -> dict[str, str]:
    """When each source was last asked."""
    attempts = {name: last_attempt(name, Lake(settings.lake)) for name in load_datasets(CHECKOUT)}
    return {name: attempt.attempted_at for name, attempt in attempts.items() if attempt}


@pytest.mark.usefixtures("night")
def test_one_dead_source_fails_alone_and_is_asked_again_alone(
    job: dg.JobDefinition, instance: dg.DagsterInstance, settings: Settings
) -> None:
    dead, source = "maryland/mbe_directory", dg.AssetKey(["raw", "maryland_mbe_directory"])
    held = {dg.AssetKey(["clean", "maryland_mbe_directory"])}
    held |= {dg.AssetKey(["marts", table]) for table in MADE_FROM_FIRMS}
    whole = (settings.demo_folder / "mbe_directory.csv.gz").read_bytes()
    (settings.demo_folder / "mbe_directory.csv.gz").write_bytes(gzip.compress(b"moved\nelsewhere\n"))
    releases = len(kept_releases(settings))
    failed = job.execute_in_process(instance=instance, raise_on_error=False)
    keys = set(job.asset_layer.executable_asset_keys)
    assert not failed.success
    assert set(materialized(failed)) == keys - held - {source} - UNFED  # what Dagster shows as failed is what failed
    assert len([key for key in materialized(failed) if key.path[0] == "raw"]) == len(load_datasets(CHECKOUT)) - 1 - len(
        UNFED
    )
    assert materialized(failed)[RELEASE]["status"] == "released"
    assert len(kept_releases(settings)) == releases + 1
    observed = {
        event.asset_observation_data.asset_observation.asset_key: event.asset_observation_data.asset_observation.metadata
        for event in failed.filter_events(lambda event: event.event_type_value == "ASSET_OBSERVATION")
    }
    assert observed.keys() == held | {source} | UNFED
    assert "no longer matches" in str(observed[source]["problem"].value)
    assert all(observed[key]["held back since"] and observed[key]["held back because"] for key in held)
    contracts = {e.asset_key: e for e in failed.get_asset_check_evaluations() if e.check_name == "contract"}
    assert {key for key, evaluation in contracts.items() if not evaluation.passed} == held
    assert all("Held back since" in str(contracts[key].description) for key in held)

    # As "Re-execute from failure" does, and as "From asset failure" does with the assets that were not materialized.
    for tags, selection in (
        ({"dagster/is_resume_retry": "true"}, None),
        ({"dagster/is_asset_resume_retry": "true"}, [source, *held]),
    ):
        if selection:
            (settings.demo_folder / "mbe_directory.csv.gz").write_bytes(gzip.compress(b"moved\nelsewhere\n"))
            failed = job.execute_in_process(instance=instance, raise_on_error=False)
        (settings.demo_folder / "mbe_directory.csv.gz").write_bytes(whole)
        before, releases = asked(settings), len(kept_releases(settings))
        time.sleep(1.1)  # attempts are recorded to the second
        parents = {"dagster/parent_run_id": failed.run_id, "dagster/root_run_id": failed.run_id}
        again = job.execute_in_process(instance=instance, asset_selection=selection, tags=tags | parents)
        assert again.success
        assert set(materialized(again)) == (keys - UNFED if selection is None else {*selection, RELEASE, SITE})
        assert {name for name, moment in asked(settings).items() if moment != before[name]} - {
            "baltimore/mwbe_register"
        } == {dead}
        assert len(kept_releases(settings)) == releases + 1
    assert ask(settings, "select count(*) from meta.tables where status = 'held_back'") == [(0,)]


@pytest.mark.usefixtures("night")
def test_a_damaged_manifest_holds_back_its_dataset_alone(
    job: dg.JobDefinition, instance: dg.DagsterInstance, settings: Settings
) -> None:
    capture = Lake(settings.lake).accepted("maryland/mbe_directory")
    assert capture
    manifest = settings.lake / capture.capture_id / "manifest.json"
    whole = manifest.read_text(encoding="utf-8")
    manifest.write_text(whole[: len(whole) // 2], encoding="utf-8")
    result = job.execute_in_process(instance=instance, raise_on_error=False)
    assert {event.step_key for event in result.get_step_failure_events()} == {"night"}
    held = dict(ask(settings, "select table_name, held_back_because from meta.tables where status = 'held_back'"))
    assert set(held) >= {"clean.maryland_mbe_directory", "marts.dim_certified_firms", "marts.mart_mwbe_finder"}
    assert not set(held) & {"marts.fct_payments", "marts.mart_budget_by_agency"}
    [(problem,)] = ask(settings, "select problem from meta.captures where dataset = 'maryland/mbe_directory'")
    assert f"{manifest} is damaged" in problem
    manifest.write_text(whole, encoding="utf-8")
    source, again = dg.AssetKey(["raw", "maryland_mbe_directory"]), [dg.AssetKey(name.split(".")) for name in held]
    assert job.execute_in_process(instance=instance, asset_selection=[source, *again, RELEASE]).success
    assert ask(settings, "select count(*) from meta.tables where status = 'held_back'") == [(0,)]
