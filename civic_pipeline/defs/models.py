"""Every table of `sql/` and the release, as one step: staged, audited, swapped in or held back, then published.

One step, because the build file has one writer and a step costs more than most of our tables.
"""

from collections.abc import Iterator, Mapping

import dagster as dg

from civic_pipeline.catalog import Dataset, load_datasets, table_name
from civic_pipeline.components.dagster_terms import OWNERS, asset_key, check_result, check_spec, freshness_policy
from civic_pipeline.errors import ChecksFailed, CivicError, ContractBroken, HeldBack, NotCaptured
from civic_pipeline.lake import Lake, last_visit
from civic_pipeline.quality import Suites, audit, check_across, checks_of, planned_checks, rules_across
from civic_pipeline.settings import Settings
from civic_pipeline.warehouse import Build, CheckResult, Model, load_models, open_build, release, seed_files

RELEASE = dg.AssetKey(["warehouse"])

_Events = Iterator[dg.AssetCheckResult | dg.MaterializeResult[None]]


@dg.definitions
def models() -> dg.Definitions:
    settings = Settings.from_environment()
    datasets = {table_name(name): dataset for name, dataset in load_datasets(settings.root).items()}
    raw, seeds = {f"raw.{table}" for table in datasets}, {f"seeds.{path.stem}" for path in seed_files(settings.root)}
    found = load_models(settings.root, frozenset(raw | seeds))

    @dg.multi_asset(
        name="warehouse",
        specs=[*(_table_spec(model, datasets) for model in found.values()), _release_spec(found)],
        check_specs=[
            *(
                check_spec(check)
                for model in found.values()
                for check in planned_checks(model, _dataset_of(model, datasets)).values()
            ),
            *(check_spec(check) for check in rules_across(settings.root).values()),
        ],
        can_subset=True,
        pool="warehouse",
    )
    def build_warehouse(context: dg.AssetExecutionContext) -> _Events:
        """Stage, audit and swap the selected tables; publish if the release is selected; end red if anything is held back."""
        with open_build(Settings.from_environment(), load_datasets(settings.root), context.run_id) as build:
            suites = Suites(build)
            held = _failed_visits(build)
            selected = [model for model in found.values() if asset_key(model.name) in context.selected_asset_keys]
            for model in selected:
                yield from _build_table(context, build, suites, model, _dataset_of(model, datasets), held)
            report = suites.write_report(build.settings.reports)
            if RELEASE in context.selected_asset_keys:
                yield from _publish(context, build, str(report))
            reasons = (
                held | build.held_back()
                if RELEASE in context.selected_asset_keys
                else {m.name: held[m.name] for m in selected if m.name in held}
            )
            if reasons:
                raise dg.Failure(
                    str(HeldBack(reasons)),
                    metadata={"quality report": dg.MetadataValue.path(str(report))},
                    allow_retries=False,
                )

    return dg.Definitions(assets=[build_warehouse])


def _build_table(
    context: dg.AssetExecutionContext,
    build: Build,
    suites: Suites,
    model: Model,
    dataset: Dataset | None,
    held: dict[str, str],
) -> _Events:
    """One table. A failure holds it back and is added to `held`, so that its dependants are held back too."""
    results: list[CheckResult] = []
    try:
        waiting_for = sorted(name for name in model.inputs if name in held)
        if waiting_for:
            raise CivicError(f"waits for {', '.join(waiting_for)}")
        staged = build.stage(model)
        results = audit(build, staged, dataset, suites)
        failures = [result.failure for result in results if result.blocks]
        if failures:
            raise ContractBroken(model.name, failures)
        newest = build.newest(staged.table, dataset.dated_by) if dataset and dataset.dated_by else None
        lineage = build.swap(staged, results, newest)
    except CivicError as error:
        held[model.name] = str(error)
        build.hold_back(model, str(error), results)
        context.log.warning(f"{model.name} is held back: {error}")
        yield from _selected(context, results)
        return
    passed = sum(result.passed for result in results)
    context.log.info(f"{model.name}: {staged.rows:,} rows, {passed} of {len(results)} checks passed")
    yield from _selected(context, results)
    yield dg.MaterializeResult(
        asset_key=asset_key(model.name),
        metadata={
            "dagster/row_count": staged.rows,
            "dagster/column_lineage": _lineage(lineage),
            **(
                {"quarantined rows": staged.quarantined_rows, "repeated rows": staged.repeated_rows}
                if model.schema == "clean"
                else {}
            ),
            **({"newest date": newest.isoformat()} if newest else {}),
        },
    )


def _publish(context: dg.AssetExecutionContext, build: Build, report: str) -> _Events:
    """Rules across tables, then the release. Nothing is published that breaks one, or that has no tables."""
    built = build.connection.execute(
        "select count(*), sum(row_count) from meta.tables where built_at is not null"
    ).fetchone() or (0, 0)
    if not built[0]:
        return
    results = check_across(build)
    build.record_checks("warehouse", results)
    yield from _selected(context, results)
    failures = [result.failure for result in results if result.blocks]
    if failures:
        raise dg.Failure(str(ChecksFailed(failures)), allow_retries=False)
    target = release(build)
    context.log.info(f"released {target}")
    yield dg.MaterializeResult(
        asset_key=RELEASE,
        metadata={
            "dagster/row_count": int(built[1]),
            "tables": int(built[0]),
            "file": dg.MetadataValue.path(str(target)),
            "bytes": target.stat().st_size,
            "quality report": dg.MetadataValue.path(report),
        },
    )


def _failed_visits(build: Build) -> dict[str, str]:
    """Raw tables whose portal failed or was never asked -> why. Also records the checks of the visits."""
    failed = {}
    lake = Lake(build.settings.lake)
    for name in build.datasets:
        table, made = f"raw.{table_name(name)}", last_visit(name, lake)
        if made is None:
            failed[table] = str(NotCaptured(name))
            continue
        build.record_checks(table, checks_of(made, table))
        if made.problem:
            failed[table] = made.problem
    return failed


def _selected(context: dg.AssetExecutionContext, results: list[CheckResult]) -> Iterator[dg.AssetCheckResult]:
    for result in results:
        if dg.AssetCheckKey(asset_key(result.table), result.name) in context.selected_asset_check_keys:
            yield check_result(result)


def _dataset_of(model: Model, datasets: Mapping[str, Dataset]) -> Dataset | None:
    return datasets.get(model.table) if model.schema == "clean" else None


def _table_spec(model: Model, datasets: Mapping[str, Dataset]) -> dg.AssetSpec:
    dataset = _dataset_of(model, datasets)
    return dg.AssetSpec(
        asset_key(model.name),
        deps=[asset_key(name) for name in sorted(model.inputs) if not name.startswith("seeds.")],
        description=model.description,
        group_name="clean" if model.schema == "clean" else "marts",
        kinds={"duckdb", "sql"},
        owners=OWNERS,
        code_version=model.fingerprint,
        skippable=True,  # a table that is held back is not materialized
        freshness_policy=freshness_policy(dataset.cadence) if dataset else None,
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


def _lineage(lineage: dict[str, list[str]]) -> dg.TableColumnLineage:
    return dg.TableColumnLineage({
        column: [dg.TableColumnDep(asset_key(origin.rpartition(".")[0]), origin.rpartition(".")[2]) for origin in origins]
        for column, origins in lineage.items()
        if origins
    })  # fmt: skip
