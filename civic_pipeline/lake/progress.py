"""How far a capture is, in words."""

import time
from collections.abc import Callable

# Rows landed so far, rows counted by the portal. Landed rows are taken back where a read begins anew.
Progress = Callable[[int, int], None]


def no_progress(_landed: int, _counted: int) -> None:
    """For callers who need not know how far a capture is."""


def progress_in_words(say: Callable[[str], None], every_seconds: float) -> Progress:
    """Says rows, rate and time left, at most every so many seconds and not before the first row."""
    started = said = time.monotonic()

    def progress(landed: int, counted: int) -> None:
        nonlocal said
        now = time.monotonic()
        if now - said >= every_seconds and landed > 0:
            said, rate = now, landed / (now - started)
            left = max(0, counted - landed) / rate
            say(f"{landed:,} of {counted:,} rows, {rate:,.0f} rows/s, {left:,.0f} s left")

    return progress
