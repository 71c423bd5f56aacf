"""The result of an attempt as checks of the raw table."""

from dataclasses import replace

from civic_pipeline.lake import Attempt
from civic_pipeline.quality.planned_check import PlannedCheck
from civic_pipeline.warehouse import CheckResult


def portal_checks(table: str) -> dict[str, PlannedCheck]:
    """The checks of every raw table."""
    return {
        "captured": PlannedCheck(
            table, "captured", "portal", "critical",
            "counted, received and distinct rows are equal, and the number of rows is plausible",
        ),
        "schema_declared": PlannedCheck(
            table, "schema_declared", "portal", "warning",
            "defs.yaml declares every column of the portal, and no inferred edition was left out",
        ),
    }  # fmt: skip


def checks_of(attempt: Attempt, table: str) -> list[CheckResult]:
    """Results for `table` (`raw.x`) of one attempt. A failure is a warning as long as the source was never captured."""
    planned = portal_checks(table)
    captured = planned["captured"].result(
        attempt.status != "failed", examples=(attempt.problem,) if attempt.problem else ()
    )
    return [
        captured if attempt.capture_id else replace(captured, severity="warning"),
        planned["schema_declared"].result(
            not attempt.undeclared and not attempt.left_out,
            None,
            len(attempt.undeclared) + len(attempt.left_out),
            (*attempt.left_out, *attempt.undeclared)[:5],
        ),
    ]


def retired_checks(table: str) -> list[CheckResult]:
    """Results for `table` (`raw.x`) of a source that is not asked any more."""
    return [check.not_run("not_run: the source is retired") for check in portal_checks(table).values()]
