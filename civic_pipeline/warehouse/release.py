"""Publish the audited build as one read-only file, replaced atomically: readers see the old release or the new one."""

import os
from pathlib import Path

import duckdb

from civic_pipeline.errors import WarehouseOpened, writing
from civic_pipeline.sql_text import literal
from civic_pipeline.warehouse.build import Build

RELEASED_SCHEMAS = ("clean", "marts", "quarantine", "meta")

# The storage format that DuckDB 1.1 and later open; newer formats would lock out BI tools, which lag behind.
_STORAGE_VERSION = "v1.0.0"


def release(build: Build) -> Path:
    """Copy everything but captures, seeds and staging to `data/warehouse.duckdb`.

    Raises WarehouseOpened if another program has the live file open for writing: replacing it would leave that
    program's write-ahead log beside the new file, and DuckDB 1.5 replays it into the wrong data. Also DiskFull, NotWritable.
    """
    target = build.settings.warehouse
    _refuse_if_opened(target)
    draft = target.with_name(f"{target.name}.new")
    with writing(target.parent):
        for leftover in (draft, Path(f"{draft}.wal")):
            leftover.unlink(missing_ok=True)
        try:
            _copy(build.connection, draft)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
        if Path(f"{draft}.wal").exists():
            raise RuntimeError(f"{draft} kept a write-ahead log after its checkpoint; not publishing")
        draft.chmod(0o444)
        _sync(draft)
        draft.replace(target)
        _sync(target.parent)
    return target


def _copy(connection: duckdb.DuckDBPyConnection, draft: Path) -> None:
    connection.execute(f"attach {literal(str(draft))} as released (storage_version '{_STORAGE_VERSION}')")
    try:
        for schema in RELEASED_SCHEMAS:
            connection.execute(f"create schema released.{schema}")
        tables = connection.execute(
            "select schema_name, table_name, comment from duckdb_tables() where database_name = current_database()"
            " and schema_name in (select unnest(?)) order by all",
            [list(RELEASED_SCHEMAS)],
        ).fetchall()
        for schema, table, comment in tables:
            connection.execute(f"create table released.{schema}.{table} as from {schema}.{table}")
            _comment(connection, f"table released.{schema}.{table}", comment)
        columns = connection.execute(
            "select schema_name, table_name, column_name, comment from duckdb_columns() where database_name = current_database()"
            " and schema_name in (select unnest(?)) and comment is not null",
            [list(RELEASED_SCHEMAS)],
        ).fetchall()
        for schema, table, column, comment in columns:
            _comment(connection, f'column released.{schema}.{table}."{column}"', comment)
        connection.execute("checkpoint released")
    finally:
        connection.execute("detach released")


def _comment(connection: duckdb.DuckDBPyConnection, what: str, comment: str | None) -> None:
    if comment:
        connection.execute(f"comment on {what} is {literal(comment)}")


def _refuse_if_opened(target: Path) -> None:
    if not target.exists():
        return
    log = Path(f"{target}.wal")
    if log.exists():
        raise WarehouseOpened(target, f"its write-ahead log {log.name} exists")
    try:
        duckdb.connect(str(target), read_only=True).close()
    except duckdb.IOException as error:
        if "lock" in str(error):
            raise WarehouseOpened(target, str(error).split("\n", 1)[0]) from error
        raise


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
