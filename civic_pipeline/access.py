"""The way to the portals that a profile names: the real hosts, or demo portals for as long as the block runs."""

from collections.abc import Iterator
from contextlib import contextmanager

from civic_pipeline.portals import Access
from civic_pipeline.settings import Settings


@contextmanager
def open_portals(settings: Settings) -> Iterator[Access]:
    """Access for `settings.profile`. Raises DemoFolderError if the folder to serve is unusable."""
    if settings.profile == "live":
        yield Access(project=settings.root, socrata_token=settings.socrata_token)
        return
    from civic_pipeline.demo import DemoPortals

    with DemoPortals(settings.demo_folder, root=settings.root) as portals:
        # Any token will do, and with one sodapy does not warn of throttling.
        yield Access(root=portals.url, project=settings.root, socrata_token="demo")  # noqa: S106
