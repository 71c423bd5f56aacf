"""Build one table: stage it, audit it, then swap it in or hold it back. A release takes the accepted tables unchecked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from civic_pipeline import interruption
from civic_pipeline.catalog import accepted_as
from civic_pipeline.deadline import time_limit
from civic_pipeline.errors import CivicError
from civic_pipeline.quality.audit import audit, data_age
from civic_pipeline.quality.drift import refusal, remember
from civic_pipeline.quality.failed_rows import keep_failed_rows
from civic_pipeline.quality.plan import planned_checks
from civic_pipeline.quality.suites import Suites
from civic_pipeline.warehouse import Accepted, Build, CheckResult, Model

Status = Literal["built", "unchanged", "held_back", "never_captured"]


@dataclass(frozen=True)
class TableOutcome:
    """The outcome of one table. `accepted` is its accepted version now, None if there never was one.

    `results` are of this run if `is_audited`, else those of the accepted version. `problem` says why it is held back,
    `held_back_since` the start of the first run that held it back. `sample` has up to five of its rows, without columns about
    persons; `seconds` is the time it took. A table that is `never_captured` is empty, and its checks do not run.
    """

    model: Model
    status: Status
    results: list[CheckResult]
    accepted: Accepted | None = None
    is_audited: bool = False
    sample: list[dict[str, str]] = field(default_factory=list)
    problem: str | None = None
    held_back_since: datetime | None = None
    seconds: float = 0.0


def build_table(
    build: Build, suites: Suites, model: Model, held: Mapping[str, str], rebuilds: bool = True
) -> TableOutcome:
    """Build one table and swap it in if its inputs are current and its critical checks pass; else hold it back.

    Unless `rebuilds` is set, a table whose fingerprint is unchanged is kept, and only its age is checked. `held` are the
    tables held back so far. A foreseen failure is in the outcome, not raised.
    """
    results: list[CheckResult] = []
    model = build.available(model)
    try:
        waiting_for = sorted(table for name in model.inputs if (table := accepted_as(name)) in held)
        if waiting_for:
            raise CivicError(f"waits for {', '.join(waiting_for)}")
        if not rebuilds and build.is_current(model) and (recorded := _judged_before(build, model)):
            accepted = build.ledger.accepted(model)
            is_absent = accepted is not None and build.is_absent(model, accepted.rows)
            status: Status = "never_captured" if is_absent else "unchanged"
            return TableOutcome(model, status, recorded, accepted, sample=build.sample(model))
        with time_limit(model.name, build.connection):
            staged = build.stage(model)
            is_absent = build.is_absent(model, staged.rows)
            results = _not_run(model) if is_absent else audit(build, staged, suites)
            results = keep_failed_rows(build, results, staged)
        blocking = [result for result in results if result.blocks]
        if blocking:
            raise refusal(build, model, blocking)
        dated = model.dataset.dated_by if model.dataset else None
        build.swap(
            staged, results, build.newest(staged.table, dated) if dated else build.ledger.newest_of(model.dating_inputs)
        )
        remember(build, model)
        status = "never_captured" if is_absent else "built"
        return TableOutcome(model, status, results, build.ledger.accepted(model), True, build.sample(model))
    except CivicError as error:
        interruption.check()  # an interrupted query is not the table's fault
        since = build.hold_back(model, str(error), results)
        return TableOutcome(
            model, "held_back", results or build.ledger.recorded_checks(model.name), build.ledger.accepted(model), bool(results),
            problem=str(error), held_back_since=since,
        )  # fmt: skip


def _not_run(model: Model) -> list[CheckResult]:
    """The checks of a table whose sources were never captured: no rows break a rule, and some rules ask for rows."""
    why = (
        f"not_run: never captured: {', '.join(sorted(name for name in model.inputs if not name.startswith('seeds.')))}"
    )
    return [check.not_run(why) for check in planned_checks(model).values()]


def _judged_before(build: Build, model: Model) -> list[CheckResult] | None:
    """The recorded results of an unchanged table. Only the age of its data is checked again.

    None if the names of its checks are no longer those that were recorded.
    """
    recorded = {result.name: result for result in build.ledger.recorded_checks(model.name)}
    if recorded.keys() != planned_checks(model).keys():
        return None
    age = None if all(result.not_run for result in recorded.values()) else data_age(build, model, model.name)
    # The text of data_age changes every day; record it only when the verdict changes, or every day would need a new release.
    if age and recorded[age.name].passed != age.passed:
        recorded[age.name] = age
        build.ledger.record_checks(model.name, list(recorded.values()))
    return list((recorded | {age.name: age} if age else recorded).values())
