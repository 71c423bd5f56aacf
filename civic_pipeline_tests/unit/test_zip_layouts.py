"""Cases by ZIP code in the layout of 2022, on invented rows: nobody has put a copy of that file beside the real ones."""

from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
from formulas import build, committed_models, empty_warehouse

from civic_pipeline.catalog import load_datasets
from civic_pipeline.lake import Lake, backfill
from civic_pipeline.settings import CHECKOUT
from civic_pipeline.warehouse.captured import capture_sql

NAME = "maryland/covid_zip_cases"
FILES = {
    "2021": "OBJECTID,ZIP_CODE,total12_30_2021,total12_31_2021\n517,21215,8000,8188\n518,20010,,8\n",
    # The year in which zeros were published, and blanks still meant fewer than 8.
    "2022": "OBJECTID,ZIP_CODE,total01_01_2022,total01_02_2022\n1033,21215,8200,0\n1034,20010,,9\n",
}


def warehouse_of(folder: Path, *years: str) -> duckdb.DuckDBPyConnection:
    datasets = load_datasets(CHECKOUT)
    lake = Lake(folder / "lake", datasets)
    for day, year in enumerate(years, start=1):
        file = folder / f"{year}.csv"
        file.write_text(FILES[year], encoding="utf-8")
        captured = backfill(NAME, datasets[NAME], lake, file, datetime(2026, 1, day, tzinfo=UTC), "demo", edition=year)
    warehouse = empty_warehouse()
    warehouse.execute(f"create table raw.maryland_covid_zip_cases as {capture_sql(lake, datasets[NAME], captured)}")
    build(warehouse, "clean.maryland_covid_zip_cases")
    return warehouse


def test_a_year_has_its_own_days_only_and_a_zero_is_no_blank(tmp_path: Path) -> None:
    warehouse = warehouse_of(tmp_path, "2021", "2022")
    query = "select zip_code, observed_date, cumulative_cases, is_suppressed from clean.maryland_covid_zip_cases order by all"
    assert warehouse.execute(query).fetchall() == [
        ("20010", date(2021, 12, 30), None, True), ("20010", date(2021, 12, 31), 8, False),
        ("20010", date(2022, 1, 1), None, True), ("20010", date(2022, 1, 2), 9, False),
        ("21215", date(2021, 12, 30), 8000, False), ("21215", date(2021, 12, 31), 8188, False),
        ("21215", date(2022, 1, 1), 8200, False), ("21215", date(2022, 1, 2), 0, False),
    ]  # fmt: skip


def test_the_contract_does_not_deny_the_zeros() -> None:
    assert "46 zeros of 2022" in str(committed_models()["clean.maryland_covid_zip_cases"].contract.cannot_say)
