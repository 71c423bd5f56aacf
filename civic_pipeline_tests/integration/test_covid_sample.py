"""COVID-19 in the released sample: every documented case occurs, and the figures are those of the sample's files."""

import csv
import gzip
from datetime import date, timedelta

import pytest
from terminal import Place

from civic_pipeline.settings import CHECKOUT

SAMPLE = CHECKOUT / "data" / "sample"
TABLES = (
    "fct_covid_observations", "fct_covid_increments", "fct_covid_adjustments", "fct_covid_federal_indicators",
    "mart_covid_indicators_daily", "mart_covid_revision_triangle",
)  # fmt: skip


@pytest.mark.parametrize("table", TABLES)
def test_no_column_is_all_null_unless_the_contract_gives_the_reason(released: Place, table: str) -> None:
    columns = released.rows(
        f"select column_name, description like '%not_published: %' from meta.columns where table_name = 'marts.{table}' order by position"
    )
    (known,) = released.rows(f"select {', '.join(f'count({name})' for name, _ in columns)} from marts.{table}")
    empty = {name for (name, _), count in zip(columns, known, strict=True) if count == 0}
    assert empty == {name for name, has_reason in columns if has_reason}


@pytest.mark.parametrize(
    "condition",
    [
        "is_deaths_confirmed_missing_as_zero and deaths_confirmed_cumulative_reported = 0",
        "is_cases_correction and cases_reported_daily < 0 and cases_adjusted_daily >= 0",
        "is_deaths_confirmed_correction",
        "is_deaths_probable_correction",
        "geography_kind = 'zip' and is_suppressed and cases_cumulative_high = 7",
        "is_outage_window",
        "is_provisional",
        "is_unstable and case_rate_cdc_7d is not null",
        "is_case_rate_published_suppressed",
        "vax_series_share_65plus > 1",
    ],
)
def test_every_documented_case_occurs(released: Place, condition: str) -> None:
    ((count,),) = released.rows(f"select count(*) from marts.mart_covid_indicators_daily where {condition}")
    assert count > 0


def test_a_repaired_outage_and_late_reports_are_seen_over_four_captures(released: Place) -> None:
    captures = "select count(distinct capture_id) from marts.mart_covid_revision_triangle where metric = 'cases'"
    assert released.rows(captures) == [(4,)]
    of_a_day = (
        "select is_missing_as_zero, cumulative_reported > 0 from marts.mart_covid_revision_triangle"
        " where geography = 'Baltimore City' and metric = 'cases' and observed_date = '2021-12-10' order by captured_at"
    )
    assert released.rows(of_a_day) == [(True, False), (False, True)]
    late = "select count(*) from marts.mart_covid_revision_triangle where revision > 0 and completeness = 1"
    assert released.rows(late) > [(100,)]


def test_cases_of_the_city_are_recomputed_from_the_file(released: Place) -> None:
    with gzip.open(SAMPLE / "covid_cases.csv.gz", "rt", encoding="utf-8") as file:
        totals = {
            date.fromisoformat(row["DATE"][:10].replace("/", "-")): int(row["Baltimore_City"])
            for row in csv.DictReader(file)
        }
    daily = {day: total - totals[day - timedelta(1)] for day, total in totals.items() if day - timedelta(1) in totals}
    rows = released.rows(
        "select observed_date, cases_cumulative_reported, cases_reported_daily, case_rate_bchd_7d, case_rate_cdc_7d, cases_adjusted_daily"
        " from marts.mart_covid_indicators_daily where geography = 'Baltimore City' order by 1"
    )
    assert [row[:3] for row in rows] == [(day, total, daily.get(day)) for day, total in totals.items()]
    for day, _, _, per_day, per_week, _ in rows:
        week = [daily.get(day - timedelta(back)) for back in range(7)]
        if None in week:
            assert (per_day, per_week) == (None, None)
        else:
            expected = sum(count or 0 for count in week) / 585_708 * 100_000
            assert per_week == pytest.approx(expected, abs=1e-9)
            assert per_day == pytest.approx(expected / 7, abs=1e-9)
    adjusted = [row[5] for row in rows[1:]]
    assert sum(adjusted) == sum(daily.values())
    assert min(adjusted) >= 0 > min(daily.values())
