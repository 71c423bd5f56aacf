"""The captures on disk: folders `lake/<city>/<dataset>/<captured_at>/` with Parquet files and a manifest."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from civic_pipeline.catalog import Dataset
from civic_pipeline.errors import CaptureDamaged
from civic_pipeline.lake.manifest import MANIFEST, Manifest


class Lake:
    """All captures under one folder. Captures are added, never changed.

    `datasets` tells what a dataset was called before: its captures of that time stay where they are.
    """

    def __init__(self, folder: Path, datasets: Mapping[str, Dataset] | None = None) -> None:
        self.folder = folder
        self._formerly = {name: dataset.formerly for name, dataset in (datasets or {}).items() if dataset.formerly}

    def ids(self, dataset: str) -> list[str]:
        """The ids of the committed captures of `city/dataset`, oldest first."""
        folders = [path.parent for folder in self.folders(dataset) for path in folder.glob(f"*/{MANIFEST}")]
        return [self.id_of(folder) for folder in sorted(folders, key=lambda folder: folder.name)]

    def folders(self, dataset: str) -> list[Path]:
        """Where the captures of `city/dataset` are: under its name, and under the name it had before."""
        return [self.folder / name for name in (dataset, self._formerly.get(dataset)) if name]

    def capture(self, capture_id: str) -> Manifest:
        """The manifest of a capture. Raises CaptureDamaged if it cannot be read."""
        return self._read(self.folder / capture_id / MANIFEST)

    def captures(self, dataset: str) -> list[Manifest]:
        """The committed captures of `city/dataset`, oldest first."""
        return [self.capture(capture_id) for capture_id in self.ids(dataset)]

    def accepted(self, dataset: str, by: datetime | None = None) -> Manifest | None:
        """The newest accepted capture, or None. With `by`: the newest one at this time."""
        captures = (self.capture(capture_id) for capture_id in reversed(self.ids(dataset)))
        return next((capture for capture in captures if capture.held_back is None and capture.is_until(by)), None)

    def id_of(self, folder: Path) -> str:
        """`city/dataset/captured_at`, the id of the capture in `folder`."""
        return folder.relative_to(self.folder).as_posix()

    def newest(self, dataset: str) -> Manifest | None:
        """The newest capture, accepted or not, or None."""
        ids = self.ids(dataset)
        return self.capture(ids[-1]) if ids else None

    def files(self, capture: Manifest) -> list[Path]:
        """The capture's Parquet files, in the order of its parts."""
        return [self.folder / capture.capture_id / part.file for part in capture.parts]

    def verify(self, capture: Manifest) -> None:
        """Raise CaptureDamaged unless every file still has the bytes its manifest records."""
        for part, path in zip(capture.parts, self.files(capture), strict=True):
            if not path.exists():
                raise CaptureDamaged(path, "it is missing")
            if sha256_of(path) != part.sha256:
                raise CaptureDamaged(path, "its sha256 differs from the manifest's")

    def _read(self, path: Path) -> Manifest:
        try:
            capture = Manifest.model_validate_json(path.read_text(encoding="utf-8"))
        except ValidationError as error:
            first, *others = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
            more = f" and {len(others)} more problems" if others else ""
            raise CaptureDamaged(path, f"{first}{more}".removeprefix(": ")) from error
        if [path.parent, path.parent.parent] != [self.folder / capture.capture_id, self.folder / capture.dataset]:
            raise CaptureDamaged(
                path,
                f"it is the manifest of {capture.capture_id!r} of {capture.dataset!r} and belongs in another folder",
            )
        for part in capture.parts:
            if part.file != Path(part.file).name or part.file in {"", ".", ".."}:
                raise CaptureDamaged(path, f"its file {part.file!r} is not in the same folder")
        return capture


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
