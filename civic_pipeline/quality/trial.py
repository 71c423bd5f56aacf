"""Build and check one table from its current files for `civic try`: nothing is swapped in, recorded or released."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb

from civic_pipeline.catalog import Dataset, table_name
from civic_pipeline.deadline import time_limit
from civic_pipeline.errors import CivicError, NotBuilt, NotCaptured
from civic_pipeline.lake import Lake
from civic_pipeline.lock import only_writer
from civic_pipeline.quality.audit import audit
from civic_pipeline.quality.library import load_library
from civic_pipeline.quality.suites import Suites
from civic_pipeline.scratch import scratch
from civic_pipeline.settings import Settings
from civic_pipeline.sql_text import literal
from civic_pipeline.warehouse import Build, CheckResult, Model, Staged
from civic_pipeline.warehouse.prepare import prepare


@dataclass(frozen=True)
class Trial:
    """A staged table and its results; `connection` can run the queries of failed rows."""

    connection: duckdb.DuckDBPyConnection
    staged: Staged
    results: list[CheckResult]


@contextmanager
def try_table(settings: Settings, datasets: Mapping[str, Dataset], model: Model) -> Iterator[Trial]:
    """Stage and audit `model` on the accepted captures and tables.

    They are in a temporary warehouse, to which the build is attached read-only. Raises LockHeld while a run writes the build,
    NotCaptured or NotBuilt for an input that has no accepted version, ModelFailed.
    """
    read = {name: dataset for name, dataset in datasets.items() if _reads(model, name)}
    with (
        ThreadPoolExecutor(1) as other_core,
        only_writer(settings.build, wait_seconds=0),
        scratch() as folder,
        duckdb.connect(str(folder / "try.duckdb")) as connection,
    ):
        library = other_core.submit(load_library)  # takes as long as everything else together
        build = Build(connection, settings, read, "try", datetime.now(UTC))
        prepare(build)
        _refuse_uncaptured(build)
        _view_accepted(build, model)
        with time_limit(model.name, connection):
            staged = build.stage(model)
            library.result()
            results = audit(build, staged, Suites(build))
        yield Trial(connection, staged, results)


def _reads(model: Model, dataset: str) -> bool:
    return not model.inputs.isdisjoint(
        {f"{schema}.{table_name(dataset)}" for schema in ("raw", "history", "clean_history")}
    )


def _refuse_uncaptured(build: Build) -> None:
    lake = Lake(build.settings.lake, build.datasets)
    for name in build.datasets:
        if name in build.damaged:
            raise CivicError(build.damaged[name])
        if lake.accepted(name) is None and name not in build.never_captured:
            raise NotCaptured(name)


def _view_accepted(build: Build, model: Model) -> None:
    """Create views of the accepted tables that the model's SQL and checks read, and copy the tables of `meta` that it reads."""
    tables = sorted(name for name in model.inputs | model.references if name.startswith(("clean.", "marts.")))
    if not build.settings.build.exists():
        if tables:
            raise NotBuilt(tables[0])
        return
    connection = build.connection
    connection.execute(f"attach {literal(str(build.settings.build))} as accepted (read_only)")
    for name in tables:
        try:
            connection.execute(f"create view {name} as from accepted.{name}")
        except duckdb.CatalogException:
            raise NotBuilt(name) from None
    # The version to compare with. It is a table, because the staged one replaces it while rules across tables run.
    known = {f"{schema}.{table}" for schema, table in connection.execute(
        "select schema_name, table_name from duckdb_tables() where database_name = 'accepted'"
    ).fetchall()}  # fmt: skip
    if model.name in known:
        connection.execute(f"create table {model.name} as from accepted.{model.name}")
    for cleans in model.histories:  # what was cleaned before is not cleaned again
        if f"cleaned.{cleans.table}" in known:
            connection.execute(
                "create schema if not exists cleaned;"
                " create table if not exists cleaned.captures as from accepted.cleaned.captures limit 0;"
                f" create table cleaned.{cleans.table} as from accepted.cleaned.{cleans.table};"
                f" insert into cleaned.captures from accepted.cleaned.captures where table_name = {literal(cleans.table)}"
            )
    if "drift.accepted_slices" in known:
        connection.execute(
            "create schema drift; create table drift.accepted_slices as from accepted.drift.accepted_slices"
        )
    for name in sorted({"meta.tables", *(name for name in model.inputs if name.startswith("meta."))}):
        connection.execute(f"delete from {name}; insert into {name} by name select * from accepted.{name}")
