"""The night without Dagster: a generator of outcomes of captures, history, tables and checks, report and release.

The caller translates the outcomes: the Dagster step into events, a test into assertions. Not here: how a table is staged
and checked (quality), and what `civic run` or a sensor does after the run.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from civic_pipeline import interruption, machine
from civic_pipeline.access import open_portals
from civic_pipeline.catalog import Dataset, table_name
from civic_pipeline.deadline import time_limit
from civic_pipeline.errors import HeldBack, NotCaptured
from civic_pipeline.lake import Attempt, Lake, Manifest, attempt_all, last_attempt, load_older_copies
from civic_pipeline.lock import only_writer
from civic_pipeline.portals import Access
from civic_pipeline.quality import (
    Suites,
    TableOutcome,
    audit,
    build_table,
    checks_of,
    retired_checks,
    write_report,
)
from civic_pipeline.releases import Release, restore_live
from civic_pipeline.run_report import keep_problems
from civic_pipeline.settings import Settings
from civic_pipeline.warehouse import Build, CheckResult, Model, open_build, record_history, release

Portals = Callable[[Settings], AbstractContextManager[Access]]


@dataclass(frozen=True)
class Selection:
    """The selected part of a night.

    `datasets` are captured, `tables` built, `only_checked` staged and checked without a swap. Unless `rebuilds` is set, an
    unchanged table is kept.
    """

    datasets: frozenset[str]
    tables: frozenset[str]
    only_checked: frozenset[str] = frozenset()
    releases: bool = True
    rebuilds: bool = False

    @classmethod
    def whole(cls, datasets: Mapping[str, Dataset], models: Mapping[str, Model]) -> "Selection":
        return cls(frozenset(datasets), frozenset(models))


@dataclass(frozen=True)
class CaptureOutcome:
    """The attempt of one source. `capture` is the accepted capture after it, None if there never was one."""

    name: str
    attempt: Attempt
    capture: Manifest | None
    results: list[CheckResult]
    seconds: float

    @property
    def table(self) -> str:
        return f"raw.{table_name(self.name)}"

    @property
    def problem(self) -> str | None:
        return self.attempt.problem


@dataclass(frozen=True)
class HistoryStopped:
    """The history of a dataset was not updated; nothing else is held back by it."""

    name: str
    why: str


@dataclass(frozen=True)
class CheckOutcome:
    """A table was staged and checked, and not swapped in."""

    results: list[CheckResult]


@dataclass(frozen=True)
class ReportOutcome:
    """The index page of the quality report of this night."""

    page: Path


@dataclass(frozen=True)
class ReleaseOutcome:
    """The new release, or None if nothing changed. `held_back`: the tables that are held back -> why."""

    release: Release | None
    held_back: Mapping[str, str]


Outcome = CaptureOutcome | HistoryStopped | TableOutcome | CheckOutcome | ReportOutcome | ReleaseOutcome


def night(
    settings: Settings,
    datasets: Mapping[str, Dataset],
    models: Mapping[str, Model],
    run_id: str,
    selection: Selection,
    say: Callable[[str], None],
    portals: Portals = open_portals,
) -> Iterator[Outcome]:
    """One night, or the selected part of it. A foreseen failure of a source or a table is in its outcome, not raised.

    Only one night at a time uses a data folder; `portals` opens the clients of the sources. Raises LockHeld if another night
    does not end in time, what `portals`, `open_build` and `release` raise, and at the end HeldBack with all failures.
    A source that was never captured is empty and no failure, unless no source that was asked could be captured.
    """
    problems: dict[str, str] = {}
    absent: dict[str, str] = {}  # sources that failed, and that never were captured before
    machine.share_files()
    with only_writer(settings.data / "run", say):
        machine.require(settings)
        if selection.releases and (restored := restore_live(settings, say)):
            say(restored)
        asked = {name: d for name, d in datasets.items() if name in selection.datasets and not d.retired}
        for captured in _captures(settings, asked, say, portals):
            interruption.check()
            if captured.problem:
                (problems if captured.capture else absent)[captured.table] = captured.problem
            yield captured
        if len(absent) == len(asked):  # nothing at all was captured: that is no matter of one source
            problems |= absent
        if selection.tables or selection.only_checked or selection.releases:
            with open_build(settings, datasets, run_id, say) as build:
                for outcome in _build(build, models, selection):
                    interruption.check()
                    match outcome:
                        case TableOutcome(problem=str(why)):
                            problems[outcome.model.name] = why
                        case ReleaseOutcome():
                            problems |= outcome.held_back
                    yield outcome
        keep_problems(settings, _decided(selection), problems)
    if problems:
        sources_first = dict(sorted(problems.items(), key=lambda problem: not problem[0].startswith("raw.")))
        raise HeldBack(sources_first, released=selection.releases)


def _decided(selection: Selection) -> frozenset[str]:
    """The names whose success or failure this night decides."""
    return selection.tables | {f"raw.{table_name(name)}" for name in selection.datasets}


def _captures(
    settings: Settings, datasets: Mapping[str, Dataset], say: Callable[[str], None], portals: Portals
) -> Iterator[CaptureOutcome]:
    if not datasets:
        return
    lake = Lake(settings.lake, datasets)
    for warning in lake.warnings(datasets):
        say(warning)
    with portals(settings) as access:
        load_older_copies(datasets, lake, access.older_copies, access.profile, say)
        for timed in attempt_all(datasets, lake, access, say):
            attempt = timed.attempt
            capture = lake.capture(attempt.capture_id) if attempt.capture_id else None
            results = checks_of(attempt, f"raw.{table_name(attempt.dataset)}")
            yield CaptureOutcome(attempt.dataset, attempt, capture, results, timed.seconds)


def _build(build: Build, models: Mapping[str, Model], selection: Selection) -> Iterator[Outcome]:
    if selection.releases:
        build.forget_all_but(models)  # first: marts about the warehouse read what is recorded of all tables
    for name, why in record_history(build, models).items():
        yield HistoryStopped(name, why)
    suites = Suites(build)
    failed = failed_sources(build)
    held = dict(failed)
    checked: dict[str, list[CheckResult]] = {}
    for model in models.values():
        began = time.monotonic()
        if model.name in selection.tables:
            outcome = build_table(build, suites, model, held, selection.rebuilds)
            if outcome.problem:
                held[model.name] = outcome.problem
            if outcome.is_audited:
                checked[model.name] = outcome.results
            yield replace(outcome, seconds=time.monotonic() - began)
        elif model.name in selection.only_checked:
            checked[model.name] = audit(build, build.stage(model), suites)
            yield CheckOutcome(checked[model.name])
    subjects = {model.name: str(model.subject) for model in models.values()}
    if page := write_report(build.settings.reports, build.run_id, subjects, checked):
        yield ReportOutcome(page)
    if selection.releases:
        with time_limit("The release", build.connection):
            released = release(build) if build.ledger.accepted_tables() else None
        yield ReleaseOutcome(released, failed | build.ledger.held_back())


def failed_sources(build: Build) -> dict[str, str]:
    """Raw tables that failed in the last attempt, or have a damaged capture -> why.

    Those that were never captured are empty and not among them, unless nothing was captured at all. Records the checks of the
    attempts.
    """
    failed = {}
    lake = Lake(build.settings.lake, build.datasets)
    for name, dataset in build.datasets.items():
        table, attempt = f"raw.{table_name(name)}", last_attempt(name, lake)
        if dataset.retired:
            build.ledger.record_checks(table, retired_checks(table))
        elif attempt:
            build.ledger.record_checks(table, checks_of(attempt, table))
        problem = attempt.problem if attempt else str(NotCaptured(name))
        if name in build.damaged:
            failed[table] = build.damaged[name]
        elif problem and name not in build.never_captured and not dataset.retired:
            failed[table] = problem
    return failed
