"""Captures as SQL: the rows a portal sent, with today's column names and with times read as `time_zones` declares."""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from civic_pipeline.catalog import Dataset, is_dated, spelled, stands_for
from civic_pipeline.errors import ShapeUnknown
from civic_pipeline.lake import Lake, Manifest
from civic_pipeline.lake.manifest import LandedColumn
from civic_pipeline.portals.declared import declared_schema
from civic_pipeline.sql_text import literal, quoted


@dataclass(frozen=True)
class CapturedColumn:
    """A column of a captured file: its current name, the SQL that reads it, and how it was published.

    Values of two captures can be compared if `written` is equal: the SQL of the shape that translates the column, or none.
    """

    name: str
    sql: str
    written: str


def columns_of(landed: Sequence[LandedColumn], dataset: Dataset) -> list[CapturedColumn]:
    """The columns of a captured file of `dataset`, which is one edition: translated by its shape, or unchanged."""
    published = tuple(column.name for column in landed)
    shape = dataset.shape_of(published)
    taken = {name.lower() for name in shape.columns} if shape else set()
    columns = []
    for column in landed:
        if column.name.lower() not in taken:
            name = _beside_ours(spelled(column.name, dataset.columns))
            # `time_zones` applies to what the portal publishes as a date; older files hold dates as text.
            clocks = dataset if is_dated(column.portal_type, dataset.columns.get(name)) else None
            columns.append(CapturedColumn(name, _clock(column.name, name, clocks), "as is"))
    if shape:
        columns += [
            CapturedColumn(name, f"{shape.sql(name, published)} as {quoted(name)}", shape.seen)
            for name in shape.columns
        ]
    return columns


def _beside_ours(name: str) -> str:
    """A publisher's `_edition` is `_edition_2` in the warehouse: `_edition` is ours there."""
    return f"{name}_2" if name.lower() in {"_capture_id", "_captured_at", "_edition"} else name


def capture_sql(lake: Lake, dataset: Dataset, capture: Manifest) -> str:
    """All rows of a capture with all its columns, and `_capture_id`, `_edition`.

    A declared column that no file of the capture has is null, and so is the geometry of a layer that was captured without.
    """
    selects, present = [], set[str]()
    for part, path in zip(capture.parts, lake.files(capture), strict=True):
        columns = columns_of(part.columns, dataset.edition(part.edition))
        present |= {column.name.lower() for column in columns}
        edition = literal(part.edition) if part.edition else "cast(null as varchar)"
        selects.append(
            f"select {', '.join(column.sql for column in columns)}, {literal(capture.capture_id)} as _capture_id,"
            f" {edition} as _edition from read_parquet({literal(str(path))})"
        )
    rows = " union all by name ".join(selects)
    absent = [
        f"cast(null as varchar) as {quoted(name)}"
        for name in dataset.all_columns
        if "*" not in name and name.lower() not in present
    ]
    if "_geometry" not in present and any(edition.source.portal == "arcgis" for edition in dataset.editions.values()):
        absent.append("cast(null as blob) as _geometry")
    return f"select *, {', '.join(absent)} from ({rows})" if absent else rows


def history_sql(lake: Lake, dataset: Dataset, captures: Sequence[Manifest]) -> str:
    """All rows of all `captures` with the declared columns and `_capture_id`, `_captured_at` (UTC), `_edition`.

    A column whose type differs between captures is text. Raises ShapeUnknown for a file without a declared column.
    """
    selects = []
    for capture in captures:
        refuse_unknown_shape(dataset, capture)
        editions = [(part, dataset.edition(part.edition)) for part in capture.parts]
        named = {column.name for part, edition in editions for column in columns_of(part.columns, edition)}
        named |= {name for name in dataset.all_columns if "*" not in name}
        declared = [name for name in sorted(named) if any(stands_for(pattern, name) for pattern in dataset.all_columns)]
        selects.append(
            f"select {', '.join(map(quoted, declared))}, _capture_id, timestamp '{capture.moment}' as _captured_at, _edition"
            f" from ({capture_sql(lake, dataset, capture)})"
        )
    return " union all by name ".join(selects)


def refuse_unknown_shape(dataset: Dataset, capture: Manifest) -> None:
    """Raise ShapeUnknown for a file that lacks a declared column and has no declared earlier shape."""
    for part in capture.parts:
        declared, published = dataset.edition(part.edition), tuple(column.name for column in part.columns)
        if declared.shape_of(published) is None and (lacking := declared.lacks(published)):
            raise ShapeUnknown(f"{capture.capture_id} {part.edition or ''}".strip(), lacking)


def declared_sql(connection: duckdb.DuckDBPyConnection, dataset: Dataset) -> str:
    """No rows, with the columns of `capture_sql` as they are declared: a source without a capture is read like this."""
    relation = connection.from_arrow(declared_schema(dataset).empty_table())
    # A Parquet file with times in milliseconds is read as TIMESTAMP, an Arrow table as TIMESTAMP_MS.
    types = {
        name: str(kind).replace("TIMESTAMP_MS", "TIMESTAMP")
        for name, kind in zip(relation.columns, relation.types, strict=True)
    }
    declared = dataset.all_columns
    landed = [LandedColumn(name=name, portal_type=declared.get(name, "derived")) for name in types]
    nulls = ", ".join(f"cast(null as {kind}) as {quoted(name)}" for name, kind in types.items())
    columns = ", ".join(column.sql for column in columns_of(landed, dataset.model_copy(update={"columns": declared})))
    return (
        f"select {columns}, cast(null as varchar) as _capture_id, cast(null as varchar) as _edition"
        f" from (select {nulls}) where false"
    )


def declared_history_sql(connection: duckdb.DuckDBPyConnection, dataset: Dataset) -> str:
    """No rows, with the columns of `history_sql` as they are declared."""
    names = declared_schema(dataset).names
    listed = ", ".join(
        quoted(name) for name in names if any(stands_for(pattern, name) for pattern in dataset.all_columns)
    )
    return (
        f"select {listed}, _capture_id, cast(null as timestamp) as _captured_at, _edition"
        f" from ({declared_sql(connection, dataset)})"
    )


def _clock(column: str, name: str, dataset: Dataset | None) -> str:
    published = quoted(column)
    match dataset.time_zones.get(name) if dataset else None:
        case "date_only":
            return f"cast({published} as date) as {quoted(name)}"
        case "utc":
            return f"{published} at time zone 'UTC' as {quoted(name)}"
        case _:
            return published if column == name else f"{published} as {quoted(name)}"
