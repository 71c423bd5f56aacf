"""Survival statistics: tables in, a table out."""

from civic_pipeline.survival.durations import vacancy_durations

__all__ = ["vacancy_durations"]
