"""What an attempt to a portal means as checks of the raw table."""

from civic_pipeline.lake import Attempt
from civic_pipeline.quality.plan import PlannedCheck
from civic_pipeline.warehouse import CheckResult


def portal_checks(table: str) -> dict[str, PlannedCheck]:
    """The checks every raw table has."""
    return {
        "captured": PlannedCheck(
            table,
            "captured",
            "portal",
            "critical",
            "counted = landed = distinct at the portal, and the volume is believable",
        ),
        "schema_declared": PlannedCheck(
            table, "schema_declared", "portal", "warning", "the portal has no column that defs.yaml does not declare"
        ),
    }


def checks_of(attempt: Attempt, table: str) -> list[CheckResult]:
    """Results for `table` (`raw.x`) of one attempt."""
    planned = portal_checks(table)
    return [
        planned["captured"].result(attempt.status != "failed", examples=(attempt.problem,) if attempt.problem else ()),
        planned["schema_declared"].result(
            not attempt.undeclared, None, len(attempt.undeclared), attempt.undeclared[:5]
        ),
    ]
