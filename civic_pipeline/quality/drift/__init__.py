"""Drift: compare a staged clean table with its last accepted version, because a complete capture can still be wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Final

from civic_pipeline.catalog import Dataset, Severity, table_name
from civic_pipeline.errors import ContractBroken
from civic_pipeline.lake import Lake, Manifest, Verdict
from civic_pipeline.quality.drift.accepted import note_staged, recall, remember_staged
from civic_pipeline.quality.drift.clocks import check_clocks, check_name
from civic_pipeline.quality.drift.comparison import Comparison, Version
from civic_pipeline.quality.drift.profile import WHOLE, profile
from civic_pipeline.quality.drift.rules import Finding, Rule, rules
from civic_pipeline.quality.drift.watched import Watched, watched
from civic_pipeline.quality.planned_check import PlannedCheck
from civic_pipeline.releases.contents import types_of
from civic_pipeline.warehouse import Build, CheckResult, Model, Staged

__all__ = [
    "LAYER", "Comparison", "Version", "Watched", "check_drift", "drift_checks", "refusal", "remember",
    "rules", "run_rules", "watched",
]  # fmt: skip

LAYER: Final = "drift"
_EXAMPLES = 5
_FEWEST_ROWS = 5  # fewer rows than this show no pattern


def drift_checks(model: Model) -> list[tuple[str, Severity, str]]:
    """Name, highest severity and description of the drift checks of a clean table, in order."""
    dataset = model.dataset
    if dataset is None:
        return []
    checks = [(rule.name, rule.severity, rule.description) for rule in _rules(model, dataset)]
    for column, policy in dataset.time_zones.items():
        if policy == "date_only":
            checks.append((check_name(column, policy), "critical", f"{column} has days only: every time is midnight"))
        elif policy == "local_labelled_utc":
            text = f"the times of {column} have not moved by several hours"
            checks.append((check_name(column, policy), "warning", text))
    return checks


def check_drift(build: Build, staged: Staged, planned: Mapping[str, PlannedCheck]) -> dict[str, CheckResult]:
    """The results of the drift checks, by name. A failure that a person accepted passes, with a note."""
    model, dataset = staged.model, staged.model.dataset
    if dataset is None:
        return {}
    lake, capture = Lake(build.settings.lake, build.datasets), _current(build, model)
    if capture is None:
        return {c.name: c.result(True, examples=("never captured",)) for c in planned.values() if c.layer == LAYER}
    memory = recall(build.connection, model.name)
    columns = watched(model)
    note_staged(build.connection, profile(build.connection, staged.table, columns), capture.capture_id)
    findings: dict[str, Finding] = {}
    before = None
    if memory.capture_id is None or model.name not in build.ledger.accepted_tables():
        remark = "no accepted version to compare with yet"
    elif memory.capture_id == capture.capture_id:
        remark = "the same capture as in the accepted version"
    else:
        remark = f"compared with {memory.capture_id}"
        before = lake.find(memory.capture_id)
        findings = _compare(build, capture.dataset, staged, dataset, columns, memory.contents)
    findings |= check_clocks(build.connection, dataset, lake, capture, before)
    return {
        check.name: _result(check, findings.get(check.name, Finding()), remark, capture)
        for check in planned.values()
        if check.layer == LAYER
    }


def remember(build: Build, model: Model) -> None:
    """Record that the staged version of `model` was accepted: later versions are compared with it."""
    capture = _current(build, model)
    if capture:
        remember_staged(build.connection, model.name)
        Lake(build.settings.lake, build.datasets).clear(capture)


def refusal(build: Build, model: Model, blocking: Sequence[CheckResult]) -> ContractBroken:
    """Why the staged version of `model` is held back. Marks its capture, so that later captures are not compared with it."""
    capture, failures = _current(build, model), [result.failure for result in blocking]
    if capture is None:
        return ContractBroken(model.name, failures)
    if capture.verdict is None:
        text = "; ".join(failures)
        verdict = Verdict(status="failed_checks", at=datetime.now(UTC).isoformat(timespec="seconds"), because=text)
        Lake(build.settings.lake, build.datasets).judge(capture.capture_id, verdict)
    is_drift = any(result.layer == LAYER for result in blocking)
    return ContractBroken(model.name, failures, capture.capture_id if is_drift else None)


def _current(build: Build, model: Model) -> Manifest | None:
    """The capture that a clean table is built from; None for other tables."""
    name = next((name for name in build.datasets if model.name == f"clean.{table_name(name)}"), None)
    return Lake(build.settings.lake, build.datasets).accepted(name, build.as_of) if name else None


def _compare(
    build: Build, name: str, staged: Staged, dataset: Dataset, columns: Watched, contents: Mapping[str, frozenset[str]]
) -> dict[str, Finding]:
    connection, table = build.connection, staged.model.name
    shared = types_of(connection, table).items() & types_of(connection, staged.table).items()
    columns = columns.among({column for column, _ in shared})
    comparison = Comparison.of(
        connection, columns, dataset.drift, Version(table, _repeated_rows(build, table)),
        Version(staged.table, staged.repeated_rows), contents, _declared_gaps(build, name),
    )  # fmt: skip
    return run_rules(comparison)


def run_rules(comparison: Comparison) -> dict[str, Finding]:
    """A finding per rule. A table whose rows are those of the accepted or an earlier version has not drifted."""
    before, after = comparison.whole
    is_same = WHOLE in comparison.returned or before.contents == after.contents
    return {
        rule.name: Finding()
        if before.rows < _FEWEST_ROWS or (is_same and rule.looks_at_rows)
        else rule.find(comparison)
        for rule in rules(comparison.watched, comparison.drift)
    }


def _rules(model: Model, dataset: Dataset) -> list[Rule]:
    return rules(watched(model), dataset.drift)


def _result(check: PlannedCheck, finding: Finding, remark: str, capture: Manifest) -> CheckResult:
    if finding.severity is None:
        return check.result(True, examples=(remark,))
    examples = finding.examples[:_EXAMPLES]
    if capture.acceptance:
        return check.result(True, None, len(finding.moves), (capture.acceptance.in_words, *examples)[:_EXAMPLES])
    return replace(check.result(False, None, len(finding.moves), examples), severity=finding.severity)


def _repeated_rows(build: Build, table: str) -> int:
    """Rows of the accepted table that were dropped because the source published them twice."""
    row = build.connection.execute("select repeated_rows from meta.tables where table_name = ?", [table]).fetchone()
    return int(row[0] or 0) if row else 0


def _declared_gaps(build: Build, name: str) -> frozenset[date]:
    """The first days of the months that the coverage notes of a dataset declare."""
    exists = build.connection.execute(
        "select 1 from duckdb_tables() where schema_name = 'seeds' and table_name = 'coverage_notes'"
    ).fetchone()
    if not exists:
        return frozenset()
    place, _, dataset = name.partition("/")
    rows = build.connection.execute(
        "select unnest(generate_series(cast(first_month as date), cast(last_month as date), interval 1 month))"
        " from seeds.coverage_notes where city = ? and source = ?",
        [place, dataset],
    ).fetchall()
    return frozenset(date(month.year, month.month, 1) for (month,) in rows)
