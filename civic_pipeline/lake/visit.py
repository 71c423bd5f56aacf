"""What the last visit to a portal led to: kept beside the captures, because a failed visit leaves no capture to tell of it."""

from datetime import UTC, datetime
from typing import Literal

from pydantic import ValidationError

from civic_pipeline.catalog import Dataset, Strict
from civic_pipeline.errors import (
    CaptureDamaged,
    CaptureUnproven,
    CivicError,
    PortalUnreachable,
    SourceRestless,
    writing,
)
from civic_pipeline.lake.capture import capture
from civic_pipeline.lake.captures import Lake
from civic_pipeline.lake.manifest import Manifest
from civic_pipeline.lake.progress import Progress, no_progress
from civic_pipeline.portals import Access

# Another try minutes later may well succeed; every other failure needs a person.
PASSING = (PortalUnreachable, CaptureUnproven, SourceRestless)


class Visit(Strict):
    """One visit. `capture_id` is the accepted capture after it, new or old; None where there never was one."""

    dataset: str
    visited_at: str
    status: Literal["captured", "unchanged", "failed"]
    capture_id: str | None
    undeclared: tuple[str, ...] = ()
    problem: str | None = None
    failing_since: str | None = None
    passing: bool = False


def visit(name: str, dataset: Dataset, lake: Lake, access: Access, progress: Progress = no_progress) -> Visit:
    """Capture `name`; a foreseen failure is recorded in the visit and returned, not raised."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    try:
        result = capture(name, dataset, lake, access, progress)
        made = Visit(
            dataset=name,
            visited_at=now,
            status=result.status,
            capture_id=result.manifest.capture_id,
            undeclared=result.undeclared,
        )
    except CivicError as error:
        before, accepted = last_visit(name, lake), _accepted(name, lake)
        made = Visit(
            dataset=name, visited_at=now, status="failed", problem=str(error), passing=isinstance(error, PASSING),
            capture_id=accepted.capture_id if accepted else None,
            failing_since=before.failing_since if before and before.failing_since else now,
        )  # fmt: skip
    path = lake.folder / name / "visit.json"
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".new")
        draft.write_text(made.model_dump_json(indent=1), encoding="utf-8")
        draft.rename(path)
    return made


def last_visit(name: str, lake: Lake) -> Visit | None:
    """The last recorded visit to `name`'s portal, or None."""
    path = lake.folder / name / "visit.json"
    try:
        return Visit.model_validate_json(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValidationError):  # never written, or damaged: the next visit writes it anew
        return None


def last_asked(lake: Lake) -> datetime | None:
    """When any portal was last asked, or None."""
    names = ["/".join(path.parts[-3:-1]) for path in lake.folder.glob("*/*/visit.json")]
    asked = [made.visited_at for name in names if (made := last_visit(name, lake))]
    return datetime.fromisoformat(max(asked)) if asked else None


def _accepted(name: str, lake: Lake) -> Manifest | None:
    try:
        return lake.accepted(name)
    except CaptureDamaged:  # the failure of the visit says so already
        return None
