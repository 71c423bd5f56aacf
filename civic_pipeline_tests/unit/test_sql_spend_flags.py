"""The rules of duplicate payments and split purchases, each on payments made by hand."""

import duckdb
import pytest
from checkbook import Paid, build_payments, put_checkbook
from formulas import build, empty_warehouse, rows_of_check


@pytest.fixture
def warehouse() -> duckdb.DuckDBPyConnection:
    warehouse = empty_warehouse()
    warehouse.execute(
        "create table seeds.procurement_thresholds as select * from (values"
        " ('baltimore', '1000', '2020-01-01', '2023-12-31', 'true'), ('baltimore', '5000', '2024-01-01', '2030-12-31', 'false')"
        ") as t(city, threshold_amount, valid_from, valid_to, is_verified)"
    )
    return warehouse


def duplicates(warehouse: duckdb.DuckDBPyConnection, *payments: Paid) -> list[tuple[object, ...]]:
    """Tier, number, whether it was recovered, and amount at risk of what is reported."""
    put_checkbook(warehouse, payments)
    build_payments(warehouse)
    build(warehouse, "marts.fct_invoices", "marts.fct_duplicate_payments")
    assert rows_of_check(warehouse, "invoices_account_for_all_payments") == []
    query = "select tier, invoice_key, is_recovered, amount_at_risk from marts.fct_duplicate_payments order by tier, payment_date"
    return warehouse.execute(query).fetchall()


def paid(check: str, day: str, amount: float, invoice: str, vendor: str = "Ace LLC", **more: str) -> Paid:
    return Paid("DPW", vendor, check, day, amount, invoice, **more)


def test_an_invoice_paid_by_two_checks_is_the_strongest_tier(warehouse: duckdb.DuckDBPyConnection) -> None:
    first = [paid("1", "2023-07-03", 60, "INV-007"), paid("1", "2023-07-03", 40, "inv 7")]  # two splits of 100
    again = paid("2", "2023-09-01", 100, "INV 0007", vendor="ACE")
    same_check = [paid("3", "2023-07-03", 70, "A-1"), paid("3", "2023-07-03", 70, "A-1")]
    instalments = [paid("4", "2023-07-03", 70, "B-1"), paid("5", "2023-08-03", 30, "B-1")]
    numberless = [paid("6", "2023-07-03", 80, "-"), paid("7", "2023-10-03", 80, "-")]
    reported = duplicates(warehouse, *first, again, *same_check, *instalments, *numberless)
    assert reported == [("D1", "INV7", False, 100)]
    back = paid("2", "2024-03-01", -100, "INV 0007")
    assert duplicates(warehouse, *first, again, back) == [("D1", "INV7", True, 0)]
    late = paid("2", "2025-03-01", -100, "INV 0007")
    assert duplicates(warehouse, *first, again, late) == [("D1", "INV7", False, 100)]


def test_a_number_that_differs_by_one_sign_is_reported_for_half_a_year(warehouse: duckdb.DuckDBPyConnection) -> None:
    first = paid("1", "2023-07-03", 500, "K5134")
    for number in ("K5134A", "K5135", "K513", "K5134-1"):
        assert duplicates(warehouse, first, paid("2", "2023-12-01", 500, number))[0][0] == "D2", number
    assert duplicates(warehouse, first, paid("2", "2024-01-15", 500, "K5134A")) == []
    assert duplicates(warehouse, first, paid("2", "2023-12-01", 500, "K51AB")) == []
    assert duplicates(warehouse, first, paid("2", "2023-12-01", 501, "K5134A")) == []


def test_two_vendors_with_one_long_number_and_amount(warehouse: duckdb.DuckDBPyConnection) -> None:
    def pair(number: str) -> list[tuple[object, ...]]:
        return duplicates(
            warehouse, paid("1", "2023-07-03", 500, number), paid("2", "2023-08-03", 500, number, vendor="Bee")
        )

    assert pair("PX9011") == [("D3", "PX9011", False, 500)]
    assert pair("1001") == []
    assert pair("20230703") == []


def test_the_same_amount_twice_in_a_week_and_never_again(warehouse: duckdb.DuckDBPyConnection) -> None:
    twice = [paid("1", "2023-07-03", 2500, "A1"), paid("2", "2023-07-10", 2500, "ST77")]
    assert duplicates(warehouse, *twice) == [("D4", "ST77", False, 2500)]
    assert duplicates(warehouse, *twice, paid("3", "2023-11-10", 2500, "X9")) == []
    assert duplicates(warehouse, twice[0], paid("2", "2023-07-11", 2500, "ST77")) == []
    small = [payment._replace(amount=2499.99) for payment in twice]
    assert duplicates(warehouse, *small) == []


def purchases(warehouse: duckdb.DuckDBPyConnection, *payments: Paid) -> list[tuple[object, ...]]:
    put_checkbook(warehouse, payments)
    build_payments(warehouse)
    build(warehouse, "marts.fct_split_purchases")
    query = (
        "select threshold_amount, is_threshold_verified, payment_count, paid_amount, largest_window_amount, largest_window_count"
        " from marts.fct_split_purchases order by first_date"
    )
    return warehouse.execute(query).fetchall()


def test_payments_below_the_threshold_that_reach_it_within_thirty_days(warehouse: duckdb.DuckDBPyConnection) -> None:
    parts = [paid("1", "2023-07-03", 600, "a"), paid("2", "2023-07-20", 300, "b"), paid("3", "2023-08-01", 100, "c")]
    assert purchases(warehouse, *parts) == [(1000, True, 3, 1000, 1000, 3)]
    assert purchases(warehouse, *parts[:2]) == []
    assert purchases(warehouse, *parts[:2], paid("3", "2023-08-02", 100, "c")) == [], "31 days"
    whole = [paid("1", "2023-07-03", 1000, "a"), paid("2", "2023-07-20", 300, "b")]
    assert purchases(warehouse, *whole) == [], "a payment of the threshold itself was not split below it"
    assert purchases(warehouse, *parts[:2], paid("3", "2023-08-01", 100, "c", contract="P1:0")) == []
    assert purchases(warehouse, *parts[:2], paid("3", "2023-08-01", 100, "c", category="other")) == []
    assert purchases(warehouse, *parts[:2], paid("3", "2023-08-01", 100, "c", vendor="Bee")) == []


def test_runs_that_follow_within_thirty_days_are_one_and_the_threshold_is_that_of_the_day(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    days = ["2023-07-03", "2023-07-13", "2023-07-23", "2023-08-02", "2023-10-20", "2023-10-25"]
    payments = [paid(str(n), day, 600, f"i{n}") for n, day in enumerate(days)]
    assert purchases(warehouse, *payments) == [(1000, True, 4, 2400, 1800, 3), (1000, True, 2, 1200, 1200, 2)]
    later = [paid("1", "2024-07-03", 2600, "a"), paid("2", "2024-07-20", 2500, "b")]
    assert purchases(warehouse, *later) == [(5000, False, 2, 5100, 5100, 2)]


def test_flags_are_explained_and_measured_on_the_labelled_cases(warehouse: duckdb.DuckDBPyConnection) -> None:
    """Two true cases, one of them reported, one look-alike that is reported, one case that is not in the data; and one of a vendor."""
    warehouse.execute(
        "create table seeds.spend_test_explanations as select * from (values"
        " ('duplicate_payment', 'D1', 'Paid twice.', 'Instalments.'), ('split_purchase', null, 'Below.', 'Regular.')"
        ") as t(test, tier, plain_explanation, innocent_explanations)"
    )
    warehouse.execute(
        "create table seeds.labelled_payment_cases as select 'baltimore' as city, *, 'planted' as origin,"
        " if(test = 'heterogeneous_supplier', '', 'DPW') as agency_name, '' as note from (values"
        " ('found', 'duplicate_payment', 'D1', 'true', 'ACE', '100.00', '2023-07-01', '2023-09-30'),"
        " ('missed', 'duplicate_payment', 'D2', 'true', 'Bee', '70.00', '2023-07-01', '2023-09-30'),"
        " ('alike', 'duplicate_payment', 'D1', 'false', null, '50.00', '2023-07-01', '2023-09-30'),"
        " ('absent', 'duplicate_payment', 'D1', 'true', null, '79098.00', '2023-07-01', '2023-09-30'),"
        " ('broad', 'heterogeneous_supplier', '', 'true', 'BEE', '70.00', '2023-07-01', '2023-09-30'),"
        " ('narrow', 'heterogeneous_supplier', '', 'true', 'Cee', '100.00', '2023-07-01', '2023-09-30')"
        ") as t(case_id, test, tier, is_true, vendor_name, amount, first_date, last_date)"
    )
    warehouse.execute(
        "create table marts.fct_spend_statistics (city varchar, fiscal_year integer, test varchar, unit_id varchar, agency_id varchar,"
        " vendor_id varchar, threshold_amount decimal(18, 2), unit_count bigint, statistic double, statistic_low double,"
        " statistic_high double, p_value double, q_value double, is_flagged boolean)"
    )
    twice = [paid("1", "2023-07-03", 100, "A-1"), paid("2", "2023-08-03", 100, "A-1")]
    alike = [paid(str(n), day, 50, "C-7", vendor="Cee") for n, day in enumerate(("2023-07-05", "2023-08-05"), start=5)]
    duplicates(warehouse, *twice, *alike, paid("9", "2023-09-01", 70, "Z-1", vendor="Bee"))
    warehouse.execute(
        "insert into marts.fct_spend_statistics select 'baltimore', 2024, 'year_end_share', agency_id, agency_id, null, 0, 12, 3.5, 2, 5,"
        " 0.001, 0.01, true from marts.dim_agencies where agency_code = 'AGC6100'"
    )
    warehouse.execute(
        "insert into marts.fct_spend_statistics select 'baltimore', 2024, 'heterogeneous_supplier', vendor_id, null, vendor_id, 0, 20, 3,"
        " null, null, null, null, true from marts.dim_vendors where vendor_name = 'Bee'"
    )
    warehouse.execute(
        "insert into seeds.spend_test_explanations values ('year_end_share', null, 'June.', 'Grants.'),"
        " ('heterogeneous_supplier', null, 'Sells all.', 'A shop.')"
    )
    build(warehouse, "marts.fct_split_purchases", "marts.fct_spend_flags", "marts.fct_labelled_cases")
    build(warehouse, "marts.mart_integrity_test_quality", "marts.mart_agency_integrity_tests")
    flags = "select test, tier, flagged_amount, tested_count, base_rate, plain_explanation, q_value from marts.fct_spend_flags order by all"
    assert warehouse.execute(flags).fetchall() == [
        ("duplicate_payment", "D1", 50, 5, 0.4, "Paid twice.", None),
        ("duplicate_payment", "D1", 100, 5, 0.4, "Paid twice.", None),
        ("heterogeneous_supplier", None, 70, 1, 1.0, "Sells all.", None),
        ("year_end_share", None, 0, 1, 1.0, "June.", 0.01),
    ]
    evidence = "select evidence_row_ids from marts.fct_spend_flags where flagged_amount = 100"
    splits = "select string_agg(payment_split_id, ' ') from marts.fct_payments where paid_amount = 100"
    ((shown,),), ((expected,),) = warehouse.execute(evidence).fetchall(), warehouse.execute(splits).fetchall()
    assert sorted(shown.split()) == sorted(expected.split())
    cases = "select case_id, is_published, is_reported, reported_tier from marts.fct_labelled_cases order by 1"
    assert warehouse.execute(cases).fetchall() == [
        ("absent", False, False, None),
        ("alike", True, True, "D1"),
        ("broad", True, True, None),
        ("found", True, True, "D1"),
        ("missed", True, False, None),
        ("narrow", True, False, None),
    ]
    quality = "select true_count, found_count, false_count, false_alarm_count, recall, labelled_precision from marts.mart_integrity_test_quality"
    assert warehouse.execute(f"{quality} where test = 'duplicate_payment' and origin = 'all'").fetchall() == [
        (2, 1, 1, 1, 0.5, 0.5)
    ]
    assert warehouse.execute(f"{quality} where test = 'heterogeneous_supplier' and origin = 'all'").fetchall() == [
        (2, 1, 0, 0, 0.5, None)
    ]
    tests = "select test, unit_count, flag_count, amount_at_risk, flag_rate, recall, statistic from marts.mart_agency_integrity_tests order by 1"
    assert warehouse.execute(tests).fetchall() == [
        ("duplicate_payment D1", 5, 2, 150, 0.4, 1.0, None),
        ("duplicate_payment D2", 5, 0, 0, 0.0, 0.0, None),
        ("duplicate_payment D3", 5, 0, 0, 0.0, None, None),
        ("duplicate_payment D4", 5, 0, 0, 0.0, None, None),
        ("split_purchase", 3, 0, 0, 0.0, None, None),
        ("year_end_share", 12, 1, 0, None, None, 3.5),
    ]
