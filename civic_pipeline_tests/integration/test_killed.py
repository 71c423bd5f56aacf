"""A run that was killed leaves nothing behind that stops the next one."""

import os
import socket
import subprocess
import sys
import uuid

import dagster as dg
from terminal import Place

from civic_pipeline.runs import HOST, PID

# Where the killed run stood: it was capturing, so it holds the only place in the pool.
POOL, STEP = "portal_arcgis", "raw__baltimore_spending"


def leave_run(instance: dg.DagsterInstance, pid: int) -> str:
    """A run that the home believes to be under way in process `pid`."""
    run = dg.DagsterRun(
        job_name="nightly", run_id=str(uuid.uuid4()), status=dg.DagsterRunStatus.STARTED,
        tags={PID: str(pid), HOST: socket.gethostname()},
    )  # fmt: skip
    instance.add_run(run)
    return run.run_id


def test_a_killed_run_is_recorded_and_its_place_in_the_pool_is_free(place: Place) -> None:
    assert place.run("raw/baltimore_spending").code == 0
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    with dg.DagsterInstance.from_config(str(place.data / "dagster_home")) as instance:
        killed, alive = leave_run(instance, gone.pid), leave_run(instance, os.getpid())
        assert instance.event_log_storage.claim_concurrency_slot(POOL, killed, STEP).is_claimed
        assert place.run("raw/baltimore_spending", patience_seconds=180).code == 0  # it waits for ever for a held place
        assert instance.get_run_by_id(killed).status == dg.DagsterRunStatus.FAILURE
        assert instance.get_run_by_id(alive).status == dg.DagsterRunStatus.STARTED
