"""Errors of captures and backfills."""

from collections.abc import Sequence
from pathlib import Path

from civic_pipeline.errors.base import OneLineError, accept_command


class SourceEmpty(OneLineError):
    """The portal counts 0 rows. An empty source is treated as a failure of the portal, not as data."""

    def __init__(self, dataset: str, url: str) -> None:
        super().__init__(
            f"{dataset}: {url} counts 0 rows, so nothing was captured and the last accepted capture stays in use."
            " If the publisher emptied it on purpose, remove the dataset's folder under defs/."
        )


class SchemaDrifted(OneLineError):
    """Declared columns are missing at the portal, or have another type there."""

    def __init__(self, dataset: str, missing: Sequence[str], retyped: Sequence[str], successors: Sequence[str]) -> None:
        parts = []
        if missing:
            parts.append(f"missing columns: {', '.join(missing)}")
        if retyped:
            parts.append(f"changed types: {', '.join(retyped)}")
        hint = f" New columns with similar names: {', '.join(successors)}." if successors else ""
        super().__init__(
            f"{dataset}: the portal's schema no longer matches `columns` in defs.yaml ({'; '.join(parts)}).{hint}"
            " Correct `columns` and the clean model, then run again."
        )


class CaptureNotVerified(OneLineError):
    """The rows that were read do not match the portal's own row counts."""

    def __init__(self, dataset: str, counted: int, landed: int, distinct: int | None, counted_after: int) -> None:
        unique = "" if distinct is None else f", {distinct:,} of them distinct"
        super().__init__(
            f"{dataset}: the portal counted {counted:,} rows before the read and {counted_after:,} after it; {landed:,}"
            f" rows were read{unique}. The counts must match; a second, slower read disagreed too, so nothing was stored."
            " The data may change all the time, or the portal counts wrongly: run again, and report it to the publisher if"
            " it persists."
        )


class SourceChangedDuringRead(OneLineError):
    """The source changed during both reads, so the rows may come from two versions of it."""

    def __init__(self, dataset: str, before: str, after: str) -> None:
        super().__init__(
            f"{dataset}: the portal's date of the data changed from {before} to {after} during the read, and changed again"
            " during a second read. The rows may mix two versions, so nothing was stored. Run again later."
        )


class VolumeCollapsed(OneLineError):
    """Far fewer rows than in the last accepted capture. The new capture is stored but not used."""

    def __init__(self, dataset: str, rows: int, previous: int, tolerance: float, capture_id: str) -> None:
        super().__init__(
            f"{dataset}: {rows:,} rows, but {previous:,} in the last accepted capture: the decrease exceeds the allowed"
            f" {tolerance:.1%}. The new capture is stored in the lake but not used. If the publisher confirms the decrease, run:"
            f" {accept_command(capture_id)}."
        )


class NothingToAccept(OneLineError):
    """A capture that nothing holds back, or that is not the current one."""

    exit_code = 2

    def __init__(self, capture_id: str, why: str) -> None:
        super().__init__(f"{capture_id} was not accepted: {why}. Run `civic status` to see what is held back.")


class CaptureDamaged(OneLineError):
    """A captured file is missing or differs from its manifest."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(
            f"{path} is damaged: {problem}. Restore it from a backup, or delete its capture folder and run again."
        )


class ProfileMixed(OneLineError):
    """The lake holds captures of the other profile. Synthetic and real rows must not be mixed in one warehouse."""

    exit_code = 2

    def __init__(self, dataset: str, lake: Path, held: str, asked: str) -> None:
        super().__init__(
            f"{dataset}: {lake} holds captures of the {held} portals, but this run uses the {asked} portals. Use a separate"
            " folder for each profile: set CIVIC_DATA to another folder."
        )


class ShapeUnknown(OneLineError):
    """A capture has neither the declared columns nor the columns of a declared earlier shape."""

    exit_code = 2

    def __init__(self, what: str, lacking: Sequence[str]) -> None:
        super().__init__(
            f"{what} lacks {', '.join(lacking)} of `columns` in defs.yaml, and no entry of `earlier_shapes` matches it. Add"
            " a shape to the dataset that gives the former names of these columns."
        )


class BackfillRefused(OneLineError):
    """A file cannot be loaded as a capture of this dataset and time."""

    exit_code = 2

    def __init__(self, dataset: str, why: str) -> None:
        super().__init__(f"{dataset}: nothing was backfilled: {why}.")
