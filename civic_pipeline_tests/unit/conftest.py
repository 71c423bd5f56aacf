"""What unit tests share: a project small enough to break, and the Dagster location, loaded once."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tiny_project import TinyProject, write_tiny_project

if TYPE_CHECKING:
    import dagster as dg


@pytest.fixture
def tiny(tmp_path: Path) -> TinyProject:
    return write_tiny_project(tmp_path / "tiny")


@pytest.fixture(scope="session")
def location() -> "dg.Definitions":
    """The code location as Dagster loads it (seconds)."""
    from civic_pipeline.definitions import defs

    return defs()
