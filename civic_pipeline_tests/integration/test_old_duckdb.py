"""A DuckDB of two years ago, as BI tools carry it, opens the release and reads the same numbers."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from terminal import Place

OLD = "1.1.3"

_READ = """
import json, sys
import duckdb
connection = duckdb.connect(sys.argv[1], read_only=True)
ask = lambda query: connection.execute(query).fetchall()
print(json.dumps({
    "version": duckdb.__version__,
    "tables": ask("select schema_name || '.' || table_name, comment from duckdb_tables() order by 1"),
    "columns": ask("select schema_name || '.' || table_name || '.' || column_name, comment from duckdb_columns() where not internal order by 1"),
    "answers": [str(ask(query)) for query in sys.argv[2:]],
}))
"""

QUERIES = (
    "select city, fiscal_year, phase, sum(appropriated_amount) from marts.mart_budget_by_agency group by all order by all",
    "select count(*), sum(paid_amount), sum(payment_count) from marts.mart_vendor_spend_monthly",
    "select count(*), sum(cases_cumulative_reported), max(observed_date) from marts.mart_covid_indicators_daily",
    "select table_name, row_count, key_columns from meta.tables order by all",
)


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the old DuckDB alone."""
    folder = tmp_path_factory.mktemp("old_duckdb")
    install = [
        sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:",
        "--target", str(folder), f"duckdb=={OLD}",
    ]  # fmt: skip
    installed = subprocess.run(install, capture_output=True, text=True, check=False)
    if installed.returncode:
        pytest.skip(f"duckdb {OLD} cannot be installed here: {installed.stderr.strip()[-200:]}")
    return folder


@pytest.mark.slow
def test_the_old_engine_reads_every_table_comment_and_number(old: Path, released: Place) -> None:
    def read(folder: Path | None) -> dict[str, Any]:
        environment = os.environ | ({"PYTHONPATH": str(folder)} if folder else {})
        command = [sys.executable, "-c", _READ, str(released.warehouse), *QUERIES]
        answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert answer.returncode == 0, answer.stderr
        return dict(json.loads(answer.stdout))

    theirs, ours = read(old), read(None)
    assert theirs.pop("version") == OLD
    assert ours.pop("version") != OLD
    assert theirs == ours
    assert len(ours["tables"]) > 20
    assert all(comment for _, comment in ours["tables"])
