"""Who hears of a failed run. Stopped until switched on; where it goes is set by CIVIC_NOTIFY (log, webhook or email)."""

import dagster as dg

from civic_pipeline.notify import Notification, notifier_from_environment


@dg.run_failure_sensor(name="tell_about_failed_runs", default_status=dg.DefaultSensorStatus.STOPPED)
def tell_about_failed_runs(context: dg.RunFailureSensorContext) -> None:
    """One message naming everything that was held back and why."""
    steps = [
        event
        for event in context.get_step_failure_events()
        if event.step_failure_data.error or event.step_failure_data.user_failure_data
    ]
    problems = [_problem(event) for event in steps] or [context.failure_event.message or "no reason was recorded"]
    notification = Notification(
        subject=f"civic_pipeline: {context.dagster_run.job_name} failed",
        body="\n".join(problems),
        run_id=context.dagster_run.run_id,
    )
    notifier_from_environment(context.log.error).send(notification)


def _problem(event: dg.DagsterEvent) -> str:
    data = event.step_failure_data
    told = data.user_failure_data.description if data.user_failure_data else None
    error = data.error.cause or data.error if data.error else None  # Dagster wraps what a step raised
    return f"{event.step_key}: {told or (error.message.strip() if error else event.message)}"
