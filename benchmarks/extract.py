"""Extraction, ours beside its peers: the same rows, one local server, whole processes, one run. See README.md.

This process imports nothing heavy: a child's peak memory counts from its parent's.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any
from urllib.request import urlopen

from report import Report, verdict

HERE = Path(__file__).parent
PEERS = HERE / ".peers"
PATIENCE_SECONDS = 1800
PORTALS = ("socrata", "arcgis")


@dataclass(frozen=True)
class Client:
    """One way to extract. `landed` finds its rows below the folder it was given; `package` says whose version to print."""

    name: str
    script: str
    landed: str = "*.parquet"
    package: str | None = None

    @property
    def python(self) -> Path:
        return Path(sys.executable) if self.script == "ours" else PEERS / "bin" / "python"


OURS = Client("civic_pipeline", "ours", "town/checkbook/**/*.parquet")
FLOOR = Client("floor (one CSV, text)", "floor", package="pyarrow")
SODAPY = Client("sodapy + pandas", "with_sodapy", package="sodapy")
PORTALKIT = Client("portalkit", "with_portalkit", package="portalkit")
DLT = Client("dlt rest_api", "with_dlt", "lake/**/checkbook/*.parquet", package="dlt")
ESRIDUMP = Client("pyesridump", "with_esridump", "*.jsonl", package="esridump")
RESTGDF = Client("restgdf", "with_restgdf", package="restgdf")
CLIENTS = {
    "socrata": (OURS, FLOOR, SODAPY, PORTALKIT, DLT),
    "arcgis": (OURS, PORTALKIT, DLT, ESRIDUMP, RESTGDF),
}


@dataclass(frozen=True)
class Server:
    """The server's address and what a correct copy of its table adds up to."""

    url: str
    rows: int
    amount: str

    def tally(self) -> dict[str, float]:
        """Requests, the most of them at once, and the server's CPU seconds since the last call."""
        with urlopen(f"{self.url}/tally") as answer:  # noqa: S310 - our own server
            return dict(json.load(answer))


@dataclass(frozen=True)
class Run:
    """One process from start to end: what it took, asked, said and landed. `problem` is empty for a right copy."""

    seconds: float
    cpu: float
    peak_mb: float
    said: dict[str, Any]
    tally: dict[str, float]
    types: str
    problem: str


class Runs(list[Run]):
    """Several runs of one client: their medians, and the first problem any of them had."""

    def median(self, take: Callable[[Run], float]) -> float:
        return median(map(take, self))

    @property
    def seconds(self) -> float:
        return self.median(lambda run: run.seconds)

    @property
    def at_once(self) -> float:
        return max(run.tally["at_once"] for run in self)

    @property
    def problem(self) -> str:
        return next((run.problem for run in self if run.problem), "")


@contextmanager
def served(rows: int, latency_ms: float) -> Iterator[Server]:
    """The server, in a process of its own, for as long as the block runs."""
    command = [sys.executable, str(HERE / "server.py"), "--rows", str(rows), "--latency-ms", str(latency_ms)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            if process.stdout is None or not (line := process.stdout.readline()):
                sys.exit("The server did not start; its own words are above.")
            yield Server(rows=rows, **json.loads(line))
        finally:
            process.terminate()


def measure(client: Client, portal: str, server: Server, folder: Path) -> Run:
    """Run `client` on `portal` into `folder`, then check what it landed."""
    folder.mkdir(parents=True, exist_ok=True)
    server.tally()
    command = [str(client.python), str(HERE / "clients" / f"{client.script}.py"), portal, server.url, str(folder)]
    out, err = folder / "stdout.txt", folder / "stderr.txt"
    with out.open("w") as stdout, err.open("w") as stderr:
        began = perf_counter()
        process = subprocess.Popen(command, stdout=stdout, stderr=stderr)
        patience = threading.Timer(PATIENCE_SECONDS, process.kill)
        patience.start()
        _, status, used = os.wait4(process.pid, 0)
        seconds = perf_counter() - began
        patience.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
    tally = server.tally()
    if process.returncode:
        problem, types = f"FAILED: {(err.read_text().strip().splitlines() or ['without a word'])[-1][:90]}", ""
    else:
        problem, types = check(folder, client.landed, server)
    lines = out.read_text().strip().splitlines()
    said = json.loads(lines[-1]) if client is OURS and lines else {}
    return Run(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, said, tally, types, problem)


def check(folder: Path, pattern: str, server: Server) -> tuple[str, str]:
    """What is wrong with the landed rows, and how many of their columns are typed."""
    command = [sys.executable, str(HERE / "check.py"), str(folder), pattern]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode:
        return "UNREADABLE: no such rows where they should have landed", ""
    found = json.loads(made.stdout)
    right = {"rows": server.rows, "distinct": server.rows, "amount": server.amount}
    problem = ", ".join(f"WRONG {what}: {found[what]}" for what in right if found[what] != right[what])
    return problem, f"{5 - len(found['untyped'])} of 5, amount {found['amount_type']}"


def extraction(portal: str, rows: int, runs: int, latency_ms: float, folder: Path) -> Iterator[str]:
    """Every client once unmeasured and then `runs` times, each time in the reverse order of the time before."""
    measured = {client: Runs() for client in CLIENTS[portal]}
    with served(rows, latency_ms) as server:
        for number in range(runs + 1):
            for client in measured if number % 2 else reversed(measured):
                made = measure(client, portal, server, folder / "out")
                shutil.rmtree(folder / "out")
                print(f"  {portal} {number}/{runs} {client.name}: {made.seconds:.1f} s {made.problem}", file=sys.stderr)
                if number:
                    measured[client].append(made)
    ours = measured[OURS]
    yield f"\n## Extraction, {portal}: {rows:,} rows, {latency_ms:g} ms latency, medians of {runs} runs\n"
    yield "| client | wall s | time / ours | rows/s | CPU s | peak MB | requests | at once | server CPU s | landed | types |"
    yield "|---|--:|--:|--:|--:|--:|--:|--:|--:|---|---|"
    for client, done in sorted(measured.items(), key=lambda pair: pair[1].seconds):
        landed = f"**{done.problem}**" if done.problem else f"{rows:,} rows, as many keys, sum {server.amount}"
        yield (
            f"| {client.name} | {done.seconds:.2f} | {done.seconds / ours.seconds:.2f} | {rows / done.seconds:,.0f}"
            f" | {done.median(lambda run: run.cpu):.2f} | {done.median(lambda run: run.peak_mb):.0f}"
            f" | {done.median(lambda run: run.tally['requests']):.0f} | {done.at_once:.0f}"
            f" | {done.median(lambda run: run.tally['server_seconds']):.2f} | {landed} | {done[-1].types} |"
        )
    yield ""
    if portal == "socrata":
        yield beaten(ours, PORTALKIT, measured[PORTALKIT], 3)
        yield beaten(ours, SODAPY, measured[SODAPY], 2)
        ratio = ours.seconds / measured[FLOOR].seconds
        yield verdict(not ours.problem and ratio <= 1.6, f"{ratio:.2f}x the floor's time", "<= 1.6x")
    else:
        polite = [c for c, done in measured.items() if c is not OURS and not done.problem and done.at_once <= 4]
        if polite:
            fastest = min(polite, key=lambda client: measured[client].seconds)
            yield beaten(ours, fastest, measured[fastest], 4, ", the fastest peer that asks at most 4 at once")


def beaten(ours: Runs, peer: Client, peers: Runs, times: float, words: str = "") -> str:
    """Whether ours is `times` as fast; a wrong copy, on either side, passes nothing."""
    ratio = peers.seconds / ours.seconds
    right = not (ours.problem or peers.problem)
    return verdict(right and ratio >= times, f"{ratio:.2f}x as fast as {peer.name}{words}", f">= {times}x")


def memory(portal: str, rows: int, folder: Path) -> Iterator[str]:
    """Peak memory of ours for `rows` and for ten times as many, without latency."""
    runs = Runs()
    for number in (rows, rows * 10):
        with served(number, 0) as server:
            runs.append(measure(OURS, portal, server, folder / "out"))
            shutil.rmtree(folder / "out")
        made = runs[-1]
        yield f"- {portal}: {number:,} rows: peak {made.peak_mb:.0f} MB, {made.seconds:.1f} s {made.problem}".rstrip()
    few, many = (run.peak_mb for run in runs)
    right = not runs.problem
    yield verdict(right and max(few, many) < 200, f"peak memory {max(few, many):.0f} MB ({portal})", "< 200 MB")
    yield verdict(
        right and many / few < 1.2, f"{many / few:.2f}x the memory for ten times the rows ({portal})", "< 1.2x"
    )


def unchanged(portal: str, rows: int, runs: int, latency_ms: float, folder: Path) -> Iterator[str]:
    """Captures of a source that has not changed since the first: each a process of its own, timed around the call."""
    with served(rows, latency_ms) as server:
        first = measure(OURS, portal, server, folder / portal)
        done = Runs(measure(OURS, portal, server, folder / portal) for _ in range(runs))
    problem = first.problem or done.problem
    if problem or {run.said["status"] for run in done} != {"unchanged"}:
        yield verdict(False, problem or "a second capture found changes", f"an unchanged source ({portal})")
        return
    seconds, requests = done.median(lambda run: run.said["seconds"]), done.median(lambda run: run.tally["requests"])
    waited = requests * latency_ms / 1000
    yield f"- {portal}: {seconds:.3f} s, of which latency {waited:.3f} s"
    yield verdict(requests == 1, f"metadata requests ({portal}): {requests:.0f}", "1")
    yield verdict(seconds - waited < 0.2, f"{seconds - waited:.3f} s plus latency ({portal})", "< 0.2 s")


def prepare_peers() -> None:
    """The peers' environment, as `requirements-peers.txt` pins it."""
    uv = Path(sys.executable).with_name("uv")
    if not PEERS.exists():
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, PEERS], check=True)
    pinned = HERE / "requirements-peers.txt"
    subprocess.run([uv, "pip", "sync", "--quiet", "--require-hashes", "--python", PEERS, pinned], check=True)


def heading(arguments: list[str], portals: tuple[str, ...]) -> Iterator[str]:
    """What was run, on what, and how to read it."""
    packages = sorted({c.package for portal in portals for c in CLIENTS[portal] if c.package} | {"pandas"})
    asked = "import sys; from importlib.metadata import version; print(*map(version, sys.argv[1:]))"
    told = subprocess.run(
        [PEERS / "bin" / "python", "-c", asked, *packages], capture_output=True, text=True, check=True
    )
    ours = " ".join(f"{name} {version(name)}" for name in ("pyarrow", "duckdb", "requests"))
    yield f"# Extraction benchmark, {date.today().isoformat()}\n"
    yield f"    .venv/bin/python benchmarks/extract.py {' '.join(arguments)}\n"
    yield f"- Python {platform.python_version()}, {os.cpu_count()} CPUs shared by client and server, {platform.machine()}"
    yield f"- ours: civic-pipeline {version('civic-pipeline')} ({ours})"
    yield f"- peers: {', '.join(' '.join(pair) for pair in zip(packages, told.stdout.split(), strict=True))}"
    yield "- One local server keeps every rendered answer in memory and adds the latency; each client made one unmeasured run"
    yield "  before, so all meet ready answers. Wall, CPU and peak memory are of the client's whole process, imports included."
    yield "- `landed` and `types` are checked after every run: rows, distinct keys, the sum of amounts, and how many of the five"
    yield "  number and date columns are typed. Ours also counts, proves keys distinct, and commits with a checksum."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--latency-ms", type=float, default=50)
    parser.add_argument("--only", choices=PORTALS)
    parser.add_argument("--extraction", action="store_true", help="this section only; likewise the next two")
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--unchanged", action="store_true")
    parser.add_argument("--write", action="store_true", help="also into benchmarks/results/")
    asked = parser.parse_args()
    portals = (asked.only,) if asked.only else PORTALS
    every = not (asked.extraction or asked.memory or asked.unchanged)
    prepare_peers()
    report = Report()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        report.say(heading(sys.argv[1:], portals))
        if every or asked.extraction:
            for portal in portals:
                report.say(extraction(portal, asked.rows, asked.runs, asked.latency_ms, folder))
        if every or asked.memory:
            report.say(["\n## Memory of ours, no latency\n"])
            for portal in portals:
                report.say(memory(portal, asked.rows, folder))
        if every or asked.unchanged:
            report.say([f"\n## An unchanged source, {asked.latency_ms:g} ms latency\n"])
            for portal in portals:
                report.say(unchanged(portal, min(asked.rows, 20_000), asked.runs, asked.latency_ms, folder))
    if asked.write:
        report.keep("extract")


if __name__ == "__main__":
    main()
