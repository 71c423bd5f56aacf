"""Areas of a city, how they overlap, and rates of small areas. Tables in, a table out."""

from civic_pipeline.geography.areas import areas
from civic_pipeline.geography.overlaps import overlaps

__all__ = ["areas", "overlaps"]
