"""The standard deployment: webserver and daemon as processes of their own, and PostgreSQL as Dagster's storage."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar

import pytest
import requests
import yaml
from postgres import PASSWORD, Postgres, postgres, why_not
from terminal import PATIENCE_SECONDS, Place, edit

from civic_pipeline.settings import CHECKOUT

pytestmark = [pytest.mark.slow, pytest.mark.skipif(why_not() is not None, reason=why_not() or "")]

T = TypeVar("T")
LOCATION = {"repositoryName": "__repository__", "repositoryLocationName": "civic_pipeline"}


@pytest.fixture(scope="module")
def database() -> Iterator[Postgres]:
    with postgres() as running:
        yield running


@pytest.fixture
def place(small: Place, database: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """The small installation. Its Dagster home says where the storage is, and its schedule is due every minute."""
    monkeypatch.setenv("PG_PASSWORD", PASSWORD)
    place = small.copy(tmp_path)
    shutil.copyfile(CHECKOUT / "workspace.yaml", place.root / "workspace.yaml")
    edit(place.root / "civic_pipeline/defs/schedules.py", '"30 5 * * *"', '"* * * * *"')
    configured = place.data / "dagster_home" / "dagster.yaml"
    shutil.rmtree(configured.parent)  # of the copy, whose runs are in SQLite
    configured.parent.mkdir()
    configured.write_text(yaml.safe_dump({"storage": database.storage, "telemetry": {"enabled": False}}))
    return place


@contextmanager
def messages() -> Iterator[tuple[str, list[Any]]]:
    """A webhook's address, and what was posted to it."""
    received: list[Any] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Hook) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", received
        server.shutdown()


@contextmanager
def running(place: Place, environment: dict[str, str], program: str, *arguments: str) -> Iterator[None]:
    """A program of Dagster's beside its log, ended by SIGTERM with all that it started."""
    command = [Path(sys.executable).with_name(program), *arguments]
    with (place.data / f"{program}.log").open("wb") as log, subprocess.Popen(
        command, cwd=place.root, env=environment, stdout=log, stderr=log, start_new_session=True
    ) as process:  # fmt: skip
        try:
            yield
            assert process.poll() is None, (place.data / f"{program}.log").read_text()
        finally:
            process.terminate()
            process.wait(timeout=PATIENCE_SECONDS)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def eventually(find: Callable[[], T], place: Place) -> T:
    """What `find` gives as soon as it gives something."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        if value := find():
            return value
        time.sleep(1)
    logs = "\n".join(path.read_text() for path in place.data.glob("*.log"))
    pytest.fail(f"waited in vain; {logs}")


def ask(url: str, query: str, **variables: Any) -> Any:
    answer = requests.post(f"{url}/graphql", json={"query": query, "variables": variables}, timeout=60).json()
    assert "errors" not in answer, answer
    return answer["data"]


def is_up(url: str) -> bool:
    try:
        return requests.get(f"{url}/server_info", timeout=5).ok
    except requests.ConnectionError:
        return False


def switch_on(url: str) -> None:
    """Start the schedule and the sensors, as a person does in the UI."""
    (location,) = ask(url, "{ repositoriesOrError { ... on RepositoryConnection { nodes { schedules { name } sensors { name } } } } }")["repositoriesOrError"]["nodes"]  # fmt: skip
    assert location["schedules"]
    assert location["sensors"]
    for schedule in location["schedules"]:
        selector = LOCATION | {"scheduleName": schedule["name"]}
        started = ask(url, "mutation ($it: ScheduleSelector!) { it: startSchedule(scheduleSelector: $it) { __typename } }", it=selector)  # fmt: skip
        assert started["it"]["__typename"] == "ScheduleStateResult"
    for sensor in location["sensors"]:
        selector = LOCATION | {"sensorName": sensor["name"]}
        started = ask(url, "mutation ($it: SensorSelector!) { it: startSensor(sensorSelector: $it) { __typename } }", it=selector)  # fmt: skip
        assert started["it"]["__typename"] == "Sensor"


def test_a_scheduled_night_succeeds_and_a_failed_one_is_notified(place: Place, database: Postgres) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url, configured = f"http://127.0.0.1:{port}", (place.data / "dagster_home" / "dagster.yaml").read_text()

    def runs(status: str) -> list[Any]:
        return database.ask(f"select run_id from runs where status = '{status}' and run_body like '%schedule_name%'")

    with messages() as (hook, received):
        environment = place.environment | {
            "DAGSTER_HOME": str(place.data / "dagster_home"), "CIVIC_NOTIFY": "webhook",
            "CIVIC_NOTIFY_URL": hook,
        }  # fmt: skip
        with (
            running(
                place, environment, "dagster-webserver", "-w", "workspace.yaml", "-h", "127.0.0.1", "-p", str(port)
            ),
            running(place, environment, "dagster-daemon", "run", "-w", "workspace.yaml"),
        ):
            eventually(lambda: is_up(url), place)
            switch_on(url)
            eventually(lambda: runs("SUCCESS"), place)
            assert received == []
            edit(place.served / "portal.yml", "- dataset", "- faults: {home_page: true}\n  dataset", count=1)
            eventually(lambda: runs("FAILURE"), place)
            eventually(lambda: received, place)
    assert "HTML page" in str(received[0])
    assert (place.data / "dagster_home" / "dagster.yaml").read_text() == configured
    assert not list(place.data.glob("dagster_home/**/*.db"))
    for kept in ("event_logs", "job_ticks", "asset_keys"):
        assert database.ask(f"select count(*) > 0 from {kept}") == [(True,)], kept


def test_a_run_of_the_terminal_is_kept_there_too(place: Place, database: Postgres) -> None:
    ended = place.run()
    assert ended.code == 0, ended.err
    assert database.ask(
        "select count(*) from runs where status = 'SUCCESS' and run_body not like '%schedule_name%'"
    ) == [(1,)]
    assert not list(place.data.glob("dagster_home/**/*.db"))
