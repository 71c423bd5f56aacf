"""What the build file records of its tables in schema `meta`: their checks, their status, their accepted versions.

Build decides what is recorded when a table is swapped in or held back; here are the records that others read and write.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime

import duckdb

from civic_pipeline.settings import Settings
from civic_pipeline.warehouse import meta
from civic_pipeline.warehouse.checks import CheckResult, failed_rows_file
from civic_pipeline.warehouse.model import Model


@dataclass(frozen=True)
class Accepted:
    """The accepted version of a table. `quarantined_rows` and `repeated_rows` are None for marts; `contents` is a hash.

    `lineage` has the columns that each column is computed from, as `schema.table.column`.
    """

    rows: int
    quarantined_rows: int | None
    repeated_rows: int | None
    data_date: date | None
    contents: str
    lineage: Mapping[str, list[str]]


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Commit everything in the block, or nothing."""
    connection.execute("begin")
    try:
        yield
    except BaseException:
        connection.execute("rollback")
        raise
    connection.execute("commit")


@dataclass(frozen=True)
class Ledger:
    """The records of one build file. `run_id` is the run that writes them."""

    connection: duckdb.DuckDBPyConnection
    settings: Settings
    run_id: str

    def record_checks(self, subject: str, results: Sequence[CheckResult]) -> None:
        """Replace the recorded checks of `subject`, a table. Inside a transaction use `put_checks`."""
        with transaction(self.connection):
            self.put_checks(subject, results)

    def put_checks(self, subject: str, results: Sequence[CheckResult]) -> None:
        """Replace the recorded checks of `subject` within the caller's transaction."""
        rows: list[dict[str, object]] = [
            {
                "table_name": subject, "check_name": r.name, "layer": r.layer, "severity": r.severity,
                "is_passed": None if r.not_run else r.passed, "not_run": r.not_run,
                "description": r.description, "evaluated": r.evaluated, "unexpected": r.unexpected, "examples": list(r.examples),
                "failed_rows_sql": r.failed_rows_sql, "run_id": self.run_id, "checked_at": meta.naive(datetime.now(UTC)),
            }
            for r in results
        ]  # fmt: skip
        meta.put(self.connection, "meta.checks", "table_name", subject, rows)

    def recorded_checks(self, subject: str) -> list[CheckResult]:
        """The checks of `subject` as they last ran."""
        rows = self.connection.execute(
            "select check_name, layer, severity, coalesce(is_passed, false), description, evaluated, unexpected, examples,"
            " failed_rows_sql, not_run"
            " from meta.checks where table_name = ?",
            [subject],
        ).fetchall()
        return [
            CheckResult(
                subject, name, layer, severity, passed, description, evaluated, unexpected, tuple(examples), sql,
                file if (file := failed_rows_file(self.settings, subject, name)).exists() else None, not_run,
            )
            for name, layer, severity, passed, description, evaluated, unexpected, examples, sql, not_run in rows
        ]  # fmt: skip

    def held_back(self) -> dict[str, str]:
        """The tables that are held back -> why."""
        return dict(
            self.connection.execute(
                "select table_name, held_back_because from meta.tables where status = 'held_back'"
            ).fetchall()
        )

    def current_tables(self) -> set[str]:
        """The tables that are not held back."""
        rows = self.connection.execute("select table_name from meta.tables where status <> 'held_back'").fetchall()
        return {name for (name,) in rows}

    def accepted_tables(self) -> set[str]:
        """Every table with an accepted version."""
        return {
            name
            for (name,) in self.connection.execute(
                "select table_name from meta.tables where built_at is not null"
            ).fetchall()
        }

    def accepted(self, model: Model) -> Accepted | None:
        """The accepted version of a table, or None if there never was one."""
        row = self.connection.execute(
            "select row_count, quarantined_rows, repeated_rows, data_date, content_hash from meta.tables"
            " where table_name = ? and built_at is not null",
            [model.name],
        ).fetchone()
        lineage = self.connection.execute(
            "select column_name, made_from from meta.columns where table_name = ? order by position", [model.name]
        ).fetchall()
        if row is None:
            return None
        rows, quarantined, repeated, data_date, contents = row
        return Accepted(rows, quarantined, repeated, data_date, contents, dict(lineage))

    def newest_of(self, tables: Collection[str]) -> date | None:
        """The newest `data_date` of the accepted `tables`."""
        row = self.connection.execute(
            "select max(data_date) from meta.tables where list_contains(?, table_name)", [list(tables)]
        ).fetchone()
        return row[0] if row else None

    def forget(self, table: str) -> None:
        """Drop `table` and what is recorded of it."""
        self.connection.execute(f"drop table if exists {table}")
        for described in ("meta.tables", "meta.columns", "meta.checks"):
            meta.put(self.connection, described, "table_name", table, [])
