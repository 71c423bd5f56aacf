"""One capture of a source that is not in the catalog."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from civic_pipeline.catalog import Dataset, Source
from civic_pipeline.errors import AlreadyThere, FileUnreadable, writing
from civic_pipeline.lake import Lake, Manifest, Progress, capture
from civic_pipeline.lake.manifest import MANIFEST
from civic_pipeline.portals import Description, editions_of
from civic_pipeline.scaffold.address import ResolvedSource
from civic_pipeline.scratch import scratch

NOT_STATED = "not stated"


@dataclass(frozen=True)
class TrialCapture:
    """A capture, the description of its source, and the dataset as the catalog would define it."""

    description: Description
    dataset: Dataset
    manifest: Manifest
    folder: Path


def describe(resolved: ResolvedSource) -> Description:
    """The portal's description of a source. Raises the portal errors."""
    (source,) = editions_of(resolved.source, resolved.access).values()
    return source.describe()


def dataset_of(source: Source, description: Description) -> Dataset:
    """The source as a dataset of the catalog: all its columns, no promises, no tolerance. Raises FileUnreadable without columns."""
    if not description.published:
        raise FileUnreadable(description.url, "it has no column besides the geometry")
    about = description.about
    return Dataset.model_validate({
        "title": plain(about.title) or NOT_STATED,
        "subject": "shared",
        "publisher": plain(about.publisher) or NOT_STATED,
        "licence": plain(about.licence) or NOT_STATED,
        "description": plain(about.description) or NOT_STATED,
        "source": source,
        "cadence": "irregular",
        "key": (),
        "columns": description.published,
        "time_zones": dict.fromkeys(dated_columns(description), "local_labelled_utc"),
        "volume": {"shrink_at_most": "0%"},
    })  # fmt: skip


def dated_columns(description: Description) -> list[str]:
    """The columns that need an entry in `time_zones`: the portal types for dates with a time."""
    return [name for name, kind in description.published.items() if kind in {"date", "Date", "datetime"}]


def capture_once(
    resolved: ResolvedSource, description: Description, lake: Lake, name: str, progress: Progress
) -> TrialCapture:
    """Capture `name` into `lake`. Raises what `lake.capture` raises."""
    dataset = dataset_of(resolved.source, description)
    manifest = capture(name, dataset, lake, resolved.access, progress).manifest
    return TrialCapture(description, dataset, manifest, lake.folder / manifest.capture_id)


def capture_into(folder: Path, resolved: ResolvedSource, description: Description, progress: Progress) -> TrialCapture:
    """Capture into `folder`: it gets the Parquet file and manifest.json together, or is not created.

    Raises AlreadyThere if the folder is not empty, and what `lake.capture` raises.
    """
    refuse_full(folder)
    with beside(folder) as beside_it:
        trial = capture_once(
            resolved, description, Lake(beside_it), f"captured/{slug(description.about.title)}", progress
        )
        with writing(folder):
            trial.folder.rename(folder)
    return TrialCapture(description, trial.dataset, trial.manifest, folder)


def refuse_full(folder: Path) -> None:
    """Raises AlreadyThere unless `folder` is absent or empty."""
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise AlreadyThere(folder / MANIFEST if (folder / MANIFEST).exists() else folder)


@contextmanager
def beside(folder: Path) -> Iterator[Path]:
    """A temporary folder on the same disk as `folder`, removed at the end of the block."""
    with writing(folder.parent):
        folder.parent.mkdir(parents=True, exist_ok=True)
    with scratch(folder.parent, f".{folder.name}-") as path:
        yield path


def plain(text: str) -> str:
    """`text` without markup: portals write titles and licences in HTML."""
    return " ".join(re.sub(r"<[^<>]*>|&nbsp;", " ", text).split())


def slug(text: str) -> str:
    """`Vacant Building Notices (open)` -> `vacant_building_notices_open`."""
    return re.sub(r"[^a-z0-9]+", "_", plain(text).lower()).strip("_")[:60] or "dataset"
