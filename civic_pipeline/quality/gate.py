"""The gate every table and every release passes: stage, audit, then swap in or hold back; check across, then publish."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from civic_pipeline.catalog import table_name
from civic_pipeline.errors import ChecksFailed, CivicError, ContractBroken, NotCaptured
from civic_pipeline.lake import Lake, last_attempt
from civic_pipeline.quality.across import SUBJECT, check_across
from civic_pipeline.quality.audit import audit, data_age
from civic_pipeline.quality.failed_rows import keep_failed_rows
from civic_pipeline.quality.portal import checks_of
from civic_pipeline.quality.suites import Suites
from civic_pipeline.releases import Release
from civic_pipeline.warehouse import Build, CheckResult, Model, Staged, release


@dataclass(frozen=True)
class Outcome:
    """What became of one table: swapped in (`staged`, `lineage`, `contents`: its hash), held back (`problem` says why), or left.

    A table is left where building it again would give the same.
    """

    model: Model
    results: list[CheckResult]
    staged: Staged | None = None
    lineage: Mapping[str, list[str]] = field(default_factory=dict)
    contents: str | None = None
    newest: date | None = None
    problem: str | None = None


def failed_attempts(build: Build) -> dict[str, str]:
    """Raw tables whose portal failed on the last attempt or was never asked, or whose capture is damaged -> why.

    Records the checks of the attempts.
    """
    failed = {}
    lake = Lake(build.settings.lake)
    for name in build.datasets:
        table, made = f"raw.{table_name(name)}", last_attempt(name, lake)
        if made:
            build.record_checks(table, checks_of(made, table))
        problem = build.damaged.get(name) or (made.problem if made else str(NotCaptured(name)))
        if problem:
            failed[table] = problem
    return failed


def build_table(build: Build, suites: Suites, model: Model, held: Mapping[str, str], anew: bool = True) -> Outcome:
    """Make one table and put it in place if its inputs are current and its critical checks pass; else hold it back.

    Unless `anew`, a table that would come out as it is stays, and only its age is judged. `held` are the tables held
    back so far. A foreseen failure is in the outcome, not raised.
    """
    results: list[CheckResult] = []
    try:
        waiting_for = sorted(name for name in model.inputs if name in held)
        if waiting_for:
            raise CivicError(f"waits for {', '.join(waiting_for)}")
        if not anew and build.is_current(model):
            return Outcome(model, _judged_before(build, model))
        staged = build.stage(model)
        results = keep_failed_rows(build, model.name, audit(build, staged, suites), staged)
        failures = [result.failure for result in results if result.blocks]
        if failures:
            raise ContractBroken(model.name, failures)
        dated = model.dataset.dated_by if model.dataset else None
        newest = build.newest(staged.table, dated) if dated else build.newest_of(model.dating_inputs)
        lineage = build.swap(staged, results, newest)
        return Outcome(model, results, staged, lineage, build.contents_of(model), newest)
    except CivicError as error:
        build.hold_back(model, str(error), results)
        return Outcome(model, results, problem=str(error))


def _judged_before(build: Build, model: Model) -> list[CheckResult]:
    """The verdicts on a table that stays: of the same rows by the same rules. Only its age is judged anew."""
    recorded = {result.name: result for result in build.recorded_checks(model.name)}
    age = data_age(build, model, model.name)
    # Its words change every day; they are recorded when its verdict does, so that a day alone is no news to release.
    if age and recorded[age.name].passed != age.passed:
        recorded[age.name] = age
        build.record_checks(model.name, list(recorded.values()))
    return list((recorded | {age.name: age} if age else recorded).values())


def publish(build: Build) -> Iterator[CheckResult | Release]:
    """Check the rules across tables and release: first the results, then the new release.

    None comes while no table was ever built, or where it would say the same as the last. Raises ChecksFailed and what
    `release` raises.
    """
    if not build.accepted_tables():
        return
    results = keep_failed_rows(build, SUBJECT, check_across(build))
    build.record_checks(SUBJECT, results)
    yield from results
    failures = [result.failure for result in results if result.blocks]
    if failures:
        raise ChecksFailed(failures)
    if made := release(build):
        yield made
