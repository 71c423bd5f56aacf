"""Nights that are killed at any instant, run out of disk, or lose their portals: readers see whole releases, and the next night
needs no repair and ends where an undisturbed one does."""

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pytest
from terminal import Place, serve

from civic_pipeline.demo import DemoPortals, Faults
from civic_pipeline.releases import kept_releases, live_release
from civic_pipeline.releases.contents import content_hash
from civic_pipeline.releases.kept import attached
from civic_pipeline.settings import CHECKOUT, Settings

KILLS, RUN_KILLS, SEED = 50, 6, 20261122
ROWS = 5_000


def put(folder: Path, version: int) -> None:
    """What the portal offers: in another version every amount and every hundredth date is another one."""
    lines = ["payment_no,paid_on,amount"]
    lines += [
        f"P{n},{'never' if n % 100 == version else f'{1 + n % 12}/{1 + n % 28}/2024'},${n * (version + 1)}.{n % 100:02}"
        for n in range(ROWS)
    ]
    draft = folder / "payments.new"
    draft.write_text("\n".join(lines) + "\n", encoding="utf-8")
    draft.rename(folder / "payments.csv")


@dataclass
class Nights:
    """A process whose children are nights, and the folder that the portals serve."""

    process: "subprocess.Popen[str]"
    served: Path

    def run(self, data: Path, version: int, kill_after: float | None = None, faults: Faults | None = None) -> int:
        """The exit status of a night; killed after so many seconds unless it was faster."""
        assert self.process.stdin
        assert self.process.stdout
        put(self.served, version)
        data.mkdir(exist_ok=True)
        with DemoPortals(self.served, faults=faults) as portals:
            print(data, portals.url, file=self.process.stdin, flush=True)
            night = int(self.process.stdout.readline())
            if kill_after is not None:
                time.sleep(kill_after)
                with suppress(ProcessLookupError):
                    os.kill(night, signal.SIGKILL)
            return int(self.process.stdout.readline())


@pytest.fixture
def nights(tmp_path: Path) -> Iterator[Nights]:
    kinds = dict.fromkeys(("payment_no", "paid_on", "amount"), "text")
    served = serve(tmp_path / "served", {"file": "payments.csv", "socrata": "abcd-1234", "types": kinds})
    with subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("tiny_nights.py")), str(tmp_path / "project")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": str(CHECKOUT)},
    ) as process:  # fmt: skip
        yield Nights(process, served)
        assert process.stdin
        process.stdin.close()


@dataclass
class Reader:
    """An analyst who asks all the time, on connections of any age."""

    warehouse: Path
    answers: int = 0
    problems: list[str] = field(default_factory=list)
    is_done: bool = False

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self._ask)
        self.thread.start()

    def _ask(self) -> None:
        while not self.is_done:
            try:
                with duckdb.connect() as connection:
                    connection.execute(f"attach '{self.warehouse}' as w (read_only)")
                    for _ in range(5):
                        [(clean, mart, told)] = connection.execute(
                            "select (select sum(amount) from w.clean.town_payments), (select sum(amount) from w.marts.mart_months),"
                            " (select row_count from w.meta.tables where table_name = 'clean.town_payments')"
                        ).fetchall()
                        [(rows,)] = connection.execute("select count(*) from w.clean.town_payments").fetchall()
                        if clean != mart or told != rows:
                            self.problems.append(f"{clean} is not {mart}, or {told} not {rows}: two releases in one")
                        self.answers += 1
            except duckdb.Error as error:
                self.problems.append(str(error))

    def stop(self) -> None:
        self.is_done = True
        self.thread.join()
        assert self.problems == []
        assert self.answers > 0


def contents(settings: Settings) -> dict[str, str]:
    """Hashes of what the live release holds, made anew."""
    live = live_release(settings)
    assert live
    with attached(live.file) as connection:
        found = {table: content_hash(connection, f"release.{table}") for table in live.contents}
    assert found == live.contents
    return found


def unfinished(data: Path) -> list[Path]:
    """Captures that are being read, or were when their run was killed."""
    return [path for path in (data / "lake").glob("*/*/*/") if not (path / "manifest.json").exists()]


def wait_for_a_read(night: "subprocess.Popen[bytes]", data: Path) -> None:
    while not unfinished(data) and night.poll() is None:
        time.sleep(0.005)


def leftovers(data: Path) -> list[str]:
    """Files that belong to nothing, as paths under `data`."""
    found = unfinished(data)
    found += [path for pattern in ("*.new", "*.wal", ".*") for path in data.rglob(pattern)]
    with duckdb.connect(str(data / "build" / "build.duckdb"), read_only=True) as build:
        staged = build.execute("select table_name from duckdb_tables() where schema_name = 'staging'").fetchall()
    return [str(path.relative_to(data)) for path in found] + [name for (name,) in staged]


@pytest.fixture
def undisturbed(nights: Nights, tmp_path: Path) -> list[dict[str, str]]:
    """What a night makes of either version of the source, on data of its own."""
    made = []
    for version in (0, 1):
        data = tmp_path / f"undisturbed_{version}"
        assert nights.run(data, version) == 0
        made.append(contents(Settings(data=data)))
    assert made[0] != made[1]
    return made


def test_killed_at_fifty_instants(nights: Nights, undisturbed: list[dict[str, str]], tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "data")
    began = time.monotonic()
    assert nights.run(settings.data, 0) == 0
    takes = time.monotonic() - began
    instants, reader, killed = random.Random(SEED), Reader(settings.warehouse), 0
    try:
        for number in range(1, KILLS + 1):
            version = number % 2
            status = nights.run(settings.data, version, kill_after=instants.uniform(0, takes))
            killed += status == -signal.SIGKILL
            assert contents(settings) in undisturbed, f"after kill {number}"
            assert nights.run(settings.data, version) == 0, f"the night after kill {number}"
            assert contents(settings) == undisturbed[version], f"the night after kill {number}"
            assert leftovers(settings.data) == [], f"the night after kill {number}"
    finally:
        reader.stop()
    assert killed > KILLS / 2  # the others were faster than their killer
    assert len(kept_releases(settings)) == settings.keep_releases


def test_civic_run_itself_killed_at_a_few_instants(place: Place) -> None:
    """The same with Dagster around it, whose pools and records a killed run leaves as they were."""
    settings, served = Settings(data=place.data), place.served / "mwbe.csv"
    whole = served.read_text(encoding="utf-8")
    versions = [whole, whole[: whole.rstrip().rindex("\n") + 1]]
    undisturbed = [contents(settings)]
    served.write_text(versions[1], encoding="utf-8")
    began = time.monotonic()
    assert place.run().code == 0
    takes = time.monotonic() - began
    undisturbed.append(contents(settings))
    assert undisturbed[0] != undisturbed[1]
    instants, killed = random.Random(SEED), 0
    for number in range(RUN_KILLS):
        version = number % 2
        served.write_text(versions[version], encoding="utf-8")
        night = place.start("run")
        with suppress(subprocess.TimeoutExpired):
            # The first while it reads, when it holds the portal's place in Dagster's pool.
            night.wait(instants.uniform(0, takes)) if number else wait_for_a_read(night, settings.data)
        killed += night.poll() is None
        night.kill()
        night.communicate()
        assert contents(settings) in undisturbed, f"after kill {number}"
        ended = place.run(patience_seconds=180)  # a held place in a pool would be waited for for ever
        assert ended.code == 0, ended.err
        assert contents(settings) == undisturbed[version], f"the night after kill {number}"
        assert leftovers(settings.data) == [], f"the night after kill {number}"
    assert killed > RUN_KILLS / 2


def test_portals_that_are_cut_in_the_middle_of_a_read(
    nights: Nights, undisturbed: list[dict[str, str]], tmp_path: Path
) -> None:
    settings = Settings(data=tmp_path / "data")
    assert nights.run(settings.data, 0) == 0
    assert nights.run(settings.data, 1, faults=Faults(dropped_connection="always", after_pages=1)) == 1
    assert contents(settings) == undisturbed[0]
    live = live_release(settings)
    assert live
    assert set(live.held_back) == {"clean.town_payments", "marts.mart_months"}
    assert nights.run(settings.data, 1) == 0
    assert contents(settings) == undisturbed[1]
    assert leftovers(settings.data) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(disk)], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_a_disk_that_fills_up_at_any_point(nights: Nights, undisturbed: list[dict[str, str]], small_disk: Path) -> None:
    settings, filler = Settings(data=small_disk / "data"), small_disk / "filler"
    assert nights.run(settings.data, 0) == 0
    version, failed = 0, 0
    for room in (0, 100_000, 500_000, 1_000_000, 2_000_000, 3_000_000, 5_000_000, 8_000_000):
        version = 1 - version
        filler.write_bytes(bytes(max(0, shutil.disk_usage(small_disk).free - room)))
        failed += nights.run(settings.data, version) == 1
        assert contents(settings) in undisturbed, room
        filler.unlink()
        assert nights.run(settings.data, version) == 0, room
        assert contents(settings) == undisturbed[version], room
        assert leftovers(settings.data) == [], room
    assert 2 <= failed < 8
