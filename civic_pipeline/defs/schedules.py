"""When the job runs. Stopped until somebody switches it on in the UI: a checkout on a laptop should not wake at night."""

import dagster as dg

from civic_pipeline.defs.jobs import nightly

nightly_schedule = dg.ScheduleDefinition(
    name="nightly_schedule",
    job=nightly,
    cron_schedule="30 5 * * *",  # after the portals' own nightly refreshes
    execution_timezone="America/New_York",
    default_status=dg.DefaultScheduleStatus.STOPPED,
)
