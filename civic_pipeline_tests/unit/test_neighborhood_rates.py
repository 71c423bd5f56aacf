"""Rates of neighborhoods: the moments, the shrinking and the intervals worked by hand, and the counts they rest on."""

from typing import Any

import pyarrow as pa
import pytest
from formulas import build, empty_warehouse

from civic_pipeline.methods.geography.rates import gamma_interval, neighborhood_rates, poisson_interval, prior_of


def test_the_prior_is_that_of_marshalls_moments() -> None:
    """x = 2, 12 of n = 100, 300: m = 14/400 = 0.035; s2 = (100 x 0.015^2 + 300 x 0.005^2) / 400 = 0.000075.

    m / mean n = 0.035 / 200 = 0.000175 is more than s2: no more than chance. With x = 2, 30: m = 0.08, s2 = (100 x 0.06^2 + 300 x 0.02^2) / 400
    = 0.0012, A = 0.0012 - 0.08 / 200 = 0.0008, alpha = 0.0064 / 0.0008 = 8, beta = 0.08 / 0.0008 = 100.
    """
    assert prior_of([2, 12], [100, 300]) == (pytest.approx(0.035), float("inf"), float("inf"))
    assert prior_of([2, 30], [100, 300]) == pytest.approx((0.08, 8, 100))


def test_the_intervals_are_those_of_the_tables() -> None:
    """Garwood's table: 0 -> 0 and 3.689, 1 -> 0.0253 and 5.572, 10 -> 4.795 and 18.390. Gamma(10, 200): chi-squared of 20 degrees / 400."""
    assert poisson_interval(0) == pytest.approx((0, 3.689), abs=1e-3)
    assert poisson_interval(1) == pytest.approx((0.0253, 5.572), abs=1e-3)
    assert poisson_interval(10) == pytest.approx((4.795, 18.390), abs=1e-3)
    assert gamma_interval(10, 200) == pytest.approx((9.591 / 400, 34.170 / 400), abs=1e-5)


def rates(*counts: tuple[str, float, int | None]) -> dict[str, dict[str, Any]]:
    """Of neighborhoods with a count and a denominator."""
    same = {
        "city": "here", "fiscal_year": 2026, "measure": "vacant buildings", "denominator_name": "parcels of the City's list",
        "weight_name": "none", "unplaced_count": 0.0,
    }  # fmt: skip
    rows = [{"geography_id": name, "event_count": count, "denominator": size} | same for name, count, size in counts]
    tables = {
        "marts.fct_neighborhood_counts": pa.Table.from_pylist(rows),
        "marts.dim_geographies": pa.table({
            "geography_id": [name for name, *_ in counts], "geography_name": [name for name, *_ in counts],
        }),
    }  # fmt: skip
    return {row["neighborhood"]: row for row in neighborhood_rates(tables).to_pylist()}


def test_a_small_neighborhood_is_shrunk_more_than_a_large_one() -> None:
    """By the prior above: (8 + 2) / (100 + 100) = 0.05 with weight 1/2, and (8 + 30) / (100 + 300) = 0.095 with weight 3/4."""
    both = rates(("Small", 2, 100), ("Large", 30, 300))
    small, large = both["Small"], both["Large"]
    assert (small["raw_rate"], small["shrunk_rate"], small["own_weight"]) == pytest.approx((20, 50, 0.5))
    assert (large["raw_rate"], large["shrunk_rate"], large["own_weight"]) == pytest.approx((100, 95, 0.75))
    assert small["city_rate"] == large["city_rate"] == pytest.approx(80)
    assert (small["shrunk_rate_low"], small["shrunk_rate_high"]) == pytest.approx(
        (1000 * 9.591 / 400, 1000 * 34.170 / 400), abs=0.01
    )
    assert (small["raw_rate_low"], small["raw_rate_high"]) == pytest.approx((10 * 0.2422, 10 * 7.2247), abs=0.01)


def test_where_neighborhoods_do_not_differ_all_have_the_rate_of_the_city() -> None:
    both = rates(("Small", 2, 100), ("Large", 12, 300))
    assert {(row["shrunk_rate"], row["own_weight"]) for row in both.values()} == {(35.0, 0.0)}
    low, high = poisson_interval(14)
    assert both["Small"]["shrunk_rate_low"] == pytest.approx(2.5 * low, abs=1e-5)
    assert both["Small"]["shrunk_rate_high"] == pytest.approx(2.5 * high, abs=1e-5)


def test_a_neighborhood_without_a_denominator_has_a_reason_and_counts_for_no_prior() -> None:
    some = rates(("Small", 2, 100), ("Large", 30, 300), ("Harbor", 5, 0), ("Unknown", 5, None))
    assert some["Small"]["shrunk_rate"] == pytest.approx(50)
    for name in ("Harbor", "Unknown"):
        assert (some[name]["raw_rate"], some[name]["no_rate_reason"]) == (
            None,
            "The neighborhood has no parcels of the City's list.",
        )
    assert {row["no_rate_reason"] for row in rates(("Harbor", 5, 0)).values()} == {
        "Not published: no neighborhood has parcels of the City's list."
    }


def test_no_event_anywhere_is_a_rate_of_zero() -> None:
    assert {row["shrunk_rate"] for row in rates(("Small", 0, 100), ("Large", 0, 300)).values()} == {0.0}


def test_counts_have_zeros_and_what_names_no_neighborhood_is_counted_apart() -> None:
    """Two notices of one property count once. ZIP 21201: 40% of it lie in Upton, 10% outside.

    It has 10 cases until 30 June 2021 and 15 a year later, where the last day is a zero that stands for no count; a correction takes 3 away, and
    20 in the end are 5 more than were counted before: all years together are 20.
    """
    warehouse = empty_warehouse()
    build(warehouse, "marts.dim_dates", "marts.dim_cities", "marts.dim_fiscal_dates")
    warehouse.execute(
        "create table marts.dim_geographies as select * from (values"
        " ('u', 'baltimore', 'neighborhood', 'UPTON', 1000, 500), ('c', 'baltimore', 'neighborhood', 'CANTON', 2000, 900),"
        " ('z', 'baltimore', 'zip code', '21201', null, null)) as t(geography_id, city, kind, geography_key, residents, housing_units)"
    )
    warehouse.execute(
        "create table marts.fct_geography_overlaps as select * from (values ('z', 'u', 'neighborhood', 0.4), ('z', 'c', 'neighborhood', 0.5))"
        " as t(from_geography_id, to_geography_id, to_kind, area_share)"
    )
    warehouse.execute(
        "create table clean.baltimore_vacant_building_notices as select * from (values (date '2026-03-01', '1', 'Upton'),"
        " (date '2019-03-01', '1', 'UPTON'), (date '2020-03-01', '2', 'Atlantis')) as t(notice_date, block_lot, neighborhood)"
    )
    warehouse.execute(
        "create table clean.baltimore_real_property as select * from (values ('1', 'Upton'), ('2', 'UPTON'), ('2', 'Upton'), ('3', 'Canton'))"
        " as t(block_lot, neighborhood)"
    )
    warehouse.execute(
        "create table clean.baltimore_building_permits as select * from (values ('p1', date '2026-06-30', 'upton'), ('p2', date '2026-06-30', 'UPTON'))"
        " as t(permit_id, issued_date, neighborhood)"
    )
    warehouse.execute(
        "create table marts.fct_service_requests as select * from (values ('a', 'baltimore', 'Canton', date '2026-06-30'),"
        " ('b', 'baltimore', 'Canton', date '2026-07-01'), ('c', 'baltimore', null, date '2026-07-02'))"
        " as t(request_id, city, neighborhood, created_date)"
    )
    warehouse.execute(
        "create table marts.fct_covid_observations as select 'maryland' as place, 'zip' as geography_kind, '21201' as geography, 'cases' as metric,"
        " day as observed_date, value, value is null as is_suppressed from (values (date '2021-06-30', 10), (date '2022-06-28', 15),"
        " (date '2022-06-29', null), (date '2022-06-30', 0), (date '2023-06-30', 12), (date '2024-06-30', 20)) as t(day, value)"
    )
    build(warehouse, "marts.fct_covid_increments", "marts.fct_neighborhood_counts")
    rows = warehouse.execute(
        "select measure, fiscal_year, geography_id, event_count, denominator, weight_name, unplaced_count from marts.fct_neighborhood_counts order by all"
    ).fetchall()
    assert rows == [
        ("building permits", 2026, "c", 0.0, 1, "none", 0.0),
        ("building permits", 2026, "u", 2.0, 2, "none", 0.0),
        ("covid-19 cases", 2021, "c", 5.0, 2000, "area", 0.0),
        ("covid-19 cases", 2021, "u", 4.0, 1000, "area", 0.0),
        ("covid-19 cases", 2022, "c", 2.5, 2000, "area", 0.0),
        ("covid-19 cases", 2022, "u", 2.0, 1000, "area", 0.0),
        ("covid-19 cases", 2023, "c", 0.0, 2000, "area", 0.0),
        ("covid-19 cases", 2023, "u", 0.0, 1000, "area", 0.0),
        ("covid-19 cases", 2024, "c", 2.5, 2000, "area", 0.0),
        ("covid-19 cases", 2024, "u", 2.0, 1000, "area", 0.0),
        ("service requests", 2026, "c", 1.0, 2000, "none", 0.0),
        ("service requests", 2026, "u", 0.0, 1000, "none", 0.0),
        ("service requests", 2027, "c", 1.0, 2000, "none", 1.0),
        ("service requests", 2027, "u", 0.0, 1000, "none", 1.0),
        ("vacant buildings", 2026, "c", 0.0, 1, "none", 1.0),
        ("vacant buildings", 2026, "u", 1.0, 2, "none", 1.0),
    ]
