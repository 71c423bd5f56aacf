"""Take one capture: describe, refuse what is known to be wrong, read, prove, commit."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from fnmatch import fnmatchcase
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import duckdb
import pyarrow.parquet as pq

from civic_pipeline.catalog import Dataset
from civic_pipeline.errors import CaptureUnproven, ProfileMixed, SchemaDrifted, SourceEmpty, VolumeCollapsed, writing
from civic_pipeline.lake.captures import Lake, sha256_of
from civic_pipeline.lake.lock import only_writer
from civic_pipeline.lake.manifest import MANIFEST, LandedColumn, Manifest, Part
from civic_pipeline.portals import Access, Description, PortalSource, editions_of

# Rows landed so far, rows counted by the portal.
Progress = Callable[[int, int], None]


def no_progress(_landed: int, _counted: int) -> None:
    """For callers who need not know how far a capture is."""


@dataclass(frozen=True)
class Captured:
    """What a visit to the portal led to. `undeclared` are columns the portal has and `defs.yaml` does not list."""

    manifest: Manifest
    status: Literal["captured", "unchanged"]
    undeclared: tuple[str, ...]


def capture(name: str, dataset: Dataset, lake: Lake, access: Access, progress: Progress = no_progress) -> Captured:
    """Capture `name` into `lake`, or find it unchanged since the last accepted capture.

    Raises ProfileMixed, the portal errors, SourceEmpty, SchemaDrifted, CaptureUnproven and ValueUnreadable (nothing is kept),
    VolumeCollapsed (the capture is kept, marked as held back), DiskFull and NotWritable.
    """
    with only_writer(lake.folder / name / "capture", wait_seconds=600):
        _remove_unfinished(lake.folder / name)
        previous = lake.accepted(name)
        if previous and previous.profile != access.profile:
            raise ProfileMixed(name, lake.folder, previous.profile, access.profile)
        sources = editions_of(dataset.source, access)
        described = {edition: source.describe() for edition, source in sources.items()}
        undeclared = _compare_schema(name, dataset, described)
        for description in described.values():
            if description.row_count == 0:
                raise SourceEmpty(name, description.url)

        if previous and _unchanged(previous, described):
            return Captured(previous, "unchanged", undeclared)
        collapsed = _collapse(name, dataset, previous, described)
        newest = lake.newest(name)
        if collapsed and newest and newest.held_back and _unchanged(newest, described):
            raise collapsed  # the lake has it already
        manifest = _take(name, sources, described, lake, access, collapsed, progress)
        if collapsed:
            raise collapsed
        return Captured(manifest, "captured", undeclared)


def _take(
    name: str,
    sources: dict[str | None, PortalSource],
    described: dict[str | None, Description],
    lake: Lake,
    access: Access,
    collapsed: VolumeCollapsed | None,
    progress: Progress,
) -> Manifest:
    """Read every source and commit the capture; whatever fails on the way leaves nothing behind."""
    captured_at = datetime.now(UTC)
    capture_id = f"{name}/{captured_at:%Y-%m-%dT%H%M%S.%fZ}"
    folder = lake.folder / capture_id
    counted, landed = sum(description.row_count for description in described.values()), 0

    def landed_rows(rows: int) -> None:
        nonlocal landed
        landed += rows
        progress(landed, counted)

    try:
        with writing(lake.folder):
            folder.mkdir(parents=True)
            parts = [
                _land(name, edition, source, described[edition], folder, landed_rows)
                for edition, source in sources.items()
            ]
            manifest = Manifest(
                capture_id=capture_id, dataset=name, captured_at=captured_at.isoformat(), profile=access.profile,
                pipeline_version=version("civic-pipeline"), parts=tuple(parts), held_back=str(collapsed) if collapsed else None,
            )  # fmt: skip
            manifest.write(folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return manifest


def _land(
    name: str,
    edition: str | None,
    source: PortalSource,
    description: Description,
    folder: Path,
    landed_rows: Callable[[int], None],
) -> Part:
    """Write one source to Parquet, page by page, and prove that all of it landed. Raises CaptureUnproven."""
    path = folder / f"{edition or 'part'}.parquet"
    landed = 0
    with pq.ParquetWriter(path, description.schema, compression="zstd") as writer:
        for batch in source.read(description):
            writer.write_batch(batch)
            landed += batch.num_rows
            landed_rows(batch.num_rows)
    counted_after = source.count()
    row_id = description.row_id.name
    with duckdb.connect() as connection:
        quoted = row_id.replace('"', '""')
        counts = connection.execute(f'select count(distinct "{quoted}") from read_parquet(?)', [str(path)]).fetchone()
    distinct = counts[0] if counts else 0
    if not description.row_count == landed == distinct == counted_after:
        raise CaptureUnproven(name, description.row_count, landed, distinct, counted_after)
    with path.open("rb") as file:
        os.fsync(file.fileno())
    return Part(
        edition=edition, file=path.name, url=description.url, title=description.title,
        columns=tuple(LandedColumn(name=c.name, portal_type=c.portal_type) for c in description.columns), row_id=row_id,
        counted=description.row_count, landed=landed, distinct=distinct, counted_after=counted_after,
        bytes=path.stat().st_size, sha256=sha256_of(path),
        freshness_token=description.freshness.token, freshness_link=description.freshness.link,
    )  # fmt: skip


def compare_columns(declared: dict[str, str], found: dict[str, str]) -> tuple[list[str], list[str], list[str]]:
    """Declared columns that are missing, those whose type changed, and found columns that nobody declared.

    A geometry need not be declared. A declared name with * stands for a family: one member must exist, all must have
    the declared type.
    """
    missing, retyped, known = [], [], set()
    for pattern, kind in declared.items():
        members = [column for column in found if fnmatchcase(column, pattern)]
        known.update(members)
        if not members:
            missing.append(pattern)
        retyped += [f"{column} ({kind} -> {found[column]})" for column in members if found[column] != kind]
    return missing, retyped, [column for column, kind in found.items() if column not in known and kind != "Geometry"]


def _compare_schema(name: str, dataset: Dataset, described: dict[str | None, Description]) -> tuple[str, ...]:
    """The undeclared columns of all editions. Raises SchemaDrifted where a declared one is missing or retyped."""
    unknown: dict[str, None] = {}
    for edition, description in described.items():
        found = {column.name: column.portal_type for column in description.columns}
        missing, retyped, undeclared = compare_columns(dataset.columns, found)
        if missing or retyped:
            likely = {match for column in missing for match in get_close_matches(column, undeclared, n=1, cutoff=0.5)}
            raise SchemaDrifted(f"{name} {edition}" if edition else name, missing, retyped, sorted(likely))
        unknown.update(dict.fromkeys(undeclared))
    return tuple(unknown)


def _unchanged(capture: Manifest, described: dict[str | None, Description]) -> bool:
    """Whether the portal says that nothing changed: known tokens, and the counts and columns to go with them."""
    told = [
        (edition, d.freshness.token, d.row_count, [(c.name, c.portal_type) for c in d.columns])
        for edition, d in described.items()
    ]
    kept = [
        (part.edition, part.freshness_token, part.counted, [(c.name, c.portal_type) for c in part.columns])
        for part in capture.parts
    ]
    return told == kept and None not in capture.freshness


def _collapse(
    name: str, dataset: Dataset, previous: Manifest | None, described: dict[str | None, Description]
) -> VolumeCollapsed | None:
    """The first edition that shrank beyond the tolerance: among all editions together, half of one could go unnoticed."""
    tolerance = dataset.volume.shrink_at_most
    before = {part.edition: part.landed for part in previous.parts} if previous else {}
    for edition, description in described.items():
        rows, accepted = description.row_count, before.get(edition, 0)
        if rows < accepted * (1 - tolerance):
            return VolumeCollapsed(f"{name} {edition}" if edition else name, rows, accepted, tolerance)
    return None


def _remove_unfinished(folder: Path) -> None:
    """Folders that a killed process left without a manifest; the caller holds the dataset's lock."""
    for leftover in folder.glob("*/"):
        if not (leftover / MANIFEST).exists():
            shutil.rmtree(leftover)
