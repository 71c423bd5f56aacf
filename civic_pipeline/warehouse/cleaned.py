"""`clean_history.<table>`: a clean model run over every accepted capture of its dataset, each capture once.

The rows are kept in `cleaned.<table>` of the build file, which is never released, and `cleaned.captures` says by which
cleaning. A capture is cleaned again when the model, a macro, a seed or the dataset's definition changes.
"""

from collections.abc import Sequence

import duckdb

from civic_pipeline.catalog import Dataset
from civic_pipeline.errors import ModelFailed
from civic_pipeline.lake import Lake, Manifest
from civic_pipeline.sql_text import literal
from civic_pipeline.warehouse.captured import capture_sql, refuse_unknown_shape
from civic_pipeline.warehouse.hashes import cleaning
from civic_pipeline.warehouse.macros import Macros
from civic_pipeline.warehouse.model import Model

ADDED_TO_CLEAN = {"_capture_id": "VARCHAR", "_captured_at": "TIMESTAMP", "_sequence": "INTEGER"}


def view_clean_history(
    connection: duckdb.DuckDBPyConnection,
    lake: Lake,
    dataset: Dataset,
    model: Model,
    captures: Sequence[Manifest],
    macros: Macros,
) -> None:
    """Create the view `clean_history.<table>` of the clean `model` over `captures`, oldest first.

    Its columns are those of the contract, and `_capture_id`, `_captured_at` (UTC), `_sequence` (1 is the oldest capture). Only
    captures that were not cleaned like this before are read. Rows that break a row rule are left out, as in the clean table.
    Raises CaptureDamaged, ShapeUnknown, ModelFailed.
    """
    wanted = {capture.capture_id: cleaning(connection, model, capture, macros) for capture in captures}
    connection.execute(
        "create schema if not exists clean_history; create schema if not exists cleaned;"
        " create table if not exists cleaned.captures (table_name varchar, capture_id varchar, cleaning varchar)"
    )
    known = dict(
        connection.execute(
            "select capture_id, cleaning from cleaned.captures where table_name = ?", [model.table]
        ).fetchall()
    )
    kept = dict(known.items() & wanted.items())
    if not kept:  # its columns may have changed
        columns = ", ".join(f"{column.name} {column.type}" for column in model.contract.columns)
        connection.execute(f"create or replace table cleaned.{model.table} ({columns}, _capture_id varchar)")
        connection.execute("delete from cleaned.captures where table_name = ?", [model.table])
    elif kept != known or kept != wanted:  # a run that was killed may have left rows of a capture that is not recorded
        connection.execute(
            "delete from cleaned.captures where table_name = ? and not list_contains(?, capture_id)",
            [model.table, [*kept]],
        )
        connection.execute(f"delete from cleaned.{model.table} where not list_contains(?, _capture_id)", [[*kept]])
    for capture in captures:
        if capture.capture_id not in kept:
            lake.verify(capture)
            _clean(connection, lake, dataset, model, capture)
            connection.execute(
                "insert into cleaned.captures values (?, ?, ?)",
                [model.table, capture.capture_id, wanted[capture.capture_id]],
            )
    connection.execute(f"create or replace view clean_history.{model.table} as {_view(model, captures, wanted)}")


def _clean(
    connection: duckdb.DuckDBPyConnection, lake: Lake, dataset: Dataset, model: Model, capture: Manifest
) -> None:
    """Add the clean rows of one capture: the model reads it in place of the current one."""
    refuse_unknown_shape(dataset, capture)
    contract = model.contract
    columns = ", ".join(f"cast({column.name} as {column.type})" for column in contract.columns)
    distinct = "distinct" if contract.repeated_rows else ""
    usual = connection.execute(
        "select sql from duckdb_views() where schema_name = 'raw' and view_name = ?", [model.table]
    ).fetchone()
    try:
        connection.execute(f"create or replace view raw.{model.table} as {capture_sql(lake, dataset, capture)}")
        connection.execute(
            f"insert into cleaned.{model.table} select {distinct} {columns}, {literal(capture.capture_id)}"
            f" from (\n{model.sql}\n) where {contract.keep_if}"
        )
    except duckdb.Error as error:
        problem = str(error).split("\n", 1)[0] if not model.personal else type(error).__name__
        raise ModelFailed(model.path, f"it cannot read {capture.capture_id}: {problem}") from error
    finally:
        connection.execute(f"drop view if exists raw.{model.table}")
        if usual:
            connection.execute(usual[0])


def _view(model: Model, captures: Sequence[Manifest], wanted: dict[str, str]) -> str:
    """SQL that names every capture and its cleaning, so that a table that reads it is rebuilt when one changes."""
    columns = ", ".join(f"kept.{column.name}" for column in model.contract.columns)
    listed = ", ".join(
        f"({literal(capture.capture_id)}, timestamp '{capture.moment}', {position}, {literal(wanted[capture.capture_id])})"
        for position, capture in enumerate(captures, 1)
    )
    none = "(cast(null as varchar), cast(null as timestamp), cast(null as integer), cast(null as varchar))"
    return (
        f"select {columns}, kept._capture_id, accepted.captured_at as _captured_at, accepted.sequence as _sequence"
        f" from cleaned.{model.table} as kept inner join (values {listed or none})"
        " as accepted (capture_id, captured_at, sequence, cleaning) on accepted.capture_id = kept._capture_id"
    )
