"""Queries, programs and notifications that never end: each is given up after the time that is set."""

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb
import pytest
import requests
from tiny_project import TinyProject

from civic_pipeline import deadline, notify
from civic_pipeline.deadline import time_limit
from civic_pipeline.errors import NotificationFailed, TookTooLong
from civic_pipeline.publish.site import search
from civic_pipeline.quality import Suites, build_table
from civic_pipeline.settings import Waits

ENDLESS = "select count(*) from range(100_000_000) as a(n), range(100_000_000) as b(m) where n + m < 0"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadline, "waits", lambda: Waits(database_seconds=0))
    monkeypatch.setattr(deadline, "_EVERY_SECONDS", 0.05)


def on_the_connection(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(ENDLESS)


def on_a_cursor_of_a_library(connection: duckdb.DuckDBPyConnection) -> None:
    cursor = connection.cursor()
    deadline.cursors.add(cursor)
    cursor.execute(ENDLESS)


def asked_again_by_a_library(connection: duckdb.DuckDBPyConnection) -> None:
    for _ in range(3):
        with suppress(duckdb.Error):
            connection.execute(ENDLESS)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("ask", [on_the_connection, on_a_cursor_of_a_library, asked_again_by_a_library])
def test_a_query_without_end_is_interrupted(ask: Callable[[duckdb.DuckDBPyConnection], None]) -> None:
    with duckdb.connect() as connection:
        with (
            pytest.raises(
                TookTooLong, match=r"^The query was not complete after 0 seconds.* CIVIC_DATABASE_SECONDS to"
            ),
            time_limit("The query", connection),
        ):
            ask(connection)
        assert connection.execute("select 1").fetchall() == [(1,)]


def test_what_ends_in_time_is_left_alone() -> None:
    with duckdb.connect() as connection:
        with pytest.raises(duckdb.CatalogException), time_limit("The query", connection):
            connection.execute("from nothing")
        with time_limit("The query", connection):
            assert connection.execute("select 1").fetchall() == [(1,)]


def test_a_table_that_is_never_complete_is_held_back(tiny: TinyProject, request: pytest.FixtureRequest) -> None:
    tiny.capture([("1", "2024-01-05", "10.00")])
    with tiny.build() as build:
        models, suites = tiny.models(), Suites(build)
        assert build_table(build, suites, models["clean.town_payments"], {}).status == "built"
        request.getfixturevalue("impatient")
        tiny.edit("sql/marts/spending/mart_months.sql", "group by 1", f"where ({ENDLESS}) = 0 group by 1")
        outcome = build_table(build, suites, tiny.models()["marts.mart_months"], {})
    assert (outcome.status, outcome.problem) == (
        "held_back",
        "marts.mart_months was not complete after 0 seconds. Make it smaller, or set CIVIC_DATABASE_SECONDS to more.",
    )


def test_an_index_of_the_search_that_is_never_complete_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    endless = tmp_path / "pagefind"
    endless.write_text("#!/bin/sh\nexec sleep 600\n")
    endless.chmod(0o755)
    monkeypatch.setattr("pagefind_bin.get_executable", lambda: endless)
    monkeypatch.setenv("CIVIC_PROCESS_SECONDS", "1")
    with pytest.raises(TookTooLong, match="The index of the search was not complete after 1 seconds"):
        search.write_index(tmp_path)


def test_a_notification_that_nobody_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    never = threading.Event()

    def post(*_: Any, **__: Any) -> requests.Response:
        never.wait()
        raise requests.ConnectionError

    monkeypatch.setattr(requests, "post", post)
    monkeypatch.setattr(requests, "get", post)
    monkeypatch.setattr(notify, "waits", lambda: Waits(notify_seconds=0))
    monkeypatch.setenv("CIVIC_HEARTBEAT_URL", "https://hooks.town.gov/services/T0/s3cret")
    with pytest.raises(NotificationFailed, match="webhook"):
        notify.WebhookNotifier("https://hooks.town.gov/services/T0/s3cret").send(notify.Notification("a", "b", "c"))
    with pytest.raises(NotificationFailed, match="heartbeat"):
        notify.send_heartbeat()
    never.set()
