"""Progress of a capture, as lines of text."""

import time
from collections.abc import Callable

# (rows stored so far, rows counted by the portal). The first number falls if a read starts again.
Progress = Callable[[int, int], None]


def no_progress(_landed: int, _counted: int) -> None:
    """Ignore the progress."""


def report_progress(log: Callable[[str], None], every_seconds: float) -> Progress:
    """A function that logs rows, rate and time left: at most once in `every_seconds`, from the first row on."""
    started = logged_at = time.monotonic()

    def progress(landed: int, counted: int) -> None:
        nonlocal logged_at
        now = time.monotonic()
        if now - logged_at >= every_seconds and landed > 0:
            logged_at, rate = now, landed / (now - started)
            left = max(0, counted - landed) / rate
            log(f"{landed:,} of {counted:,} rows, {rate:,.0f} rows/s, {left:,.0f} s left")

    return progress
