"""Notifications about runs that Dagster launched. Off until switched on; CIVIC_NOTIFY sets the receiver.

`civic run` sends its own notifications, so the sensors skip its runs.
"""

import dagster as dg

from civic_pipeline.components.failures import STARTED_BY, problem_of
from civic_pipeline.run_report import report_run
from civic_pipeline.settings import Settings


@dg.run_failure_sensor(name="report_failed_runs", default_status=dg.DefaultSensorStatus.STOPPED)
def report_failed_runs(context: dg.RunFailureSensorContext) -> None:
    """Send one message with everything that newly failed or is held back, and why."""
    if STARTED_BY in context.dagster_run.tags:
        return
    events = context.get_step_failure_events() or [context.failure_event]
    failure = "\n".join(problem_of(event) for event in events)
    report_run(Settings.from_environment(), context.dagster_run.run_id, failure, context.log.error)


@dg.run_status_sensor(
    run_status=dg.DagsterRunStatus.SUCCESS,
    name="report_recovered_runs",
    default_status=dg.DefaultSensorStatus.STOPPED,
)
def report_recovered_runs(context: dg.RunStatusSensorContext) -> None:
    """Send one message with what recovered, and call the heartbeat after a good night."""
    if STARTED_BY not in context.dagster_run.tags:
        report_run(Settings.from_environment(), context.dagster_run.run_id, None, context.log.info)
