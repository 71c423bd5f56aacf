"""COVID-19 in Maryland's real files: the numbers that an independent reading of the same files gave."""

from datetime import date

import duckdb
import pytest
from formulas import build, empty_warehouse, rows_of_check
from real_files import REAL, needs_real_files

from civic_pipeline.catalog import load_datasets
from civic_pipeline.methods.surveillance import distribute_corrections
from civic_pipeline.settings import CHECKOUT
from civic_pipeline.warehouse.captured import declared_sql
from civic_pipeline.warehouse.seeds import create_seeds

FILES = REAL / "baltimore" / "covid"
MART = "marts.mart_covid_indicators_daily"

pytestmark = [pytest.mark.slow, needs_real_files]


@pytest.fixture(scope="module")
def warehouse() -> duckdb.DuckDBPyConnection:
    """Cases and confirmed deaths by county to 2025-10-07, cases of 212xx ZIP codes of 2020 and 2021; no copy of the probable deaths is known."""
    connection = empty_warehouse()
    for table, name in {"cases": "CasesByCounty", "deaths": "ConfirmedDeathsByCounty"}.items():
        connection.execute(
            f"create table raw.maryland_covid_{table} as"
            " select * replace (cast(replace(date[:10], '/', '-') as date) as date), 'c' as _capture_id"
            f" from read_csv('{FILES}/MDCOVID19_{name}.csv', types = {{'DATE': 'varchar'}})"
        )
    connection.execute("create table raw.maryland_covid_probable_deaths as from raw.maryland_covid_deaths limit 0")
    years = [
        f"select *, 'c' as _capture_id, '{year}' as _edition"
        f" from read_csv('{FILES}/MD_Covid_by_zipcodes_{year}.csv', types = {{'ZIP_CODE': 'varchar'}}) where zip_code like '212%'"
        for year in (2020, 2021)
    ]
    connection.execute(f"create table raw.maryland_covid_zip_cases as {' union all by name '.join(years)}")
    create_seeds(connection, CHECKOUT)
    for name in ("community_levels", "transmission_levels", "vaccinations", "deaths"):
        no_rows = declared_sql(connection, load_datasets(CHECKOUT)[f"us/covid_{name}"])
        connection.execute(f"create table raw.us_covid_{name} as {no_rows}")
        build(connection, f"clean.us_covid_{name}")
    build(connection, "marts.fct_covid_federal_indicators")
    for name in ("cases", "deaths", "probable_deaths", "zip_cases"):
        build(connection, f"clean.maryland_covid_{name}")
    build(connection, "marts.fct_covid_observations", "marts.fct_covid_increments")
    increments = connection.sql("from marts.fct_covid_increments order by all").to_arrow_table()
    connection.register("changed", distribute_corrections({"marts.fct_covid_increments": increments}))
    connection.execute("create table marts.fct_covid_adjustments as from changed")
    build(connection, MART)
    return connection


def city(
    warehouse: duckdb.DuckDBPyConnection, columns: str, table: str = MART, where: str = "true"
) -> tuple[object, ...]:
    (row,) = warehouse.execute(
        f"select {columns} from {table} where geography = 'Baltimore City' and {where}"
    ).fetchall()
    return row


def of_deaths(warehouse: duckdb.DuckDBPyConnection, columns: str) -> tuple[object, ...]:
    return city(warehouse, columns, "marts.fct_covid_increments", "metric = 'deaths_confirmed'")


def test_the_outage_in_deaths_is_missing_and_its_gap_is_27(warehouse: duckdb.DuckDBPyConnection) -> None:
    days = "count(distinct observed_date), min(observed_date), max(observed_date), count(distinct geography)"
    outage = f"select {days} from {MART} where is_deaths_confirmed_missing_as_zero"
    assert warehouse.execute(outage).fetchone() == (23, date(2021, 12, 5), date(2021, 12, 27), 25)
    assert of_deaths(warehouse, "max(gap_increment) filter (where observed_date = '2021-12-28')") == (27,)
    in_outage = "count(deaths_confirmed_reported_daily), count(death_rate_cdc_7d), count(case_rate_cdc_7d)"
    assert city(warehouse, in_outage, where="is_deaths_confirmed_missing_as_zero") == (
        0,
        0,
        23,
    )  # cases were filled in later


def test_the_remaining_falls_are_corrections_and_are_kept(warehouse: duckdb.DuckDBPyConnection) -> None:
    corrections = "count(*) filter (where is_correction), sum(increment) filter (where is_correction)"
    assert of_deaths(warehouse, corrections) == (16, -21)
    assert city(warehouse, corrections, "marts.fct_covid_increments", "metric = 'cases'") == (7, -302)
    falls = warehouse.execute(
        "select observed_date::varchar, increment from marts.fct_covid_increments"
        " where geography = 'Baltimore City' and metric = 'cases' and is_correction order by 1"
    ).fetchall()
    assert falls == [
        ("2020-06-01", -60), ("2020-09-15", -63), ("2020-09-16", -151), ("2021-06-02", -5), ("2021-06-23", -1), ("2021-07-02", -2),
        ("2021-10-19", -20),
    ]  # fmt: skip
    statewide = (
        "select count(*) filter (is_correction), count(increment) from marts.fct_covid_increments"
        " where geography_kind = 'county' and metric = 'cases'"
    )
    assert warehouse.execute(statewide).fetchone() == (185, 50_800)


def test_cutting_off_falls_would_count_1376_deaths_too_many(warehouse: duckdb.DuckDBPyConnection) -> None:
    clipped = (
        "with days as (select value - lag(value) over (order by observed_date) as increment, value from marts.fct_covid_observations"
        " where geography = 'Baltimore City' and metric = 'deaths_confirmed' and value is not null)"
        " select sum(greatest(increment, 0)) - sum(increment) from days"
    )
    assert warehouse.execute(clipped).fetchone() == (1376,)


@pytest.mark.parametrize(("metric", "first", "last"), [("deaths_confirmed", 4, 2_132), ("cases", 1, 168_327)])
def test_adjusted_increments_add_up_to_the_last_count_and_none_is_negative(
    warehouse: duckdb.DuckDBPyConnection, metric: str, first: int, last: int
) -> None:
    adjusted = f"sum({metric}_adjusted_daily), min({metric}_adjusted_daily), sum({metric}_adjustment)"
    assert city(warehouse, adjusted) == (last - first, 0, 0)
    reported = f"sum(coalesce({metric}_reported_daily, {metric}_gap_increment))"
    assert city(warehouse, reported) == (last - first,)
    assert rows_of_check(warehouse, "covid_increments_add_up") == []


def test_the_cases_of_the_city_fall_by_302_of_168327_not_of_150708(warehouse: duckdb.DuckDBPyConnection) -> None:
    """The reference says 302 of 150,708 cases. The file that ends on 2025-10-07 has 168,327; its count was 150,708 about 27 April 2023, when the State retired its dashboard."""
    assert city(warehouse, "max(cases_cumulative_reported)") == (168_327,)
    on_two_days = "select cases_cumulative_reported from {} where geography = 'Baltimore City' and observed_date in ('2023-04-26', '2023-04-27') order by 1"
    assert warehouse.execute(on_two_days.format(MART)).fetchall() == [(150_693,), (150_709,)]


def test_the_peak_week_is_the_one_both_definitions_report(warehouse: duckdb.DuckDBPyConnection) -> None:
    peak = city(
        warehouse,
        "max(case_rate_bchd_7d), max(case_rate_cdc_7d), max_by(observed_date, case_rate_cdc_7d), any_value(population)",
    )
    assert (round(peak[0], 1), round(peak[1], 1), str(peak[2]), peak[3]) == (278.0, 1946.2, "2022-01-04", 585_708)


def test_the_cdc_rate_is_seven_times_the_other_two_in_every_full_week(warehouse: duckdb.DuckDBPyConnection) -> None:
    weeks = (
        f"select count(*), max(abs(case_rate_cdc_7d - 7 * case_rate_bchd_7d)), count(*) filter (case_rate_maryland_7d <> case_rate_bchd_7d)"
        f" from {MART} where cases_7d is not null and population is not null"
    )
    count, difference, others = warehouse.execute(weeks).fetchone() or (0, 1, 1)
    assert count > 48_000
    assert difference < 1e-9 * 5_000
    assert others == 0
    assert rows_of_check(warehouse, "covid_rates_differ_by_seven") == []


def test_a_catch_up_of_deaths_is_no_correction(warehouse: duckdb.DuckDBPyConnection) -> None:
    on_that_day = "deaths_confirmed_reported_daily, deaths_confirmed_adjusted_daily, is_deaths_confirmed_correction"
    assert city(warehouse, on_that_day, where="observed_date = '2021-05-27'") == (91, 91, False)


def test_falls_of_zip_codes_are_40_of_9863_not_36_of_8277(warehouse: duckdb.DuckDBPyConnection) -> None:
    """The reference counts 36 negative cells of 8,277 in 212xx ZIP codes of 2020, in a copy that is not in reach. This one, with all 45
    ZIP codes to 31 December, has 40 of 9,863 pairs of neighbouring columns; one more lies between a count and the next after a hidden one.
    By days, the step over 25 December, which has no column, is a gap of 40 ZIP codes."""
    in_2020 = "select {} from marts.fct_covid_increments where geography_kind = 'zip' and year(observed_date) = 2020"
    falls = warehouse.execute(in_2020.format("count(*) filter (is_correction), count(*) filter (reported_daily < 0)"))
    assert falls.fetchone() == (41, 40)
    pairs = warehouse.execute(
        in_2020.format(
            "count(reported_daily) + count(gap_increment) filter (observed_date = '2020-12-26'), count(distinct geography)"
        )
    )
    assert pairs.fetchone() == (9_863, 45)


def test_hidden_counts_of_zip_codes_are_never_zero(warehouse: duckdb.DuckDBPyConnection) -> None:
    hidden = f"select count(*), count(cases_cumulative_reported), min(cases_cumulative_low), max(cases_cumulative_high) from {MART} where is_suppressed"
    count, published, low, high = warehouse.execute(hidden).fetchone() or ()
    assert (published, low, high) == (0, 0, 7)
    assert count > 3_000
