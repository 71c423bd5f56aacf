"""Run `sql/` on DuckDB: stage, (audit,) swap; record it in `meta`; make a release."""

from civic_pipeline.warehouse.as_of import as_of
from civic_pipeline.warehouse.build import Build, Staged
from civic_pipeline.warehouse.checks import CheckResult
from civic_pipeline.warehouse.history import record_history
from civic_pipeline.warehouse.ledger import Accepted
from civic_pipeline.warehouse.loading import load_models
from civic_pipeline.warehouse.model import Model
from civic_pipeline.warehouse.prepare import open_build
from civic_pipeline.warehouse.release import release
from civic_pipeline.warehouse.rule import Rule
from civic_pipeline.warehouse.selects import tables_read

__all__ = [
    "Accepted",
    "Build",
    "CheckResult",
    "Model",
    "Rule",
    "Staged",
    "as_of",
    "load_models",
    "open_build",
    "record_history",
    "release",
    "tables_read",
]
