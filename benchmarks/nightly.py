"""Benchmark of nights: whole `civic run` processes, the first, without changes, and with a changed source. See README.md."""

import argparse
import gzip
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import median

import duckdb
import yaml

from report import Report, verdict

HERE = Path(__file__).parent
CHECKOUT = HERE.parent
DATASETS = (1, 5, 10, 15)
ROWS = (60_538, 1_000_000, 5_000_000)
HOSTS = (1, 5, 10)
SOURCES, LATENCY_MS = 10, 200
FIRST_SECONDS = 100.0  # limit for the first run on the sample, with a ready environment and an empty data folder
QUIET_SECONDS = 15.0  # limit for a night without changes, imports included
SERVING = """
import sys, time
from pathlib import Path
from civic_pipeline.demo import DemoPortals
began = time.perf_counter()
with DemoPortals(Path(sys.argv[1])):
    print(time.perf_counter() - began)
"""

# Wall seconds of all captures, seconds of the slowest, and of all of them added up.
CAPTURING = """
import sys, time
from pathlib import Path
from civic_pipeline.catalog import load_datasets
from civic_pipeline.demo import DemoPortals
from civic_pipeline.lake import Lake, attempt_all
from civic_pipeline.portals import Access
root = Path(sys.argv[1])
with DemoPortals(root / "data" / "sample", root=root) as portals:
    access = Access(root=portals.url, project=root, socrata_token="demo")
    began = time.perf_counter()
    timed = list(attempt_all(load_datasets(root), Lake(root / "lake"), access, lambda _: None))
    assert not [one.attempt.problem for one in timed if one.attempt.problem], timed
    print(time.perf_counter() - began, max(one.seconds for one in timed), sum(one.seconds for one in timed))
"""


@dataclass(frozen=True)
class Cost:
    """One process: wall and CPU seconds, peak memory in MB."""

    wall: float
    cpu: float
    peak: float


@dataclass(frozen=True)
class Project:
    """A copy of the checkout with its own data and served folder."""

    folder: Path

    @property
    def served(self) -> Path:
        return self.folder / "data" / "sample"

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("CIVIC_", "DAGSTER_"))}
        kept.pop("PYTHONDONTWRITEBYTECODE", None)
        data = str(self.folder / "made")
        return kept | {"PYTHONPATH": str(self.folder), "CIVIC_DATA": data, "DAGSTER_DISABLE_TELEMETRY": "1"}

    def night(self) -> Cost:
        """Run `civic run` and return its cost. Raises RuntimeError if it fails."""
        began = time.perf_counter()
        with (self.folder / "night.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "civic_pipeline.cli", "run"],
                cwd=self.folder,
                env=self.environment,
                stdout=log,
                stderr=log,
            )
            _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError((self.folder / "night.log").read_text()[-2000:])
        return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)

    def seconds_to_serve(self) -> float:
        """Return the seconds that the demo portals need to load the files. Real portals do not have this cost."""
        command = [sys.executable, "-c", SERVING, self.served]
        output = subprocess.run(command, cwd=self.folder, env=self.environment, stdout=subprocess.PIPE, check=True)
        return float(output.stdout.split()[-1])  # after DuckDB's progress bars

    def warehouse_megabytes(self) -> float:
        return (self.folder / "made" / "warehouse.duckdb").stat().st_size / 1e6


def copied(folder: Path) -> Project:
    for name in ("civic_pipeline", "sql", "data/sample", "data/seeds"):
        shutil.copytree(CHECKOUT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "workspace.yaml", "README.md"):
        shutil.copy(CHECKOUT / name, folder)
    return Project(folder)


def of_datasets(folder: Path, count: int) -> Project:
    """Return a project with `count` equal datasets: the firms of the sample (1,600 rows) with a clean table, without marts."""
    project = copied(folder)
    cities = project.folder / "civic_pipeline" / "defs"
    definition = (cities / "maryland" / "mbe_directory" / "defs.yaml").read_text()
    described = (cities / "baltimore" / "place.yaml").read_text()
    contract, model = (
        (project.folder / "sql/clean/maryland/mbe_directory").with_suffix(kind).read_text() for kind in (".yml", ".sql")
    )
    firms = (project.served / "mbe_directory.csv.gz").read_bytes()
    for gone in (*(path for path in cities.iterdir() if path.is_dir() and path.name != "__pycache__"), project.folder / "sql/marts",
                 project.folder / "sql/checks", project.folder / "sql/clean", project.served):  # fmt: skip
        shutil.rmtree(gone)
    files = []
    for number in range(count):
        name, socrata = f"firms_{number:02}", f"firm-{number:04}"
        for path, text in (
            (cities / "town" / "place.yaml", described),
            (cities / "town" / name / "defs.yaml", _with_id(definition, socrata)),
            (
                project.folder / f"sql/clean/town/{name}.sql",
                model.replace("raw.maryland_mbe_directory", f"raw.town_{name}"),
            ),
            (project.folder / f"sql/clean/town/{name}.yml", contract),
        ):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        project.served.mkdir(exist_ok=True)
        (project.served / f"{name}.csv.gz").write_bytes(firms)
        files.append({"file": f"{name}.csv.gz", "dataset": f"town/{name}"})
    (project.served / "portal.yml").write_text(yaml.safe_dump({"files": files}))
    return project


def _with_id(text: str, socrata: str, domain: str = "data.town.gov") -> str:
    definition = yaml.safe_load(text)
    definition["attributes"]["source"] |= {"id": socrata, "domain": domain}
    return yaml.safe_dump(definition)


def of_hosts(folder: Path, hosts: int) -> Project:
    """Return a project of SOURCES equal datasets on `hosts` hosts, each answer LATENCY_MS late."""
    project = of_datasets(folder, SOURCES)
    for number, path in enumerate(sorted(project.folder.glob("civic_pipeline/defs/town/*/defs.yaml"))):
        path.write_text(_with_id(path.read_text(), f"firm-{number:04}", f"data{number % hosts}.town.gov"))
    served = project.served / "portal.yml"
    files = [entry | {"faults": {"latency_ms": LATENCY_MS}} for entry in yaml.safe_load(served.read_text())["files"]]
    served.write_text(yaml.safe_dump({"files": files}))
    return project


def captured(project: Project) -> str:
    """Capture all sources of a project and return a row of the report."""
    command = [sys.executable, "-c", CAPTURING, project.folder]
    ran = subprocess.run(command, cwd=project.folder, env=project.environment, stdout=subprocess.PIPE, check=True)
    wall, slowest, total = (float(word) for word in ran.stdout.split()[-3:])
    return f"{wall:.1f} | {slowest:.1f} | {total:.1f} |"


def first_run() -> str:
    with tempfile.TemporaryDirectory() as folder:
        cost = copied(Path(folder) / "project").night()
    text = f"{cost.wall:.0f} s, {cost.cpu:.0f} s of CPU, {cost.peak:,.0f} MB"
    return verdict(cost.wall < FIRST_SECONDS, text, f"{FIRST_SECONDS:.0f} s")


def of_rows(folder: Path, rows: int) -> Project:
    """Return a project whose checkbook has `rows` rows: the one of the sample, repeated with other checks and invoices."""
    project = copied(folder)
    _multiply(project.served / "spending.csv.gz", rows)
    return project


def _multiply(file: Path, rows: int) -> None:
    columns = file.with_name("spending.csv")
    with duckdb.connect() as connection:
        connection.execute("create table sample as from read_csv(?, all_varchar = true)", [str(file)])
        connection.execute(
            "create table multiplied as"
            " select sample.* replace ("
            "   row_number() over () as ID,"
            "   Unique_ID || '-' || copy as Unique_ID,"
            "   Check_Number || lpad(copy::varchar, 3, '0') as Check_Number,"
            "   Supplier_Invoice_Number || '-' || copy as Supplier_Invoice_Number)"
            " from range(1 + ? // (select count(*) from sample)) as copies(copy), sample limit ?",
            [rows, rows],
        )
        connection.execute(f"copy multiplied to '{columns}' (header)")
    file.write_bytes(gzip.compress(columns.read_bytes(), compresslevel=1))
    columns.unlink()


def change(file: Path) -> None:
    """Remove the last row."""
    lines = gzip.decompress(file.read_bytes()).splitlines(keepends=True)
    file.write_bytes(gzip.compress(b"".join(lines[:-1]), compresslevel=1))


def measured(project: Project, name: str, changed: str, quiet_runs: int) -> str:
    """Run the nights of a project and return a row of the report."""
    first = project.night()
    quiet = [project.night() for _ in range(quiet_runs)]
    serving = median(project.seconds_to_serve() for _ in range(quiet_runs))
    change(project.served / changed)
    news = project.night()
    nothing = Cost(median(c.wall for c in quiet), median(c.cpu for c in quiet), max(c.peak for c in quiet))
    costs = [f"{cost.wall:.1f} | {cost.cpu:.1f} | {cost.peak:,.0f}" for cost in (first, nothing, news)]
    is_quiet = "PASS" if nothing.wall - serving < QUIET_SECONDS else "FAIL"
    return " | ".join(
        [f"| {name}", *costs[:2], f"{serving:.1f}", is_quiet, costs[2], f"{project.warehouse_megabytes():,.0f} |"]
    )


COLUMNS = (
    "", "first: s", "CPU s", "MB", "no changes: s", "CPU s", "MB", "of it demo portals: s", f"the rest under {QUIET_SECONDS:g} s",
    "one source changed: s", "CPU s", "MB", "warehouse MB",
)  # fmt: skip
HOSTS_HEADER = "| hosts | s | slowest source: s | all sources added up: s |\n|---|---|---|---|"
HEADER = f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--datasets", type=int, nargs="*", default=DATASETS)
    parser.add_argument("--rows", type=int, nargs="*", default=ROWS)
    parser.add_argument("--hosts", type=int, nargs="*", default=HOSTS)
    parser.add_argument("--quiet-runs", type=int, default=3)
    parser.add_argument("--write", action="store_true", help="also into results/nightly-<date>.md")
    arguments = parser.parse_args()
    report = Report()
    report.add(
        [f"# Nights, {date.today()}\n", f"`benchmarks/nightly.py {' '.join(sys.argv[1:])}`, {os.cpu_count()} cores."]
    )
    report.add(["\n## The first run on the sample\n", first_run()])
    alike = [(f"{count} datasets", of_datasets, count, "firms_00.csv.gz") for count in arguments.datasets]
    larger = [(f"{rows:,} rows", of_rows, rows, "spending.csv.gz") for rows in arguments.rows]
    titles = ("Datasets of 1,600 rows, a clean table each", "The sample with a checkbook of a given number of rows")
    for title, projects in zip(titles, (alike, larger), strict=True):
        report.add([f"\n## {title}\n", HEADER])
        for name, make, size, changed in projects:
            with tempfile.TemporaryDirectory() as folder:
                report.add([measured(make(Path(folder) / "project", size), name, changed, arguments.quiet_runs)])
    report.add([f"\n## {SOURCES} sources at {LATENCY_MS} ms of latency, captured side by side by host\n", HOSTS_HEADER])
    for hosts in arguments.hosts:
        with tempfile.TemporaryDirectory() as folder:
            report.add([f"| {hosts} | {captured(of_hosts(Path(folder) / 'project', hosts))}"])
    if arguments.write:
        report.save("nightly")


if __name__ == "__main__":
    main()
