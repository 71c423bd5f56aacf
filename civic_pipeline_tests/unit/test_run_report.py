"""People are notified once when something starts to fail and once when it recovers, and good nights are counted."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
import requests

from civic_pipeline.errors import NotificationFailed
from civic_pipeline.run_report import keep_problems, report_run, standing_problems
from civic_pipeline.settings import Settings
from civic_pipeline.warehouse import meta

RAW = frozenset({"raw.town_payments"})
DOWN = {"raw.town_payments": "no answer"}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path)


@pytest.fixture
def beats(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The addresses that were called."""
    called: list[str] = []

    def get(url: str, **_: object) -> requests.Response:
        called.append(url)
        answer = requests.Response()
        answer.status_code = 200
        return answer

    monkeypatch.setenv("CIVIC_HEARTBEAT_URL", "https://beats.example/secret")
    monkeypatch.setattr(requests, "get", get)
    yield called


def ended(settings: Settings, problems: dict[str, str], failure: str | None = None) -> list[str]:
    """The messages after a night that decided on the payments and left `problems`."""
    sent: list[str] = []
    keep_problems(settings, RAW, problems)
    report_run(settings, "a run", failure, sent.append)
    return sent


def test_a_source_that_is_down_for_a_week_is_one_message_and_one_when_it_is_back(
    settings: Settings, beats: list[str]
) -> None:
    assert ended(settings, {}) == []
    assert ended(settings, DOWN) == [
        "civic_pipeline: 1 newly failed or held back (run a run)\nraw.town_payments: no answer"
    ]
    for why in ("no answer", "HTTP 500"):
        assert ended(settings, {"raw.town_payments": why}) == []
    assert ended(settings, {}) == ["civic_pipeline: 1 recovered (run a run)\nrecovered: raw.town_payments"]
    assert ended(settings, {}) == []
    assert beats == ["https://beats.example/secret"] * 3  # after good nights only


def test_what_comes_and_goes_in_one_night_is_one_message(settings: Settings) -> None:
    ended(settings, DOWN)
    keep_problems(settings, RAW, {})
    keep_problems(settings, frozenset({"marts.a"}), {"marts.a": "broken", "marts.b": "waits for marts.a"})
    sent: list[str] = []
    report_run(settings, "a run", None, sent.append)
    (message,) = sent
    assert message.splitlines() == [
        "civic_pipeline: 2 newly failed or held back (run a run)", "marts.a: broken", "marts.b: waits for marts.a",
        "recovered: raw.town_payments",
    ]  # fmt: skip


def test_a_run_that_never_came_to_its_tables_is_a_problem_of_its_own(settings: Settings) -> None:
    assert ended(settings, {}, "the disk is full") == [
        "civic_pipeline: 1 newly failed or held back (run a run)\nthe run: the disk is full"
    ]
    assert ended(settings, {}, "the disk is full") == []
    assert ended(settings, {}) == ["civic_pipeline: 1 recovered (run a run)\nrecovered: the run"]


def test_a_part_of_a_night_decides_only_on_its_part(settings: Settings) -> None:
    ended(settings, DOWN)
    keep_problems(settings, frozenset({"marts.a"}), {})
    assert standing_problems(settings) == DOWN


def test_a_message_that_could_not_be_sent_is_sent_after_the_next_night(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise requests.ConnectionError("https://hooks.example/secret refused")

    monkeypatch.setenv("CIVIC_NOTIFY", "webhook")
    monkeypatch.setenv("CIVIC_NOTIFY_URL", "https://hooks.example/secret")
    monkeypatch.setattr(requests, "post", refuse)
    with pytest.raises(NotificationFailed):
        ended(settings, DOWN)
    monkeypatch.setenv("CIVIC_NOTIFY", "log")
    assert len(ended(settings, DOWN)) == 1


def test_a_heartbeat_that_fails_does_not_show_its_address(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(url: str, **_: object) -> None:
        raise requests.ConnectionError(f"{url} refused")

    monkeypatch.setenv("CIVIC_HEARTBEAT_URL", "https://beats.example/secret")
    monkeypatch.setattr(requests, "get", refuse)
    with pytest.raises(NotificationFailed) as raised:
        ended(settings, {})
    assert "secret" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_a_table_that_moved_and_was_released_is_one_message(settings: Settings) -> None:
    with duckdb.connect(str(settings.warehouse)) as connection:
        connection.execute("create schema marts")
        meta.create(connection)
        rows: list[dict[str, object]] = [
            {"table_name": "clean.x", "check_name": name, "layer": layer, "severity": severity, "is_passed": passed, "run_id": run,
             "examples": ["100 -> 88 rows"]}
            for name, layer, severity, passed, run in [
                ("drift__rows", "drift", "warning", False, "a run"), ("drift__growth", "drift", "critical", True, "a run"),
                ("drift__zeros__n", "drift", "warning", False, "an earlier run"), ("data_age", "time", "warning", False, "a run"),
            ]
        ]  # fmt: skip
        meta.put(connection, "meta.checks", "table_name", "clean.x", rows)
    (message,) = ended(settings, {})
    assert "1 warnings: a table moved" in message
    assert "released with a warning: clean.x.drift__rows: 100 -> 88 rows" in message
    assert "data_age" not in message
    assert "zeros" not in message


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"null", b'"text"', b"\xff"])
def test_damaged_notes_are_written_again(settings: Settings, damage: bytes) -> None:
    ended(settings, DOWN)
    for name in ("problems.json", "notified.json"):
        (settings.data / name).write_bytes(damage)
    assert len(ended(settings, DOWN)) == 1  # once more, because nobody knows what people were notified of
    assert ended(settings, DOWN) == []
    assert standing_problems(settings) == DOWN
