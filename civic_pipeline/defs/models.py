"""Every table of `sql/` and the release, as one step: staged, audited, swapped in or held back, then published.

One step, because the build file has one writer and a step costs more than most of our tables.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from civic_pipeline.catalog import load_datasets
from civic_pipeline.components.dagster_terms import (
    OWNERS,
    asset_key,
    captured_as,
    check_result,
    check_spec,
    freshness_policy,
)
from civic_pipeline.errors import CivicError, HeldBack
from civic_pipeline.quality import (
    Outcome,
    Suites,
    audit,
    build_table,
    check_across,
    failed_attempts,
    planned_checks,
    publish,
    rules_across,
)
from civic_pipeline.releases import Release
from civic_pipeline.settings import Settings
from civic_pipeline.warehouse import Build, CheckResult, Model, load_models, open_build, record_history

RELEASE = dg.AssetKey(["warehouse"])

_Events = Iterator[dg.AssetCheckResult | dg.MaterializeResult[None]]


@dg.definitions
def models() -> dg.Definitions:
    settings = Settings.from_environment()
    catalog = load_datasets(settings.root)
    found = load_models(settings.root, catalog)

    @dg.multi_asset(
        name="warehouse",
        specs=[*(_table_spec(model) for model in found.values()), _release_spec(found)],
        check_specs=[
            *(check_spec(check) for model in found.values() for check in planned_checks(model).values()),
            *(check_spec(check) for check in rules_across(settings.root, found).values()),
        ],
        can_subset=True,
    )
    def build_warehouse(context: dg.AssetExecutionContext) -> _Events:
        """Build the selected tables; publish if the release is selected; end red if anything is held back."""
        try:
            with open_build(Settings.from_environment(), catalog, context.run.run_id) as build:
                yield from _build(context, build, found)
        except CivicError as error:
            raise dg.Failure(str(error), allow_retries=False) from error

    return dg.Definitions(assets=[build_warehouse])


def _build(context: dg.AssetExecutionContext, build: Build, found: Mapping[str, Model]) -> _Events:
    """What the step yields. Raises HeldBack after the release, ChecksFailed instead of it."""
    publishes = RELEASE in context.selected_asset_keys
    for name, problem in record_history(build, found).items():
        context.log.warning(f"the history of {name} stands still: {problem}")
    # Whoever asks for some tables wants them made; only a whole night leaves alone what would come out the same.
    anew = len(context.selected_asset_keys) < len(found) + 1
    suites = Suites(build)
    held = failed_attempts(build)
    reasons = dict(held) if publishes else {}
    for model in found.values():
        if asset_key(model.name) in context.selected_asset_keys:
            outcome = build_table(build, suites, model, held, anew)
            yield from _told(context, outcome)
            if outcome.problem:
                held[model.name] = reasons[model.name] = outcome.problem
    yield from _only_check(context, build, suites, found)
    report = suites.write_report(build.settings.reports)
    if report:
        context.log.info(f"quality report {report}")
    if publishes:
        build.forget_all_but(found)
        is_new = False
        for published in publish(build):
            is_new = isinstance(published, Release)
            yield from _released(context, published, report)
        if not is_new:
            _say_unchanged(context, RELEASE)
            context.log.info("nothing new to release")
        reasons |= build.held_back()
    if reasons:
        raise HeldBack(reasons)


def _told(context: dg.AssetExecutionContext, outcome: Outcome) -> _Events:
    """The check results of one table, and its materialization if it was swapped in."""
    model, results, staged = outcome.model, outcome.results, outcome.staged
    yield from _selected(context, results)
    if outcome.problem:
        context.log.warning(f"{model.name} is held back: {outcome.problem}")
        return
    if staged is None:
        _say_unchanged(context, asset_key(model.name))
        return
    passed = sum(result.passed for result in results)
    context.log.info(f"{model.name}: {staged.rows:,} rows, {passed} of {len(results)} checks passed")
    metadata: dict[str, Any] = {
        "dagster/row_count": staged.rows,
        "dagster/column_lineage": _lineage(outcome.lineage),
    }
    if model.schema == "clean":
        metadata |= {"quarantined rows": staged.quarantined_rows, "repeated rows": staged.repeated_rows}
    if outcome.newest:
        metadata["newest date"] = outcome.newest.isoformat()
    # Dagster, too, then counts what is made of these contents as up to date when they are made again and are the same.
    version = dg.DataVersion(outcome.contents) if outcome.contents else None
    yield dg.MaterializeResult(asset_key=asset_key(model.name), metadata=metadata, data_version=version)


def _say_unchanged(context: dg.AssetExecutionContext, key: dg.AssetKey) -> None:
    """Seen and left as it was: an observation, since nothing was materialized."""
    context.log_event(dg.AssetObservation(key, metadata={"status": "unchanged"}))


def _released(context: dg.AssetExecutionContext, published: CheckResult | Release, report: Path | None) -> _Events:
    """A result of a rule across tables, or the materialization of the release."""
    if isinstance(published, CheckResult):
        yield from _selected(context, [published])
        return
    context.log.info(f"released {published.id}")
    metadata: dict[str, Any] = {
        "release": published.id,
        "file": dg.MetadataValue.path(str(published.file)),
        "bytes": published.file.stat().st_size,
    }
    if report:
        metadata["quality report"] = dg.MetadataValue.path(str(report))
    yield dg.MaterializeResult(asset_key=RELEASE, metadata=metadata)


def _only_check(
    context: dg.AssetExecutionContext,
    build: Build,
    suites: Suites,
    found: Mapping[str, Model],
) -> _Events:
    """Checks somebody asked for without their table: audited on a staged copy, nothing is swapped."""
    wanted = {key.asset_key for key in context.selected_asset_check_keys} - set(context.selected_asset_keys)
    for model in found.values():
        if asset_key(model.name) in wanted:
            yield from _selected(context, audit(build, build.stage(model), suites))
    if RELEASE in wanted:
        yield from _selected(context, check_across(build))


def _selected(context: dg.AssetExecutionContext, results: list[CheckResult]) -> Iterator[dg.AssetCheckResult]:
    for result in results:
        if dg.AssetCheckKey(asset_key(result.table), result.name) in context.selected_asset_check_keys:
            yield check_result(result)


def _table_spec(model: Model) -> dg.AssetSpec:
    return dg.AssetSpec(
        asset_key(model.name),
        deps=sorted({captured_as(name) for name in model.inputs if not name.startswith("seeds.")}),
        description=model.description,
        group_name="clean" if model.schema == "clean" else "marts",
        kinds={"duckdb", "sql"},
        owners=OWNERS,
        code_version=model.code_version,
        skippable=True,  # a table that is held back is not materialized
        freshness_policy=freshness_policy(model.dataset.cadence) if model.dataset else None,
        metadata={
            "dagster/table_name": model.name,
            "dagster/column_schema": dg.TableSchema(
                [
                    dg.TableColumn(c.name, c.type, c.description, _constraints(model, c.name))
                    for c in model.contract.columns
                ]
            ),
            "each row is": model.contract.each_row_is,
            "sql": dg.MetadataValue.md(f"```sql\n{model.sql}\n```"),
        },
    )


def _release_spec(found: Mapping[str, Model]) -> dg.AssetSpec:
    return dg.AssetSpec(
        RELEASE,
        deps=[asset_key(name) for name in found],
        description="The released warehouse: one read-only DuckDB file with every accepted table, replaced atomically.",
        group_name="release",
        kinds={"duckdb"},
        owners=OWNERS,
        skippable=True,
    )


def _constraints(model: Model, column: str) -> dg.TableColumnConstraints:
    key = model.contract.key
    return dg.TableColumnConstraints(nullable=column not in key, unique=key == (column,))


def _lineage(lineage: Mapping[str, list[str]]) -> dg.TableColumnLineage:
    return dg.TableColumnLineage({
        column: [dg.TableColumnDep(asset_key(origin.rpartition(".")[0]), origin.rpartition(".")[2]) for origin in origins]
        for column, origins in lineage.items()
        if origins
    })  # fmt: skip
