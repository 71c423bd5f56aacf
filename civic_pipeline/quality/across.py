"""Rules across tables, from `sql/checks/`: each query returns the rows that break it."""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import duckdb

from civic_pipeline.errors import CatalogIncomplete, ModelFailed
from civic_pipeline.quality.plan import PlannedCheck
from civic_pipeline.warehouse import Build, CheckResult, tables_read

SUBJECT = "warehouse"
_EXAMPLES = 5


def rules_across(root: Path, models: Collection[str]) -> dict[Path, PlannedCheck]:
    """The rules under `root/sql/checks`; the leading comment of each says what a returned row is.

    Raises FileInvalid, or CatalogIncomplete for a rule about a table that none of `models` makes: it would never run.
    """
    rules = {}
    for path in _files(root):
        unknown = sorted(_models_read(path) - set(models))
        if unknown:
            raise CatalogIncomplete(f"{path} reads {', '.join(unknown)}, which no model makes. Check the spelling.")
        rules[path] = _planned(path)
    return rules


def check_across(build: Build) -> list[CheckResult]:
    """Run every rule on the accepted tables. A rule about a table that was never accepted has nothing to check yet."""
    results = []
    for path in _files(build.settings.root):
        if not _models_read(path) <= build.accepted_tables():
            continue
        try:
            offending = build.connection.execute(sql := path.read_text(encoding="utf-8")).fetchall()
        except duckdb.Error as error:
            raise ModelFailed(path, str(error)) from error
        examples = tuple(", ".join(str(value) for value in row) for row in offending[:_EXAMPLES])
        result = _planned(path).result(not offending, None, len(offending), examples)
        results.append(replace(result, failed_rows_sql=sql) if offending else result)
    return results


def _models_read(path: Path) -> set[str]:
    return {table for table in tables_read(path) if not table.startswith("seeds.")}


def _files(root: Path) -> list[Path]:
    return sorted((root / "sql" / "checks").glob("*/*.sql"))


def _planned(path: Path) -> PlannedCheck:
    lines = [line[2:].strip() for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("--")]
    return PlannedCheck(SUBJECT, path.stem, "across", "critical", " ".join(lines) or path.stem.replace("_", " "))
