"""What a run needs of this machine: looked at before a portal is asked, because what fails at its end has cost a night."""

import os
import resource
import shutil

from civic_pipeline.errors import DiskFull, NotWritable, TooFewFiles
from civic_pipeline.scratch import scratch
from civic_pipeline.settings import Settings

_LEAST_SPACE = 100_000_000  # bytes: captures, Dagster's records, a release
_LEAST_FILES = 256  # open at once: 16 hosts with 4 connections and files each, and what DuckDB and Dagster open


def require_space(settings: Settings) -> None:
    """Raise DiskFull if a night would probably fill the disk: it copies the build once."""
    free = shutil.disk_usage(settings.data).free
    needed = _LEAST_SPACE + 2 * (settings.build.stat().st_size if settings.build.exists() else 0)
    if free < needed:
        raise DiskFull(settings.data, f"{free / 1e6:,.0f} MB are free, and a run needs about {needed / 1e6:,.0f} MB")


def require_links(settings: Settings) -> None:
    """Raise NotWritable if a release could not be made live: that is a second name of its file."""
    with scratch(settings.data, ".probe-") as folder:
        (folder / "file").touch()
        try:
            os.link(folder / "file", folder / "link")
        except OSError as error:
            raise NotWritable(settings.data, f"its file system has no hard links ({error.strerror})") from error


def require_files() -> None:
    """Allow this process to open enough files. Raises TooFewFiles."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= _LEAST_FILES:
        return
    if hard != resource.RLIM_INFINITY and hard < _LEAST_FILES:
        raise TooFewFiles(hard, _LEAST_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (_LEAST_FILES, hard))
