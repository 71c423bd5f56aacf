"""The data files of the site, those that can be taken over from the site before, and the files in which a table can be had."""

import hashlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class File:
    """A data file of the site. `path` is relative to the site's first page.

    `made_from` is the hash of all that its bytes depend on, besides the code; None if that is not known.
    """

    path: str
    bytes: int
    sha256: str
    rows: int | None = None
    made_from: str | None = None


@dataclass(frozen=True)
class Download:
    """A file of a table. `name` is what it is saved as: it has the number of rows."""

    kind: str
    file: File
    name: str


class Earlier:
    """The data files of an earlier site in `folder`, by what they were made from. `manifest` lists them; it may be empty."""

    def __init__(self, folder: Path, manifest: Mapping[str, Any]) -> None:
        self._folder = folder
        listed = [File(**entry) for entry in manifest.get("files", {}).values()]
        self._files = {file.made_from: file for file in listed if file.made_from}

    def take_over(self, made_from: str | None, target: Path) -> File | None:
        """Make `target` the file that was made from the same, as a link if the disk allows. None if there is none, or it was damaged."""
        file = self._files.get(made_from) if made_from else None
        if file is None:
            return None
        source = self._folder / file.path
        try:
            digest = digest_of(source)
        except FileNotFoundError:
            return None
        if digest != file.sha256:
            return None
        try:
            os.link(source, target)
        except OSError:  # another disk, or one without links
            shutil.copyfile(source, target)
        return file


def digest_of(file: Path) -> str:
    """The sha256 of a file."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
