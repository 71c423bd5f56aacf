"""Performance measures by hand: records with the columns of the export, and the marts that are made of them."""

from collections.abc import Mapping

import duckdb
from formulas import build, empty_warehouse

from civic_pipeline.catalog import load_datasets
from civic_pipeline.settings import CHECKOUT
from civic_pipeline.warehouse.seeds import create_seeds

COLUMNS = list(load_datasets(CHECKOUT)["baltimore/performance_measures"].columns)
MARTS = (
    "marts.fct_measure_records", "marts.fct_measure_observations", "marts.dim_measures", "marts.mart_kpi_scorecard",
)  # fmt: skip
_USUAL = {
    "Performance Measure": "# of things", "Agency": "Health", "Service": "Clinics", "Measure ID": "1", "Performance Measure Type": "Output",
    "Desired Outcome": "Increase", "Interval": "Cumulative", "Equity Measure": "No", "Percent or Count": "count", "Fiscal Year": "FY26",
    "Agency ID": "AGC2700 Health", "Service ID": "SRV0303 Clinics", "Modified": "2026-05-01 10:00:00", "Contact": "A Person", "Modified By": "B Person",
}  # fmt: skip


def records(*rows: Mapping[str, str | None]) -> duckdb.DuckDBPyConnection:
    """A warehouse whose export has these records; a column that is not given has a usual value, or none."""
    warehouse = empty_warehouse()
    create_seeds(warehouse, CHECKOUT)
    names = ", ".join(f'"{name}" varchar' for name in COLUMNS)
    warehouse.execute(f"create table raw.baltimore_performance_measures ({names}, _capture_id varchar)")
    marks = ", ".join("?" * (len(COLUMNS) + 1))
    for row in rows:
        assert row.keys() <= set(COLUMNS), row.keys() - set(COLUMNS)
        values = [(_USUAL | dict(row)).get(name) for name in COLUMNS]
        warehouse.execute(f"insert into raw.baltimore_performance_measures values ({marks})", [*values, "c"])
    build(warehouse, "clean.baltimore_performance_measures")
    return warehouse


def score(warehouse: duckdb.DuckDBPyConnection) -> None:
    """Make the marts until the scorecard, without a budget."""
    warehouse.execute("create table marts.dim_services (city varchar, service_id varchar, service_code varchar)")
    warehouse.execute(
        "create table marts.dim_agencies as select hash_id(['baltimore', 'AGC2700']) as agency_id, 'baltimore' as city, 'AGC2700' as agency_code"
    )
    warehouse.execute(
        "create table marts.dim_fiscal_years as select 'baltimore' as city, cast(year as integer) as fiscal_year,"
        " make_date(cast(year as integer) - 1, 7, 1) as first_date from range(2020, 2030) as years(year)"
    )
    build(warehouse, *MARTS)
