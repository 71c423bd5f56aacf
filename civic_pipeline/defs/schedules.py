"""The nightly schedule, off in a new home, so that a development checkout runs nothing at night."""

import dagster as dg

from civic_pipeline.defs.jobs import nightly

nightly_schedule = dg.ScheduleDefinition(
    name="nightly_schedule",
    job=nightly,
    description="The nightly job, after the nightly updates of the portals. Off until somebody switches it on.",
    cron_schedule="30 5 * * *",
    execution_timezone="America/New_York",
    default_status=dg.DefaultScheduleStatus.STOPPED,
)
