"""A report in Markdown that is printed line by line and can be saved in `results/`."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


class Report:
    """The lines of a report."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def add(self, section: Iterable[str]) -> None:
        """Print and keep each line of a section."""
        for line in section:
            print(line, flush=True)
            self._lines.append(line)

    def save(self, name: str) -> None:
        """Write the report to `results/<name>-<today>.md`."""
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{name}-{date.today()}.md").write_text("\n".join(self._lines) + "\n", encoding="utf-8")


def verdict(passed: bool, text: str, target: str) -> str:
    """Return a line that states whether a target was met."""
    return f"- {'PASS' if passed else 'FAIL'}: {text}; target {target}"
