"""What Dagster loads: a folder per dataset, and the models, jobs, schedules, sensors and resources."""
