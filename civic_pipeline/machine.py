"""What a run needs of this machine: looked at before a portal is asked, because what fails at its end has cost a night."""

import os
import resource
import shutil

from civic_pipeline.errors import DiskFull, NotWritable, TooFewFiles
from civic_pipeline.scratch import scratch
from civic_pipeline.settings import Settings

_LEAST_SPACE = 100_000_000  # bytes: captures, Dagster's records, a release
_LEAST_INODES = 5_000  # two sites of 1,500 files, and the captures of a first night
_LEAST_FILES = 256  # open at once: 16 hosts with 4 connections and files each, and what DuckDB and Dagster open
_UMASK = 0o022


def share_files() -> None:
    """Let every user read what this process writes, and none change it: readers and web servers are other users.

    What is about persons has modes of its own.
    """
    os.umask(_UMASK)


def require(settings: Settings) -> None:
    """Raise TooFewFiles, DiskFull or NotWritable if a night could not end well."""
    _allow_files()
    require_space(settings)
    _require_links(settings)


def require_space(settings: Settings) -> None:
    """Raise DiskFull if a night would probably fill the disk: it copies the build once."""
    free = shutil.disk_usage(settings.data).free
    needed = _LEAST_SPACE + 2 * (settings.build.stat().st_size if settings.build.exists() else 0)
    if free < needed:
        raise DiskFull(settings.data, f"{free / 1e6:,.0f} MB are free, and a run needs about {needed / 1e6:,.0f} MB")
    disk = os.statvfs(settings.data)
    if disk.f_files and disk.f_favail < _LEAST_INODES:  # 0 files: a file system that makes inodes as it needs them
        problem = f"{disk.f_favail:,} more files can be created (`df -i`), and a run needs about {_LEAST_INODES:,}"
        raise DiskFull(settings.data, problem)


def _require_links(settings: Settings) -> None:
    """Raise NotWritable if a release could not be made live: that is a second name of its file."""
    with scratch(settings.data, ".probe-") as folder:
        (folder / "file").touch()
        try:
            os.link(folder / "file", folder / "link")
        except OSError as error:
            raise NotWritable(settings.data, f"its file system has no hard links ({error.strerror})") from error


def _allow_files() -> None:
    """Allow this process to open enough files. Raises TooFewFiles."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= _LEAST_FILES:
        return
    if hard != resource.RLIM_INFINITY and hard < _LEAST_FILES:
        raise TooFewFiles(hard, _LEAST_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (_LEAST_FILES, hard))
