"""The warehouse as it would have been at a moment: the tables a query reads, rebuilt from the captures accepted by then."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

import duckdb
import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError

from civic_pipeline.catalog import Dataset, accepted_as, table_name
from civic_pipeline.deadline import time_limit
from civic_pipeline.errors import NotCapturedBy, QueryRefused, UnknownName
from civic_pipeline.lake import Lake
from civic_pipeline.releases import confine
from civic_pipeline.scratch import scratch
from civic_pipeline.settings import Settings
from civic_pipeline.sql_text import quoted
from civic_pipeline.warehouse.build import Build
from civic_pipeline.warehouse.captured import refuse_unknown_shape
from civic_pipeline.warehouse.model import Model
from civic_pipeline.warehouse.prepare import prepare


@contextmanager
def as_of(
    settings: Settings, datasets: Mapping[str, Dataset], models: Mapping[str, Model], moment: datetime, query: str
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A temporary warehouse with the tables that `query` reads, built by today's SQL and seeds; the default schema is marts.

    A place without a capture at that moment has no rows in tables of several places; a source without any capture is empty.
    Contracts are not checked; row rules apply. `models` are in the order they are built in. Raises QueryRefused, UnknownName
    for a table that is not a model or is about the warehouse itself, NotCapturedBy, CaptureDamaged, ShapeUnknown, ModelFailed.
    """
    lake = Lake(settings.lake, datasets)
    read = _read(_needed(query, models), models, datasets)
    late = {f"clean.{table_name(name)}" for name in read if lake.accepted(name, moment) is None and lake.ids(name)}
    models = {
        name: model.without(lambda part: not late.isdisjoint(map(accepted_as, part.inputs)))
        for name, model in models.items()
    }
    wanted = _needed(query, models)
    read = _read(wanted, models, datasets)
    _refuse_uncaptured(lake, read, moment)
    with (
        scratch() as folder,
        duckdb.connect(str(folder / "as_of.duckdb")) as connection,
    ):
        build = Build(connection, settings, read, "as of", datetime.now(UTC), as_of=moment)
        prepare(build)
        with time_limit(f"Rebuilding {', '.join(sorted(wanted))}", connection):
            for name, model in models.items():
                if name in wanted:
                    build.swap(build.stage(model), [], None)
        for name in wanted:
            for column in models[name].personal:
                for table in (name, name.replace("clean.", "quarantine.", 1)):
                    connection.execute(f"alter table if exists {table} drop column if exists {quoted(column)}")
        connection.execute("set schema = 'marts'")
        confine(connection)
        yield connection


def _needed(query: str, models: Mapping[str, Model]) -> set[str]:
    """The models that `query` reads, and all models those read."""
    try:
        parsed = sqlglot.parse_one(query, dialect="duckdb")
    except ParseError as error:
        raise QueryRefused(str(error)) from error
    ctes = {cte.alias for cte in parsed.find_all(exp.CTE)}
    tables = [table for table in parsed.find_all(exp.Table) if isinstance(table.this, exp.Identifier)]
    waiting = [f"{t.db or 'marts'}.{t.name}".lower() for t in tables if t.db or t.name not in ctes]
    needed: set[str] = set()
    while waiting:
        name = waiting.pop().replace("quarantine.", "clean.", 1)
        if name not in models or models[name].is_about_warehouse:
            rebuilt = [known for known, model in models.items() if not model.is_about_warehouse]
            raise UnknownName("rebuildable table", name, rebuilt)
        if name not in needed:
            needed.add(name)
            waiting += [table for source in models[name].inputs if (table := accepted_as(source)) in models]
    return needed


def _read(wanted: set[str], models: Mapping[str, Model], datasets: Mapping[str, Dataset]) -> dict[str, Dataset]:
    """The datasets whose captures the models `wanted` read."""
    captured = {source.partition(".")[2] for name in wanted for source in models[name].inputs if _is_captured(source)}
    return {name: dataset for name, dataset in datasets.items() if table_name(name) in captured}


def _is_captured(source: str) -> bool:
    return source.startswith(("raw.", "history."))


def _refuse_uncaptured(lake: Lake, read: Mapping[str, Dataset], moment: datetime) -> None:
    """Raise NotCapturedBy for sources captured later only, or if none was ever captured: beside others, such a source is empty."""
    late: dict[str, str | None] = {}
    for name in read:
        accepted = lake.accepted(name, moment)
        if accepted:
            lake.verify(accepted)
            refuse_unknown_shape(read[name], accepted)
            continue
        first = next((capture for capture in lake.captures(name) if capture.held_back is None), None)
        late[name] = first.captured_at[:10] if first else None
    if any(late.values()) or (late and len(late) == len(read)):
        raise NotCapturedBy(f"{moment:%Y-%m-%d %H:%M} UTC", late)
