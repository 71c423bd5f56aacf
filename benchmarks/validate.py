"""Validation benchmark: the contract of the checkbook in DuckDB, and in Great Expectations on pandas. See README.md.

This process imports nothing heavy, because the peak memory of a child process starts at that of its parent.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from report import Report, verdict

HERE = Path(__file__).parent
CLIENTS = {"civic_pipeline, in DuckDB": "validate_ours", "Great Expectations, on pandas": "validate_pandas"}
OURS, PEER = CLIENTS
FEWEST_EXPECTATIONS, TARGET = 15, 5


@dataclass(frozen=True)
class Run:
    """One process: its printed seconds and results, and its cost measured by the system."""

    printed: dict[str, Any]
    cpu: float
    peak_mb: float

    @property
    def results(self) -> dict[str, list[Any]]:
        """Check -> passed, unexpected rows, evaluated rows, reason why it could not run."""
        return dict(self.printed["results"])


def measure(script: str, parquet: Path, expectations: Path) -> Run:
    command = [sys.executable, str(HERE / "clients" / f"{script}.py"), str(parquet), str(expectations)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        out = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{script} failed; run it alone to see why: {' '.join(command)}")
    return Run(json.loads(out.splitlines()[-1]), used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def different(ours: Run, peer: Run) -> list[str]:
    """Return the checks with different results, unexpected rows or evaluated rows, and those that could not run."""
    names = dict.fromkeys([*ours.results, *peer.results])
    return [name for name in names if ours.results.get(name) != peer.results.get(name) or ours.results[name][3]]


def compared(title: str, parquet: Path, expectations: Path, runs: int) -> Iterator[str]:
    """Run both clients once as a warm-up, then `runs` times, each time in the reverse order."""
    measured: dict[str, list[Run]] = {name: [] for name in CLIENTS}
    for number in range(runs + 1):
        for name in measured if number % 2 else reversed(measured):
            run = measure(CLIENTS[name], parquet, expectations)
            print(f"  {title} {number}/{runs} {name}: {run.printed['seconds']:.1f} s", file=sys.stderr)
            if number:
                measured[name].append(run)
    ours, peer = measured[OURS], measured[PEER]

    def middle(of: list[Run], take: Callable[[Run], float]) -> float:
        return median(map(take, of))

    yield f"\n## {title}, medians of {runs} runs\n"
    yield "| client | validation s | / ours | its CPU s | / ours | import s | load s | process CPU s | peak MB |"
    yield "|---|--:|--:|--:|--:|--:|--:|--:|--:|"
    seconds, cpu = (middle(ours, lambda run, key=key: run.printed[key]) for key in ("seconds", "cpu"))
    for name, done in measured.items():
        took = {
            key: middle(done, lambda run, key=key: run.printed[key]) for key in ("seconds", "cpu", "import", "load")
        }
        yield (
            f"| {name} | {took['seconds']:.2f} | {took['seconds'] / seconds:.2f} | {took['cpu']:.2f} | {took['cpu'] / cpu:.2f}"
            f" | {took['import']:.2f} | {took['load']:.2f}"
            f" | {middle(done, lambda run: run.cpu):.2f} | {middle(done, lambda run: run.peak_mb):.0f} |"
        )
    yield "\n| check | passed | unexpected, ours | unexpected, pandas |"
    yield "|---|---|--:|--:|"
    for name, (passed, unexpected, _, _) in ours[-1].results.items():
        yield f"| {name} | {passed} | {shown(unexpected)} | {shown(peer[-1].results[name][1])} |"
    yield ""
    wrong = [*dict.fromkeys(name for a, b in zip(ours, peer, strict=True) for name in different(a, b))]
    summary = (
        f"different: {', '.join(wrong)}" if wrong else f"{len(ours[-1].results)} results and counts, all identical"
    )
    yield verdict(not wrong, summary, "identical results, unexpected rows and evaluated rows")
    for what, ratio in {
        "time": middle(peer, lambda run: run.printed["seconds"]) / seconds,
        "CPU time": middle(peer, lambda run: run.printed["cpu"]) / cpu,
    }.items():
        yield verdict(not wrong and ratio >= TARGET, f"{ratio:.2f}x less {what} than {PEER}", f">= {TARGET}x")


def shown(count: float | None) -> str:
    return "" if count is None else f"{count:,.0f}"


def heading(arguments: list[str], rows: int, expected: int) -> Iterator[str]:
    packages = ("great-expectations", "duckdb", "duckdb-engine", "sqlalchemy", "pandas", "pyarrow")
    yield f"# Validation benchmark, {date.today().isoformat()}\n"
    yield f"    .venv/bin/python benchmarks/validate.py {' '.join(arguments)}".rstrip() + "\n"
    yield f"- Python {platform.python_version()}, {os.cpu_count()} CPUs, {platform.machine()}; " + ", ".join(
        f"{name} {version(name)}" for name in packages
    )
    yield f"- {rows:,} generated rows, sql/clean/baltimore/spending.yml: {expected} expectations, including those of its key"
    yield "- `validation` is the time from creating the context to the results; import and loading are listed separately."
    yield verdict(expected >= FEWEST_EXPECTATIONS, f"{expected} expectations", f">= {FEWEST_EXPECTATIONS}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--write", action="store_true", help="also into benchmarks/results/")
    arguments = parser.parse_args()
    report = Report()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run([sys.executable, HERE / "checkbook.py", folder, str(arguments.rows)], check=True)
        expectations = folder / "expectations.json"
        report.add(heading(sys.argv[1:], arguments.rows, len(json.loads(expectations.read_text()))))
        for file, title in {"clean": "Rows as the contract wants them", "faulty": "Rows with planted faults"}.items():
            report.add(compared(title, folder / f"{file}.parquet", expectations, arguments.runs))
    if arguments.write:
        report.save("validate")


if __name__ == "__main__":
    main()
