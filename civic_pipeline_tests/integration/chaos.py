"""Nights that are killed or run out of disk space, a reader that sends queries all the time, and what must be true afterwards."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
from terminal import serve

from civic_pipeline.demo import DemoPortals, Faults
from civic_pipeline.releases import live_release
from civic_pipeline.releases.contents import content_hash
from civic_pipeline.releases.kept import attached
from civic_pipeline.settings import CHECKOUT, Settings

SEED = 20261122
ROWS = 5_000


def put(folder: Path, version: int) -> None:
    """Write the file that the portal serves. The versions differ in a tenth of the amounts and in which 1 % of the dates is invalid."""
    lines = ["payment_no,paid_on,amount"]
    lines += [
        f"P{n},{'never' if n % 100 == version else f'{1 + n % 12}/{1 + n % 28}/2024'},${n + version * (n % 10 == 0)}.{n % 100:02}"
        for n in range(ROWS)
    ]
    draft = folder / "payments.new"
    draft.write_text("\n".join(lines) + "\n", encoding="utf-8")
    draft.rename(folder / "payments.csv")


@dataclass
class Nights:
    """A process that starts each night as a child process, and the folder that the portals serve."""

    process: "subprocess.Popen[str]"
    served: Path
    count: int = 0

    def run(
        self,
        data: Path,
        version: int,
        end_after: float | None = None,
        end_by: signal.Signals = signal.SIGKILL,
        faults: Faults | None = None,
    ) -> int:
        """Run a night and return its exit status. It gets a signal after `end_after` seconds unless it ends before.

        Each night runs under another host name than the night before, as in containers.
        """
        assert self.process.stdin
        assert self.process.stdout
        put(self.served, version)
        data.mkdir(exist_ok=True)
        with DemoPortals(self.served, faults=faults) as portals:
            self.count += 1
            print(data, portals.url, f"host-{self.count}", file=self.process.stdin, flush=True)
            night = int(self.process.stdout.readline())
            if end_after is not None:
                time.sleep(end_after)
                with suppress(ProcessLookupError):
                    os.kill(night, end_by)
            return int(self.process.stdout.readline())


@contextmanager
def nights_under(tmp_path: Path) -> Iterator[Nights]:
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
    """A reader that sends queries all the time, on new and old connections."""

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
                        [(clean, mart, row_count)] = connection.execute(
                            "select (select sum(amount) from w.clean.town_payments), (select sum(amount) from w.marts.mart_months),"
                            " (select row_count from w.meta.tables where table_name = 'clean.town_payments')"
                        ).fetchall()
                        [(rows,)] = connection.execute("select count(*) from w.clean.town_payments").fetchall()
                        if clean != mart or row_count != rows:
                            self.problems.append(
                                f"{clean} is not {mart}, or {row_count} not {rows}: two releases in one"
                            )
                        self.answers += 1
                        time.sleep(0.01)  # leaves the night a core
            except duckdb.Error as error:
                self.problems.append(str(error))

    def stop(self) -> None:
        self.is_done = True
        self.thread.join()
        assert self.problems == []
        assert self.answers > 0


def contents(settings: Settings) -> dict[str, str]:
    """Compute the hashes of all tables of the live release, and check that they are the recorded ones."""
    live = live_release(settings)
    assert live
    with attached(live.file) as connection:
        hashes = {table: content_hash(connection, f"release.{table}") for table in live.contents}
    assert hashes == live.contents
    return hashes


def unfinished(data: Path) -> list[Path]:
    """Return the folders of captures without a manifest: in progress, or of a killed run."""
    return [path for path in (data / "lake").glob("*/*/*/") if not (path / "manifest.json").exists()]


def leftovers(data: Path) -> list[str]:
    """Return files and staged tables that a finished run must not leave, as paths below `data`."""
    paths = unfinished(data)
    paths += [path for pattern in ("*.new", "*.wal", ".*") for path in data.rglob(pattern)]
    with duckdb.connect(str(data / "build" / "build.duckdb"), read_only=True) as build:
        staged = build.execute("select table_name from duckdb_tables() where schema_name = 'staging'").fetchall()
    return [str(path.relative_to(data)) for path in paths] + [name for (name,) in staged]


def undisturbed_under(tmp_path: Path, nights: Nights) -> list[dict[str, str]]:
    """Return the contents that an undisturbed night produces for each version of the source."""
    hashes = []
    for version in (0, 1):
        data = tmp_path / f"undisturbed_{version}"
        assert nights.run(data, version) == 0
        hashes.append(contents(Settings(data=data)))
    assert hashes[0] != hashes[1]
    return hashes
