"""Participation by hand: expected, low, high and interval, two denominators, groups that count no dollar twice, certification on the day."""

from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from formulas import committed_models, rows_of_check

from civic_pipeline.methods.linkage.participation import participation
from civic_pipeline.settings import CHECKOUT

Table = pa.Table
COLUMNS = (
    "city", "fiscal_year", "fiscal_quarter", "agency_id", "industry", "exclusion_reason", "vendor_id", "firm_id", "match_probability",
    "owner_group", "paid_amount", "mbe_only_amount", "wbe_only_amount", "dual_amount",
)  # fmt: skip
SPEND = [
    ("baltimore", 2025, 1, "police", "goods", "none", "v1", "f1", 0.995, "Black American", "100.00", "100.00", "0.00", "0.00"),
    ("baltimore", 2025, 1, "police", "goods", "none", "v2", "f2", 0.6, None, "50.00", "0.00", "20.00", "30.00"),
    ("baltimore", 2025, 2, "fire", "construction", "none", "v3", "f3", 0.2, "Black American", "40.00", "40.00", "0.00", "0.00"),
    ("baltimore", 2025, 2, "fire", "unmapped", "grants: no choice", "v4", None, None, None, "810.00", "0.00", "0.00", "0.00"),
]  # fmt: skip


@pytest.fixture(scope="module")
def participated() -> Table:
    listed = [
        {name: Decimal(value) if name.endswith("_amount") else value for name, value in zip(COLUMNS, row, strict=True)}
        for row in SPEND
    ]
    return participation({"marts.fct_participation_spend": pa.Table.from_pylist(listed)})


@pytest.fixture(scope="module")
def rows(participated: Table) -> dict[tuple[Any, ...], dict[str, Any]]:
    key = ("fiscal_quarter", "breakdown", "agency_id", "industry", "certified_group", "denominator")
    return {
        tuple(row[name] for name in key): row
        for row in participated.to_pylist()
        if not row["breakdown"].endswith("owner group")
    }


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


def test_groups_of_owners_share_what_the_city_paid_and_an_unknown_group_says_why(participated: Table) -> None:
    by_group = {
        (row["owner_group"], row["denominator"]): row
        for row in participated.to_pylist()
        if row["breakdown"] == "owner group"
        and row["fiscal_quarter"] is None
        and row["certified_group"] == "unduplicated"
    }
    # 100 * 0.995 + 40 * 0.2, of 1,000 and of 190
    black = by_group["Black American", "all"]
    assert amounts(black) == (Decimal("1000.00"), Decimal("107.50"), Decimal("100.00"), Decimal("100.00"))
    assert amounts(by_group["Black American", "eligible"])[0] == Decimal("190.00")
    unknown = by_group[None, "all"]
    assert amounts(unknown) == (Decimal("1000.00"), Decimal("30.00"), Decimal("0.00"), Decimal("50.00"))
    assert "No register that publishes groups" in unknown["not_published"]
    assert black["not_published"] is None


def test_groups_of_owners_by_agency_and_industry_share_what_the_agency_paid_for_the_industry(
    participated: Table,
) -> None:
    cells = {
        (row["agency_id"], row["industry"], row["owner_group"], row["certified_group"]): row
        for row in participated.to_pylist()
        if row["breakdown"] == "agency, industry and owner group"
        and row["fiscal_quarter"] is not None
        and row["denominator"] == "eligible"
    }
    # v1 and v2 of the police, v3 of the fire department; nobody of a group was paid for what is excluded.
    assert {cell[:3] for cell in cells} == {
        ("police", "goods", "Black American"), ("police", "goods", None), ("fire", "construction", "Black American"),
    }  # fmt: skip
    expected = {"mbe": "99.50", "wbe": "0.00", "dual": "0.00", "unduplicated": "99.50"}
    for group, dollars in expected.items():
        assert amounts(cells["police", "goods", "Black American", group])[:2] == (Decimal("150.00"), Decimal(dollars))
    unknown = {group: cells["police", "goods", None, group] for group in expected}
    assert {group: row["expected_amount"] for group, row in unknown.items()} == {
        "mbe": Decimal("18.00"), "wbe": Decimal("30.00"), "dual": Decimal("18.00"), "unduplicated": Decimal("30.00"),
    }  # fmt: skip
    assert unknown["mbe"]["not_published"] is not None


@pytest.mark.parametrize("rule", ["owner_groups_add_up", "groups_count_no_dollar_twice"])
@pytest.mark.parametrize("breakdown", ["owner group", "agency, industry and owner group"])
def test_the_rules_see_a_group_of_owners_that_is_missing_or_counted_twice(
    rule: str, breakdown: str, participated: Table
) -> None:
    warehouse = in_a_warehouse(participated)
    assert rows_of_check(warehouse, rule) == []
    warehouse.execute(
        "delete from marts.mart_mwbe_participation where owner_group is not null and certified_group = 'mbe' and breakdown = ?",
        [breakdown],
    )
    assert rows_of_check(warehouse, rule) != []


def in_a_warehouse(participated: Table) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.register("participated", participated)
    connection.execute("create schema marts; create table marts.mart_mwbe_participation as from participated")
    return connection


def test_what_the_city_reported_is_compared_only_with_quarters_that_the_checkbook_covers(participated: Table) -> None:
    warehouse = in_a_warehouse(participated)
    for functions in ("numbers", "dates"):
        warehouse.execute((CHECKOUT / f"sql/functions/{functions}.sql").read_text(encoding="utf-8"))
    warehouse.execute("""
        create schema seeds;
        create table marts.dim_coverage as select 'baltimore' as city, 'spending' as source, 2025 as fiscal_year, fiscal_period,
            if(fiscal_period = 6, 'missing', 'complete') as status from range(1, 7) as months(fiscal_period);
        create table seeds.mwbe_reported_dollars as select 'baltimore' as city, '2025' as fiscal_year, quarter as fiscal_quarter,
            '200.00' as reported_amount, 'primes only' as counts, 's' as source, '2026-07-01' as published_on
        from (values ('1'), ('2'), ('3')) as t(quarter)
    """)
    reported = warehouse.execute(
        "select fiscal_quarter, covered_months, expected_amount, gap_amount, reported_share_of_eligible, expected_share_of_eligible,"
        f" not_published from ({committed_models()['marts.mart_mwbe_reported'].sql}) order by 1"
    ).fetchall()
    # 100 * 0.995 + 50 * 0.6 of 150; 40 * 0.2 of 40.
    assert reported == [
        (1, 3, Decimal("129.50"), Decimal("-70.50"), 200 / 150, 129.5 / 150, None),
        (2, 2, Decimal("8.00"), None, None, 0.2, "The checkbook covers 2 of the 3 months, so the two cannot be compared."),
        (3, 0, None, None, None, None, "The checkbook has no payments of this quarter."),
    ]  # fmt: skip


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
            create table marts.bridge_certified_firms as from (values ('c1', 'f1'), ('c2', 'f1'), ('c3', 'f1'), ('c4', 's1'), ('c5', 's2')) as t(certification_id, firm_id);
            create table marts.dim_certified_firms as from (values
                ('c1', 'MBE', date '2024-09-30', cast(null as date), true, 'layer', null),
                ('c2', 'WBE', date '2000-01-01', date '2024-09-30', true, 'layer', null),
                ('c3', 'WBE', date '2000-01-01', cast(null as date), false, 'layer', null),
                ('c4', 'MBE', date '2000-01-01', cast(null as date), true, 'state', 'AFRICAN AMERICAN / FEMALE'),
                ('c5', 'MBE', date '2000-01-01', cast(null as date), true, 'state', 'FEMALE')
            ) as t(certification_id, certification_type, valid_from, valid_to, is_valid_period, register, owner_group);
            create table seeds.owner_groups as from (values
                ('AFRICAN AMERICAN', 'Black American', 'high'), ('FEMALE', 'Women', 'high')
            ) as t(published_group, owner_group, mapping_confidence);
            create table marts.fct_vendor_certification_matches as from (values
                ('v1', 'f1', 'baltimore', 'baltimore', 0.9, true), ('v2', 's1', 'maryland', 'baltimore', 0.9, true),
                ('v1', 's1', 'maryland', 'baltimore', 0.85, true), ('v1', 's2', 'maryland', 'baltimore', 0.99, false)
            ) as t(vendor_id, firm_id, authority, city, match_probability, is_assigned);
            create table seeds.spend_industries as from (values ('baltimore', 'Paper', 'goods')) as t(city, spend_category, industry);
            create table seeds.participation_exclusions as from (values ('baltimore', 'GRANTS', 'grants')) as t(city, word, reason);
        """)
        return connection.execute(
            "select fiscal_quarter, industry, exclusion_reason, firm_id, owner_group, mbe_only_amount, wbe_only_amount, dual_amount"
            f" from ({committed_models()['marts.fct_participation_spend'].sql}) order by all"
        ).fetchall()


def test_a_payment_counts_by_the_certifications_of_its_day_in_the_citys_own_register(
    spend: list[tuple[Any, ...]],
) -> None:
    ten, twenty, forty, none = Decimal("10.00"), Decimal("20.00"), Decimal("40.00"), Decimal("0.00")
    assert spend == [
        (1, "goods", "none", "f1", "Black American", none, ten, twenty),
        (2, "goods", "none", "f1", "Black American", forty, none, none),
        (2, "unmapped", "grants", None, None, none, none, none),
    ]


# Utilization by industry


def test_utilization_availability_and_concentration_by_hand(participated: Table) -> None:
    warehouse = in_a_warehouse(participated)
    spend = ", ".join(f"({', '.join('null' if value is None else repr(value) for value in row)})" for row in SPEND)
    warehouse.execute(f"""
        create schema seeds;
        {(CHECKOUT / "sql/functions/numbers.sql").read_text(encoding="utf-8")}
        create table marts.fct_participation_spend as
        select * replace (mbe_only_amount::decimal(18, 2) as mbe_only_amount, wbe_only_amount::decimal(18, 2) as wbe_only_amount,
            dual_amount::decimal(18, 2) as dual_amount)
        from (values {spend}) as t({", ".join(COLUMNS)});
        create table marts.bridge_certified_firms as from (values ('c1', 'f1'), ('c2', 'f2'), ('c3', 'f2'), ('c4', 'f3')) as t(certification_id, firm_id);
        create table marts.dim_certified_firms as from (values
            ('c1', 'MBE', true, cast(null as date), '423450-MBE'), ('c2', 'MBE', true, null, '541611-MBE, 424120-MBE'),
            ('c3', 'WBE', true, null, '424120-MBE'), ('c4', 'MBE', true, date '2020-01-01', '423450-MBE')
        ) as t(certification_id, certification_type, is_valid_period, valid_to, naics_codes);
        create table seeds.naics_industries as from (values ('42', 'goods'), ('23', 'construction')) as t(naics_sector, industry);
        create table seeds.industry_firm_counts as from (values ('baltimore', 'goods', '2025', '8', 'a count')) as t(city, industry, fiscal_year, firm_count, source);
        create table seeds.not_published as from (values ('baltimore', 'firms_by_industry', 'no count')) as t(city, what, reason);
    """)
    query = (
        "select eligible_amount, expected_amount, utilization_share, vendor_count, top_2_share, hhi, certified_firm_count, eligible_amount_per_firm,"
        " availability_share, disparity_index, not_published from"
        f" ({committed_models()['marts.mart_mwbe_utilization'].sql}) where industry = ? and certified_group = ?"
    )
    # v1: 100 * 0.995, v2: 50 * 0.6 of which 30 * 0.6 counts for MBE; of 150. Two firms sell goods, both certified as MBE.
    assert warehouse.execute(query, ["goods", "mbe"]).fetchall() == [(
        Decimal("150.00"), Decimal("117.50"), pytest.approx(117.5 / 150, abs=1e-6), 2, 1.0,
        pytest.approx((99.5**2 + 18**2) / 117.5**2, abs=1e-6), 2, Decimal("75.00"), 0.25, pytest.approx(117.5 / 150 / 0.25 * 100, abs=0.01), None,
    )]  # fmt: skip
    assert warehouse.execute(query, ["goods", "wbe"]).fetchall()[0][6:] == (1, Decimal("150.00"), 0.125, 160.0, None)
    assert warehouse.execute(query, ["construction", "mbe"]).fetchall()[0][6:] == (None, None, None, None, "no count")
