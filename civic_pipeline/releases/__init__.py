"""Released files: read, list, compare, roll back. Does not import the code that builds them."""

from civic_pipeline.releases.compare import Difference, compare
from civic_pipeline.releases.contents import content_hash, hash_of
from civic_pipeline.releases.kept import (
    Release,
    find_release,
    kept_releases,
    live_release,
    read_release,
    release_files,
    restore_live,
    roll_back,
)
from civic_pipeline.releases.reader import confine, connect, read, refresh, refuse_writing

__all__ = [
    "Difference",
    "Release",
    "compare",
    "confine",
    "connect",
    "content_hash",
    "find_release",
    "hash_of",
    "kept_releases",
    "live_release",
    "read",
    "read_release",
    "refresh",
    "refuse_writing",
    "release_files",
    "restore_live",
    "roll_back",
]
