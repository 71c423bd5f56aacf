"""The failure of a Dagster run, one line per step."""

import dagster as dg

from civic_pipeline.errors import disk_error
from civic_pipeline.settings import Settings

STARTED_BY = "civic_pipeline/started_by"  # the tag of runs that were not launched by Dagster


def problem_of(event: dg.DagsterEvent) -> str:
    """The message of a foreseen failure, or the exception itself if it was not foreseen."""
    error = event.step_failure_data.error if event.is_step_failure else event.job_failure_data.error
    if error is None:
        return str(event.message)
    if not error.stack:
        return error.message
    cause = error.cause or error  # Dagster wraps what a step raised
    if disk := disk_error(Settings.from_environment().data, cause.message.strip()):
        return str(disk)
    return f"{event.step_key or 'run'}: {cause.message.strip()} (--debug shows where)"
