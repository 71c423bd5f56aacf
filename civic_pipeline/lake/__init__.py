"""Immutable captures of sources: create, find and verify them, and record the last attempt of each dataset."""

from civic_pipeline.lake.accept import accept
from civic_pipeline.lake.attempt import Attempt, attempt_capture, last_asked, last_attempt
from civic_pipeline.lake.attempts import attempt_all, host_of
from civic_pipeline.lake.backfill import backfill, load_older_copies
from civic_pipeline.lake.capture import Captured, capture, compare_columns
from civic_pipeline.lake.captures import Lake
from civic_pipeline.lake.diagnosis import Diagnosis, diagnose
from civic_pipeline.lake.manifest import Manifest, Part, Verdict
from civic_pipeline.lake.progress import Progress, report_progress

__all__ = [
    "Attempt",
    "Captured",
    "Diagnosis",
    "Lake",
    "Manifest",
    "Part",
    "Progress",
    "Verdict",
    "accept",
    "attempt_all", "attempt_capture",
    "backfill",
    "capture",
    "compare_columns",
    "diagnose",
    "host_of", "last_asked",
    "last_attempt",
    "load_older_copies",
    "report_progress",
]  # fmt: skip
