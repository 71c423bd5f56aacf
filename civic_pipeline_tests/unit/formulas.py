"""A warehouse in memory in which to run the models of `sql/` on rows put there by a test."""

import duckdb

from civic_pipeline.settings import CHECKOUT

SQL = CHECKOUT / "sql"


def empty_warehouse() -> duckdb.DuckDBPyConnection:
    """The schemas and the macros, no tables."""
    connection = duckdb.connect()
    for schema in ("raw", "history", "seeds", "clean", "marts"):
        connection.execute(f"create schema {schema}")
    connection.execute((SQL / "functions.sql").read_text(encoding="utf-8"))
    return connection


def build(warehouse: duckdb.DuckDBPyConnection, *tables: str) -> None:
    """Make tables by their models, in this order."""
    for table in tables:
        query = (SQL / f"{table.replace('.', '/')}.sql").read_text(encoding="utf-8")
        warehouse.execute(f"create or replace table {table} as {query}")
