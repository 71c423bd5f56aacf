"""The result of the last attempt to capture a dataset, stored beside its captures: a failed attempt leaves no capture."""

from datetime import UTC, datetime
from typing import Literal

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
from civic_pipeline.replacing import replace_text

_FILE = "attempt.json"
_FORMER_FILE = "visit.json"  # written until 0.1.0, with `visited_at`; read, never written

# Temporary failures: a retry minutes later may succeed. All other failures need a person.
TEMPORARY = (PortalUnreachable, CaptureNotVerified, SourceChangedDuringRead)


class Attempt(Strict):
    """One attempt. `capture_id`: the accepted capture after it, new or old, or None. `passing`: a retry may succeed."""

    dataset: str
    attempted_at: str
    status: Literal["captured", "unchanged", "failed"]
    capture_id: str | None
    undeclared: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    problem: str | None = None
    failing_since: str | None = None
    passing: bool = False


def attempt_capture(
    name: str, dataset: Dataset, lake: Lake, access: Access, progress: Progress = no_progress
) -> Attempt:
    """Try to capture `name` and record the attempt. A CivicError is in the attempt and is not raised."""
    return record(try_capture(name, dataset, lake, access, progress), lake)


def try_capture(name: str, dataset: Dataset, lake: Lake, access: Access, progress: Progress = no_progress) -> Attempt:
    """Try to capture `name`. Returns the attempt without recording it, so that only the last try is recorded."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    try:
        result = capture(name, dataset, lake, access, progress)
        return Attempt(
            dataset=name,
            attempted_at=now,
            status=result.status,
            capture_id=result.manifest.capture_id,
            undeclared=result.undeclared,
            left_out=result.left_out,
        )
    except CivicError as error:
        before, accepted = last_attempt(name, lake), _accepted(name, lake)
        return Attempt(
            dataset=name, attempted_at=now, status="failed", problem=str(error), passing=isinstance(error, TEMPORARY),
            capture_id=accepted.capture_id if accepted else None,
            failing_since=before.failing_since if before and before.failing_since else now,
        )  # fmt: skip


def record(attempt: Attempt, lake: Lake) -> Attempt:
    """Store `attempt` as the last one of its dataset. Raises DiskFull, NotWritable."""
    path = lake.folder / attempt.dataset / _FILE
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_text(path, attempt.model_dump_json(indent=1))
        path.with_name(_FORMER_FILE).unlink(missing_ok=True)
    return attempt


def last_attempt(name: str, lake: Lake) -> Attempt | None:
    """The last recorded attempt to capture `name`, or None."""
    for path in (folder / file for folder in lake.folders(name) for file in (_FILE, _FORMER_FILE)):
        try:
            text = path.read_text(encoding="utf-8")
            return Attempt.model_validate_json(text.replace('"visited_at":', '"attempted_at":', 1))
        except (FileNotFoundError, ValueError):  # missing or damaged: the next attempt writes a new file
            continue
    return None


def last_asked(lake: Lake) -> datetime | None:
    """The time of the newest attempt for any dataset, or None."""
    names = {"/".join(path.parts[-3:-1]) for file in (_FILE, _FORMER_FILE) for path in lake.folder.glob(f"*/*/{file}")}
    asked = [attempt.attempted_at for name in names if (attempt := last_attempt(name, lake))]
    return datetime.fromisoformat(max(asked)) if asked else None


def _accepted(name: str, lake: Lake) -> Manifest | None:
    try:
        return lake.accepted(name)
    except CaptureDamaged:  # already reported as the problem of the attempt
        return None
