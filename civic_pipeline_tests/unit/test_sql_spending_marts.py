"""The marts of spending, each computed again in Python from a few payments made by hand."""

from datetime import date
from decimal import Decimal

import duckdb
import pytest
from checkbook import Paid, build_payments, put_checkbook
from formulas import build, empty_warehouse, rows_of_check


@pytest.fixture
def warehouse() -> duckdb.DuckDBPyConnection:
    return empty_warehouse()


def publish(warehouse: duckdb.DuckDBPyConnection, *payments: Paid) -> None:
    put_checkbook(warehouse, payments)
    build_payments(warehouse)


def test_spellings_of_one_payee_are_merged_with_the_reason(warehouse: duckdb.DuckDBPyConnection) -> None:
    names = {
        "Juniper-Holt Painting LLC": ("same spelling", "Juniper-Holt Painting LLC"),
        "JUNIPER-HOLT PAINTING, L.L.C.": ("capitals or punctuation", "Juniper-Holt Painting LLC"),
        "Juniper Holt Painting Inc.": ("legal form or abbreviation", "Juniper-Holt Painting LLC"),
        "The Juniperholt Painting": ("blanks or leading THE", "Juniper-Holt Painting LLC"),
        "JHP LLC d/b/a Holt Signs": ("same spelling", "JHP LLC d/b/a Holt Signs"),
        "Holt Signs, Inc.": ("trade name", "JHP LLC d/b/a Holt Signs"),
        "First LLC dba Two Owners": ("same spelling", "First LLC dba Two Owners"),
        "Second LLC dba Two Owners": ("same spelling", "Second LLC dba Two Owners"),
        "Two Owners": ("same spelling", "Two Owners"),  # of whom? nobody can tell
    }
    payments = [Paid("DPW", name, str(n), "2023-07-03", 10) for n, name in enumerate([*names, *list(names)[::4]])]
    publish(warehouse, *payments, Paid("DPW", None, "90", "2023-07-03", 5))
    merged = {
        raw: (reason, shown)
        for raw, reason, shown in warehouse.execute(
            "select raw_name, merge_reason, vendor_name from marts.bridge_vendor_names where raw_name <> '(redacted)'"
        ).fetchall()
    }
    assert merged == names
    redacted = "select vendor_name, is_redacted, paid_amount from marts.dim_vendors where is_redacted"
    assert warehouse.execute(redacted).fetchall() == [("Redacted", True, 5)]
    assert rows_of_check(warehouse, "vendor_names_account_for_all_payments") == []
    warehouse.execute("delete from marts.dim_vendors where is_redacted")
    assert len(rows_of_check(warehouse, "vendor_names_account_for_all_payments")) == 1


def test_a_reviewer_merges_what_no_rule_sees_and_the_reason_is_shown(warehouse: duckdb.DuckDBPyConnection) -> None:
    def shown(*payments: Paid) -> list[tuple[object, ...]]:
        publish(warehouse, *payments)
        query = "select raw_name, vendor_name, merge_reason, review_reason from marts.bridge_vendor_names order by 1"
        return warehouse.execute(query).fetchall()

    payments = [
        Paid("DPW", name, str(n), "2023-07-03", 10) for n, name in enumerate(["Old Name LLC", "New Name Inc"] * 2)
    ]
    payments.append(Paid("DPW", "New Name Inc", "9", "2023-07-03", 10))
    assert [row[1:3] for row in shown(*payments)] == [
        ("New Name Inc", "same spelling"), ("Old Name LLC", "same spelling"),
    ]  # fmt: skip
    warehouse.execute(
        "insert into seeds.vendor_merges values ('baltimore', 'OLD NAME, LLC', 'New Name', 'analyst', '2026-11-28', 'Renamed in 2024.'),"
        " ('elsewhere', 'New Name Inc', 'Other', 'analyst', '2026-11-28', 'Of another city.')"
    )
    assert shown(*payments) == [
        ("New Name Inc", "New Name Inc", "same spelling", None),
        ("Old Name LLC", "New Name Inc", "reviewed", "Renamed in 2024."),
    ]
    more = [Paid("DPW", "Old Name LLC", str(n), "2023-07-03", 10) for n in range(20, 25)]
    assert shown(*payments, *more)[0] == ("New Name Inc", "Old Name LLC", "reviewed", "Renamed in 2024.")
    assert warehouse.execute("select count(*), sum(paid_amount) from marts.dim_vendors").fetchall() == [(1, 100)]


def test_first_digits_of_payments_outside_fixed_fees(warehouse: duckdb.DuckDBPyConnection) -> None:
    warehouse.execute(
        "create or replace table seeds.procurement_thresholds (city varchar, threshold_amount varchar, valid_from varchar, valid_to varchar)"
    )
    amounts = [5, 0.5, 10.01, 1234.5, 99]
    payments = [Paid("DPW", "Ace", str(n), "2023-07-03", amount, category="Hoses") for n, amount in enumerate(amounts)]
    publish(warehouse, *payments, Paid("DPW", "Bee", "9", "2023-07-03", 700, category="Building Rent"))
    warehouse.execute("insert into seeds.fixed_fee_categories values ('baltimore', 'RENT', 'the same sum every month')")
    build(warehouse, "marts.fct_payment_sizes")
    query = "select size_kind, size, payment_count from marts.fct_payment_sizes order by all"
    assert warehouse.execute(query).fetchall() == [
        ("first digit", 1, 2), ("first digit", 5, 1), ("first digit", 9, 1),
        ("first two digits", 10, 1), ("first two digits", 12, 1), ("first two digits", 50, 1), ("first two digits", 99, 1),
    ]  # fmt: skip


SPENT = (
    Paid("DPW", "Ace", "1", "2023-07-03", 60),
    Paid("DPW", "Bee", "2", "2023-07-05", 30),
    Paid("DPW", "Cee", "3", "2023-09-29", 10),
    Paid("DPW", "Cee", "4", "2023-09-29", -25),  # more given back than paid
    Paid("DPW", None, "5", "2023-09-29", 400),
    Paid("Moon Base", "Ace", "6", "2023-09-29", 90),
)


def spending_marts(warehouse: duckdb.DuckDBPyConnection) -> None:
    build(
        warehouse,
        "marts.mart_spend_by_agency_month",
        "marts.mart_spend_by_vendor",
        "marts.mart_vendor_concentration",
    )


def test_concentration_is_of_vendors_that_were_paid_on_balance(warehouse: duckdb.DuckDBPyConnection) -> None:
    publish(warehouse, *SPENT)
    spending_marts(warehouse)
    query = (
        "select agency_name, paid_amount, counted_amount, redacted_amount, vendor_count, hhi, top_1_share, top_5_share"
        " from marts.mart_vendor_concentration order by agency_name"
    )

    def index(*amounts: int) -> float:
        return round(sum((amount / sum(amounts)) ** 2 for amount in amounts), 6)

    assert warehouse.execute(query).fetchall() == [
        ("All agencies", 565, 180, 400, 2, index(150, 30), 150 / 180, 1.0),
        ("Public Works", 475, 90, 400, 2, index(60, 30), 60 / 90, 1.0),
        ("Unmatched agency name", 90, 90, 0, 1, 1.0, 1.0, 1.0),
    ]


def test_a_month_without_payments_is_zero_only_where_it_is_complete(warehouse: duckdb.DuckDBPyConnection) -> None:
    publish(warehouse, *SPENT)
    spending_marts(warehouse)
    query = (
        "select agency_name, fiscal_period, coverage_status, paid_amount, payment_count"
        " from marts.mart_spend_by_agency_month inner join marts.dim_agencies using (agency_id) order by 1, 2"
    )
    assert warehouse.execute(query).fetchall() == [
        ("Public Works", 1, "complete", 90, 2),
        ("Public Works", 2, "missing", None, None),
        ("Public Works", 3, "complete", 385, 3),
        ("Unmatched agency name", 1, "complete", 0, 0),
        ("Unmatched agency name", 2, "missing", None, None),
        ("Unmatched agency name", 3, "complete", 90, 1),
    ]


def put_contracts(warehouse: duckdb.DuckDBPyConnection) -> None:
    warehouse.execute(
        "create or replace table clean.baltimore_contracts as select * from (values"
        " ('P1', '0', 'DPW', 'Ace', date '2023-07-01', date '2023-12-31', 100.00::decimal(18, 2), 40.00::decimal(18, 2)),"
        " ('P1', '0', 'City-Wide', 'ACE', date '2023-07-01', date '2024-06-30', 200.00, 10.00),"
        " ('P2', '0', 'DPW', 'Bee', date '2020-01-01', date '2020-12-31', 50.00, 0.00)"
        ") as t(contract_number, contract_release, agency_name, vendor_name, begin_date, end_date, authorized_amount, spent_amount)"
    )


def test_payments_draw_on_the_contract_that_they_cite_whatever_its_release(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    put_contracts(warehouse)
    publish(
        warehouse,
        Paid("DPW", "Ace", "1", "2023-07-01", 30, contract="P1:0"),
        Paid("DPW", "Ace", "2", "2023-09-29", 20, contract="p1:3"),
        Paid("DPW", "Ace", "3", "2023-09-29", 40, contract="SCON-12"),
        Paid("DPW", "Ace", "4", "2023-09-29", 50, contract="P999"),
        Paid("DPW", "Ace", "5", "2023-09-29", 60),
    )
    build(warehouse, "marts.dim_contracts", "marts.mart_contract_drawdown", "marts.mart_contract_coverage")
    query = (
        "select contract_number, ceiling_amount, reported_spent_amount, paid_amount, payment_count, drawdown_rate, elapsed_share,"
        " burn_rate, is_fully_observed from marts.mart_contract_drawdown order by 1"
    )
    elapsed = (date(2023, 9, 29) - date(2023, 7, 1)).days / (date(2024, 6, 30) - date(2023, 7, 1)).days
    assert warehouse.execute(query).fetchall() == [
        ("P1", 200, 50, 50, 2, 50 / 200, elapsed, 50 / 200 / elapsed, True),
        ("P2", 50, 0, 0, 0, None, 1.0, None, False),
    ]
    query = "select contract_link, split_count, paid_amount, split_share, paid_share from marts.mart_contract_coverage order by 1"
    assert warehouse.execute(query).fetchall() == [
        ("in the list of contracts", 2, 50, 2 / 5, 50 / 200),
        ("made in Workday, no list published", 1, 40, 1 / 5, 40 / 200),
        ("no contract cited", 1, 60, 1 / 5, 60 / 200),
        ("not in the list of contracts", 1, 50, 1 / 5, 50 / 200),
    ]
    spending_marts(warehouse)
    assert rows_of_check(warehouse, "spending_marts_account_for_all_payments") == []
    warehouse.execute("insert into marts.mart_contract_coverage select * from marts.mart_contract_coverage limit 1")
    assert [row[0] for row in rows_of_check(warehouse, "spending_marts_account_for_all_payments")] == [
        "mart_contract_coverage"
    ]


def test_a_contract_is_fully_observed_only_since_contracts_are_cited(warehouse: duckdb.DuckDBPyConnection) -> None:
    put_contracts(warehouse)
    numberless = Paid("DPW", "Bee", None, "2019-07-05", 9)  # fiscal year 2020: no contracts are published
    publish(warehouse, numberless, Paid("DPW", "Ace", "1", "2023-07-01", 30, contract="P1:0"))
    build(warehouse, "marts.dim_contracts", "marts.mart_contract_drawdown")
    query = "select contract_number, is_fully_observed from marts.mart_contract_drawdown order by 1"
    assert warehouse.execute(query).fetchall() == [("P1", True), ("P2", False)]  # P2 began in 2020


def test_vendors_are_ranked_by_what_they_were_paid_in_a_year(warehouse: duckdb.DuckDBPyConnection) -> None:
    publish(warehouse, *SPENT)
    spending_marts(warehouse)
    query = "select vendor_name, paid_amount, agency_count, vendor_rank, city_share from marts.mart_spend_by_vendor order by vendor_rank"
    total = Decimal(565)
    assert warehouse.execute(query).fetchall() == [
        (name, amount, agencies, rank, pytest.approx(float(amount / total)))
        for rank, (name, amount, agencies) in enumerate(
            [("Redacted", 400, 1), ("Ace", 150, 2), ("Bee", 30, 1), ("Cee", -15, 1)], start=1
        )
    ]
