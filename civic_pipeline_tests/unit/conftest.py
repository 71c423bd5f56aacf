"""What unit tests share: a town small enough to break, and the Dagster location, loaded once."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from town import Town, found_town

if TYPE_CHECKING:
    import dagster as dg


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return found_town(tmp_path / "town")


@pytest.fixture(scope="session")
def location() -> "dg.Definitions":
    """The code location as Dagster loads it (seconds)."""
    from civic_pipeline.definitions import defs

    return defs()
