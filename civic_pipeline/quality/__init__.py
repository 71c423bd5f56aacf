"""Turn contracts into checks, run them with Great Expectations inside DuckDB, and return plain results."""

from civic_pipeline.quality.audit import audit
from civic_pipeline.quality.gate import TableOutcome, build_table
from civic_pipeline.quality.plan import planned_checks
from civic_pipeline.quality.planned_check import PlannedCheck
from civic_pipeline.quality.portal import checks_of, portal_checks, retired_checks
from civic_pipeline.quality.report import report_page, write_report
from civic_pipeline.quality.suites import Suites

__all__ = [
    "PlannedCheck", "Suites", "TableOutcome", "audit", "build_table", "checks_of", "planned_checks", "portal_checks",
    "report_page", "retired_checks", "write_report",
]  # fmt: skip
