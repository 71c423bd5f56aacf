"""civic_pipeline: `Suites` in DuckDB on the staged table, as in every run. Arguments: Parquet, expectations (JSON)."""

import json
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb

parquet, expectations = sys.argv[1:]
began = time.perf_counter()
from civic_pipeline.catalog import Expectation  # noqa: E402 - the import is measured
from civic_pipeline.quality import Suites  # noqa: E402
from civic_pipeline.quality.library import load_library  # noqa: E402
from civic_pipeline.quality.planned_check import PlannedCheck  # noqa: E402
from civic_pipeline.settings import Settings  # noqa: E402
from civic_pipeline.warehouse import Build, Staged  # noqa: E402

load_library()  # Suites imports it when it is created
imported = time.perf_counter()
checks = [
    PlannedCheck("clean.checkbook", name, "table", expected["severity"], name, Expectation.model_validate(expected))
    for name, expected in json.loads(Path(expectations).read_text()).items()
]  # fmt: skip
with tempfile.TemporaryDirectory() as folder, duckdb.connect(f"{folder}/build.duckdb") as connection:
    connection.execute("create schema staging")
    connection.execute(f"create table staging.clean__checkbook as from '{parquet}'")
    build = Build(connection, Settings(data=Path(folder)), {}, "benchmark", datetime.now(UTC))
    contract = SimpleNamespace(key=("payment_split_id",))
    model: Any = SimpleNamespace(name="clean.checkbook", contract=contract, personal=frozenset())
    staged = Staged(model, "staging.clean__checkbook", "staging.clean__checkbook", None, 0, 0, 0)
    loaded, cpu = time.perf_counter(), time.process_time()
    results = Suites(build).validate(staged, checks)
    seconds, cpu = time.perf_counter() - loaded, time.process_time() - cpu
costs = {"import": imported - began, "load": loaded - imported, "seconds": seconds, "cpu": cpu}
broken = [r.description for r in results if "could not run" in r.description]
outcomes = {r.name: [r.passed, r.unexpected, r.evaluated, broken[0] if broken else None] for r in results}
print(json.dumps(costs | {"results": outcomes}))
