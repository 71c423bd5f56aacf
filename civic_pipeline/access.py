"""Opens the portals of a profile: the real hosts (`live`), or the embedded demo portals (`demo`)."""

from collections.abc import Iterator
from contextlib import contextmanager

from civic_pipeline.portals import Access
from civic_pipeline.settings import Settings


@contextmanager
def open_portals(settings: Settings) -> Iterator[Access]:
    """Access for `settings.profile`; demo portals run until the block ends.

    Raises DemoFolderError if the folder to serve cannot be used.
    """
    if settings.profile == "live":
        yield Access(project=settings.root, socrata_token=settings.socrata_token)
        return
    from civic_pipeline.demo import DemoPortals, older_copies

    with DemoPortals(settings.demo_folder, root=settings.root) as portals:
        # The demo accepts any token. Without one, sodapy logs a warning about throttling.
        yield Access(
            root=portals.url,
            project=settings.root,
            socrata_token="demo",  # noqa: S106
            older_copies=older_copies(settings.demo_folder),
        )
