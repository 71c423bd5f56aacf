"""Open data a city publishes, captured, proven and released as one DuckDB warehouse.

Analysts need two names: `connect()` for SQL and `read()` for pandas, both read-only on the newest release.
"""

from civic_pipeline.warehouse.reader import connect, read

__all__ = ["connect", "read"]
