"""What the last attempt to a portal led to: kept beside the captures, because a failed attempt leaves no capture to tell of it."""

from datetime import UTC, datetime
from typing import Literal

from pydantic import ValidationError

from civic_pipeline.catalog import Dataset, Strict
from civic_pipeline.errors import (
    CaptureDamaged,
    CaptureNotVerified,
    CivicError,
    PortalUnreachable,
    SourceChangedDuringRead,
    writing,
)
from civic_pipeline.lake.capture import capture
from civic_pipeline.lake.captures import Lake
from civic_pipeline.lake.manifest import Manifest
from civic_pipeline.lake.progress import Progress, no_progress
from civic_pipeline.portals import Access

_FILE = "attempt.json"
_FORMER_FILE = "visit.json"  # written until 0.1.0, with `visited_at`; read, never written

# Another try minutes later may well succeed; every other failure needs a person.
PASSING = (PortalUnreachable, CaptureNotVerified, SourceChangedDuringRead)


class Attempt(Strict):
    """One attempt. `capture_id` is the accepted capture after it, new or old; None where there never was one."""

    dataset: str
    attempted_at: str
    status: Literal["captured", "unchanged", "failed"]
    capture_id: str | None
    undeclared: tuple[str, ...] = ()
    problem: str | None = None
    failing_since: str | None = None
    passing: bool = False


def attempt_capture(
    name: str, dataset: Dataset, lake: Lake, access: Access, progress: Progress = no_progress
) -> Attempt:
    """Try to capture `name` and record the attempt. A foreseen failure is in it, not raised."""
    return record(try_capture(name, dataset, lake, access, progress), lake)


def try_capture(name: str, dataset: Dataset, lake: Lake, access: Access, progress: Progress = no_progress) -> Attempt:
    """The attempt, not yet recorded: whoever asks several portals at once records those that count."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    try:
        result = capture(name, dataset, lake, access, progress)
        return Attempt(
            dataset=name,
            attempted_at=now,
            status=result.status,
            capture_id=result.manifest.capture_id,
            undeclared=result.undeclared,
        )
    except CivicError as error:
        before, accepted = last_attempt(name, lake), _accepted(name, lake)
        return Attempt(
            dataset=name, attempted_at=now, status="failed", problem=str(error), passing=isinstance(error, PASSING),
            capture_id=accepted.capture_id if accepted else None,
            failing_since=before.failing_since if before and before.failing_since else now,
        )  # fmt: skip


def record(attempt: Attempt, lake: Lake) -> Attempt:
    """Keep `attempt` as the last one of its dataset."""
    path = lake.folder / attempt.dataset / _FILE
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".new")
        draft.write_text(attempt.model_dump_json(indent=1), encoding="utf-8")
        draft.rename(path)
        path.with_name(_FORMER_FILE).unlink(missing_ok=True)
    return attempt


def last_attempt(name: str, lake: Lake) -> Attempt | None:
    """The last recorded attempt to capture `name`, or None."""
    for file in (_FILE, _FORMER_FILE):
        try:
            text = (lake.folder / name / file).read_text(encoding="utf-8")
            return Attempt.model_validate_json(text.replace('"visited_at":', '"attempted_at":', 1))
        except (FileNotFoundError, ValidationError):  # never written, or damaged: the next attempt writes it again
            continue
    return None


def last_asked(lake: Lake) -> datetime | None:
    """When any portal was last asked, or None."""
    names = {"/".join(path.parts[-3:-1]) for file in (_FILE, _FORMER_FILE) for path in lake.folder.glob(f"*/*/{file}")}
    asked = [attempt.attempted_at for name in names if (attempt := last_attempt(name, lake))]
    return datetime.fromisoformat(max(asked)) if asked else None


def _accepted(name: str, lake: Lake) -> Manifest | None:
    try:
        return lake.accepted(name)
    except CaptureDamaged:  # the failure of the attempt says so already
        return None
