"""Find wrong columns of models, rules and checks without a run: bind each query to empty tables of the declared types.

DuckDB binds the queries, so names and types are exactly those of a run. A parser knows neither our macros nor `unpivot`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import duckdb

from civic_pipeline.catalog import Dataset, table_name
from civic_pipeline.catalog.yaml_file import line_of
from civic_pipeline.errors import ModelFailed
from civic_pipeline.lint.mistake import Mistake
from civic_pipeline.warehouse import Model
from civic_pipeline.warehouse.captured import declared_history_sql, declared_sql
from civic_pipeline.warehouse.cleaned import ADDED_TO_CLEAN
from civic_pipeline.warehouse.lineage import Schema
from civic_pipeline.warehouse.macros import macro_files
from civic_pipeline.warehouse.meta import recorded_tables
from civic_pipeline.warehouse.readable import READABLE
from civic_pipeline.warehouse.seeds import create_seeds


@contextmanager
def declared_warehouse(
    root: Path, datasets: Mapping[str, Dataset], models: Iterable[Model]
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Every table that a query may read, without rows: raw and history as declared, seeds, meta, and tables by their contracts.

    Raises ModelFailed for invalid macros.
    """
    with duckdb.connect() as connection:
        for schema in ("raw", "history", "seeds", "meta", "clean", "clean_history", "marts"):
            connection.execute(f"create schema {schema}")
        for functions in macro_files(root):
            try:
                connection.execute(functions.read_text(encoding="utf-8"))
            except duckdb.Error as error:
                raise ModelFailed(functions, str(error)) from error
        create_seeds(connection, root)
        for name in READABLE:
            columns = ", ".join(f"{column.name} {column.type}" for column in recorded_tables()[name].columns)
            connection.execute(f"create table {name} ({columns})")
        for name, dataset in datasets.items():
            view = table_name(name)
            connection.execute(f"create view raw.{view} as {declared_sql(connection, dataset)}")
            connection.execute(f"create view history.{view} as {declared_history_sql(connection, dataset)}")
        for model in models:
            columns = ", ".join(f"{column.name} {column.type}" for column in model.contract.columns)
            connection.execute(f"create table {model.name} ({columns})")
            if model.schema == "clean":
                added = ", ".join(f"{name} {kind}" for name, kind in ADDED_TO_CLEAN.items())
                connection.execute(f"create table clean_history.{model.table} ({columns}, {added})")
        yield connection


def schema_of(connection: duckdb.DuckDBPyConnection) -> Schema:
    """The columns of every table and view."""
    schema: Schema = {}
    for namespace, table, column, kind in connection.execute(
        "select schema_name, table_name, column_name, data_type from duckdb_columns() where not internal order by column_index"
    ).fetchall():
        schema.setdefault(namespace, {}).setdefault(table, {})[column] = kind
    return schema


def wrong_columns(connection: duckdb.DuckDBPyConnection, model: Model) -> Iterator[Mistake]:
    """Mistakes for undeclared columns in the model's files, and for columns whose type differs from the contract."""
    contract, contract_path = model.contract, model.contract_path
    for part in model.parts:
        refusals = list(refused(connection, f"create or replace temp table everything as {part.sql}", part.path))
        yield from refusals
        if refusals:
            return
        kinds = {name: kind for name, kind, *_ in connection.execute("describe everything").fetchall()}
        for position, column in enumerate(contract.columns):
            if kinds[column.name] != column.type:
                line = line_of(contract_path, "columns", position)
                message = f"{column.name} is {kinds[column.name]} in the select of {part.path.name}, not {column.type}"
                yield Mistake(contract_path, line, message)
    if model.code:
        for table, read in model.code.inputs.items():
            sql = f"select {', '.join(read)} from {table}"
            yield from refused(connection, sql, contract_path, line_of(contract_path, "inputs", table))
        connection.execute(f"create or replace temp table everything as from {model.name}")
    for sql, keys in contract.queries("everything"):
        yield from refused(connection, sql, contract_path, line_of(contract_path, *keys))


def refused(connection: duckdb.DuckDBPyConnection, sql: str, path: Path, line: int | None = None) -> Iterator[Mistake]:
    """DuckDB's error for a query, at the line that DuckDB names unless `line` is given."""
    try:
        connection.execute(sql)
    except duckdb.Error as error:
        first, *rest = str(error).splitlines()
        named = re.search(r"^LINE (\d+):", "\n".join(rest), re.MULTILINE)
        hint = next((text.strip() for text in rest if text.startswith("Candidate")), "")
        yield Mistake(path, line or (int(named[1]) if named else 1), " ".join(f"{first} {hint}".split()))
