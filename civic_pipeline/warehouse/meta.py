"""The tables that the pipeline itself records: schema `meta`, and the marts of what a release changed.

`recorded/<schema>/<table>.yml` describes each of them; Python writes their rows. Analysts can join to them, and marts of the
subject `certification` read `meta` in their SQL; the night builds those after all other tables.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import duckdb
from pydantic import Field

from civic_pipeline.catalog import Column, Strict, read_yaml
from civic_pipeline.sql_text import literal


class RecordedTable(Strict):
    """`each_row_is` finishes the sentence "each row is ..."."""

    each_row_is: str = Field(min_length=1)
    columns: tuple[Column, ...] = Field(min_length=1)

    @property
    def description(self) -> str:
        return f"Each row is {self.each_row_is}."


@cache
def recorded_tables() -> dict[str, RecordedTable]:
    """Every recorded table by its name, `schema.table`."""
    files = sorted((Path(__file__).parent / "recorded").glob("*/*.yml"))
    return {f"{file.parent.name}.{file.stem}": read_yaml(file, RecordedTable) for file in files}


def create(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the tables and columns that do not exist, and write the comments and dictionary entries, unless they are there."""
    if not _is_described(connection):
        for name, table in recorded_tables().items():
            _create(connection, name, table)
        for name, table in recorded_tables().items():
            _describe(connection, name, table)
    # Values as written until 0.1.
    connection.execute("update meta.tables set status = 'held_back' where status = 'held back'")
    connection.execute("update meta.revisions set kind = 'rekeyed' where kind = 're-keyed'")


def _is_described(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether every table has its columns, types and comments; the entries of the dictionary were written with them."""
    described = connection.execute(
        "select concat_ws('.', schema_name, table_name), column_name, data_type, comment from duckdb_columns()"
        " where database_name = current_database() union all"
        " select concat_ws('.', schema_name, table_name), '', '', comment from duckdb_tables()"
        " where database_name = current_database()"
    ).fetchall()
    wanted = [(name, "", "", table.description) for name, table in recorded_tables().items()]
    wanted += [
        (name, c.name, c.type, c.description) for name, table in recorded_tables().items() for c in table.columns
    ]
    return set(wanted) <= set(described)


def _create(connection: duckdb.DuckDBPyConnection, name: str, table: RecordedTable) -> None:
    columns = ", ".join(f"{column.name} {column.type}" for column in table.columns)
    connection.execute(f"create schema if not exists {name.partition('.')[0]}")
    connection.execute(f"create table if not exists {name} ({columns})")
    for column in table.columns:  # columns that an older version did not have
        connection.execute(f"alter table {name} add column if not exists {column.name} {column.type}")


def _describe(connection: duckdb.DuckDBPyConnection, name: str, table: RecordedTable) -> None:
    connection.execute(f"comment on table {name} is {literal(table.description)}")
    for column in table.columns:
        connection.execute(f"comment on column {name}.{column.name} is {literal(column.description)}")
    rows = [
        {
            "table_name": name, "position": position, "column_name": column.name, "column_type": column.type,
            "description": column.description, "made_from": [],
        }
        for position, column in enumerate(table.columns, 1)
    ]  # fmt: skip
    put(connection, "meta.columns", "table_name", name, rows)


def put_places(connection: duckdb.DuckDBPyConnection) -> None:
    """Copy every place from `seeds.places`."""
    connection.execute("delete from meta.places; insert into meta.places by name from seeds.places")


def put(
    connection: duckdb.DuckDBPyConnection, table: str, where: str, value: str, rows: Sequence[Mapping[str, object]]
) -> None:
    """Replace the rows of `table` whose column `where` equals `value`."""
    connection.execute(f"delete from {table} where {where} = ?", [value])
    add(connection, table, rows)


def add(connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Mapping[str, object]]) -> None:
    """Insert `rows` into the recorded `table`; a column that a row does not name is null."""
    if not rows:
        return
    names = [column.name for column in recorded_tables()[table].columns]
    marks = f"({', '.join('?' for _ in names)})"
    connection.execute(
        f"insert into {table} ({', '.join(names)}) values {', '.join([marks] * len(rows))}",
        [row.get(name) for row in rows for name in names],
    )


def naive(moment: datetime) -> datetime:
    """UTC without its mark: `meta` holds plain UTC timestamps."""
    return moment.astimezone(UTC).replace(tzinfo=None)
