"""Failures of captures: what landed, what is kept, what is loaded later."""

from collections.abc import Sequence
from pathlib import Path

from civic_pipeline.errors.base import CivicError


class SourceEmpty(CivicError):
    """The portal counts no rows. An empty dataset is never taken for the truth."""

    def __init__(self, dataset: str, url: str) -> None:
        super().__init__(
            f"{dataset}: {url} counts 0 rows, so nothing was captured and the last accepted capture stays in use."
            " If the publisher really emptied it, retire the dataset's folder under defs/."
        )


class SchemaDrifted(CivicError):
    """Declared columns are gone or changed type at the portal."""

    def __init__(self, dataset: str, missing: Sequence[str], retyped: Sequence[str], successors: Sequence[str]) -> None:
        parts = []
        if missing:
            parts.append(f"missing columns: {', '.join(missing)}")
        if retyped:
            parts.append(f"changed types: {', '.join(retyped)}")
        hint = f" Undeclared columns that may be their successors: {', '.join(successors)}." if successors else ""
        super().__init__(
            f"{dataset}: the portal's schema no longer fits `columns` in defs.yaml ({'; '.join(parts)}).{hint}"
            " Correct `columns` and the clean model, then run again."
        )


class CaptureNotVerified(CivicError):
    """What landed is not provably what the portal counted."""

    def __init__(self, dataset: str, counted: int, landed: int, distinct: int | None, counted_after: int) -> None:
        unique = "" if distinct is None else f", {distinct:,} of them distinct"
        super().__init__(
            f"{dataset}: the portal counted {counted:,} rows before the read and {counted_after:,} after it, {landed:,}"
            f" landed{unique}. These must agree, and did not in a second, slower read either, so nothing was kept. The data"
            " may be changing all the time, or the portal miscounts: run again, and report it to the publisher if it stays."
        )


class SourceRestless(CivicError):
    """A source was edited during both reads, so what landed may mix two states of it."""

    def __init__(self, dataset: str, before: str, after: str) -> None:
        super().__init__(
            f"{dataset}: the portal's own date of the data moved from {before} to {after} during the read, and again during"
            " a second one. What landed may mix two states, so nothing was kept. Run again when the publisher is done."
        )


class VolumeCollapsed(CivicError):
    """Far fewer rows than in the last accepted capture; the capture is kept but not used."""

    def __init__(self, dataset: str, rows: int, previous: int, tolerance: float) -> None:
        super().__init__(
            f"{dataset}: {rows:,} rows against {previous:,} in the last accepted capture, a fall beyond the tolerated"
            f" {tolerance:.1%}. The capture is kept in the lake but not used. If the fall is right, raise"
            " `volume.shrink_at_most` in defs.yaml for one run."
        )


class CaptureDamaged(CivicError):
    """A captured file no longer has the bytes its manifest records."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(
            f"{path} is damaged: {problem}. Restore it from a backup, or delete its capture folder and run again."
        )


class ProfileMixed(CivicError):
    """The lake holds captures of the other profile; synthetic and real rows must never meet in one warehouse."""

    exit_code = 2

    def __init__(self, dataset: str, lake: Path, held: str, asked: str) -> None:
        super().__init__(
            f"{dataset}: {lake} holds captures of the {held} portals, and this run asks the {asked} ones. Give each profile"
            " a folder of its own: set CIVIC_DATA to another one."
        )


class ShapeUnknown(CivicError):
    """A captured or backfilled file has neither today's columns nor those of an earlier shape."""

    exit_code = 2

    def __init__(self, what: str, lacking: Sequence[str]) -> None:
        super().__init__(
            f"{what} lacks {', '.join(lacking)} of `columns` in defs.yaml, and none of its `earlier_shapes` fits. Give the"
            " dataset a shape that says what these columns were called."
        )


class BackfillRefused(CivicError):
    """A file cannot become a capture of that dataset and moment."""

    exit_code = 2

    def __init__(self, dataset: str, why: str) -> None:
        super().__init__(f"{dataset}: nothing was backfilled: {why}.")
