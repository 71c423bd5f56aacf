"""The manifest of a capture: what was read and how it was verified. It is written last and commits the capture."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import Field

from civic_pipeline.catalog import Strict
from civic_pipeline.replacing import replace_text
from civic_pipeline.settings import Profile

MANIFEST = "manifest.json"
VERDICT = "verdict.json"


def capture_id_at(dataset: str, moment: datetime) -> str:
    """The id of a capture of `city/dataset` at a time (UTC). Ids sort by time."""
    return f"{dataset}/{moment:%Y-%m-%dT%H%M%S.%fZ}"


class LandedColumn(Strict):
    """A column as the portal declared it at the time of the capture. `is_text`: a value did not fit the type.

    `time_zone`: UTC for instants; None for local times, for others, and in captures made before 0.2.0.
    """

    name: str
    portal_type: str
    is_text: bool = False
    time_zone: Literal["UTC"] | None = None


class Part(Strict):
    """One Parquet file with all rows of a source or of one of its editions.

    Verification: the portal's row counts before (`counted`) and after the read (`counted_after`) equal the stored rows
    (`landed`), and `distinct` row ids + `reused_ids` (rows whose id the portal also gives to another row) = `landed`.
    `row_id` and `distinct` are None if the portal has no row ids.
    `url` was asked; `answered_from` is where a redirect led to, without parameters, None if nowhere else.
    `reference_system`: of the geometries; None if there are none, and in captures made before 0.2.0.
    `full_read_at`: the last time at which all rows were read, not only edits.
    `requests`, `retries`, `pages_halved` and `received_bytes`: the cost of the read.
    """

    edition: str | None
    file: str
    url: str
    title: str
    columns: tuple[LandedColumn, ...]
    row_id: str | None
    counted: int
    landed: int
    distinct: int | None
    reused_ids: int
    counted_after: int
    full_read_at: str
    requests: int
    retries: int
    pages_halved: int
    received_bytes: int
    bytes: int
    sha256: str
    freshness_token: str | None
    freshness_link: str
    reference_system: str | None = None
    answered_from: str | None = None


class Verdict(Strict):
    """What became of a capture after it was committed.

    `failed_checks`: the clean table made of it failed its checks, and keeps an older version. `accepted`: a person `by` name
    accepted its drift, and said why.
    """

    status: Literal["failed_checks", "accepted"]
    at: str
    because: str
    by: str | None = None

    @property
    def in_words(self) -> str:
        return f"accepted by {self.by} on {self.at[:10]}: {self.because}"


class Manifest(Strict):
    """One capture: the data as the portal sent them, with the portal's types.

    `held_back`: the reason why the capture was not accepted; None if it was accepted. `backfilled_at`: when an older file was
    loaded as the capture of `captured_at`; None for data from a portal. `sequence` counts the captures from the portal, so
    that a wrong clock cannot change their order; None for others and for captures made before 0.2.0. `verdict` is kept in a
    file of its own, beside the manifest.
    """

    capture_id: str
    dataset: str
    captured_at: str
    profile: Profile
    pipeline_version: str
    parts: tuple[Part, ...]
    held_back: str | None
    backfilled_at: str | None = None
    sequence: int | None = None
    verdict: Verdict | None = Field(default=None, exclude=True)

    @property
    def moment(self) -> datetime:
        """`captured_at` as tables have it: UTC, without a time zone."""
        return datetime.fromisoformat(self.captured_at).astimezone(UTC).replace(tzinfo=None)

    @property
    def order(self) -> tuple[int, str]:
        """By this captures of a portal follow each other."""
        return self.sequence or 0, self.captured_at

    @property
    def acceptance(self) -> Verdict | None:
        """The verdict of the person who accepted its drift, or None."""
        return self.verdict if self.verdict and self.verdict.status == "accepted" else None

    @property
    def failed_checks(self) -> bool:
        """Whether the clean table made of it failed its checks."""
        return self.verdict is not None and self.verdict.status == "failed_checks"

    @property
    def rows(self) -> int:
        return sum(part.landed for part in self.parts)

    @property
    def bytes(self) -> int:
        return sum(part.bytes for part in self.parts)

    @property
    def freshness(self) -> tuple[str | None, ...]:
        return tuple(part.freshness_token for part in self.parts)

    def is_until(self, moment: datetime | None) -> bool:
        """Whether the capture already existed at `moment`; True if `moment` is None."""
        return moment is None or datetime.fromisoformat(self.captured_at) <= moment

    def write(self, folder: Path) -> None:
        """Commit the capture in `folder`: the manifest is on disk before it gets its name, and it gets it atomically."""
        replace_text(folder / MANIFEST, self.model_dump_json(indent=1) + "\n")
