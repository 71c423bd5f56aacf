"""COVID-19 in the released sample: the figures are those of the sample's files."""

import csv
import gzip
from datetime import date, timedelta

import pytest
from terminal import Place

from civic_pipeline.settings import CHECKOUT

SAMPLE = CHECKOUT / "data" / "sample"


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


def test_an_outage_is_in_the_data_as_of_its_days_and_filled_in_as_of_later_ones(released: Place) -> None:
    """The commands of docs/analysts/covid.md."""
    of_a_day = (
        "select cumulative_cases from clean.maryland_covid_cases"
        " where county = 'Baltimore City' and observed_date = '2021-12-10'"
    )
    then, later = (released.civic("as-of", day, of_a_day, "--format", "csv") for day in ("2021-12-16", "2022-01-12"))
    assert then.out.split()[-1] == "0", then.err
    assert int(later.out.split()[-1]) > 50_000, later.err


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
