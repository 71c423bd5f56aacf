"""Captures one dataset: describe the source, check schema and counts, read the rows, verify them, commit."""

import shutil
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from civic_pipeline.catalog import Dataset, PagedSource, finder, is_of_type
from civic_pipeline.errors import (
    CivicError,
    PortalUnreachable,
    ProfileMixed,
    SchemaDrifted,
    SourceEmpty,
    ValueUnreadable,
    VolumeCollapsed,
    writing,
)
from civic_pipeline.lake.captures import Lake
from civic_pipeline.lake.landing import Landing, label_of, land, land_edits
from civic_pipeline.lake.manifest import MANIFEST, Manifest, Part, capture_id_at
from civic_pipeline.lake.progress import Progress, no_progress
from civic_pipeline.lock import only_writer
from civic_pipeline.portals import Access, Description, PortalSource, editions_of


@dataclass(frozen=True)
class Captured:
    """The result of `capture`.

    `undeclared`: columns of the portal that `defs.yaml` does not list. `left_out`: inferred editions that are not as inferred,
    each with what is wrong.
    """

    manifest: Manifest
    status: Literal["captured", "unchanged"]
    undeclared: tuple[str, ...]
    left_out: tuple[str, ...] = ()


def capture(name: str, dataset: Dataset, lake: Lake, access: Access, progress: Progress = no_progress) -> Captured:
    """Capture `name` into `lake`, or return the last accepted capture if the source is unchanged.

    Raises ProfileMixed, the portal errors, SourceEmpty, SchemaDrifted, CaptureNotVerified, SourceChangedDuringRead and
    ValueUnreadable (nothing is stored); VolumeCollapsed (the capture is stored but held back); DiskFull and NotWritable.
    """
    with only_writer(lake.folder / name / "capture"):
        remove_unfinished(lake.folder / name)
        previous = lake.accepted(name)
        if previous and previous.profile != access.profile:
            raise ProfileMixed(name, lake.folder, previous.profile, access.profile)
        sources = editions_of(dataset.source, access, _known_urls(previous))
        asked = _Editions(name, dataset, sources, {part.edition for part in previous.parts} if previous else ())
        described, undeclared = asked.describe()
        if previous and _unchanged(previous, described):
            return Captured(previous, "unchanged", undeclared, asked.left_out)
        counted = asked.count(described)
        captured_at = datetime.now(UTC)
        capture_id, newest = capture_id_at(name, captured_at), lake.newest(name)
        collapsed = _collapse(name, dataset, lake.baseline(name), counted, capture_id)
        if collapsed and newest and newest.held_back and _unchanged(newest, described):
            # The lake has it already.
            raise _collapse(name, dataset, lake.baseline(name), counted, newest.capture_id) or collapsed
        editions = [
            _Edition(
                edition,
                sources[edition],
                described[edition],
                counted[edition],
                _base_for_edits(previous, edition, dataset, lake),
                partial(_judge, name, edition, dataset),
            )
            for edition in counted
        ]
        with uncommitted(lake.folder / capture_id) as folder:
            parts = _read_editions(name, editions, folder, progress, dataset.about_persons)
            # The source may have changed, and have been read again.
            landed = {part.edition: part.landed for part in parts}
            collapsed = _collapse(name, dataset, lake.baseline(name), landed, capture_id)
            if collapsed and _was_accepted(name, lake, parts):
                collapsed = None  # the capture before it was too large
            manifest = Manifest(
                capture_id=capture_id, dataset=name, captured_at=captured_at.isoformat(), profile=access.profile,
                pipeline_version=version("civic-pipeline"), parts=parts, held_back=str(collapsed) if collapsed else None,
                sequence=lake.next_sequence(name),
            )  # fmt: skip
            if previous and _has_same_content(manifest, previous):
                shutil.rmtree(folder)
                return Captured(previous, "unchanged", undeclared, asked.left_out)
            manifest.write(folder)
        if collapsed:
            raise collapsed
        return Captured(manifest, "captured", undeclared, asked.left_out)


@dataclass(frozen=True)
class _Edition:
    """An edition at the portal. `earlier`: part and file of the previous capture to which edits can be applied, or None.

    `judge` is called if the source is described and counted again, because it changed.
    """

    name: str | None
    source: PortalSource
    description: Description
    counted: int
    earlier: tuple[Part, Path] | None
    judge: Callable[[Description, int], None]


def _read_editions(
    name: str, editions: Sequence[_Edition], folder: Path, progress: Progress, personal: Collection[str]
) -> tuple[Part, ...]:
    """Read every edition of dataset `name` into `folder`. No failure shows a value of the `personal` columns (lower case)."""
    expected, landed = sum(edition.counted for edition in editions), 0

    def landed_rows(rows: int) -> None:
        nonlocal landed
        landed += rows
        progress(landed, expected)

    parts = []
    for e in editions:
        landing = Landing(name, e.name, folder, landed_rows)
        try:
            edits = e.earlier and land_edits(landing, e.source, e.description, e.counted, *e.earlier)
            parts.append(edits or land(landing, e.source, e.description, e.counted, e.judge))
        except ValueUnreadable as error:
            if error.column.lower() in personal:
                raise error.without_value() from None
            raise
    return tuple(parts)


@contextmanager
def uncommitted(folder: Path) -> Iterator[Path]:
    """Create `folder` for the block; it is removed again if the block raises."""
    try:
        with writing(folder.parent):
            folder.mkdir(parents=True)
            yield folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def compare_columns(dataset: Dataset, published: dict[str, str]) -> tuple[list[str], list[str], list[str]]:
    """The missing, the retyped and the undeclared columns. `dataset`: of one source; `published`: column -> portal type.

    Names are compared without case. A declared name with * is a family of columns: at least one must exist, and all must
    have the declared type. Where an earlier shape fits, only the columns that kept their names are compared.
    The object id that a layer has of itself need not be declared.
    """
    shape = dataset.shape_of(tuple(published))
    missing, retyped, known, find = [], [], set[str](), finder(published)
    if shape:
        known.update(column for pattern in shape.reads for column in find(pattern))
    for pattern, kind in dataset.columns.items():
        if shape and pattern in shape.columns:
            continue
        matching = find(pattern)
        known.update(matching)
        if not matching and not shape:
            missing.append(pattern)
        retyped += [
            f"{column} ({kind} -> {published[column]})"
            for column in matching
            if not is_of_type(published[column], kind, dataset.source.portal)
        ]
    return missing, retyped, [column for column, kind in published.items() if column not in known and kind != "OID"]


@dataclass
class _Editions:
    """The editions of one source as they are asked.

    `problems`: what is wrong with inferred editions, which are left out; of others it is raised. `captured`: the labels of the
    previous capture, of which an unreachable one is waited for.
    """

    name: str
    dataset: Dataset
    sources: dict[str | None, PortalSource]
    captured: Collection[str | None]
    problems: dict[str | None, CivicError] = field(default_factory=dict)

    def describe(self) -> tuple[dict[str | None, Description], tuple[str, ...]]:
        """The descriptions and the undeclared columns of all. Raises SchemaDrifted and the portal errors."""
        described: dict[str | None, Description] = {}
        unknown: dict[str, None] = {}
        for edition, source in self.sources.items():
            with self._leaving_out(edition):
                description = source.describe()
                label = label_of(self.name, edition)
                unknown.update(dict.fromkeys(_undeclared(label, self.dataset.edition(edition), description)))
                described[edition] = description
        return described, tuple(unknown)

    def count(self, described: dict[str | None, Description]) -> dict[str | None, int]:
        """The rows of those described, by edition. Raises SourceEmpty and the portal errors."""
        counted: dict[str | None, int] = {}
        for edition, description in described.items():
            with self._leaving_out(edition):
                rows = self.sources[edition].count()
                _refuse_empty(self.name, description, rows)
                counted[edition] = rows
        return counted

    @property
    def left_out(self) -> tuple[str, ...]:
        """For people: each inferred edition that is missing, and why."""
        return tuple(
            f"{label_of(self.name, edition)} is inferred and was left out. {problem}"
            for edition, problem in self.problems.items()
        )

    @contextmanager
    def _leaving_out(self, edition: str | None) -> Iterator[None]:
        try:
            yield
        except CivicError as problem:
            may_return = isinstance(problem, PortalUnreachable) and edition in self.captured
            if edition not in self.dataset.inferred or may_return or len(self.problems) + 1 == len(self.sources):
                raise
            self.problems[edition] = problem


def _judge(name: str, edition: str | None, dataset: Dataset, description: Description, rows: int) -> None:
    """Raise SchemaDrifted or SourceEmpty for what became of a source during the read."""
    _undeclared(label_of(name, edition), dataset.edition(edition), description)
    _refuse_empty(name, description, rows)


def _refuse_empty(name: str, description: Description, rows: int) -> None:
    if rows == 0:
        raise SourceEmpty(name, description.url)


def _undeclared(label: str, dataset: Dataset, description: Description) -> list[str]:
    """The undeclared columns of a source. Raises SchemaDrifted if a declared column is missing or retyped."""
    missing, retyped, undeclared = compare_columns(dataset, description.published)
    if missing or retyped:
        similar = {match for column in missing for match in get_close_matches(column, undeclared, n=1, cutoff=0.5)}
        raise SchemaDrifted(label, missing, retyped, sorted(similar))
    return undeclared


def _unchanged(capture: Manifest, described: dict[str | None, Description]) -> bool:
    """Whether columns and freshness tokens at the portal equal those of `capture`, and all tokens are known."""
    current = [
        (edition, d.freshness.token, d.freshness.link, [(c.name, c.portal_type) for c in d.columns])
        for edition, d in described.items()
    ]
    captured = [
        (part.edition, part.freshness_token, part.freshness_link, [(c.name, c.portal_type) for c in part.columns])
        for part in capture.parts
    ]
    return current == captured and None not in capture.freshness


def _has_same_content(manifest: Manifest, previous: Manifest) -> bool:
    """Whether a portal without freshness tokens sent the same bytes as before; then they are not stored again."""
    new, old = (
        [
            (p.edition, [(c.name, c.portal_type, c.is_text) for c in p.columns], p.sha256, p.freshness_token)
            for p in m.parts
        ]
        for m in (manifest, previous)
    )
    return new == old and manifest.held_back is None


def _was_accepted(name: str, lake: Lake, parts: Sequence[Part]) -> bool:
    """Whether the same bytes were accepted before."""
    landed = [(part.edition, part.sha256) for part in parts]
    return any(
        capture.held_back is None
        and not capture.failed_checks
        and landed == [(p.edition, p.sha256) for p in capture.parts]
        for capture in lake.captures(name)
    )


def _collapse(
    name: str, dataset: Dataset, previous: Manifest | None, counted: dict[str | None, int], capture_id: str
) -> VolumeCollapsed | None:
    """The error for the first edition that shrank too much, or None. In the sum of all editions it could be overlooked.

    Rows may move into an edition that is new: a table of the current year is emptied when the year gets a table of its own.
    """
    tolerance = dataset.volume.shrink_at_most
    before = {part.edition: part.landed for part in previous.parts} if previous else {}
    moved = sum(rows for edition, rows in counted.items() if edition not in before)
    for edition, rows in counted.items():
        accepted = before.get(edition, 0)
        if rows + moved < accepted * (1 - tolerance):
            return VolumeCollapsed(label_of(name, edition), rows, accepted, tolerance, capture_id)
    return None


def _known_urls(previous: Manifest | None) -> dict[str | None, str]:
    """The URLs of the last capture, if it is at most a week old: after a move the old service may continue to respond."""
    if (
        previous is None
        or previous.backfilled_at
        or datetime.now(UTC) - datetime.fromisoformat(previous.captured_at) > timedelta(days=7)
    ):
        return {}
    return {part.edition: part.url for part in previous.parts}


def _base_for_edits(
    previous: Manifest | None, edition: str | None, dataset: Dataset, lake: Lake
) -> tuple[Part, Path] | None:
    """Part and file of the previous capture to which edits can be applied; None if a full read is needed."""
    source = dataset.edition(edition).source
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
    """Remove folders without a manifest, which a killed process left. The caller must hold the dataset's lock."""
    for leftover in folder.glob("*/"):
        if not (leftover / MANIFEST).exists():
            shutil.rmtree(leftover)
