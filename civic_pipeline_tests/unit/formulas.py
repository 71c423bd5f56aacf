"""A warehouse in memory in which to run the models of `sql/` on rows put there by a test."""

from functools import cache

import duckdb

from civic_pipeline.catalog import load_datasets
from civic_pipeline.settings import CHECKOUT
from civic_pipeline.warehouse import Model, load_models
from civic_pipeline.warehouse.macros import macro_files
from civic_pipeline.warehouse.seeds import create_places


@cache
def committed_models() -> dict[str, Model]:
    return load_models(CHECKOUT, load_datasets(CHECKOUT))


def empty_warehouse() -> duckdb.DuckDBPyConnection:
    """The schemas, the macros and the places, no other tables."""
    connection = duckdb.connect()
    for schema in ("raw", "history", "seeds", "clean", "clean_history", "marts"):
        connection.execute(f"create schema {schema}")
    for macros in macro_files(CHECKOUT):
        connection.execute(macros.read_text(encoding="utf-8"))
    create_places(connection, CHECKOUT)
    return connection


def build(warehouse: duckdb.DuckDBPyConnection, *tables: str) -> None:
    """Make tables by their models, in this order; parts of places without clean tables are left out."""
    for table in tables:
        present = {
            f"{schema}.{name}"
            for schema, name in warehouse.execute("select schema_name, table_name from duckdb_tables()").fetchall()
        }
        model = committed_models()[table]
        missing = {name for name in model.inputs if name.startswith("clean.")} - present
        model = model.without(lambda part, missing=missing: not part.inputs.isdisjoint(missing))  # type: ignore[misc]
        warehouse.execute(f"create or replace table {table} as {model.sql}")


def rows_of_check(warehouse: duckdb.DuckDBPyConnection, name: str) -> list[tuple[object, ...]]:
    """The rows that the rule returns, of every place it is written for."""
    files = sorted(
        [*(CHECKOUT / "sql" / "checks").glob(f"*/{name}.sql"), *(CHECKOUT / "sql" / "checks").glob(f"*/{name}/*.sql")]
    )
    assert files
    return [row for file in files for row in warehouse.execute(file.read_text(encoding="utf-8")).fetchall()]
