"""Rules across tables, checked with the staged version of the table that they hold back."""

from dataclasses import replace

import duckdb

from civic_pipeline.errors import ModelFailed
from civic_pipeline.quality.planned_check import PlannedCheck
from civic_pipeline.warehouse import Build, CheckResult, Rule, Staged

INPUT_HELD_BACK = "not_run: input held back"
_EXAMPLES = 5


def check_rules(build: Build, staged: Staged, planned: dict[str, PlannedCheck]) -> list[CheckResult]:
    """A result for every rule of the staged table. Raises ModelFailed for a rule whose query fails.

    A rule is skipped if another table that it reads is held back: it would compare new rows with old ones.
    """
    rules = staged.model.rules
    if not rules:
        return []
    current = build.ledger.current_tables() | {staged.model.name}
    with build.as_accepted(staged):
        return [_check(build, rule, planned[rule.name], rule.tables - current) for rule in rules]


def _check(build: Build, rule: Rule, planned: PlannedCheck, held: frozenset[str]) -> CheckResult:
    if held:
        return planned.not_run(f"{INPUT_HELD_BACK}: {', '.join(sorted(held))}")
    try:
        offending = build.connection.execute(rule.sql).fetchall()
    except duckdb.Error as error:
        raise ModelFailed(rule.path, str(error)) from error
    examples = tuple(", ".join(str(value) for value in row) for row in offending[:_EXAMPLES])
    result = planned.result(not offending, None, len(offending), examples)
    return replace(result, failed_rows_sql=rule.sql) if offending else result
