"""The gate every table and every release passes: stage, audit, then swap in or hold back; check across, then publish."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from civic_pipeline.catalog import Dataset, table_name
from civic_pipeline.errors import ChecksFailed, CivicError, ContractBroken, NotCaptured
from civic_pipeline.lake import Lake, last_visit
from civic_pipeline.quality.across import SUBJECT, check_across
from civic_pipeline.quality.audit import audit
from civic_pipeline.quality.portal import checks_of
from civic_pipeline.quality.suites import Suites
from civic_pipeline.warehouse import Build, CheckResult, Model, Staged, release


@dataclass(frozen=True)
class Outcome:
    """What became of one table. `staged` and `lineage` are those of the swapped table; `problem` says why it was held back."""

    model: Model
    results: list[CheckResult]
    staged: Staged | None = None
    lineage: Mapping[str, list[str]] = field(default_factory=dict)
    newest: date | None = None
    problem: str | None = None


def failed_visits(build: Build) -> dict[str, str]:
    """Raw tables whose portal failed on the last visit or was never asked, or whose capture is damaged -> why.

    Records the checks of the visits.
    """
    failed = {}
    lake = Lake(build.settings.lake)
    for name in build.datasets:
        table, made = f"raw.{table_name(name)}", last_visit(name, lake)
        if made:
            build.record_checks(table, checks_of(made, table))
        problem = build.damaged.get(name) or (made.problem if made else str(NotCaptured(name)))
        if problem:
            failed[table] = problem
    return failed


def build_table(
    build: Build, suites: Suites, model: Model, dataset: Dataset | None, held: Mapping[str, str]
) -> Outcome:
    """Make one table and put it in place if its inputs are current and its critical checks pass; else hold it back.

    `held` are the tables held back so far. A foreseen failure is in the outcome, not raised.
    """
    results: list[CheckResult] = []
    try:
        waiting_for = sorted(name for name in model.inputs if name in held)
        if waiting_for:
            raise CivicError(f"waits for {', '.join(waiting_for)}")
        staged = build.stage(model)
        results = audit(build, staged, dataset, suites)
        failures = [result.failure for result in results if result.blocks]
        if failures:
            raise ContractBroken(model.name, failures)
        dated = dataset.dated_by if dataset else None
        newest = build.newest(staged.table, dated) if dated else build.newest_of(model.dating_inputs)
        return Outcome(model, results, staged, build.swap(staged, results, newest), newest)
    except CivicError as error:
        build.hold_back(model, str(error), results)
        return Outcome(model, results, problem=str(error))


def publish(build: Build) -> Iterator[CheckResult | Path]:
    """Check the rules across tables and release: first the results, then the released file.

    Nothing is released, and no path comes, while no table was ever built. Raises ChecksFailed and what `release` raises.
    """
    if not build.accepted_tables():
        return
    results = check_across(build)
    build.record_checks(SUBJECT, results)
    yield from results
    failures = [result.failure for result in results if result.blocks]
    if failures:
        raise ChecksFailed(failures)
    yield release(build)
