"""Run `sql/` on DuckDB: stage, (audit,) swap; keep the books in `meta`; release; read."""

from civic_pipeline.warehouse.as_of import as_of
from civic_pipeline.warehouse.build import Build, Staged, open_build
from civic_pipeline.warehouse.checks import CheckResult
from civic_pipeline.warehouse.compare import Difference, compare
from civic_pipeline.warehouse.history import record_history
from civic_pipeline.warehouse.model import Model, load_models, seed_files, tables_read
from civic_pipeline.warehouse.reader import connect, read, refresh
from civic_pipeline.warehouse.release import release
from civic_pipeline.warehouse.releases import Release, find_release, kept_releases, live_release, roll_back

__all__ = [
    "Build",
    "CheckResult",
    "Difference",
    "Model",
    "Release",
    "Staged",
    "as_of",
    "compare",
    "connect",
    "find_release",
    "kept_releases",
    "live_release",
    "load_models",
    "open_build",
    "read",
    "record_history",
    "refresh",
    "release",
    "roll_back",
    "seed_files",
    "tables_read",
]
