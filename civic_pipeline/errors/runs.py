"""Errors of a whole run, and of sending notifications."""

from collections.abc import Sequence
from pathlib import Path

from civic_pipeline.errors.base import CivicError, OneLineError


class HeldBack(CivicError):
    """The run did what it could; some sources failed, and some tables keep their last accepted version."""

    def __init__(self, reasons: dict[str, str], released: bool) -> None:
        listed = "\n".join(f"  {name}: {why}" for name, why in reasons.items())
        others = "everything else is released" if released else "everything else that was selected is done"
        super().__init__(f"{len(reasons)} failed or held back at the last accepted version, {others}:\n{listed}")
        self.reasons = reasons


class RunFailed(CivicError):
    """A run failed; the step's own message is repeated."""

    exit_code = 3

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("The run failed:\n" + "\n".join(problems))


class NotificationFailed(CivicError):
    """A notification could not be sent."""

    def __init__(self, channel: str, problem: str) -> None:
        super().__init__(f"The {channel} notification could not be sent: {problem}. Check the CIVIC_NOTIFY_* settings.")


class RecordsDamaged(OneLineError):
    """Dagster cannot read its records or its configuration."""

    def __init__(self, home: Path, problem: str) -> None:
        super().__init__(
            f"Dagster cannot read {home}: {problem}. Correct its dagster.yaml, or move the folder away and run again: only the"
            " history of runs is lost."
        )
