"""The outside systems a run uses."""

from collections.abc import Iterator

import dagster as dg

from civic_pipeline.access import open_portals
from civic_pipeline.portals import Access
from civic_pipeline.settings import Settings


@dg.resource
def portals(_: dg.InitResourceContext) -> Iterator[Access]:
    """The way to the portals for one run: the real hosts, or demo portals that live as long as the run."""
    with open_portals(Settings.from_environment()) as access:
        yield access


@dg.definitions
def resources() -> dg.Definitions:
    return dg.Definitions(resources={"portals": portals})
