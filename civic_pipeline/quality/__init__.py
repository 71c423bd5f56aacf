"""Contracts become checks; expectations run in Great Expectations inside DuckDB; findings are plain objects."""

from civic_pipeline.quality.across import check_across, rules_across
from civic_pipeline.quality.audit import audit
from civic_pipeline.quality.plan import PlannedCheck, planned_checks
from civic_pipeline.quality.portal import checks_of, portal_checks
from civic_pipeline.quality.suites import Suites

__all__ = [
    "PlannedCheck",
    "Suites",
    "audit",
    "check_across",
    "checks_of",
    "planned_checks",
    "portal_checks",
    "rules_across",
]
