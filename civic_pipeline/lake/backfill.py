"""Loads an older file as the capture of its day; it is read, verified and committed like data from a portal."""

import shutil
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from civic_pipeline.catalog import Dataset, FileHere
from civic_pipeline.errors import AlreadyThere, BackfillRefused, ProfileMixed, ShapeUnknown, SourceEmpty
from civic_pipeline.lake.capture import remove_unfinished, uncommitted
from civic_pipeline.lake.captures import Lake
from civic_pipeline.lake.landing import Landing, land
from civic_pipeline.lake.manifest import Manifest, Part, capture_id_at
from civic_pipeline.lake.progress import Progress, no_progress
from civic_pipeline.lock import only_writer
from civic_pipeline.portals import Access, OlderCopy, editions_of
from civic_pipeline.portals.points import with_points
from civic_pipeline.settings import Profile


def backfill(
    name: str,
    dataset: Dataset,
    lake: Lake,
    file: Path,
    captured_at: datetime,
    profile: Profile,
    progress: Progress = no_progress,
    edition: str | None = None,
) -> Manifest:
    """Load `file` as the capture of `name` at `captured_at` (UTC). The columns stay as they are in the file.

    A capture is the whole dataset at its moment: the file of an `edition` stands beside the other editions as they were then.
    Raises BackfillRefused, ProfileMixed, AlreadyThere, ShapeUnknown, SourceEmpty, or an error of reading the file; then
    nothing is stored.
    """
    now = datetime.now(UTC)
    if captured_at > now:
        raise BackfillRefused(
            name, f"{captured_at:%Y-%m-%dT%H:%MZ} is in the future; give the day the file was published"
        )
    _refuse_edition(name, dataset, edition)
    with only_writer(lake.folder / name / "capture"):
        remove_unfinished(lake.folder / name)
        newest = lake.newest(name)
        if newest and newest.profile != profile:
            raise ProfileMixed(name, lake.folder, newest.profile, profile)
        taken = next((c for c in lake.captures(name) if datetime.fromisoformat(c.captured_at) == captured_at), None)
        if taken:
            raise AlreadyThere(lake.folder / taken.capture_id)
        here = FileHere(portal="file", url=str(file.resolve()), recorded=now.date())
        (file_source,) = editions_of(here, Access()).values()
        source = with_points(file_source, dataset.points)
        described, counted = source.describe(), source.count()
        columns = tuple(column.name for column in described.columns)
        declared = dataset.edition(edition)
        if declared.shape_of(columns) is None and (lacking := declared.lacks(columns)):
            raise ShapeUnknown(file.name, lacking)
        if counted == 0:
            raise SourceEmpty(name, file.name)
        capture_id = capture_id_at(name, captured_at)
        with uncommitted(lake.folder / capture_id) as folder:
            landing = Landing(name, edition, folder, lambda rows: progress(rows, counted))
            # Only name and sha256 are recorded; the local path is private.
            part = land(landing, source, described, counted).model_copy(update={"url": file.name})
            parts = (*_others(lake, lake.accepted(name, captured_at), edition, folder), part)
            manifest = Manifest(
                capture_id=capture_id, dataset=name, captured_at=captured_at.isoformat(), profile=profile,
                pipeline_version=version("civic-pipeline"), parts=parts, held_back=None, backfilled_at=now.isoformat(),
            )  # fmt: skip
            manifest.write(folder)
    return manifest


def load_older_copies(
    datasets: Mapping[str, Dataset],
    lake: Lake,
    copies: Iterable[OlderCopy],
    profile: Profile,
    say: Callable[[str], None],
) -> None:
    """Load those `copies` of `datasets` that are not captures yet. Raises what `backfill` raises."""
    for copy in copies:
        if copy.dataset in datasets and capture_id_at(copy.dataset, copy.captured_at) not in lake.ids(copy.dataset):
            manifest = backfill(
                copy.dataset, datasets[copy.dataset], lake, copy.file, copy.captured_at, profile, edition=copy.edition
            )
            say(f"{copy.dataset}: {manifest.rows:,} rows of {copy.captured_at:%Y-%m-%d} loaded from {copy.file.name}")


def _refuse_edition(name: str, dataset: Dataset, edition: str | None) -> None:
    """Raise BackfillRefused unless `edition` is one of the dataset's, or the dataset has none and none is given."""
    known = [label for label in dataset.editions if label]
    if edition is None and known:
        why = f"the dataset has the editions {', '.join(known)}, and a file has only one; say which with --edition"
        raise BackfillRefused(name, why)
    if edition is not None and edition not in known:
        listed = f"its editions are {', '.join(known)}" if known else "the dataset has no editions; leave out --edition"
        raise BackfillRefused(name, f"there is no edition {edition!r}: {listed}")


def _others(lake: Lake, before: Manifest | None, edition: str | None, folder: Path) -> list[Part]:
    """The parts of the capture `before` except `edition`, whose files are copied into `folder`."""
    if before is None or edition is None:
        return []
    lake.verify(before)
    parts = [
        (part, file)
        for part, file in zip(before.parts, lake.files(before), strict=True)
        if part.edition not in (None, edition)
    ]
    for part, file in parts:
        shutil.copyfile(file, folder / part.file)
    return [part for part, _ in parts]
