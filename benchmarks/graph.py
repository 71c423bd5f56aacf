"""What more marts cost in Dagster: loading the definitions, planning the job, the first answer of the UI. See README.md."""

import argparse
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path
from statistics import median

from nightly import Project, copied
from report import Report, verdict

MARTS = 60
LIMIT_SECONDS = 10.0  # what that many more marts may add to the three together
PATIENCE_SECONDS = 120
LOAD = """
import time
began = time.perf_counter()
from civic_pipeline.definitions import defs
loaded = defs()
job = loaded.resolve_job_def("nightly")
print(time.perf_counter() - began)
"""
PLAN = (
    LOAD
    + """
from dagster import DagsterInstance
from dagster._core.execution.api import create_execution_plan
began = time.perf_counter()
create_execution_plan(job)
print(time.perf_counter() - began)
"""
)
QUERY = b'{"query": "{ assetNodes { assetKey { path } groupName hasAssetChecks } }"}'
CONTRACT = """each_row_is: one fiscal year of invented mart {number}
key: [fiscal_year]
expectations:
{expectations}
columns:
  - {{name: fiscal_year, type: INTEGER, description: Fiscal year.}}
{columns}
"""
COLUMNS = 8


def with_marts(project: Project, count: int) -> Project:
    """The project with `count` invented marts more, each with nine columns and sixteen expectations."""
    folder = project.folder / "sql" / "marts" / "shared"
    folder.mkdir(exist_ok=True)
    names = [f"measure_{number}" for number in range(COLUMNS)]
    for number in range(count):
        values = ",\n    ".join(f"cast({position} as integer) as {name}" for position, name in enumerate(names))
        (folder / f"mart_invented_{number}.sql").write_text(
            "-- Each row is one fiscal year of an invented mart.\n"
            f"select\n    fiscal_year,\n    {values}\nfrom (values (cast(2025 as integer))) as years(fiscal_year)\n"
        )
        expectations = "\n".join(
            f"  - {{expect_column_values_to_not_be_null: {{column: {name}}}, severity: critical}}\n"
            f"  - {{expect_column_values_to_be_between: {{column: {name}, min_value: 0}}, severity: warning}}"
            for name in names
        )
        columns = "\n".join(f"  - {{name: {name}, type: INTEGER, description: Invented.}}" for name in names)
        (folder / f"mart_invented_{number}.yml").write_text(
            CONTRACT.format(number=number, expectations=expectations, columns=columns)
        )
    return project


def seconds_of(project: Project, script: str) -> float:
    """The last number that `script` prints, in a process of its own."""
    ended = subprocess.run(
        [sys.executable, "-c", script],
        check=False,
        cwd=project.folder,
        env=project.environment,
        capture_output=True,
        text=True,
    )
    if ended.returncode:
        raise RuntimeError(ended.stderr[-2000:])
    return float(ended.stdout.split()[-1])


def seconds_to_show(project: Project) -> float:
    """From the start of the webserver to its answer with every asset."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [Path(sys.executable).with_name("dagster-webserver"), "-w", "workspace.yaml", "-h", "127.0.0.1"]
    began = time.perf_counter()
    with (project.folder / "webserver.log").open("wb") as log:
        server = subprocess.Popen(
            [*command, "-p", str(port)], cwd=project.folder, env=project.environment, stdout=log, stderr=log
        )
        try:
            request = urllib.request.Request(
                f"http://127.0.0.1:{port}/graphql", QUERY, {"Content-Type": "application/json"}
            )
            while time.perf_counter() - began < PATIENCE_SECONDS:
                with suppress(urllib.error.URLError, ConnectionError), urllib.request.urlopen(request) as answer:  # noqa: S310
                    if b'"path"' in answer.read():
                        return time.perf_counter() - began
                time.sleep(0.2)
            raise RuntimeError((project.folder / "webserver.log").read_text()[-2000:])
        finally:
            server.terminate()
            server.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--marts", type=int, default=MARTS)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--write", action="store_true", help="also into results/")
    arguments = parser.parse_args()
    report = Report()
    report.add([f"# {arguments.marts} marts more", "", "| | load | plan | show | together |", "|---|---|---|---|---|"])
    folder = Path(tempfile.mkdtemp(prefix="graph-"))
    try:
        projects = {
            "as it is": copied(folder / "now"),
            f"{arguments.marts} marts more": with_marts(copied(folder / "more"), arguments.marts),
        }
        totals = []
        for name, project in projects.items():
            runs = [
                (seconds_of(project, LOAD), seconds_of(project, PLAN), seconds_to_show(project))
                for _ in range(arguments.runs)
            ]
            load, plan, show = (median(run[step] for run in runs) for step in range(3))
            totals.append(load + plan + show)
            report.add([f"| {name} | {load:.1f} s | {plan:.1f} s | {show:.1f} s | {totals[-1]:.1f} s |"])
        added = totals[1] - totals[0]
        report.add(["", verdict(added <= LIMIT_SECONDS, f"{added:.1f} s more", f"at most {LIMIT_SECONDS:.0f} s")])
    finally:
        shutil.rmtree(folder)
    if arguments.write:
        report.save("graph")


if __name__ == "__main__":
    main()
