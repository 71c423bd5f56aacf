"""A run that was killed leaves nothing behind that stops the next one, under whatever host name or process id."""

import subprocess
import sys
import uuid

import dagster as dg
from filelock import FileLock
from terminal import Place

HOLDING = """
import sys, time
from filelock import FileLock
with FileLock(sys.argv[1]), FileLock(sys.argv[2]):
    print("held", flush=True)
    time.sleep(600)
"""


def leave_run(instance: dg.DagsterInstance) -> str:
    """A run that the home believes to be under way."""
    run = dg.DagsterRun(job_name="nightly", run_id=str(uuid.uuid4()), status=dg.DagsterRunStatus.STARTED)
    instance.add_run(run)
    return run.run_id


def test_a_killed_run_is_recorded_and_its_locks_are_free(place: Place) -> None:
    assert place.run("raw/baltimore_spending").code == 0
    alive = place.data / "dagster_home" / "alive"
    with dg.DagsterInstance.from_config(str(place.data / "dagster_home")) as instance:
        killed, living = leave_run(instance), leave_run(instance)
        # The data folder's lock and the run's own, held by a process that dies without a word.
        holder = subprocess.Popen(
            [sys.executable, "-c", HOLDING, place.data / "run.lock", alive / f"{killed}.lock"], stdout=subprocess.PIPE
        )
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        holder.kill()
        holder.wait()
        with FileLock(alive / f"{living}.lock"):
            assert place.run("raw/baltimore_spending").code == 0
        assert instance.get_run_by_id(killed).status == dg.DagsterRunStatus.FAILURE
        assert instance.get_run_by_id(living).status == dg.DagsterRunStatus.STARTED
        assert [file.stem for file in alive.iterdir()] == [living]
