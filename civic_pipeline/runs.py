"""Run the nightly job in this process, recorded in the Dagster home so that the UI shows it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from uuid import uuid4

import dagster as dg
from filelock import FileLock, Timeout
from sqlalchemy.exc import DatabaseError
from yaml import YAMLError

from civic_pipeline import interruption, machine
from civic_pipeline.catalog import load_datasets
from civic_pipeline.components.failures import STARTED_BY, problem_of
from civic_pipeline.dagster_home import prepare_home
from civic_pipeline.dagster_private import job_origin
from civic_pipeline.errors import LockHeld, RecordsDamaged, RunFailed
from civic_pipeline.selection import select_assets
from civic_pipeline.settings import Settings
from civic_pipeline.warehouse import load_models

_DAMAGED = ("file is not a database", "disk image is malformed")  # as SQLite says it
MODULE, LOCATION, JOB = "civic_pipeline.definitions", "civic_pipeline", "nightly"


@dataclass(frozen=True)
class EndedRun:
    """`failure` is None for a run that succeeded."""

    run_id: str
    failure: RunFailed | None


def run_nightly(settings: Settings, select: tuple[str, ...] = (), debug: bool = False) -> EndedRun:
    """The nightly job, or the selected assets of it.

    Raises what `machine.require` raises, UnknownName for an unknown asset, Interrupted, and with `debug` the exception of the step.
    """
    os.environ["DAGSTER_HOME"] = str(prepare_home(settings))
    machine.require(settings)  # the night does, too: here before Dagster needs the same disk and files
    from civic_pipeline.definitions import defs

    datasets = load_datasets(settings.root)  # reports a mistake in a defs.yaml without Dagster's traceback
    names = select_assets(select, datasets, load_models(settings.root, datasets)) if select else frozenset()
    job = defs().resolve_job_def(JOB)
    with open_records(settings) as instance, alive(settings, instance) as run_id:
        # The UI lists a run under its job only if the run has the job's origin; execute_in_process has no argument for it.
        instance.create_run_for_job = partial(  # type: ignore[method-assign]
            instance.create_run_for_job, remote_job_origin=job_origin(MODULE, LOCATION, JOB)
        )
        result = job.execute_in_process(
            run_config={"loggers": {"console": {}}},
            instance=instance,
            asset_selection=[dg.AssetKey(name.split(".")) for name in sorted(names)] or None,
            raise_on_error=debug,
            tags={STARTED_BY: "civic run"},
            run_id=run_id,
        )
        if interruption.received():
            instance.report_run_canceled(result.dagster_run)
            raise interruption.Interrupted
    return EndedRun(run_id, None if result.success else failure_of(result))


@contextmanager
def open_records(settings: Settings) -> Iterator[dg.DagsterInstance]:
    """Dagster's records in its home, for the block. Raises RecordsDamaged: Dagster opens some of its files late."""
    try:
        with dg.DagsterInstance.get() as instance:
            yield instance
    except (DatabaseError, YAMLError, dg.DagsterInvalidConfigError) as error:
        if isinstance(error, DatabaseError) and not any(words in str(error) for words in _DAMAGED):
            raise  # such as a full disk
        raise RecordsDamaged(settings.dagster_home, str(error).split("\n", 1)[0]) from error


@contextmanager
def alive(settings: Settings, instance: dg.DagsterInstance) -> Iterator[str]:
    """The id of a new run, which holds a lock while it runs: the operating system releases the lock with the process.

    A started run whose lock is free was killed, whatever its host name or process id: it is recorded as failed.
    """
    folder = settings.dagster_home / "alive"
    folder.mkdir(exist_ok=True)
    for file in folder.glob("*.lock"):
        _end_if_killed(instance, file)
    run_id = str(uuid4())
    file = folder / f"{run_id}.lock"
    with FileLock(file):
        yield run_id
        file.unlink(missing_ok=True)


def _end_if_killed(instance: dg.DagsterInstance, file: Path) -> None:
    try:
        with FileLock(file, timeout=0):
            run = instance.get_run_by_id(file.stem)
            if run and not run.is_finished:
                instance.report_run_failed(run, "The process of this run was killed.")
            file.unlink(missing_ok=True)
    except Timeout:
        return  # it is still running


def failure_of(result: dg.ExecuteInProcessResult) -> RunFailed:
    """The failure that the step reported; LockHeld of another run keeps its own exit code."""
    failures = result.filter_events(lambda event: event.is_step_failure or event.is_run_failure)
    steps = [event for event in failures if event.is_step_failure]
    failed = RunFailed([problem_of(event) for event in steps or failures[-1:]])
    if any(_class_of(event) == LockHeld.__name__ for event in steps):
        failed.exit_code = LockHeld.exit_code
    return failed


def _class_of(event: dg.DagsterEvent) -> str | None:
    error = event.step_failure_data.error
    return error.cls_name if error else None
