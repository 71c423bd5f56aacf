"""What is wrong with the SQL of a checkout, without a run: `civic check`."""

from civic_pipeline.lint.check import check, mistakes
from civic_pipeline.lint.mistake import Mistake

__all__ = ["Mistake", "check", "mistakes"]
