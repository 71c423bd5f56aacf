"""The rows of `meta.captures`: the current capture of a dataset, the outcome of the last attempt, and who accepted it."""

from datetime import datetime

import duckdb

from civic_pipeline.catalog import Dataset
from civic_pipeline.lake import Lake, Manifest, last_attempt
from civic_pipeline.warehouse import meta


def record_capture(
    connection: duckdb.DuckDBPyConnection, lake: Lake, name: str, dataset: Dataset, accepted: Manifest | None
) -> None:
    """Replace the rows of dataset `name`: one per file of its capture, or one without a capture."""
    last = last_attempt(name, lake)
    shared: dict[str, object] = {
        "dataset": name, "publisher": dataset.publisher, "licence": dataset.licence,
        "attempted_at": meta.naive(datetime.fromisoformat(last.attempted_at)) if last else None,
        "status": "retired" if dataset.retired else last.status if last else None,
        "problem": last.problem if last and not dataset.retired else None,
    }  # fmt: skip
    rows: list[dict[str, object]] = []
    if accepted is None:
        meta.put(connection, "meta.captures", "dataset", name, [shared])
        return
    for part in accepted.parts:
        fetched: dict[str, object] = {
            "capture_id": accepted.capture_id, "profile": accepted.profile,
            "captured_at": accepted.moment, **_acceptance(accepted),
            "edition": part.edition, "title": part.title, "url": part.url, "counted_rows": part.counted, "landed_rows": part.landed,
            "distinct_rows": part.distinct, "reused_ids": part.reused_ids, "requests": part.requests, "retries": part.retries,
            "full_read_at": meta.naive(datetime.fromisoformat(part.full_read_at)), "pages_halved": part.pages_halved,
            "received_bytes": part.received_bytes, "bytes": part.bytes, "sha256": part.sha256,
            "freshness_token": part.freshness_token, "freshness_link": part.freshness_link,
        }  # fmt: skip
        rows.append(shared | fetched)
    meta.put(connection, "meta.captures", "dataset", name, rows)


def _acceptance(capture: Manifest) -> dict[str, object]:
    """Who accepted its drift, when and why; empty if nobody had to."""
    verdict = capture.acceptance
    if verdict is None:
        return {}
    at = meta.naive(datetime.fromisoformat(verdict.at))
    return {"accepted_by": verdict.by, "accepted_at": at, "accepted_because": verdict.because}
