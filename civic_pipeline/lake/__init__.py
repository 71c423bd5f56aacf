"""Immutable captures: take one, find the accepted one, verify its bytes, remember what the last attempt led to."""

from civic_pipeline.lake.attempt import Attempt, attempt_capture, last_asked, last_attempt
from civic_pipeline.lake.attempts import attempt_all, host_of
from civic_pipeline.lake.backfill import backfill
from civic_pipeline.lake.capture import Captured, capture, compare_columns
from civic_pipeline.lake.captures import Lake
from civic_pipeline.lake.diagnosis import Diagnosis, diagnose
from civic_pipeline.lake.manifest import Manifest, Part
from civic_pipeline.lake.progress import Progress, progress_in_words

__all__ = [
    "Attempt",
    "Captured",
    "Diagnosis",
    "Lake",
    "Manifest",
    "Part",
    "Progress",
    "attempt_all", "attempt_capture",
    "backfill",
    "capture",
    "compare_columns",
    "diagnose",
    "host_of", "last_asked",
    "last_attempt",
    "progress_in_words",
]  # fmt: skip
