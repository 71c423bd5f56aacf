"""Take one capture: describe, refuse what is known to be wrong, read, prove, commit."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from civic_pipeline.catalog import Dataset, PagedSource, stands_for
from civic_pipeline.errors import ProfileMixed, SchemaDrifted, SourceEmpty, VolumeCollapsed, writing
from civic_pipeline.lake.captures import Lake
from civic_pipeline.lake.landing import Landing, label_of, land, land_edits
from civic_pipeline.lake.manifest import MANIFEST, Manifest, Part, capture_id_at
from civic_pipeline.lake.progress import Progress, no_progress
from civic_pipeline.lock import only_writer
from civic_pipeline.portals import Access, Description, PortalSource, editions_of


@dataclass(frozen=True)
class Captured:
    """What an attempt to the portal led to. `undeclared` are columns the portal has and `defs.yaml` does not list."""

    manifest: Manifest
    status: Literal["captured", "unchanged"]
    undeclared: tuple[str, ...]


def capture(name: str, dataset: Dataset, lake: Lake, access: Access, progress: Progress = no_progress) -> Captured:
    """Capture `name` into `lake`, or find it unchanged since the last accepted capture.

    Raises ProfileMixed, the portal errors, SourceEmpty, SchemaDrifted, CaptureNotVerified and ValueUnreadable (nothing is kept),
    VolumeCollapsed (the capture is kept, marked as held back), DiskFull and NotWritable.
    """
    with only_writer(lake.folder / name / "capture", wait_seconds=600):
        remove_unfinished(lake.folder / name)
        previous = lake.accepted(name)
        if previous and previous.profile != access.profile:
            raise ProfileMixed(name, lake.folder, previous.profile, access.profile)
        sources = editions_of(dataset.source, access, _known_url(previous))
        described = {edition: source.describe() for edition, source in sources.items()}
        undeclared = _compare_schema(name, dataset, described)
        if previous and _unchanged(previous, described):
            return Captured(previous, "unchanged", undeclared)
        counted = {edition: source.count() for edition, source in sources.items()}
        for edition, rows in counted.items():
            if rows == 0:
                raise SourceEmpty(name, described[edition].url)
        collapsed, newest = _collapse(name, dataset, previous, counted), lake.newest(name)
        if collapsed and newest and newest.held_back and _unchanged(newest, described):
            raise collapsed  # the lake has it already
        captured_at = datetime.now(UTC)
        capture_id = capture_id_at(name, captured_at)
        editions = [
            _Edition(
                edition, source, described[edition], counted[edition], _laid_under(previous, edition, dataset, lake)
            )
            for edition, source in sources.items()
        ]
        with uncommitted(lake.folder / capture_id) as folder:
            manifest = Manifest(
                capture_id=capture_id, dataset=name, captured_at=captured_at.isoformat(), profile=access.profile,
                pipeline_version=version("civic-pipeline"), parts=_take(name, editions, folder, progress),
                held_back=str(collapsed) if collapsed else None,
            )  # fmt: skip
            if previous and _says_the_same(manifest, previous):
                shutil.rmtree(folder)
                return Captured(previous, "unchanged", undeclared)
            manifest.write(folder)
        if collapsed:
            raise collapsed
        return Captured(manifest, "captured", undeclared)


@dataclass(frozen=True)
class _Edition:
    """An edition as its portal has it now, and what of the previous capture edits may be laid over."""

    name: str | None
    source: PortalSource
    description: Description
    counted: int
    earlier: tuple[Part, Path] | None


def _take(name: str, editions: Sequence[_Edition], folder: Path, progress: Progress) -> tuple[Part, ...]:
    """Read every edition of dataset `name` into `folder`."""
    expected, landed = sum(edition.counted for edition in editions), 0

    def landed_rows(rows: int) -> None:
        nonlocal landed
        landed += rows
        progress(landed, expected)

    parts = []
    for e in editions:
        landing = Landing(name, e.name, folder, landed_rows)
        edits = e.earlier and land_edits(landing, e.source, e.description, e.counted, *e.earlier)
        parts.append(edits or land(landing, e.source, e.description, e.counted))
    return tuple(parts)


@contextmanager
def uncommitted(folder: Path) -> Iterator[Path]:
    """A new folder; whatever fails in the block leaves nothing of it behind."""
    try:
        with writing(folder.parent):
            folder.mkdir(parents=True)
            yield folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def compare_columns(declared: dict[str, str], found: dict[str, str]) -> tuple[list[str], list[str], list[str]]:
    """Declared columns that are missing, those whose type changed, and found columns that nobody declared.

    A declared name with * stands for a family: one member must exist, all must have the declared type.
    """
    missing, retyped, known = [], [], set()
    for pattern, kind in declared.items():
        members = [column for column in found if stands_for(pattern, column)]
        known.update(members)
        if not members:
            missing.append(pattern)
        retyped += [f"{column} ({kind} -> {found[column]})" for column in members if found[column] != kind]
    return missing, retyped, [column for column in found if column not in known]


def _compare_schema(name: str, dataset: Dataset, described: dict[str | None, Description]) -> tuple[str, ...]:
    """The undeclared columns of all editions. Raises SchemaDrifted where a declared one is missing or retyped."""
    unknown: dict[str, None] = {}
    for edition, description in described.items():
        found = description.published
        missing, retyped, undeclared = compare_columns(dataset.columns, found)
        if missing or retyped:
            likely = {match for column in missing for match in get_close_matches(column, undeclared, n=1, cutoff=0.5)}
            raise SchemaDrifted(label_of(name, edition), missing, retyped, sorted(likely))
        unknown.update(dict.fromkeys(undeclared))
    return tuple(unknown)


def _unchanged(capture: Manifest, described: dict[str | None, Description]) -> bool:
    """Whether the portal says that nothing changed: known tokens, and the columns to go with them."""
    told = [
        (edition, d.freshness.token, d.freshness.link, [(c.name, c.portal_type) for c in d.columns])
        for edition, d in described.items()
    ]
    kept = [
        (part.edition, part.freshness_token, part.freshness_link, [(c.name, c.portal_type) for c in part.columns])
        for part in capture.parts
    ]
    return told == kept and None not in capture.freshness


def _says_the_same(manifest: Manifest, previous: Manifest) -> bool:
    """Whether a portal that gives no date sent the same bytes again: nothing is stored twice."""
    sent, held = ([(p.edition, p.columns, p.sha256, p.freshness_token) for p in m.parts] for m in (manifest, previous))
    return sent == held and manifest.held_back is None


def _collapse(
    name: str, dataset: Dataset, previous: Manifest | None, counted: dict[str | None, int]
) -> VolumeCollapsed | None:
    """The first edition that shrank beyond the tolerance: among all editions together, half of one could go unnoticed."""
    tolerance = dataset.volume.shrink_at_most
    before = {part.edition: part.landed for part in previous.parts} if previous else {}
    for edition, rows in counted.items():
        accepted = before.get(edition, 0)
        if rows < accepted * (1 - tolerance):
            return VolumeCollapsed(label_of(name, edition), rows, accepted, tolerance)
    return None


def _known_url(previous: Manifest | None) -> str | None:
    """Where the last capture by the portal found its layer; trusted for a week, since a service left behind by a move goes on answering."""
    if (
        previous is None
        or previous.backfilled_at
        or datetime.now(UTC) - datetime.fromisoformat(previous.captured_at) > timedelta(days=7)
    ):
        return None
    return previous.parts[0].url


def _laid_under(
    previous: Manifest | None, edition: str | None, dataset: Dataset, lake: Lake
) -> tuple[Part, Path] | None:
    """The part of the previous capture that edits may be laid over; None where everything is due to be read."""
    source = dataset.source
    days = source.full_read_every_days if isinstance(source, PagedSource) else None
    if previous is None or days is None:
        return None
    for part, file in zip(previous.parts, lake.files(previous), strict=True):
        if part.edition == edition and datetime.now(UTC) - datetime.fromisoformat(part.full_read_at) < timedelta(
            days=days
        ):
            return part, file
    return None


def remove_unfinished(folder: Path) -> None:
    """Folders that a killed process left without a manifest; the caller holds the dataset's lock."""
    for leftover in folder.glob("*/"):
        if not (leftover / MANIFEST).exists():
            shutil.rmtree(leftover)
