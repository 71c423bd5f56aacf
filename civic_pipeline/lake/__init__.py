"""Immutable captures: take one, find the accepted one, verify its bytes, remember what the last visit led to."""

from civic_pipeline.lake.backfill import backfill
from civic_pipeline.lake.capture import Captured, capture, compare_columns
from civic_pipeline.lake.captures import Lake
from civic_pipeline.lake.diagnosis import Diagnosis, diagnose
from civic_pipeline.lake.lock import only_writer
from civic_pipeline.lake.manifest import Manifest, Part
from civic_pipeline.lake.progress import Progress, progress_in_words
from civic_pipeline.lake.visit import Visit, last_asked, last_visit, visit

__all__ = [
    "Captured", "Diagnosis", "Lake", "Manifest", "Part", "Progress", "Visit", "backfill", "capture", "compare_columns", "diagnose",
    "last_asked", "last_visit", "only_writer", "progress_in_words", "visit",
]  # fmt: skip
