"""All checks of a staged table, run before it is swapped in."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import duckdb

from civic_pipeline.catalog import FRESH_FOR_DAYS
from civic_pipeline.quality.control_totals import column_total
from civic_pipeline.quality.cross_table import check_rules
from civic_pipeline.quality.drift import check_drift
from civic_pipeline.quality.plan import planned_checks
from civic_pipeline.quality.planned_check import PlannedCheck
from civic_pipeline.quality.suites import Suites
from civic_pipeline.releases.contents import types_of
from civic_pipeline.warehouse import Build, CheckResult, Model, Staged
from civic_pipeline.warehouse.personal import without


def audit(build: Build, staged: Staged, suites: Suites) -> list[CheckResult]:
    """One result for every planned check of the staged model, in the planned order."""
    planned = planned_checks(staged.model)
    schema = _schema(build.connection, staged, planned["schema"])
    results = {"schema": schema}
    if not schema.passed:
        # The other checks need the declared columns and types.
        return [schema]
    if "control_total__rows" in planned:
        results["control_total__rows"] = _rows_total(build.connection, staged, planned["control_total__rows"])
    for column in staged.model.contract.control_totals:
        name = f"control_total__{column}"
        results[name] = column_total(build.connection, staged, column, planned[name])
    if "quarantine_tolerated" in planned:
        results["quarantine_tolerated"] = _quarantine_tolerated(
            build.connection, staged, planned["quarantine_tolerated"]
        )
    if age := data_age(build, staged.model, staged.table):
        results["data_age"] = age
    results |= check_drift(build, staged, planned)
    expected = [check for check in planned.values() if check.expectation]
    results |= {result.name: result for result in suites.validate(staged, expected)}
    results |= {result.name: result for result in check_rules(build, staged, planned)}
    return [results[name] for name in planned]


def data_age(build: Build, model: Model, table: str) -> CheckResult | None:
    """The age of the data in `table`; None if no `dated_by` is declared. Its verdict can change although the rows do not."""
    check, dataset = planned_checks(model).get("data_age"), model.dataset
    if check is None or dataset is None or dataset.dated_by is None:
        return None
    newest = build.newest(table, dataset.dated_by)
    if newest is None:
        return check.result(False, None, None, (f"{dataset.dated_by} holds no date",))
    age = (datetime.now(UTC).date() - newest).days
    # A date in the future does not show how old the other rows are.
    return check.result(0 <= age <= FRESH_FOR_DAYS[dataset.cadence], None, None, (f"{newest}, {age} days old",))


def _schema(connection: duckdb.DuckDBPyConnection, staged: Staged, check: PlannedCheck) -> CheckResult:
    types, declared = types_of(connection, staged.table), staged.model.contract.columns
    differences = tuple(
        f"{column.name} is {types[column.name]}, not {column.type}"
        for column in declared
        if types[column.name] != column.type
    )
    return check.result(not differences, len(declared), len(differences), differences)


def _rows_total(connection: duckdb.DuckDBPyConnection, staged: Staged, check: PlannedCheck) -> CheckResult:
    contract = staged.model.contract
    source = _number(connection, contract.source_rows or f"select count(*) from raw.{staged.model.table}")
    accounted = staged.rows + staged.quarantined_rows + staged.repeated_rows
    parts = f"{staged.rows:,} clean + {staged.quarantined_rows:,} quarantined + {staged.repeated_rows:,} repeated"
    account = f"{source:,} in the source, {parts}"
    return check.result(source == accounted, int(source), float(source - accounted), (account,))


def _quarantine_tolerated(connection: duckdb.DuckDBPyConnection, staged: Staged, check: PlannedCheck) -> CheckResult:
    total = staged.rows + staged.quarantined_rows + staged.repeated_rows
    per_rule = connection.execute(
        f"select rule, count(*) from (select unnest(_rules) as rule from {staged.quarantine}) group by rule order by 2 desc, 1"
    ).fetchall()
    tolerated = staged.quarantined_rows <= total * staged.model.contract.tolerate_quarantined
    result = check.result(
        tolerated, total, staged.quarantined_rows, tuple(f"{rule}: {rows:,} rows" for rule, rows in per_rule)
    )
    if tolerated or staged.quarantine is None:
        return result
    rows = without(staged.quarantine, types_of(connection, staged.quarantine), staged.model.personal)
    return replace(result, failed_rows_sql=f"select * from {rows}")


def _number(connection: duckdb.DuckDBPyConnection, sql: str) -> Decimal:
    row = connection.execute(sql).fetchone()
    return Decimal(str(row[0])) if row else Decimal(0)
