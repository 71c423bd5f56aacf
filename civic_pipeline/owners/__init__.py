"""Which properties appear to have one owner: a graph of names and mailing addresses. Tables in, a table out."""

from civic_pipeline.owners.portfolios import owner_portfolios

__all__ = ["owner_portfolios"]
