"""The rows that failed a check: a query that selects them, and a file with the first of them."""

import shutil
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import duckdb

from civic_pipeline.catalog import Expectation
from civic_pipeline.errors import writing
from civic_pipeline.sql_text import literal
from civic_pipeline.warehouse import Build, CheckResult, Staged
from civic_pipeline.warehouse.checks import failed_rows_file

KEPT_ROWS = 1000


def failed_rows_sql(expectation: Expectation, staged: Staged, condition: str | None) -> str | None:
    """SQL that selects the rows of the staged table that break `expectation`: their key and the columns it names.

    Columns about persons are left out. `condition` is Great Expectations' SQL condition for a row that breaks it, if it
    checks single rows. None if it does not, for example for a sum.
    """
    arguments, columns, table = expectation.arguments, expectation.columns, staged.table
    contract, personal = staged.model.contract, staged.model.personal
    shown = [name for name in dict.fromkeys([*contract.key, *columns]) if name not in personal]
    select = f"select {', '.join(shown)} from {table}"
    listed = ", ".join(columns)
    if arguments.get("row_condition"):
        return None  # already a query, from the contract
    match expectation.kind:
        case "unexpected_rows_expectation":
            return str(arguments["unexpected_rows_query"]).replace("{batch}", table)
        case "expect_column_values_to_be_unique":
            return f"{select} where {listed} is not null qualify count(*) over (partition by {listed}) > 1"
        case "expect_compound_columns_to_be_unique":
            # The library's own query would join the table with itself.
            known = " or ".join(f"{column} is not null" for column in columns)
            return f"{select} where {known} qualify count(*) over (partition by {listed}) > 1"
        case "expect_column_distinct_values_to_be_in_set" | "expect_column_distinct_values_to_equal_set":
            allowed = ", ".join(literal(str(value)) for value in arguments["value_set"])
            return f"{select} where cast({listed} as varchar) not in ({allowed})"
    return f"{select} where {condition}" if condition else None


def keep_failed_rows(build: Build, results: Iterable[CheckResult], staged: Staged) -> list[CheckResult]:
    """`results` with new files of failed rows; the files of the table's last checks are removed.

    The queries read the staged tables; in the returned results they name the table and its quarantine. A rule across
    tables names the table itself, which the staged table replaces while the rule runs.
    """
    table = staged.model.name
    shutil.rmtree(build.settings.failed_rows / table, ignore_errors=True)
    kept = []
    for result in results:
        if result.failed_rows_sql is None:
            kept.append(result)
            continue
        file = failed_rows_file(build.settings, table, result.name)
        with build.as_accepted(staged) if result.layer == "across" else nullcontext():
            _write(build.connection, result.failed_rows_sql, file)
        kept.append(replace(result, failed_rows_sql=_public(result.failed_rows_sql, staged), failed_rows=file))
    return kept


def _public(sql: str, staged: Staged) -> str:
    """`sql` with the names that the staged tables get when they are swapped in."""
    if staged.quarantine:
        sql = sql.replace(staged.quarantine, f"quarantine.{staged.model.table}")
    return sql.replace(staged.table, staged.model.name)


def _write(connection: duckdb.DuckDBPyConnection, sql: str, file: Path) -> None:
    with writing(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        connection.execute(
            f"copy (select * from ({sql}) order by all limit {KEPT_ROWS}) to {literal(str(file))} (format parquet)"
        )
