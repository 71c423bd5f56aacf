"""The way to the portals that a profile names: the real hosts, or demo portals for as long as the block runs."""

from collections.abc import Iterator
from contextlib import contextmanager

from civic_pipeline.demo.server import DemoPortals
from civic_pipeline.portals import Access
from civic_pipeline.settings import Settings


@contextmanager
def open_portals(settings: Settings) -> Iterator[Access]:
    """Access for `settings.profile`. Raises DemoFolderError if the folder to serve is unusable."""
    if settings.profile == "live":
        yield Access(socrata_token=settings.socrata_token)
        return
    with DemoPortals(settings.demo_folder) as portals:
        # Any token will do, and with one sodapy does not warn of throttling.
        yield Access(root=portals.url, socrata_token="demo")  # noqa: S106
