"""Write the descriptions of tables and columns into the database: as comments, and as rows of meta.columns."""

from collections.abc import Mapping

import duckdb

from civic_pipeline.sql_text import literal, quoted
from civic_pipeline.warehouse import meta
from civic_pipeline.warehouse.model import Model

_HELPERS = {
    "_rules": "Names of the row rules that the row breaks.",
    "_reasons": "Reasons of those rules.",
    "_capture_id": "Capture the row came from.",
}


def describe_table(connection: duckdb.DuckDBPyConnection, model: Model, lineage: Mapping[str, list[str]]) -> None:
    """Describe the accepted table of `model`. Columns about persons are not described: no release has them."""
    connection.execute(f"comment on table {model.name} is {literal(model.description)}")
    rows: list[dict[str, object]] = []
    shown = [column for column in model.contract.columns if column.name not in model.personal]
    counts = ", ".join(f"count(*) - count({quoted(column.name)})" for column in shown) or "0"
    nulls = connection.execute(f"select {counts} from {model.name}").fetchall()[0]
    for position, column in enumerate(shown, 1):
        connection.execute(
            f"comment on column {model.name}.{column.name} is {literal(_comment(column.description, column.unit))}"
        )
        rows.append({
            "table_name": model.name, "position": position, "column_name": column.name, "column_type": column.type, "unit": column.unit,
            "description": column.description, "is_required": column.name in model.contract.required, "null_count": nulls[position - 1],
            "references_table": column.references, "made_from": lineage[column.name],
        })  # fmt: skip
    meta.put(connection, "meta.columns", "table_name", model.name, rows)


def describe_quarantine(connection: duckdb.DuckDBPyConnection, model: Model, columns: Mapping[str, str]) -> None:
    """Describe the quarantine of `model`, which has `columns` with these types."""
    name = f"quarantine.{model.table}"
    described = {column.name: _comment(column.description, column.unit) for column in model.contract.columns} | _HELPERS
    connection.execute(
        f"comment on table {name} is {literal(f'Each row is rejected from {model.name}, whole, with the rules it broke.')}"
    )
    rows: list[dict[str, object]] = []
    shown = {column: kind for column, kind in columns.items() if column not in model.personal}
    for position, (column, kind) in enumerate(shown.items(), 1):
        text = described.get(column, "Helper column of the model, such as a value as it was published.")
        connection.execute(f"comment on column {name}.{quoted(column)} is {literal(text)}")
        rows.append({
            "table_name": name, "position": position, "column_name": column, "column_type": kind, "description": text,
            "made_from": [],
        })  # fmt: skip
    meta.put(connection, "meta.columns", "table_name", name, rows)


def _comment(description: str, unit: str | None) -> str:
    return f"{description} Unit: {unit}." if unit else description
