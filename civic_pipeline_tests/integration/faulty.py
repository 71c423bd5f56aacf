"""Demo portals with faults that must change a response: otherwise the test shows nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from civic_pipeline.demo import DemoPortals, Faults

# Details of faults, not faults themselves.
_DETAILS = {
    "after_pages", "burst_status", "retry_after", "error_details", "heavy_code", "flagged_empty_times", "latency_ms",
    "edit", "edit_rows", "edits_forever",
}  # fmt: skip


@contextmanager
def faulty(folder: Path, **faults: Any) -> Iterator[DemoPortals]:
    """Serve `folder` with these faults. At the end of the block, each must have changed a response."""
    usual, wanted = Faults(), Faults(**faults)
    with DemoPortals(folder, faults=wanted) as portals:
        yield portals
        names = wanted.model_fields_set - _DETAILS
        missed = [name for name in names if getattr(wanted, name) != getattr(usual, name) and not portals.struck(name)]
    assert not missed, f"{', '.join(missed)} changed no response"
