"""A warehouse in memory in which to run the models of `sql/` on rows put there by a test."""

from functools import cache

import duckdb

from civic_pipeline.catalog import load_datasets
from civic_pipeline.settings import CHECKOUT
from civic_pipeline.warehouse import Model, load_models
from civic_pipeline.warehouse.cleaned import ADDED_TO_CLEAN
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
        model = model.without(lambda part, missing=missing: not part.inputs.isdisjoint(missing))
        warehouse.execute(f"create or replace table {table} as {model.sql}")


def create(warehouse: duckdb.DuckDBPyConnection, *tables: str) -> None:
    """Make empty tables with the columns of their contracts; `clean_history.x` has those of `clean.x` and of its captures."""
    for table in tables:
        contract = committed_models()[table.replace("clean_history.", "clean.")].contract
        columns = {column.name: column.type for column in contract.columns}
        columns |= ADDED_TO_CLEAN if table.startswith("clean_history.") else {}
        warehouse.execute(f"create table {table} ({', '.join(f'{name} {kind}' for name, kind in columns.items())})")


def put(warehouse: duckdb.DuckDBPyConnection, table: str, **row: object) -> None:
    """Insert a row; the columns that are not given are null."""
    names = ", ".join(row)
    warehouse.execute(f"insert into {table} ({names}) values ({', '.join('?' for _ in row)})", list(row.values()))


def put_on_the_map(warehouse: duckdb.DuckDBPyConnection, *neighborhoods: str) -> None:
    """Add neighborhoods of Baltimore to `marts.dim_geographies`."""
    for name in neighborhoods:
        put(
            warehouse,
            "marts.dim_geographies",
            geography_id=name,
            city="baltimore",
            kind="neighborhood",
            geography_name=name,
            geography_key=name.upper(),
        )


def rows_of_check(warehouse: duckdb.DuckDBPyConnection, name: str) -> list[tuple[object, ...]]:
    """The rows that the rule returns, of every place it is written for."""
    files = sorted(
        [*(CHECKOUT / "sql" / "checks").glob(f"*/{name}.sql"), *(CHECKOUT / "sql" / "checks").glob(f"*/{name}/*.sql")]
    )
    assert files
    return [row for file in files for row in warehouse.execute(file.read_text(encoding="utf-8")).fetchall()]
