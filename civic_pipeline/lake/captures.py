"""The captures on disk: folders `lake/<city>/<dataset>/<captured_at>/` with Parquet files and a manifest."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import ValidationError

from civic_pipeline.catalog import Dataset
from civic_pipeline.errors import CaptureDamaged
from civic_pipeline.lake.manifest import MANIFEST, VERDICT, Manifest, Verdict, capture_id_at
from civic_pipeline.replacing import replace_text

# Two machines may differ by so much. A capture of later than that was taken under a wrong clock.
_CLOCKS_DIFFER_BY = timedelta(minutes=10)


class Lake:
    """All captures under one folder. Captures are added, never changed.

    `datasets` tells what a dataset was called before: its captures of that time stay where they are.
    """

    def __init__(self, folder: Path, datasets: Mapping[str, Dataset] | None = None) -> None:
        self.folder = folder
        self._formerly = {name: dataset.formerly for name, dataset in (datasets or {}).items() if dataset.formerly}

    def ids(self, dataset: str) -> list[str]:
        """The ids of the committed captures of `city/dataset`, oldest first; none from the future."""
        latest = capture_id_at("", datetime.now(UTC) + _CLOCKS_DIFFER_BY).removeprefix("/")
        return [self.id_of(folder) for folder in self._committed(dataset) if folder.name <= latest]

    def from_the_future(self, dataset: str) -> list[str]:
        """The ids of captures that are ignored, because the clock was wrong when they were taken."""
        known = set(self.ids(dataset))
        return [self.id_of(folder) for folder in self._committed(dataset) if self.id_of(folder) not in known]

    def warnings(self, datasets: Iterable[str]) -> list[str]:
        """A message for every capture from the future: which it is, and what to do."""
        return [
            f"{capture_id} is ignored: it is of a later time than now, so a clock was wrong. Correct the clock of this machine if it"
            f" is behind; else delete {self.folder / capture_id}, and the next run captures the source again."
            for dataset in datasets
            for capture_id in self.from_the_future(dataset)
        ]

    def _committed(self, dataset: str) -> list[Path]:
        folders = [path.parent for folder in self.folders(dataset) for path in folder.glob(f"*/{MANIFEST}")]
        return sorted(folders, key=lambda folder: folder.name)

    def folders(self, dataset: str) -> list[Path]:
        """Where the captures of `city/dataset` are: under its name, and under the name it had before."""
        return [self.folder / name for name in (dataset, self._formerly.get(dataset)) if name]

    def capture(self, capture_id: str) -> Manifest:
        """The manifest of a capture. Raises CaptureDamaged if it cannot be read."""
        return self._read(self.folder / capture_id / MANIFEST)

    def find(self, capture_id: str) -> Manifest | None:
        """The capture with that id, or None."""
        return self.capture(capture_id) if (self.folder / capture_id / MANIFEST).exists() else None

    def captures(self, dataset: str) -> list[Manifest]:
        """The committed captures of `city/dataset`, oldest first."""
        return [self.capture(capture_id) for capture_id in self.ids(dataset)]

    def accepted(self, dataset: str, by: datetime | None = None) -> Manifest | None:
        """The capture that is current, or None: the last one asked of the portal that was accepted, never a backfilled one.

        With a moment `by`: the newest of those taken until then, backfilled or not, whose table was not held back.
        """
        if by is None:
            return self._last(dataset, lambda capture: capture.backfilled_at is None and capture.held_back is None)
        captures = (self.capture(capture_id) for capture_id in reversed(self.ids(dataset)))
        return next((c for c in captures if c.held_back is None and not c.failed_checks and c.is_until(by)), None)

    def baseline(self, dataset: str) -> Manifest | None:
        """The current capture, or the one before it whose table was not held back: what a new one is compared with."""
        return self._last(
            dataset, lambda c: c.backfilled_at is None and c.held_back is None and not c.failed_checks
        )  # fmt: skip

    def next_sequence(self, dataset: str) -> int:
        """The number of the next capture that is asked of the portal."""
        last = self._last(dataset, lambda capture: capture.sequence is not None)
        return (last.sequence or 0) + 1 if last else 1

    def judge(self, capture_id: str, verdict: Verdict) -> None:
        """Write beside a capture what became of it."""
        replace_text(self.folder / capture_id / VERDICT, verdict.model_dump_json(indent=1) + "\n")

    def clear(self, capture: Manifest) -> None:
        """Its table passed after all: the verdict goes. What a person said stays."""
        if capture.failed_checks:
            (self.folder / capture.capture_id / VERDICT).unlink(missing_ok=True)

    def _last(self, dataset: str, is_wanted: Callable[[Manifest], bool]) -> Manifest | None:
        """The last wanted capture in the order they were asked for. Older ones that are damaged are passed over."""
        last: Manifest | None = None
        for capture_id in reversed(self.ids(dataset)):
            try:
                capture = self.capture(capture_id)
            except CaptureDamaged:
                if last is None:
                    raise
                continue
            if is_wanted(capture) and (last is None or capture.order > last.order):
                last = capture
        return last

    def id_of(self, folder: Path) -> str:
        """`city/dataset/captured_at`, the id of the capture in `folder`."""
        return folder.relative_to(self.folder).as_posix()

    def newest(self, dataset: str) -> Manifest | None:
        """The last capture, accepted or not, or None."""
        return self._last(dataset, lambda _: True)

    def files(self, capture: Manifest) -> list[Path]:
        """The capture's Parquet files, in the order of its parts."""
        return [self.folder / capture.capture_id / part.file for part in capture.parts]

    def verify(self, capture: Manifest) -> None:
        """Raise CaptureDamaged unless every file still has the bytes its manifest records."""
        for part, path in zip(capture.parts, self.files(capture), strict=True):
            if not path.is_file():
                raise CaptureDamaged(path, "it is missing")
            if sha256_of(path) != part.sha256:
                raise CaptureDamaged(path, "its sha256 differs from the manifest's")

    def _read(self, path: Path) -> Manifest:
        try:
            capture = Manifest.model_validate_json(path.read_bytes())
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
        return self._with_verdict(capture)

    def _with_verdict(self, capture: Manifest) -> Manifest:
        path = self.folder / capture.capture_id / VERDICT
        if not path.exists():
            return capture
        try:
            verdict = Verdict.model_validate_json(path.read_bytes())
        except ValidationError as error:
            raise CaptureDamaged(path, str(error.errors()[0]["msg"])) from error
        is_accepted = verdict.status == "accepted"
        return capture.model_copy(update={"verdict": verdict, "held_back": None if is_accepted else capture.held_back})


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
