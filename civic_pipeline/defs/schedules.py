"""The nightly schedule. It is off until it is switched on in the UI, so that a development checkout runs nothing at night."""

import dagster as dg

from civic_pipeline.defs.jobs import nightly

nightly_schedule = dg.ScheduleDefinition(
    name="nightly_schedule",
    job=nightly,
    cron_schedule="30 5 * * *",  # after the nightly updates of the portals
    execution_timezone="America/New_York",
    default_status=dg.DefaultScheduleStatus.STOPPED,
)
