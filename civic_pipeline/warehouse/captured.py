"""Captures as SQL: the rows a portal sent, with today's column names and with times read as `time_zones` declares."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from civic_pipeline.catalog import Dataset, stands_for
from civic_pipeline.errors import ShapeUnknown
from civic_pipeline.lake import Lake, Manifest
from civic_pipeline.lake.manifest import LandedColumn
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
    """The columns of a captured file: translated by its shape, or unchanged."""
    shape = dataset.shape_of(tuple(column.name for column in landed))
    translated = shape.columns if shape else {}
    taken = {name.lower() for name in translated}
    today = {name.lower(): name for name in dataset.columns}
    columns = [
        # `time_zones` applies to the type that `columns` declares; older files hold dates as text.
        CapturedColumn(name, _clock(column.name, name, dataset if dataset.columns.get(name) == column.portal_type else None), "as is")
        for column in landed
        if column.name.lower() not in taken
        for name in [_beside_ours(today.get(column.name.lower(), column.name))]
    ]  # fmt: skip
    seen = shape.seen if shape else ""
    columns += [CapturedColumn(name, f"{sql} as {quoted(name)}", seen) for name, sql in translated.items()]
    present = {column.name.lower() for column in columns}
    if shape:
        columns += [
            CapturedColumn(name, f"cast(null as varchar) as {quoted(name)}", seen)
            for name in dataset.columns
            if "*" not in name and name.lower() not in present
        ]
    return columns


def _beside_ours(name: str) -> str:
    """A publisher's `_edition` is `_edition_2` in the warehouse: `_edition` is ours there."""
    return f"{name}_2" if name.lower() in {"_capture_id", "_captured_at", "_edition"} else name


def capture_sql(lake: Lake, dataset: Dataset, capture: Manifest) -> str:
    """All rows of a capture with all its columns, and `_capture_id`, `_edition`."""
    return " union all by name ".join(
        f"select {', '.join(column.sql for column in columns_of(part.columns, dataset))}, {literal(capture.capture_id)} as _capture_id,"
        f" {literal(part.edition) if part.edition else 'cast(null as varchar)'} as _edition from read_parquet({literal(str(path))})"
        for part, path in zip(capture.parts, lake.files(capture), strict=True)
    )


def history_sql(lake: Lake, dataset: Dataset, captures: Sequence[Manifest]) -> str:
    """All rows of all `captures` with the declared columns and `_capture_id`, `_captured_at` (UTC), `_edition`.

    A column whose type differs between captures is text. Raises ShapeUnknown for a capture without a declared column.
    """
    selects = []
    for capture in captures:
        for part in capture.parts:
            published = tuple(column.name for column in part.columns)
            if dataset.shape_of(published) is None and (lacking := dataset.lacks(published)):
                raise ShapeUnknown(capture.capture_id, lacking)
        named = {column.name for part in capture.parts for column in columns_of(part.columns, dataset)}
        declared = [
            name
            for name in sorted(named)
            if any(stands_for(pattern.lower(), name.lower()) for pattern in dataset.columns)
        ]
        at = datetime.fromisoformat(capture.captured_at).astimezone(UTC).replace(tzinfo=None)
        selects.append(
            f"select {', '.join(map(quoted, declared))}, _capture_id, timestamp '{at.isoformat(sep=' ')}' as _captured_at, _edition"
            f" from ({capture_sql(lake, dataset, capture)})"
        )
    return " union all by name ".join(selects)


def _clock(column: str, name: str, dataset: Dataset | None) -> str:
    published = quoted(column)
    match dataset.time_zones.get(name) if dataset else None:
        case "date_only":
            return f"cast({published} as date) as {quoted(name)}"
        case "utc":
            return f"{published} at time zone 'UTC' as {quoted(name)}"
        case _:
            return published if column == name else f"{published} as {quoted(name)}"
