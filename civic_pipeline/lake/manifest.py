"""What a capture proves about itself: written last, so a folder without one is not a capture."""

import os
from datetime import datetime
from pathlib import Path

from civic_pipeline.catalog import Strict
from civic_pipeline.settings import Profile

MANIFEST = "manifest.json"


def capture_id_at(dataset: str, moment: datetime) -> str:
    """The id of a capture of `city/dataset` at a moment, UTC. Ids sort as their moments."""
    return f"{dataset}/{moment:%Y-%m-%dT%H%M%S.%fZ}"


class LandedColumn(Strict):
    """A column as the portal declared it on the day of the capture. `is_text`: its values did not fit that type."""

    name: str
    portal_type: str
    is_text: bool = False


class Part(Strict):
    """One Parquet file: the whole of a source, or of one of its editions.

    The proof: `counted` before and `counted_after` the read equal `landed`, and `distinct` row ids are as many, or fewer
    by the `reused_ids` that the portal itself lists twice. `row_id` and `distinct` are None where a portal has no row ids.
    `full_read_at` is when all of it was last read, rather than edits laid over an earlier capture.
    `requests`, `retries`, `pages_halved` and `received_bytes` say what the read took.
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


class Manifest(Strict):
    """One capture: exactly what the portal sent, typed by the portal's own schema.

    `held_back` says why the capture was not accepted; None means accepted. `backfilled_at` is when an older file was loaded
    as the capture of `captured_at`; None for what was asked of a portal.
    """

    capture_id: str
    dataset: str
    captured_at: str
    profile: Profile
    pipeline_version: str
    parts: tuple[Part, ...]
    held_back: str | None
    backfilled_at: str | None = None

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
        """Whether it was taken by `moment`; by no moment in particular, always."""
        return moment is None or datetime.fromisoformat(self.captured_at) <= moment

    def write(self, folder: Path) -> None:
        """Commit the capture in `folder`: atomic, and durable before it is visible."""
        draft = folder / f".{MANIFEST}"
        with draft.open("w", encoding="utf-8") as file:
            file.write(self.model_dump_json(indent=1) + "\n")
            file.flush()
            os.fsync(file.fileno())
        draft.rename(folder / MANIFEST)
