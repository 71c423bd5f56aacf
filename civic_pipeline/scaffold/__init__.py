"""Resolves an address, captures its dataset, and writes the three files of a new dataset."""

from civic_pipeline.scaffold.add import Added, add, refuse_existing
from civic_pipeline.scaffold.address import ResolvedSource, resolve
from civic_pipeline.scaffold.trial import TrialCapture, capture_into, describe, refuse_full

__all__ = [
    "Added",
    "ResolvedSource",
    "TrialCapture",
    "add",
    "capture_into",
    "describe",
    "refuse_existing",
    "refuse_full",
    "resolve",
]
