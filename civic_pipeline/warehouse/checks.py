"""The result of a check: one row of `meta.checks`, and one row of a Dagster check's metadata table."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from civic_pipeline.catalog import Severity
from civic_pipeline.foreign_text import in_one_line
from civic_pipeline.settings import Settings

Layer = Literal["portal", "row", "table", "across", "time", "drift"]


@dataclass(frozen=True)
class CheckResult:
    """`table` is `schema.table`; `unexpected` counts the offending rows (or the amount by which a sum is off).

    If single rows failed, `failed_rows_sql` selects them with their key, and `failed_rows` is a Parquet file with up to
    1,000 of them. `not_run` is the reason why the check did not run; such a check neither passed nor failed.
    """

    table: str
    name: str
    layer: Layer
    severity: Severity
    passed: bool
    description: str
    evaluated: int | None = None
    unexpected: float | None = None
    examples: tuple[str, ...] = ()
    failed_rows_sql: str | None = None
    failed_rows: Path | None = None
    not_run: str | None = None

    @property
    def failed(self) -> bool:
        return not self.passed and self.not_run is None

    @property
    def verdict(self) -> str:
        """passed, failed, or the reason why it did not run."""
        return self.not_run or ("passed" if self.passed else "failed")

    @property
    def blocks(self) -> bool:
        """Whether the result holds the table back."""
        return self.failed and self.severity == "critical"

    @property
    def failure(self) -> str:
        """The failure in one line."""
        count = f", {self.unexpected:,.10g} unexpected" if self.unexpected is not None else ""
        shown = f", such as {'; '.join(self.examples[:3])}" if self.examples else ""
        return in_one_line(f"{self.name} ({self.description}{count}{shown})")


def failed_rows_file(settings: Settings, table: str, check: str) -> Path:
    """The file of the rows that failed a check."""
    return settings.failed_rows / table / f"{check}.parquet"
