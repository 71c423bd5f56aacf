"""Find mistakes in the SQL of a checkout without a run, for `civic check`."""

from civic_pipeline.lint.check import check, mistakes
from civic_pipeline.lint.mistake import Mistake

__all__ = ["Mistake", "check", "mistakes"]
