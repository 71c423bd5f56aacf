"""Statistical tests of payments: tables in, a table out. Tests that SQL can say are in `sql/marts/spending`."""

from civic_pipeline.integrity.statistics import compute_statistics

__all__ = ["compute_statistics"]
