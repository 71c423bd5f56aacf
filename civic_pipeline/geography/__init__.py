"""Areas of a city, how they overlap, and rates of small areas. Tables in, a table out."""

from civic_pipeline.geography.areas import areas
from civic_pipeline.geography.overlaps import overlaps
from civic_pipeline.geography.rates import neighborhood_rates

__all__ = ["areas", "neighborhood_rates", "overlaps"]
