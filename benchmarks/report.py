"""A report that is printed line by line as it is measured, and kept for `results/`; whether a target was met."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


class Report:
    """Markdown."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def say(self, section: Iterable[str]) -> None:
        """Lines, each printed when it comes."""
        for line in section:
            print(line, flush=True)
            self._lines.append(line)

    def keep(self, name: str) -> None:
        """Write what was said to `results/<name>-<today>.md`."""
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{name}-{date.today()}.md").write_text("\n".join(self._lines) + "\n", encoding="utf-8")


def verdict(passed: bool, said: str, target: str) -> str:
    """A line of a report."""
    return f"- {'PASS' if passed else 'FAIL'}: {said}; target {target}"
