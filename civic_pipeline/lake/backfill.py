"""Loads an older file as the capture of its day; it is read, verified and committed like data from a portal."""

from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from civic_pipeline.catalog import Dataset, FileHere
from civic_pipeline.errors import AlreadyThere, BackfillRefused, ProfileMixed, ShapeUnknown, SourceEmpty
from civic_pipeline.lake.capture import remove_unfinished, uncommitted
from civic_pipeline.lake.captures import Lake
from civic_pipeline.lake.landing import Landing, land
from civic_pipeline.lake.manifest import Manifest, capture_id_at
from civic_pipeline.lake.progress import Progress, no_progress
from civic_pipeline.lock import only_writer
from civic_pipeline.portals import Access, editions_of
from civic_pipeline.settings import Profile


def backfill(
    name: str, dataset: Dataset, lake: Lake, file: Path, captured_at: datetime, profile: Profile, progress: Progress = no_progress
) -> Manifest:  # fmt: skip
    """Load `file` as the capture of `name` at `captured_at` (UTC). The columns stay as they are in the file.

    Raises BackfillRefused, ProfileMixed, AlreadyThere, ShapeUnknown, SourceEmpty, or an error of reading the file; then
    nothing is stored.
    """
    now = datetime.now(UTC)
    if captured_at > now:
        raise BackfillRefused(
            name, f"{captured_at:%Y-%m-%dT%H:%MZ} is in the future; give the day the file was published"
        )
    if getattr(dataset.source, "editions", None):
        raise BackfillRefused(
            name, "the dataset consists of yearly editions, and a file has only one; choose a dataset with one source"
        )
    with only_writer(lake.folder / name / "capture", wait_seconds=600):
        remove_unfinished(lake.folder / name)
        newest = lake.newest(name)
        if newest and newest.profile != profile:
            raise ProfileMixed(name, lake.folder, newest.profile, profile)
        taken = next((c for c in lake.captures(name) if datetime.fromisoformat(c.captured_at) == captured_at), None)
        if taken:
            raise AlreadyThere(lake.folder / taken.capture_id)
        here = FileHere(portal="file", url=str(file.resolve()), recorded=now.date())
        (source,) = editions_of(here, Access()).values()
        described, counted = source.describe(), source.count()
        columns = tuple(column.name for column in described.columns)
        if dataset.shape_of(columns) is None and (lacking := dataset.lacks(columns)):
            raise ShapeUnknown(file.name, lacking)
        if counted == 0:
            raise SourceEmpty(name, file.name)
        capture_id = capture_id_at(name, captured_at)
        with uncommitted(lake.folder / capture_id) as folder:
            landing = Landing(name, None, folder, lambda rows: progress(rows, counted))
            # Only name and sha256 are recorded; the local path is private.
            part = land(landing, source, described, counted).model_copy(update={"url": file.name})
            manifest = Manifest(
                capture_id=capture_id, dataset=name, captured_at=captured_at.isoformat(), profile=profile,
                pipeline_version=version("civic-pipeline"), parts=(part,), held_back=None, backfilled_at=now.isoformat(),
            )  # fmt: skip
            manifest.write(folder)
    return manifest
