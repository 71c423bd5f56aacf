"""The first signal ends a run, whatever it is doing, in one line; Dagster shows it as canceled; the next run is undisturbed."""

import signal
import subprocess
import time

import dagster as dg
import pytest
from terminal import PATIENCE_SECONDS, Place

SECONDS_TO_END = 60  # for a loaded machine; a process that nothing ends by itself is ended after 8


def interrupted(place: Place, number: signal.Signals, line: bytes, after: float) -> subprocess.Popen[bytes]:
    """`civic run` that gets a signal so many seconds after it wrote a line with `line`; an empty one: at its start."""
    process = place.start("run")
    assert process.stderr is not None
    if line:
        assert any(line in written for written in process.stderr)
    time.sleep(after)
    process.send_signal(number)
    return process


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "line", "after"),
    [
        (signal.SIGTERM, b"", 3.0),
        (signal.SIGINT, b"unchanged since", 0.0),
        (signal.SIGTERM, b"unchanged since", 0.3),
        (signal.SIGINT, b"checks passed", 0.0),
        (signal.SIGTERM, b"checks passed", 0.2),
    ],
)
def test_the_first_signal_ends_a_run(place: Place, number: signal.Signals, line: bytes, after: float) -> None:
    model = place.root / "sql/clean/maryland/mbe_directory.sql"
    model.write_text(model.read_text(encoding="utf-8") + "-- built again\n", encoding="utf-8")
    process = interrupted(place, number, line, after)
    out, err = process.communicate(timeout=SECONDS_TO_END)
    assert process.returncode == 128 + number, err.decode()
    ends = [line for line in err.decode().splitlines() if line.startswith("Error: ")]
    assert ends == ["Error: interrupted; nothing was released"]
    assert "Traceback" not in err.decode()
    assert out == b""
    if line:
        with dg.DagsterInstance.from_config(str(place.data / "dagster_home")) as instance:
            assert [run.status for run in instance.get_runs()] == [dg.DagsterRunStatus.CANCELED]
    ended = place.run(patience_seconds=PATIENCE_SECONDS)
    assert ended.code == 0, ended.err
    assert place.rows("select count(*) from meta.tables where status <> 'current'") == [(0,)]
