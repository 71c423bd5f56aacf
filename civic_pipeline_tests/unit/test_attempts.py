"""Captures of one night: hosts side by side, one at a time per host, each source retried for itself."""

import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from tiny_project import TinyProject

from civic_pipeline.catalog import ArcgisSource, Dataset, FileSource, SocrataSource, Source
from civic_pipeline.lake import Attempt, Lake, attempt_all, attempts, host_of, last_attempt
from civic_pipeline.portals import Access

RECORDED = "2026-01-01"
PATIENCE_SECONDS = 60


def attempt_of(name: str, problem: str | None = None, *, is_temporary: bool = False) -> Attempt:
    return Attempt(
        dataset=name, attempted_at="2026-01-02T03:04:05+00:00", status="failed" if problem else "captured",
        capture_id=None, problem=problem, passing=is_temporary,
    )  # fmt: skip


@pytest.fixture
def sources(tiny: TinyProject) -> Callable[[int, int], dict[str, Dataset]]:
    def make(hosts: int, each: int) -> dict[str, Dataset]:
        return {
            f"town/d{host}_{number}": tiny.dataset.model_copy(
                update={"source": tiny.dataset.source.model_copy(update={"domain": f"data{host}.town.gov"})}
            )
            for host in range(hosts)
            for number in range(each)
        }

    return make


def run(
    monkeypatch: pytest.MonkeyPatch, lake: Lake, datasets: dict[str, Dataset], capture: Callable[[str], Attempt]
) -> list[Attempt]:
    monkeypatch.setattr(attempts, "try_capture", lambda name, *_: capture(name))
    return [timed.attempt for timed in attempt_all(datasets, lake, Access(), lambda _: None, (0.0, 0.0))]


def test_hosts_are_asked_side_by_side_and_each_by_one_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sources: Callable[[int, int], dict[str, Dataset]]
) -> None:
    together = threading.Barrier(attempts.MOST_HOSTS)
    busy: dict[str, threading.Lock] = {f"d{host}": threading.Lock() for host in range(attempts.MOST_HOSTS)}
    overlaps: list[str] = []

    def capture(name: str) -> Attempt:
        host = name.split("/")[1].split("_", maxsplit=1)[0]
        if not busy[host].acquire(blocking=False):
            overlaps.append(name)
        together.wait(timeout=PATIENCE_SECONDS)  # passes only while every host is being asked
        busy[host].release()
        return attempt_of(name)

    ended = run(monkeypatch, Lake(tmp_path), sources(attempts.MOST_HOSTS, 3), capture)
    assert len(ended) == len({attempt.dataset for attempt in ended}) == 3 * attempts.MOST_HOSTS
    assert overlaps == []
    assert all(last_attempt(attempt.dataset, Lake(tmp_path)) == attempt for attempt in ended)


def test_only_a_source_that_may_recover_is_tried_again_and_no_more_than_three_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sources: Callable[[int, int], dict[str, Dataset]]
) -> None:
    tries: Counter[str] = Counter()

    def capture(name: str) -> Attempt:
        tries[name] += 1
        if name == "town/d0_0":
            return attempt_of(name, "no answer", is_temporary=tries[name] < 2)
        if name == "town/d0_1":
            return attempt_of(name, "no answer", is_temporary=True)
        return attempt_of(name, "gone" if name == "town/d1_0" else None)

    ended = {attempt.dataset: attempt for attempt in run(monkeypatch, Lake(tmp_path), sources(2, 2), capture)}
    assert dict(tries) == {"town/d0_0": 2, "town/d0_1": 3, "town/d1_0": 1, "town/d1_1": 1}
    assert {name: attempt.problem for name, attempt in ended.items()} == {
        "town/d0_0": "no answer", "town/d0_1": "no answer", "town/d1_0": "gone", "town/d1_1": None,
    }  # fmt: skip


def test_an_unforeseen_failure_is_raised_where_the_night_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sources: Callable[[int, int], dict[str, Dataset]]
) -> None:
    def capture(name: str) -> Attempt:
        raise ZeroDivisionError(name)

    with pytest.raises(ZeroDivisionError, match="town/d0_0"):
        run(monkeypatch, Lake(tmp_path), sources(1, 2), capture)


def test_a_night_that_stops_asks_nothing_more_and_records_nothing_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sources: Callable[[int, int], dict[str, Dataset]]
) -> None:
    asked, go_on, ended = [], threading.Event(), threading.Event()

    def capture(name: str, *_: object) -> Attempt:
        asked.append(name)
        if len(asked) == 2:
            go_on.wait(PATIENCE_SECONDS)
            ended.set()
        return attempt_of(name)

    monkeypatch.setattr(attempts, "try_capture", capture)
    night = attempt_all(sources(1, 5), Lake(tmp_path), Access(), lambda _: None)
    assert next(night).attempt.dataset == "town/d0_0"
    night.close()
    go_on.set()
    assert ended.wait(PATIENCE_SECONDS)
    assert asked == ["town/d0_0", "town/d0_1"]
    assert last_attempt("town/d0_1", Lake(tmp_path)) is None


@pytest.mark.parametrize(
    ("source", "host"),
    [
        (SocrataSource(portal="socrata", domain="data.a.gov", id="abcd-1234", recorded=RECORDED), "data.a.gov"),
        (FileSource(portal="file", url="https://a.gov:8443/x.csv", recorded=RECORDED), "a.gov:8443"),
        (FileSource(portal="file", url="data/seeds/x.csv", recorded=RECORDED), "disk"),
    ],
)  # fmt: skip
def test_the_host_of_a_source_is_its_host_and_port(source: Source, host: str) -> None:
    assert host_of(source) == host


def test_arcgis_online_is_one_host_and_a_server_of_a_citys_own_another() -> None:
    def arcgis(fallback: str) -> ArcgisSource:
        return ArcgisSource.model_construct(item=None, fallbacks=(fallback,))

    assert host_of(arcgis("https://services1.arcgis.com/x/FeatureServer/0")) == "arcgis.com"
    assert host_of(arcgis("https://gis.a.gov/x/FeatureServer/0")) == "gis.a.gov"
