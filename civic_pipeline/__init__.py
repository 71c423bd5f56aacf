"""Open data of a city, captured, checked and released as one DuckDB warehouse.

Analysts need three names: `connect()` for SQL and `read()` for pandas, both read-only on the newest release, and
`refresh()` for a connection that stays open while newer ones are published.
"""

import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from civic_pipeline.releases.reader import connect, read, refresh

__all__ = ["connect", "read", "refresh"]

# Arrow reads it when it is first imported. Its own choice, mimalloc, keeps 20 to 35 MB more of a capture's memory in no less
# time; its wheels for Linux hold both.
if sys.platform == "linux":
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "jemalloc")


def __getattr__(name: str) -> Any:
    """The names above, loaded when somebody asks: a capture needs neither the warehouse nor its SQL parser."""
    if name in __all__:
        from civic_pipeline.releases import reader

        return getattr(reader, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
