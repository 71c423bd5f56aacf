"""The statistics of payments, against numbers worked out by other means."""

import math
import random

import numpy as np
import pyarrow as pa
import pytest

from civic_pipeline.methods.integrity.formulas import (
    FIRST_DIGIT,
    FIRST_TWO_DIGITS,
    benford,
    bunching,
    upper_fence,
    year_end,
)
from civic_pipeline.methods.integrity.statistics import compute_statistics

LAW = [math.log10(1 + 1 / digit) for digit in range(1, 10)]


def conforming(rng: np.random.Generator, size: int) -> list[int]:
    law = np.array(LAW)
    return [int(count) for count in rng.multinomial(size, law / law.sum())]


def test_benford_by_hand() -> None:
    counts = [30, 18, 12, 10, 8, 7, 6, 5, 4]
    result = benford(counts)
    mad = sum(abs(count / 100 - share) for count, share in zip(counts, LAW, strict=True)) / 9
    assert result.observed == pytest.approx(mad)
    assert result.expected == pytest.approx(0.02349)
    assert result.statistic == pytest.approx(mad - 0.02349)
    assert result.p_value == 1.0  # closer to the law than nearly every sample of 100
    assert result.band is None


def test_bands_are_named_only_where_conforming_samples_meet_them() -> None:
    assert benford([round(1_532 * share) for share in LAW]).band is None
    assert benford([round(10_000 * share) for share in LAW]).band == "close"
    assert benford([1_000] * 9).band == "nonconforming"


def test_conforming_samples_have_no_excess_and_small_p_values_as_often_as_chance() -> None:
    rng = np.random.default_rng(7)
    results = [benford(conforming(rng, 300)) for _ in range(200)]
    assert sum(result.observed for result in results) / 200 == pytest.approx(0.0136, abs=0.0006)
    assert sum(result.statistic for result in results) / 200 == pytest.approx(0, abs=0.0006)
    assert 0.01 < sum((result.p_value or 0) < 0.05 for result in results) / 200 < 0.1
    assert pytest.approx(0.0136, abs=0.0001) == FIRST_DIGIT.expected_mad / 300**0.5


def test_two_digits_by_hand() -> None:
    law = [math.log10(1 + 1 / pair) for pair in range(10, 100)]
    counts = [4] * 90
    result = benford(counts, FIRST_TWO_DIGITS)
    mad = sum(abs(4 / 360 - share) for share in law) / 90
    assert (result.observed, result.expected) == pytest.approx((mad, 0.0794 / 360**0.5))
    assert result.statistic == pytest.approx(mad - 0.0794 / 360**0.5)
    assert result.p_value == pytest.approx(1 / 10_001)
    assert result.band is None
    assert benford([round(4_300 * share) for share in law], FIRST_TWO_DIGITS).band is None
    assert benford([round(100_000 * share) for share in law], FIRST_TWO_DIGITS).band == "close"
    assert benford([100] * 90, FIRST_TWO_DIGITS).band == "nonconforming"


def test_pairs_of_digits_of_a_conforming_sample_deviate_as_much_as_is_expected() -> None:
    law = np.log10(1 + 1 / np.arange(10, 100))
    draws = np.random.default_rng(3).multinomial(1_000, law / law.sum(), size=2_000)
    mean = np.abs(draws / 1_000 - law).mean()
    assert mean == pytest.approx(FIRST_TWO_DIGITS.expected_mad / 1_000**0.5, rel=0.01)


def bins(counts: dict[int, int], threshold: int = 25_000) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    results = np.full(threshold // 250, 10, dtype=np.int64)
    for dollars, count in counts.items():
        results[(dollars - threshold // 2) // 250] += count
    return results


def test_payments_just_below_a_threshold_are_an_excess_over_the_sizes_around_them() -> None:
    """The other bins hold 10 each, and so does a polynomial through them; [22,500, 25,000) has ten bins."""
    flat = bunching(bins({}), 25_000)
    assert flat is not None
    assert (flat.observed, flat.expected, flat.statistic) == pytest.approx((100, 100, 0), abs=1e-6)
    assert (flat.p_value or 0) > 0.3
    crowded = bunching(bins({22_500: 20, 24_750: 60}), 25_000)
    assert crowded is not None
    assert (crowded.observed, crowded.expected, crowded.statistic) == pytest.approx((180, 100, 0.8), abs=1e-6)
    assert crowded.p_value == pytest.approx(1 / 2001)
    above = bunching(bins({25_000: 60}), 25_000)
    assert above is not None
    assert above.observed == 100, "the threshold itself is not below it"


def test_the_last_month_by_hand() -> None:
    result = year_end(400, [100, 200, 100, 200, 100, 200, 100, 200])
    assert (result.observed, result.expected, result.statistic) == (400, 150, pytest.approx(400 / 150))
    logs = [math.log(100), math.log(200)] * 4
    mean = sum(logs) / 8
    spread = (sum((log - mean) ** 2 for log in logs) / 7) ** 0.5
    t = (math.log(400) - mean) / (spread * math.sqrt(1 + 1 / 8))
    # Student's t with 7 degrees of freedom, its density added up from t on.
    step = 0.001
    density = math.gamma(4) / (math.sqrt(7 * math.pi) * math.gamma(3.5))
    tail = sum(density * (1 + (t + step * (n + 0.5)) ** 2 / 7) ** -4 * step for n in range(200_000))
    assert result.p_value == pytest.approx(tail, rel=1e-3)
    assert (result.low or 9) < result.statistic < (result.high or 0)


def test_the_fence_of_tukey() -> None:
    assert upper_fence([1, 2, 3, 4, 5]) == 4 + 1.5 * (4 - 2)
    assert upper_fence([2, 2, 2, 2, 9]) == 3, "nobody stands out for selling two kinds of things"


def tables(
    sizes: list[dict[str, object]] | None = None,
    months: list[dict[str, object]] | None = None,
    breadths: list[dict[str, object]] | None = None,
) -> dict[str, pa.Table]:
    return {
        "marts.fct_payment_sizes": pa.Table.from_pylist(sizes or []),
        "marts.mart_spend_by_agency_month": pa.Table.from_pylist(months or []),
        "marts.fct_vendor_breadth": pa.Table.from_pylist(breadths or []),
    }


def digits(agency: str, counts: list[int], largest: float = 5000) -> list[dict[str, object]]:
    return [
        {
            "city": "x", "fiscal_year": 2024, "agency_id": agency, "size_kind": "first digit", "threshold_amount": 0, "size": digit,
            "payment_count": count, "smallest_amount": 10, "largest_amount": largest,
        }
        for digit, count in enumerate(counts, start=1)
    ]  # fmt: skip


def test_q_values_are_those_of_benjamini_and_hochberg_within_test_and_year() -> None:
    rng = np.random.default_rng(1)
    sizes = [row for n in range(9) for row in digits(f"a{n}", conforming(rng, 400))]
    sizes += digits("odd", [50] * 9)
    sizes += digits("small", [11] * 9)  # 99 payments: not tested
    sizes += digits("narrow", [50] * 9, largest=900)  # less than two orders of magnitude
    rows = compute_statistics(tables(sizes)).to_pylist()
    assert {row["unit_id"] for row in rows} == {*(f"a{n}" for n in range(9)), "odd"}
    assert {row["tested_count"] for row in rows} == {10}
    ordered = sorted(rows, key=lambda row: row["p_value"])
    q, expected = 1.0, {}
    for rank, row in reversed(list(enumerate(ordered, start=1))):
        q = min(q, row["p_value"] * len(ordered) / rank)
        expected[row["unit_id"]] = q
    assert {row["unit_id"]: row["q_value"] for row in rows} == pytest.approx(expected, abs=1e-5)
    assert [row["unit_id"] for row in rows if row["is_flagged"]] == ["odd"]


def test_every_test_city_and_year_is_a_family_of_its_own() -> None:
    counts = conforming(np.random.default_rng(1), 400)
    this_year = [row for unit in ("a", "b", "c") for row in digits(unit, counts)]
    last_year = [row | {"fiscal_year": 2023} for row in digits("a", counts)]
    elsewhere = [row | {"city": "y"} for row in digits("a", counts)]
    months = [
        {"city": "x", "fiscal_year": 2023, "agency_id": "a", "fiscal_period": n, "paid_amount": 100.0 + n, "coverage_status": "complete"}
        for n in range(1, 13)
    ]  # fmt: skip
    rows = compute_statistics(tables([*this_year, *last_year, *elsewhere], months)).to_pylist()
    families = {(row["test"], row["city"], row["fiscal_year"]): row["tested_count"] for row in rows}
    assert families == {
        ("benford_first_digit", "x", 2024): 3,
        ("benford_first_digit", "x", 2023): 1,
        ("benford_first_digit", "y", 2024): 1,
        ("year_end_share", "x", 2023): 1,
    }
    assert {row["q_value"] == row["p_value"] for row in rows if row["tested_count"] == 1} == {True}


def test_the_same_inputs_give_the_same_table_in_any_order_of_cities() -> None:
    rng = np.random.default_rng(2)
    sizes = [row for n in range(3) for row in digits(f"a{n}", conforming(rng, 200))]
    again = list(sizes)
    random.Random(3).shuffle(again)
    by_unit = {row["unit_id"]: row for row in compute_statistics(tables(sizes)).to_pylist()}
    assert {row["unit_id"]: row for row in compute_statistics(tables(again)).to_pylist()} == by_unit


def test_a_last_month_is_tested_only_against_enough_complete_months() -> None:
    def months(agency: str, paid: dict[int, float], missing: int = 0) -> list[dict[str, object]]:
        return [
            {
                "city": "x", "fiscal_year": 2024, "agency_id": agency, "fiscal_period": period, "paid_amount": amount,
                "coverage_status": "missing" if period == missing else "complete",
            }
            for period, amount in paid.items()
        ]  # fmt: skip

    steady = {period: 100.0 + period for period in range(1, 12)}
    results = compute_statistics(
        tables(
            months=[
                *months("rush", steady | {12: 900.0}),
                *months("steady", steady | {12: 104.0}),
                *months("unknown June", steady | {12: 900.0}, missing=12),
                *months("few months", {1: 10.0, 12: 900.0}),
            ]
        )
    ).to_pylist()
    assert {row["unit_id"]: row["is_flagged"] for row in results} == {"rush": True, "steady": False}


def test_a_supplier_that_reaches_the_fence_of_its_year_stands_out() -> None:
    """2024: Q1 is 2, Q3 is 4, so the fence is 7. 2025: 1.25, 2.75 and 5."""
    breadths = [
        {"city": "x", "fiscal_year": year, "vendor_id": f"v{n}", "payment_count": 30, "category_count": count}
        for year, counts in ((2024, [2, 2, 4, 4, 7]), (2025, [1, 1, 2, 2, 3, 4]), (2026, [1, 1, 2, 2, 3, 9]))
        for n, count in enumerate(counts)
    ]
    results = compute_statistics(tables(breadths=breadths)).to_pylist()
    assert [(row["fiscal_year"], row["vendor_id"]) for row in results if row["is_flagged"]] == [
        (2024, "v4"),
        (2026, "v5"),
    ]
    assert {row["p_value"] for row in results} == {None}
