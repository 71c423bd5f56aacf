"""January: the table of the current year is exchanged for one of the new year. No request is lost, and none counts twice."""

import sys
from typing import Any

import duckdb
import pytest
from formulas import committed_models, create, empty_warehouse
from test_editions import SHARED, of_years
from test_lake import FakeSource
from tiny_project import TinyProject

from civic_pipeline.catalog.dataset import Drift
from civic_pipeline.errors import VolumeCollapsed
from civic_pipeline.lake import Captured, capture
from civic_pipeline.portals import Access
from civic_pipeline.quality.drift import Comparison, Version, run_rules
from civic_pipeline.quality.drift.watched import watched

CLEAN = "clean.baltimore_service_requests"
DECEMBER = {"2025": ["a", "b", "c"], "current": ["d", "e", "f", "g"]}
JANUARY = {"2025": ["a", "b", "c"], "current": ["g", "h"]}


def take(tiny: TinyProject, monkeypatch: pytest.MonkeyPatch, served: dict[str, list[str]]) -> Captured:
    sources: dict[str, Any] = {label: FakeSource([rows], token=str(rows)) for label, rows in served.items()}
    monkeypatch.setattr(sys.modules["civic_pipeline.lake.capture"], "editions_of", lambda *_: sources)
    ids = {label: f"aaaa-{number}111" for number, label in enumerate(served, 1)}
    return capture(tiny.name, of_years(tiny, SHARED | {"editions": ids}).dataset, tiny.lake, Access())


def rows_of(tiny: TinyProject) -> dict[str | None, int]:
    """Rows of each edition in the accepted capture."""
    accepted = tiny.lake.accepted(tiny.name)
    assert accepted
    return {part.edition: part.landed for part in accepted.parts}


def test_an_exchanged_table_is_held_back_until_the_year_that_ended_is_an_edition(
    tiny: TinyProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(tiny, monkeypatch, DECEMBER)
    with pytest.raises(VolumeCollapsed, match="payments current"):
        take(tiny, monkeypatch, JANUARY)
    assert rows_of(tiny) == {"2025": 3, "current": 4}
    take(tiny, monkeypatch, {"2025": ["a", "b", "c"], "2026": ["d", "e", "f", "g"], "current": ["g", "h"]})
    assert rows_of(tiny) == {"2025": 3, "2026": 4, "current": 2}


def test_another_year_with_as_many_rows_is_held_back_where_the_clean_tables_are_compared() -> None:
    """A capture cannot see it by its number of rows. 400 requests a month: of 2025 and 2026, then of 2025 and 2027."""
    model = committed_models()[CLEAN]
    assert model.dataset
    warehouse = empty_warehouse()
    for table, years in (("accepted", (2025, 2026)), ("staged", (2025, 2027))):
        fill(warehouse, table, years)
    versions = (Version(f"clean.{table}", repeated_rows=0) for table in ("accepted", "staged"))
    findings = run_rules(Comparison.of(warehouse, watched(model), Drift(), *versions))
    held_back = {name for name, finding in findings.items() if finding.severity == "critical"}
    assert {"drift__rows", "drift__missing_slices"} & held_back


def fill(warehouse: duckdb.DuckDBPyConnection, table: str, years: tuple[int, int]) -> None:
    create(warehouse, CLEAN)
    warehouse.execute(f"alter table {CLEAN} rename to {table}")
    for year in years:
        warehouse.execute(
            f"insert into clean.{table} (request_id, record_number, created_date, created_at, agency_name, status)"
            " select year || ' ' || n, year || ' ' || n, day, day, 'Solid Waste', 'Closed'"
            f" from (select {year} as year, n, date '{year}-01-01' + cast(n % 360 as integer) as day from range(4800) as t(n))"
        )
