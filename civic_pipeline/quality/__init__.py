"""Contracts become checks; expectations run in Great Expectations inside DuckDB; findings are plain objects."""

from civic_pipeline.quality.across import check_across, rules_across
from civic_pipeline.quality.audit import audit
from civic_pipeline.quality.gate import Outcome, build_table, failed_attempts, publish
from civic_pipeline.quality.plan import PlannedCheck, planned_checks
from civic_pipeline.quality.portal import checks_of, portal_checks
from civic_pipeline.quality.suites import Suites

__all__ = [
    "Outcome", "PlannedCheck", "Suites", "audit", "build_table", "check_across", "checks_of", "failed_attempts",
    "planned_checks", "portal_checks", "publish", "rules_across",
]  # fmt: skip
