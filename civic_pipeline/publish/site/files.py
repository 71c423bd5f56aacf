"""The data files of the site, and the files in which a table can be had."""

from dataclasses import dataclass


@dataclass(frozen=True)
class File:
    """A data file of the site. `path` is relative to the site's first page."""

    path: str
    bytes: int
    sha256: str
    rows: int | None = None


@dataclass(frozen=True)
class Download:
    """A file of a table. `name` is what it is saved as: it has the number of rows."""

    kind: str
    file: File
    name: str
