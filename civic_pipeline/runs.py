"""One run of the nightly job in this process, recorded in the Dagster home, so that the UI shows it."""

import os
import socket

import dagster as dg

from civic_pipeline.catalog import load_datasets
from civic_pipeline.dagster_home import prepare_home
from civic_pipeline.errors import CivicError, LockHeld, RunFailed, UnknownName
from civic_pipeline.settings import Settings

# Which process a run lives in, so that a later one can tell whether it was killed.
PID, HOST = "civic_pipeline/pid", "civic_pipeline/host"


def run_nightly(settings: Settings, select: tuple[str, ...] = (), debug: bool = False) -> RunFailed | None:
    """The nightly job, or the selected assets of it: None, or how it failed.

    Raises UnknownName for an asset that is not there, and with `debug` whatever a step raised.
    """
    os.environ["DAGSTER_HOME"] = str(prepare_home(settings))
    from civic_pipeline.definitions import defs

    load_datasets(settings.root)  # names a mistake in a defs.yaml in our words; Dagster would show its traceback
    job = defs().resolve_job_def("nightly")
    assets = _assets(job, select) if select else None
    with dg.DagsterInstance.get() as instance:
        _end_killed_runs(instance)
        result = job.execute_in_process(
            run_config={"loggers": {"console": {}}},
            instance=instance,
            asset_selection=assets,
            raise_on_error=debug,
            tags={PID: str(os.getpid()), HOST: socket.gethostname()},
        )
    return None if result.success else failure_of(result)


def _assets(job: dg.JobDefinition, names: tuple[str, ...]) -> list[dg.AssetKey]:
    known = {key.to_user_string(): key for key in job.asset_layer.executable_asset_keys}
    for name in names:
        if name not in known:
            raise UnknownName("asset", name, known)
    return [known[name] for name in names]


def _end_killed_runs(instance: dg.DagsterInstance) -> None:
    """Record the runs whose process is gone as failed, and give back their places in Dagster's pools.

    Dagster frees the place of a killed run only by hand or by a daemon; until then every later run would wait for it.
    """
    started = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED], tags={HOST: socket.gethostname()})
    for run in instance.get_runs(started):
        if not _is_alive(int(run.tags[PID])):
            instance.report_run_failed(run, f"Process {run.tags[PID]} was killed.")
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's, so alive
        return True
    return True


def failure_of(result: dg.ExecuteInProcessResult) -> RunFailed:
    """What the steps that failed said of it; of a busy warehouse, with the exit code of that."""
    failures = result.filter_events(lambda event: event.is_step_failure or event.is_run_failure)
    steps = [event for event in failures if event.is_step_failure]
    ended = RunFailed([_problem(event) for event in steps or failures[-1:]])
    if any(_is_of(event, LockHeld) for event in steps):
        ended.exit_code = LockHeld.exit_code
    return ended


def _problem(event: dg.DagsterEvent) -> str:
    """What a step's author said of its failure, or the exception itself where nobody foresaw it."""
    step = event.step_failure_data if event.is_step_failure else None
    if step and step.user_failure_data and step.user_failure_data.description:
        return step.user_failure_data.description
    error = step.error if step else event.job_failure_data.error  # before the first step, such as no portals to ask
    cause = error.cause or error if error else None
    return f"{event.step_key or 'run'}: {cause.message.strip()} (--debug shows where)" if cause else str(event.message)


def _is_of(event: dg.DagsterEvent, failure: type[CivicError]) -> bool:
    """Whether a step failed because of `failure`; Dagster keeps the chain of causes as text."""
    error = event.step_failure_data.error
    while error is not None and error.cls_name != failure.__name__:
        error = error.cause
    return error is not None
