"""Rules across tables, from `sql/checks/`: each query returns the rows that break it."""

from pathlib import Path

import duckdb

from civic_pipeline.errors import ModelFailed
from civic_pipeline.quality.plan import PlannedCheck
from civic_pipeline.warehouse import Build, CheckResult

SUBJECT = "warehouse"
_EXAMPLES = 5


def rules_across(root: Path) -> dict[Path, PlannedCheck]:
    """The rules under `root/sql/checks`; the leading comment says what a returned row is."""
    return {
        path: PlannedCheck(SUBJECT, path.stem, "across", "critical", _purpose(path))
        for path in sorted((root / "sql" / "checks").glob("*.sql"))
    }


def check_across(build: Build) -> list[CheckResult]:
    """Run every rule on the accepted tables. A rule whose tables were never built cannot be broken and is left out."""
    results = []
    for path, check in rules_across(build.settings.root).items():
        try:
            offending = build.connection.execute(path.read_text(encoding="utf-8")).fetchall()
        except duckdb.CatalogException:
            continue
        except duckdb.Error as error:
            raise ModelFailed(path, str(error)) from error
        examples = tuple(", ".join(str(value) for value in row) for row in offending[:_EXAMPLES])
        results.append(check.result(not offending, None, len(offending), examples))
    return results


def _purpose(path: Path) -> str:
    lines = [line[2:].strip() for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("--")]
    return " ".join(lines) or path.stem.replace("_", " ")
