"""What Dagster loads: a folder per dataset, and the night, jobs, schedules, sensors and loggers."""
