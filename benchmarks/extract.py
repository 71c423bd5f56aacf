"""Extraction benchmark: civic_pipeline and other tools read the same rows from one local server. See README.md.

This process imports nothing heavy, because the peak memory of a child process starts at that of its parent.
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
TIMEOUT_SECONDS = 1800
PORTALS = ("socrata", "arcgis")


@dataclass(frozen=True)
class Client:
    """One tool. `landed`: pattern of its output files in its folder. `package`: the package whose version is printed."""

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
    """The address of the server, and the number of rows and the sum of amounts of a correct copy."""

    url: str
    rows: int
    amount: str

    def tally(self) -> dict[str, float]:
        """Return requests, the most parallel requests, and CPU seconds of the server since the last call."""
        with urlopen(f"{self.url}/tally") as response:  # noqa: S310 - our own server
            return dict(json.load(response))


@dataclass(frozen=True)
class Run:
    """One process: its cost, its requests, its printed result and its rows. `problem` is empty for a correct copy."""

    seconds: float
    cpu: float
    peak_mb: float
    printed: dict[str, Any]
    tally: dict[str, float]
    types: str
    problem: str


class Runs(list[Run]):
    """Several runs of one client, with medians and the first problem."""

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
    """Run the server in its own process during the block."""
    command = [sys.executable, str(HERE / "server.py"), "--rows", str(rows), "--latency-ms", str(latency_ms)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            if process.stdout is None or not (line := process.stdout.readline()):
                sys.exit("The server did not start; its error is printed above.")
            yield Server(rows=rows, **json.loads(line))
        finally:
            process.terminate()


def measure(client: Client, portal: str, server: Server, folder: Path) -> Run:
    """Run `client` on `portal` into `folder`, then check the rows in its output."""
    folder.mkdir(parents=True, exist_ok=True)
    server.tally()
    command = [str(client.python), str(HERE / "clients" / f"{client.script}.py"), portal, server.url, str(folder)]
    out, err = folder / "stdout.txt", folder / "stderr.txt"
    with out.open("w") as stdout, err.open("w") as stderr:
        began = perf_counter()
        process = subprocess.Popen(command, stdout=stdout, stderr=stderr)
        timeout = threading.Timer(TIMEOUT_SECONDS, process.kill)
        timeout.start()
        _, status, used = os.wait4(process.pid, 0)
        seconds = perf_counter() - began
        timeout.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
    tally = server.tally()
    if process.returncode:
        problem, types = f"FAILED: {(err.read_text().strip().splitlines() or ['no message'])[-1][:90]}", ""
    else:
        problem, types = check(folder, client.landed, server)
    lines = out.read_text().strip().splitlines()
    printed = json.loads(lines[-1]) if client is OURS and lines else {}
    return Run(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, printed, tally, types, problem)


def check(folder: Path, pattern: str, server: Server) -> tuple[str, str]:
    """Return the problem of the landed rows, and how many of their columns are typed."""
    command = [sys.executable, str(HERE / "check.py"), str(folder), pattern]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        return "UNREADABLE: no rows in the output folder", ""
    landed = json.loads(run.stdout)
    right = {"rows": server.rows, "distinct": server.rows, "amount": server.amount}
    problem = ", ".join(f"WRONG {what}: {landed[what]}" for what in right if landed[what] != right[what])
    return problem, f"{5 - len(landed['untyped'])} of 5, amount {landed['amount_type']}"


def extraction(portal: str, rows: int, runs: int, latency_ms: float, folder: Path) -> Iterator[str]:
    """Run every client once as a warm-up and then `runs` times, each time in the reverse order."""
    measured = {client: Runs() for client in CLIENTS[portal]}
    with served(rows, latency_ms) as server:
        for number in range(runs + 1):
            for client in measured if number % 2 else reversed(measured):
                run = measure(client, portal, server, folder / "out")
                shutil.rmtree(folder / "out")
                print(f"  {portal} {number}/{runs} {client.name}: {run.seconds:.1f} s {run.problem}", file=sys.stderr)
                if number:
                    measured[client].append(run)
    ours = measured[OURS]
    yield f"\n## Extraction, {portal}: {rows:,} rows, {latency_ms:g} ms latency, medians of {runs} runs\n"
    yield "| client | wall s | time / ours | rows/s | CPU s | peak MB | requests | at once | server CPU s | landed | types |"
    yield "|---|--:|--:|--:|--:|--:|--:|--:|--:|---|---|"
    for client, done in sorted(measured.items(), key=lambda pair: pair[1].seconds):
        landed = f"**{done.problem}**" if done.problem else f"{rows:,} rows and keys, sum {server.amount}"
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
        yield verdict(not ours.problem and ratio <= 1.6, f"{ratio:.2f}x the time of the floor", "<= 1.6x")
    else:
        polite = [c for c, done in measured.items() if c is not OURS and not done.problem and done.at_once <= 4]
        if polite:
            fastest = min(polite, key=lambda client: measured[client].seconds)
            yield beaten(ours, fastest, measured[fastest], 4, ", the fastest peer with at most 4 parallel requests")


def beaten(ours: Runs, peer: Client, peers: Runs, times: float, words: str = "") -> str:
    """Return the verdict whether civic_pipeline is `times` as fast. It fails if either copy is wrong."""
    ratio = peers.seconds / ours.seconds
    right = not (ours.problem or peers.problem)
    return verdict(right and ratio >= times, f"{ratio:.2f}x as fast as {peer.name}{words}", f">= {times}x")


def memory(portal: str, rows: int, folder: Path) -> Iterator[str]:
    """Measure the peak memory of civic_pipeline for `rows` and for ten times as many, without latency."""
    runs = Runs()
    for number in (rows, rows * 10):
        with served(number, 0) as server:
            runs.append(measure(OURS, portal, server, folder / "out"))
            shutil.rmtree(folder / "out")
        run = runs[-1]
        yield f"- {portal}: {number:,} rows: peak {run.peak_mb:.0f} MB, {run.seconds:.1f} s {run.problem}".rstrip()
    few, many = (run.peak_mb for run in runs)
    right = not runs.problem
    yield verdict(right and max(few, many) < 200, f"peak memory {max(few, many):.0f} MB ({portal})", "< 200 MB")
    yield verdict(
        right and many / few < 1.2, f"{many / few:.2f}x the memory for ten times the rows ({portal})", "< 1.2x"
    )


def unchanged(portal: str, rows: int, runs: int, latency_ms: float, folder: Path) -> Iterator[str]:
    """Measure captures of an unchanged source: each in its own process, timed around the call."""
    with served(rows, latency_ms) as server:
        first = measure(OURS, portal, server, folder / portal)
        done = Runs(measure(OURS, portal, server, folder / portal) for _ in range(runs))
    problem = first.problem or done.problem
    if problem or {run.printed["status"] for run in done} != {"unchanged"}:
        yield verdict(False, problem or "a second capture was not unchanged", f"an unchanged source ({portal})")
        return
    seconds, requests = done.median(lambda run: run.printed["seconds"]), done.median(lambda run: run.tally["requests"])
    waited = requests * latency_ms / 1000
    yield f"- {portal}: {seconds:.3f} s, including {waited:.3f} s of latency"
    yield verdict(requests == 1, f"metadata requests ({portal}): {requests:.0f}", "1")
    yield verdict(seconds - waited < 0.2, f"{seconds - waited:.3f} s plus latency ({portal})", "< 0.2 s")


def prepare_peers() -> None:
    """Install the environment of the peers from `requirements-peers.txt`."""
    uv = Path(sys.executable).with_name("uv")
    if not PEERS.exists():
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, PEERS], check=True)
    pinned = HERE / "requirements-peers.txt"
    subprocess.run([uv, "pip", "sync", "--quiet", "--require-hashes", "--python", PEERS, pinned], check=True)


def heading(arguments: list[str], portals: tuple[str, ...]) -> Iterator[str]:
    """Yield the command, the machine, the versions and an explanation."""
    packages = sorted({c.package for portal in portals for c in CLIENTS[portal] if c.package} | {"pandas"})
    code = "import sys; from importlib.metadata import version; print(*map(version, sys.argv[1:]))"
    versions = subprocess.run(
        [PEERS / "bin" / "python", "-c", code, *packages], capture_output=True, text=True, check=True
    )
    ours = " ".join(f"{name} {version(name)}" for name in ("pyarrow", "duckdb", "requests"))
    yield f"# Extraction benchmark, {date.today().isoformat()}\n"
    yield f"    .venv/bin/python benchmarks/extract.py {' '.join(arguments)}\n"
    yield f"- Python {platform.python_version()}, {os.cpu_count()} CPUs shared by client and server, {platform.machine()}"
    yield f"- ours: civic-pipeline {version('civic-pipeline')} ({ours})"
    yield f"- peers: {', '.join(' '.join(pair) for pair in zip(packages, versions.stdout.split(), strict=True))}"
    yield "- One local server keeps every rendered response in memory and adds the latency. Each client had one warm-up run,"
    yield "  so all responses were in memory. Wall time, CPU time and peak memory are of the whole client process with imports."
    yield "- `landed` and `types` are checked after every run: rows, distinct keys, the sum of amounts, and how many of the five"
    yield "  number and date columns are typed. civic_pipeline also counts, checks that keys are distinct, and commits with a checksum."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--latency-ms", type=float, default=50)
    parser.add_argument("--only", choices=PORTALS)
    parser.add_argument("--extraction", action="store_true", help="only this section; the next two options likewise")
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--unchanged", action="store_true")
    parser.add_argument("--write", action="store_true", help="also into benchmarks/results/")
    arguments = parser.parse_args()
    portals = (arguments.only,) if arguments.only else PORTALS
    every = not (arguments.extraction or arguments.memory or arguments.unchanged)
    prepare_peers()
    report = Report()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        report.add(heading(sys.argv[1:], portals))
        if every or arguments.extraction:
            for portal in portals:
                report.add(extraction(portal, arguments.rows, arguments.runs, arguments.latency_ms, folder))
        if every or arguments.memory:
            report.add(["\n## Memory of civic_pipeline, no latency\n"])
            for portal in portals:
                report.add(memory(portal, arguments.rows, folder))
        if every or arguments.unchanged:
            report.add([f"\n## An unchanged source, {arguments.latency_ms:g} ms latency\n"])
            for portal in portals:
                report.add(unchanged(portal, min(arguments.rows, 20_000), arguments.runs, arguments.latency_ms, folder))
    if arguments.write:
        report.save("extract")


if __name__ == "__main__":
    main()
