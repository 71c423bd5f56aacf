"""The formulas of COVID-19 on a few rows made by hand: missing days, corrections, rates, shares of positive tests, suppression."""

import math
import statistics
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import duckdb
import pytest
from formulas import build, empty_warehouse, rows_of_check
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2

from civic_pipeline.methods.surveillance import DAYS_BACK, adjustments, distribute_corrections
from civic_pipeline.settings import CHECKOUT
from civic_pipeline.warehouse.seeds import create_seeds

MART = "marts.mart_covid_indicators_daily"
FIRST = date(2021, 1, 1)
FEDERAL = (
    "case_rate_7d", "is_case_rate_suppressed", "positivity_pooled", "transmission_level", "hospital_admission_rate_7d",
    "inpatient_beds_covid_share", "community_level", "dose1_people", "series_people", "booster_people", "series_share_total",
    "series_share_5plus", "series_share_12plus", "series_share_65plus", "deaths_certified_cumulative",
)  # fmt: skip
Counts = Mapping[str, Sequence[int | None]]


@pytest.fixture
def warehouse() -> duckdb.DuckDBPyConnection:
    connection = empty_warehouse()
    connection.execute(
        "create table seeds.county_populations as select 'maryland' as place, county, fips as county_fips, '100000' as population,"
        " '2020' as population_year from (values ('A', '24001'), ('B', '24003')) as t(county, fips)"
    )
    connection.execute(
        "create table marts.fct_covid_federal_indicators as select null as place, null as geography, null::date as observed_date, "
        + ", ".join(f"null as {name}" for name in FEDERAL)
        + " limit 0"
    )
    for seed in ("poisson_limits", "covid_outages"):
        connection.execute(
            f"create table seeds.{seed} as from read_csv('{CHECKOUT}/data/seeds/{seed}.csv', all_varchar = true)"
        )
    return connection


def publish(
    warehouse: duckdb.DuckDBPyConnection,
    counts: Counts,
    metric: str = "deaths_confirmed",
    kind: str = "county",
    first: date = FIRST,
) -> None:
    """One cumulative count a day, per county of 100,000 residents or ZIP code; null is a hidden count of a ZIP code."""
    warehouse.execute(
        "create or replace table marts.fct_covid_observations (place varchar, geography_kind varchar, geography varchar,"
        " metric varchar, observed_date date, value bigint, is_suppressed boolean)"
    )
    for geography, values in counts.items():
        for day, value in enumerate(values):
            hidden = kind == "zip" and value is None
            row = ["maryland", kind, geography, metric, first + timedelta(days=day), value, hidden]
            warehouse.execute("insert into marts.fct_covid_observations values (?, ?, ?, ?, ?, ?, ?)", row)
    build(warehouse, "marts.fct_covid_increments")
    increments = warehouse.sql("from marts.fct_covid_increments order by all").to_arrow_table()
    changed = distribute_corrections({"marts.fct_covid_increments": increments})
    warehouse.register("changed", changed)
    warehouse.execute("create or replace table marts.fct_covid_adjustments as from changed")
    build(warehouse, MART)


def column(warehouse: duckdb.DuckDBPyConnection, name: str, geography: str = "A", table: str = MART) -> list[object]:
    query = f"select {name} from {table} where geography = ? order by observed_date"
    return [value for (value,) in warehouse.execute(query, [geography]).fetchall()]


# Missing days, then corrections


def test_zeros_in_every_county_are_missing_and_the_gap_is_counted_once(warehouse: duckdb.DuckDBPyConnection) -> None:
    publish(warehouse, {"A": [1355, 0, 0, 1382, 1383], "B": [10, 0, 0, 12, 12]})
    assert column(warehouse, "is_deaths_confirmed_missing_as_zero") == [False, True, True, False, False]
    assert column(warehouse, "deaths_confirmed_reported_daily") == [None, None, None, None, 1]
    assert column(warehouse, "deaths_confirmed_gap_increment") == [None, None, None, 27, None]
    assert column(warehouse, "deaths_confirmed_adjusted_daily") == [None, None, None, 27, 1]
    assert column(warehouse, "is_deaths_confirmed_correction") == [False] * 5
    assert rows_of_check(warehouse, "covid_increments_add_up") == []
    warehouse.execute(f"update {MART} set deaths_confirmed_gap_increment = 0 where geography = 'A'")
    expected = ("maryland", "A", "deaths_confirmed", 1355, 1, 28, 1383)
    assert rows_of_check(warehouse, "covid_increments_add_up") == [expected]


def test_one_county_falling_to_zero_is_a_correction(warehouse: duckdb.DuckDBPyConnection) -> None:
    publish(warehouse, {"A": [5, 0, 1], "B": [7, 8, 9]})
    assert column(warehouse, "is_deaths_confirmed_missing_as_zero") == [False, False, False]
    assert column(warehouse, "deaths_confirmed_reported_daily") == [None, -5, 1]
    assert column(warehouse, "is_deaths_confirmed_correction") == [False, True, False]


def test_counties_that_were_always_zero_are_not_missing(warehouse: duckdb.DuckDBPyConnection) -> None:
    publish(warehouse, {"A": [0, 0, 0], "B": [0, 0, 1]})
    assert column(warehouse, "is_deaths_confirmed_missing_as_zero") == [False, False, False]
    assert column(warehouse, "deaths_confirmed_reported_daily") == [None, 0, 0]


def test_a_blank_day_is_not_a_day_without_deaths(warehouse: duckdb.DuckDBPyConnection) -> None:
    publish(warehouse, {"A": [10, None, None, 14, 15]})
    assert column(warehouse, "deaths_confirmed_reported_daily") == [None, None, None, None, 1]
    assert column(warehouse, "deaths_confirmed_gap_increment") == [None, None, None, 4, None]
    assert column(warehouse, "is_deaths_confirmed_missing_as_zero") == [False] * 5


def test_a_correction_is_kept_and_beside_it_taken_from_the_days_before(warehouse: duckdb.DuckDBPyConnection) -> None:
    """-4 over 6, 2 and 4: shares of 2, 0.667 and 1.333, so whole parts 2, 0 and 1; the missing one goes to the largest remainder, 0.667."""
    publish(warehouse, {"A": [0, 6, 8, 12, 8, 9]}, "cases")
    assert column(warehouse, "cases_reported_daily") == [None, 6, 2, 4, -4, 1]
    assert column(warehouse, "cases_adjusted_daily") == [None, 4, 1, 3, 0, 1]
    assert column(warehouse, "cases_adjustment") == [0, -2, -1, -1, 4, 0]
    assert column(warehouse, "is_cases_correction") == [False, False, False, False, True, False]
    assert rows_of_check(warehouse, "covid_increments_add_up") == []
    warehouse.execute(f"update {MART} set cases_adjusted_daily = 5 where geography = 'A' and cases_adjusted_daily = 4")
    assert rows_of_check(warehouse, "covid_increments_add_up") == [("maryland", "A", "cases", 0, 9, 10, 9)]


def test_a_correction_reaches_back_28_days_and_what_they_cannot_cover_stays() -> None:
    days = [FIRST + timedelta(days=day) for day in range(40)]
    assert adjustments([(days[0], 9), (days[28], -3)]) == {days[0]: -3, days[28]: 3}
    assert adjustments([(days[0], 9), (days[29], -3)]) == {}
    assert adjustments([(days[0], 2), (days[5], -5), (days[6], -1)]) == {days[0]: -2, days[5]: 2}
    # Of equal remainders, the later day; a day that was used up gives nothing to the next correction.
    assert adjustments([(days[0], 1), (days[1], 1), (days[2], -1)]) == {days[1]: -1, days[2]: 1}
    assert adjustments([(days[0], 1), (days[1], 3), (days[2], -3), (days[3], -1)]) == {
        days[0]: -1, days[1]: -3, days[2]: 3, days[3]: 1,
    }  # fmt: skip


@given(st.lists(st.integers(-30, 60), max_size=70))
def test_a_distribution_keeps_the_total_and_only_moves_people_back(increments: list[int]) -> None:
    series = [(FIRST + timedelta(days=day), value) for day, value in enumerate(increments)]
    changes = adjustments(series)
    assert sum(changes.values()) == 0
    for position, (day, value) in enumerate(series):
        adjusted = value + changes.get(day, 0)
        assert min(value, 0) <= adjusted <= max(value, 0)
        window = range(max(0, position - DAYS_BACK), position)
        if adjusted < 0:  # all that was left of the days before is used
            assert all(series[i][1] + changes.get(series[i][0], 0) <= 0 for i in window)


# Rates


def test_seven_day_rates_need_seven_days_and_stand_under_three_names(warehouse: duckdb.DuckDBPyConnection) -> None:
    publish(warehouse, {"A": [0, 1, 2, 3, 4, 5, 6, 21, 22]}, "cases")
    assert column(warehouse, "cases_7d") == [None] * 7 + [21, 21]
    assert column(warehouse, "case_rate_cdc_7d") == [None] * 7 + [pytest.approx(21.0)] * 2
    assert column(warehouse, "case_rate_bchd_7d") == [None] * 7 + [pytest.approx(3.0)] * 2
    assert column(warehouse, "case_rate_maryland_7d") == column(warehouse, "case_rate_bchd_7d")
    assert set(column(warehouse, "population_year")) == {2020}
    assert rows_of_check(warehouse, "covid_rates_differ_by_seven") == []
    warehouse.execute(f"update {MART} set case_rate_cdc_7d = case_rate_bchd_7d")
    assert len(rows_of_check(warehouse, "covid_rates_differ_by_seven")) == 2


def test_no_rate_is_drawn_across_a_gap(warehouse: duckdb.DuckDBPyConnection) -> None:
    publish(warehouse, {"A": [0, 1, 2, 3, None, 5, 6, 7, 8, 9, 10, 11, 12, 13]})
    assert [rate is not None for rate in column(warehouse, "death_rate_cdc_7d")] == [False] * 12 + [True, True]


@pytest.mark.parametrize("count", [0, 1, 19, 99, 100, 2_000])
def test_the_interval_of_a_rate_is_that_of_garwood(warehouse: duckdb.DuckDBPyConnection, count: int) -> None:
    publish(warehouse, {"A": [0, *[0] * 6, count]}, "cases")
    low, high = chi2.ppf(0.025, 2 * count) / 2 if count else 0.0, chi2.ppf(0.975, 2 * count + 2) / 2
    assert column(warehouse, "case_rate_cdc_7d_low")[-1] == pytest.approx(low, rel=1e-4, abs=1e-6)
    assert column(warehouse, "case_rate_cdc_7d_high")[-1] == pytest.approx(high, rel=1e-4)
    assert column(warehouse, "is_unstable")[-1] == (count < 20)


def test_the_trend_has_an_interval_as_wide_as_the_days_vary(warehouse: duckdb.DuckDBPyConnection) -> None:
    """Two weeks of 70 and 140 cases, recomputed by Python's statistics."""
    before, after = [10, 4, 16, 10, 10, 3, 17], [20, 20, 20, 8, 32, 20, 20]
    totals = [0]
    for value in before + after:
        totals.append(totals[-1] + value)
    publish(warehouse, {"A": totals}, "cases")
    means = [statistics.mean(week) for week in (before, after)]
    excess = [max(0.0, (statistics.variance(week) - m) / m**2) for week, m in zip((before, after), means, strict=True)]
    half = 1.959964 * math.sqrt(sum((1 / m + statistics.mean(excess)) / 7 for m in means))
    assert column(warehouse, "cases_trend_14d")[-1] == pytest.approx(1.0)
    assert column(warehouse, "cases_trend_14d_low")[-1] == pytest.approx(2 * math.exp(-half) - 1, abs=1e-6)
    assert column(warehouse, "cases_trend_14d_high")[-1] == pytest.approx(2 * math.exp(half) - 1, abs=1e-6)
    assert column(warehouse, "cases_trend_14d")[:-1] == [None] * 14
    publish(warehouse, {"A": [*totals, totals[-1] - 200]}, "cases")
    assert column(warehouse, "cases_7d")[-1] < 0
    assert column(warehouse, "cases_trend_14d")[-1] is None, "corrections of a week are no fall by more than all cases"


# The three definitions of positivity


def test_the_three_definitions_of_positivity_differ_on_the_same_week() -> None:
    """Positives 1, 0, 5, 2, 0, 8, 4 of tests 10, 0, 20, 40, 5, 10, 15; 15 new cases and 60 people with only negative tests."""
    connection = empty_warehouse()
    week = "(values (1, 10, 2, 8), (0, 0, 0, 0), (5, 20, 4, 10), (2, 40, 2, 20), (0, 5, 0, 5), (8, 10, 5, 7), (4, 15, 2, 10)) as t(p, n, c, neg)"
    answer = connection.execute(
        f"select positivity_mean_of_daily(p, n), positivity_pooled(p, n), positivity_people(c, neg), count(*) filter (n = 0) from {week}"
    ).fetchone()
    mean = statistics.mean([1 / 10, 5 / 20, 2 / 40, 0 / 5, 8 / 10, 4 / 15])
    assert answer == (pytest.approx(mean, abs=1e-6), pytest.approx(20 / 100), pytest.approx(15 / 75), 1)


def test_a_week_without_tests_has_no_positivity() -> None:
    shares = "positivity_mean_of_daily(p, n), positivity_pooled(p, n), positivity_people(p, n)"
    assert empty_warehouse().execute(f"select {shares} from (values (0, 0)) as t(p, n)").fetchone() == (
        None,
        None,
        None,
    )


# Suppression, outage, provisional days


def test_a_hidden_count_of_a_zip_code_is_0_to_7_and_never_zero(warehouse: duckdb.DuckDBPyConnection) -> None:
    publish(warehouse, {"21201": [None, None, 8, 10, None, 12]}, "cases", "zip")
    assert column(warehouse, "cases_cumulative_reported", "21201") == [None, None, 8, 10, None, 12]
    assert column(warehouse, "cases_cumulative_low", "21201") == [0, 0, 8, 10, 0, 12]
    assert column(warehouse, "cases_cumulative_high", "21201") == [7, 7, 8, 10, 7, 12]
    assert column(warehouse, "is_suppressed", "21201") == [True, True, False, False, True, False]
    assert column(warehouse, "cases_reported_daily", "21201") == [None, None, None, 2, None, None]
    assert column(warehouse, "cases_gap_increment", "21201") == [None, None, None, None, None, 2]
    assert set(column(warehouse, "case_rate_cdc_7d", "21201")) == {None}
    flags = "is_deaths_confirmed_correction, is_deaths_probable_missing_as_zero, is_case_rate_published_suppressed"
    assert warehouse.execute(f"select distinct {flags} from {MART}").fetchall() == [(None,) * 3]  # no series, no answer


def test_a_zero_of_a_zip_code_after_a_count_is_no_count(warehouse: duckdb.DuckDBPyConnection) -> None:
    publish(warehouse, {"21201": [40, 0, 41], "21202": [9, 9, 9], "21203": [8, 9, 9]}, "cases", "zip")
    assert column(warehouse, "is_cases_missing_as_zero", "21201") == [False, True, False]
    assert column(warehouse, "cases_cumulative_low", "21201") == [40, None, 41]
    assert column(warehouse, "cases_gap_increment", "21201") == [None, None, 1]
    assert set(column(warehouse, "is_cases_correction", "21201")) == {False}


def test_days_of_the_outage_and_the_last_seven_are_marked(warehouse: duckdb.DuckDBPyConnection) -> None:
    publish(warehouse, {"A": list(range(12))}, "cases", first=date(2022, 3, 16))
    assert column(warehouse, "is_outage_window") == [True] * 8 + [False] * 4  # until 23 March 2022
    assert column(warehouse, "is_provisional") == [False] * 5 + [True] * 7


def test_the_seed_of_limits_is_that_of_poissons_distribution() -> None:
    connection = empty_warehouse()
    create_seeds(connection, CHECKOUT)
    rows = connection.execute(
        "select event_count::integer, low::double, high::double from seeds.poisson_limits order by 1"
    ).fetchall()
    assert [count for count, _, _ in rows] == list(range(100))
    for count, low, high in rows:
        assert (low, high) == (
            pytest.approx(chi2.ppf(0.025, 2 * count) / 2 if count else 0, abs=1e-6),
            pytest.approx(chi2.ppf(0.975, 2 * count + 2) / 2, abs=1e-6),
        )


# The second source


def test_federal_measures_stand_beside_the_states_on_their_own_days(warehouse: duckdb.DuckDBPyConnection) -> None:
    day = "'2021-01-02'::date"
    raw = {
        "community_levels": f"select 'A County' as county, '24001' as county_fips, 'Maryland' as state, 101000::decimal(38, 18) as"
        " county_population, 1 as health_service_area_number, 'x' as health_service_area, 1 as health_service_area_population,"
        " 4.2::decimal(38, 18) as covid_inpatient_bed_utilization, 11.5::decimal(38, 18) as covid_hospital_admissions_per_100k,"
        f" 80.25::decimal(38, 18) as covid_cases_per_100k, 'Medium' as covid_19_community_level, {day} as date_updated",
        "transmission_levels": "select 'Maryland' as state_name, 'A County' as county_name, fips as fips_code,"
        f" {day} as report_date, rate as cases_per_100k_7_day_count, 7.5::decimal(38, 18) as percent_test_results_reported,"
        " 'high' as community_transmission_level from (values ('24001', '1,234.5'), ('24003', 'suppressed')) as t(fips, rate)",
        "vaccinations": f"select {day} as date, fips, 1 as mmwr_week, 'A County' as recip_county, 'MD' as recip_state, 96.4 as"
        " completeness_pct, 60 as administered_dose1_recip, 50 as series_complete_yes, 49 as series_complete_5plus, 48 as"
        " series_complete_12plus, 21 as series_complete_65plus, 10 as booster_doses, 100 as census2019, 95 as census2019_5pluspop,"
        " 85 as census2019_12pluspop, 20 as census2019_65pluspop from (values ('24001'), ('UNK')) as t(fips)",
        "deaths": f"select {day} as data_as_of, {day} as start_week, {day} as end_week, 'MD' as state_name, 'A County' as"
        " county_name, fips as county_fips_code, deaths as covid_death, 900 as total_death, null as footnote"
        " from (values (24001::decimal(38, 18), 31), (24003::decimal(38, 18), null)) as t(fips, deaths)",
    }
    for name, query in raw.items():
        warehouse.execute(f"create table raw.us_covid_{name} as select *, 'c' as _capture_id from ({query})")
        build(warehouse, f"clean.us_covid_{name}")
    build(warehouse, "marts.fct_covid_federal_indicators")
    publish(warehouse, {"A": [0, 5], "B": [0, 1]}, "cases")
    measures = (
        "case_rate_cdc_7d_published, is_case_rate_published_suppressed, positivity_pooled, hosp_admission_rate_7d,"
        " round(hosp_inpatient_beds_covid_share, 6), community_level, vax_series_people, vax_series_share_total, vax_series_share_65plus,"
        " deaths_certified_cumulative, positivity_mean_of_daily, positivity_people"
    )
    rows = warehouse.execute(f"select {measures} from {MART} order by geography, observed_date").fetchall()
    nothing = (None,) * 12
    assert rows == [
        nothing,
        (
            1234.5,
            False,
            0.075,
            11.5,
            0.042,
            "Medium",
            50,
            0.5,
            1.05,
            31,
            None,
            None,
        ),  # more old people than there are: not cut off
        nothing,
        (None, True, 0.075, None, None, None, None, None, None, None, None, None),
    ]
    hidden = "select county_fips, covid_deaths from clean.us_covid_deaths where is_suppressed"
    assert warehouse.execute(hidden).fetchall() == [("24003", None)]
    assert warehouse.execute("select count(*) from marts.fct_covid_federal_indicators").fetchone() == (
        2,
    )  # UNK is of no county


# Revisions


def test_a_triangle_shows_what_each_capture_knew_of_a_day(warehouse: duckdb.DuckDBPyConnection) -> None:
    """Three captures of two counties: late reports of 3 January, an outage that the second one repairs, and an old day that is revised."""
    captures = [
        ("2021-01-04", {"A": [10, 12, 15], "B": [4, 4, 4]}),  # 1 to 3 January
        ("2021-01-07", {"A": [10, 12, 19, 0, 0], "B": [4, 4, 5, 0, 0]}),  # nothing of 4 and 5 January
        ("2021-03-01", {"A": [10, 11, 20, 24, 30], "B": [4, 4, 5, 5, 6]}),
    ]
    for name, value in (("cases", "cases"), ("deaths", "deaths"), ("probable_deaths", "probable_deaths")):
        warehouse.execute(
            f"create table clean_history.maryland_covid_{name} (county varchar, observed_date date, cumulative_{value} bigint,"
            " _capture_id varchar, _captured_at timestamp, _sequence integer)"
        )
    for sequence, (moment, counts) in enumerate(captures, 1):
        for county, values in counts.items():
            for day, value in enumerate(values):
                row = [county, FIRST + timedelta(days=day), value, f"c{sequence}", moment, sequence]
                warehouse.execute("insert into clean_history.maryland_covid_cases values (?, ?, ?, ?, ?, ?)", row)
    build(warehouse, "marts.mart_covid_revision_triangle")
    rows = warehouse.execute(
        "select day(observed_date), capture_id, lag_days, cumulative_reported, revision, daily_increment, latest_daily_increment,"
        " round(completeness, 4), is_missing_as_zero from marts.mart_covid_revision_triangle where geography = 'A' order by 1, 2"
    ).fetchall()
    assert rows == [
        (1, "c1", 3, 10, None, None, None, None, False),
        (2, "c1", 2, 12, None, 2, 1, 2.0, False),
        (2, "c3", 58, 11, -1, 1, 1, 1.0, False),
        (3, "c1", 1, 15, None, 3, 9, round(3 / 9, 4), False),
        (3, "c2", 4, 19, 4, 7, 9, round(7 / 9, 4), False),
        (3, "c3", 57, 20, 1, 9, 9, 1.0, False),
        (4, "c2", 3, 0, None, None, 4, None, True),
        (4, "c3", 56, 24, None, 4, 4, 1.0, False),
        (5, "c2", 2, 0, None, None, 6, None, True),
        (5, "c3", 55, 30, None, 6, 6, 1.0, False),
    ]
    # A day that is first seen after more than four weeks says nothing about revisions, unless it is revised.
    late = "select count(*) from marts.mart_covid_revision_triangle where is_first and lag_days > 28"
    warehouse.execute("delete from clean_history.maryland_covid_cases where _sequence < 3")
    build(warehouse, "marts.mart_covid_revision_triangle")
    assert warehouse.execute(late).fetchone() == (0,)
    warehouse.execute(
        "insert into clean_history.maryland_covid_cases values ('A', '2021-01-02', 13, 'c4', '2021-04-01', 4)"
    )
    build(warehouse, "marts.mart_covid_revision_triangle")
    assert warehouse.execute(late).fetchone() == (1,)
