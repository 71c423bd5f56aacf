"""Participation by hand: expected, low, high and interval, two denominators, groups that count no dollar twice, certification on the day."""

from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from formulas import committed_models

from civic_pipeline.linkage.participation import participation
from civic_pipeline.settings import CHECKOUT

COLUMNS = (
    "city", "fiscal_year", "fiscal_quarter", "agency_id", "industry", "exclusion_reason", "vendor_id", "firm_id", "match_probability",
    "paid_amount", "mbe_only_amount", "wbe_only_amount", "dual_amount",
)  # fmt: skip
SPEND = [
    ("baltimore", 2025, 1, "police", "goods", "none", "v1", "f1", 0.995, "100.00", "100.00", "0.00", "0.00"),
    ("baltimore", 2025, 1, "police", "goods", "none", "v2", "f2", 0.6, "50.00", "0.00", "20.00", "30.00"),
    ("baltimore", 2025, 2, "fire", "construction", "none", "v3", "f3", 0.2, "40.00", "40.00", "0.00", "0.00"),
    ("baltimore", 2025, 2, "fire", "unmapped", "grants: no choice", "v4", None, None, "810.00", "0.00", "0.00", "0.00"),
]


@pytest.fixture(scope="module")
def rows() -> dict[tuple[Any, ...], dict[str, Any]]:
    listed = [
        {name: Decimal(value) if name.endswith("_amount") else value for name, value in zip(COLUMNS, row, strict=True)}
        for row in SPEND
    ]
    made_of = {"marts.fct_participation_spend": pa.Table.from_pylist(listed)}
    key = ("fiscal_quarter", "breakdown", "agency_id", "industry", "certified_group", "denominator")
    return {tuple(row[name] for name in key): row for row in participation(made_of).to_pylist()}


def amounts(row: dict[str, Any]) -> tuple[Decimal, ...]:
    return tuple(row[f"{name}_amount"] for name in ("denominator", "expected", "low", "high"))


def test_the_year_of_the_city_over_both_denominators(rows: dict[tuple[Any, ...], dict[str, Any]]) -> None:
    # 100 * 0.995 + 50 * 0.6 + 40 * 0.2, 100, 100 + 50
    every = rows[None, "city", None, None, "unduplicated", "all"]
    assert amounts(every) == (Decimal("1000.00"), Decimal("137.50"), Decimal("100.00"), Decimal("150.00"))
    assert every["expected_share"] == pytest.approx(0.1375)
    eligible = rows[None, "city", None, None, "unduplicated", "eligible"]
    assert amounts(eligible) == (Decimal("190.00"), *amounts(every)[1:])
    assert every["prime_payments_only"] is True
    assert every["vendor_count"] == 2
    # Of the outcomes, 190 needs a chance of 0.6 * 0.2 and 100 one of 0.4 * 0.8: both are within 95%.
    assert (every["interval_low_amount"], every["interval_high_amount"]) == (Decimal("100.00"), Decimal("190.00"))


def test_a_dollar_of_a_firm_with_both_certifications_counts_once(rows: dict[tuple[Any, ...], dict[str, Any]]) -> None:
    group = {
        name: amounts(rows[1, "agency", "police", None, name, "all"]) for name in ("mbe", "wbe", "dual", "unduplicated")
    }
    assert group["mbe"] == (Decimal("150.00"), Decimal("117.50"), Decimal("100.00"), Decimal("130.00"))
    assert group["wbe"] == (Decimal("150.00"), Decimal("30.00"), Decimal("0.00"), Decimal("50.00"))
    assert group["dual"] == (Decimal("150.00"), Decimal("18.00"), Decimal("0.00"), Decimal("30.00"))
    for position in (1, 2, 3):
        assert (
            group["mbe"][position] + group["wbe"][position] - group["dual"][position] == group["unduplicated"][position]
        )


def test_an_excluded_payment_is_in_no_eligible_row(rows: dict[tuple[Any, ...], dict[str, Any]]) -> None:
    assert amounts(rows[2, "agency and industry", "fire", "unmapped", "mbe", "all"])[0] == Decimal("810.00")
    assert (2, "agency and industry", "fire", "unmapped", "mbe", "eligible") not in rows


# The spending that it is made of


@pytest.fixture
def spend() -> list[tuple[Any, ...]]:
    with duckdb.connect() as connection:
        connection.execute("create schema marts; create schema seeds")
        for functions in ("ids", "names"):
            connection.execute((CHECKOUT / f"sql/functions/{functions}.sql").read_text(encoding="utf-8"))
        connection.execute("""
            create table marts.fct_payments as from (values
                ('baltimore', 2025, 1, 'police', 'Paper', 'v1', date '2024-07-01', 10.00),
                ('baltimore', 2025, 3, 'police', 'Paper', 'v1', date '2024-09-30', 20.00),
                ('baltimore', 2025, 4, 'police', 'Paper', 'v1', date '2024-10-01', 40.00),
                ('baltimore', 2025, 4, 'police', 'Community Grants', 'v2', date '2024-10-01', 5.00)
            ) as t(city, fiscal_year, fiscal_period, agency_id, spend_category, vendor_id, payment_date, paid_amount);
            create table marts.bridge_certified_firms as from (values ('c1', 'f1'), ('c2', 'f1'), ('c3', 'f1')) as t(certification_id, firm_id);
            create table marts.dim_certified_firms as from (values
                ('c1', 'MBE', date '2024-09-30', cast(null as date), true),
                ('c2', 'WBE', date '2000-01-01', date '2024-09-30', true),
                ('c3', 'WBE', date '2000-01-01', cast(null as date), false)
            ) as t(certification_id, certification_type, valid_from, valid_to, is_valid_period);
            create table marts.fct_vendor_certification_matches as from (values
                ('v1', 'f1', 'baltimore', 'baltimore', 0.9, true), ('v2', 'f1', 'maryland', 'baltimore', 0.9, true)
            ) as t(vendor_id, firm_id, authority, city, match_probability, is_assigned);
            create table seeds.spend_industries as from (values ('baltimore', 'Paper', 'goods')) as t(city, spend_category, industry);
            create table seeds.participation_exclusions as from (values ('baltimore', 'GRANTS', 'grants')) as t(city, word, reason);
        """)
        return connection.execute(
            "select fiscal_quarter, industry, exclusion_reason, firm_id, mbe_only_amount, wbe_only_amount, dual_amount"
            f" from ({committed_models()['marts.fct_participation_spend'].sql}) order by all"
        ).fetchall()


def test_a_payment_counts_by_the_certifications_of_its_day_in_the_citys_own_register(
    spend: list[tuple[Any, ...]],
) -> None:
    ten, twenty, forty, none = Decimal("10.00"), Decimal("20.00"), Decimal("40.00"), Decimal("0.00")
    assert spend == [
        (1, "goods", "none", "f1", none, ten, twenty),
        (2, "goods", "none", "f1", forty, none, none),
        (2, "unmapped", "grants", None, none, none, none),
    ]
