"""The formulas of payments, vendors and coverage in `sql/`, each on a few rows made by hand."""

import duckdb
import pytest
from checkbook import Paid, publish_checkbook, put_checkbook
from formulas import build, empty_warehouse, rows_of_check


@pytest.fixture
def warehouse() -> duckdb.DuckDBPyConnection:
    return empty_warehouse()


def coverage(warehouse: duckdb.DuckDBPyConnection) -> dict[str, str]:
    query = "select strftime(month_start_date, '%Y-%m'), status from marts.dim_coverage order by 1"
    return dict(warehouse.execute(query).fetchall())


FOUR_MONTHS = [
    ("DPW", "Ace LLC", "1", "2023-07-03", "10"),
    ("DPW", "Ace LLC", "2", "08/15/2023", "20"),
    ("DPW", "Ace LLC", "3", "2023-10-16", "30"),
    ("DPW", "Other", "4", "2023-11-01", "5"),
    ("DPW", "Ace LLC", "5", "2023-12-15", "40"),
]


def test_a_month_without_payments_is_missing_and_an_unfinished_one_partial(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    publish_checkbook(warehouse, FOUR_MONTHS)
    assert coverage(warehouse) == {
        "2023-07": "complete",  # paid on its first business day
        "2023-08": "complete",
        "2023-09": "missing",
        "2023-10": "complete",
        "2023-11": "complete",
        "2023-12": "partial",  # last payment a fortnight before its last business day
    }


def test_the_last_month_is_complete_once_its_last_business_day_has_a_payment(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    publish_checkbook(warehouse, [("DPW", "Ace", "1", "2023-07-11", "1"), ("DPW", "Ace", "2", "2023-12-29", "1")])
    assert (coverage(warehouse)["2023-07"], coverage(warehouse)["2023-12"]) == ("partial", "complete")


def test_what_the_publisher_declares_outweighs_what_the_data_looks_like(warehouse: duckdb.DuckDBPyConnection) -> None:
    warehouse.execute(
        "create table seeds.coverage_notes as select 'baltimore' as city, 'spending' as source, '2023-06-01' as first_month,"
        " '2023-08-01' as last_month, 'known_date_error' as status, 'Wrong dates.' as note"
    )
    publish_checkbook(warehouse, FOUR_MONTHS)
    assert {coverage(warehouse)[month] for month in ("2023-07", "2023-08")} == {"known_date_error"}
    assert "2023-06" not in coverage(warehouse)  # before the source begins: another layer
    assert coverage(warehouse)["2023-09"] == "missing"


def test_zeros_are_filled_in_covered_months_only(warehouse: duckdb.DuckDBPyConnection) -> None:
    publish_checkbook(warehouse, FOUR_MONTHS)
    query = (
        "select fiscal_period, paid_amount, payment_count, agency_month_share from marts.mart_vendor_spend_monthly"
        " where vendor_id = (select vendor_id from marts.dim_vendors where vendor_name = 'Ace LLC') order by 1"
    )
    # September (3) is missing and December (6) partial: absent. November (5) is a true zero.
    assert warehouse.execute(query).fetchall() == [(1, 10, 1, 1.0), (2, 20, 1, 1.0), (4, 30, 1, 1.0), (5, 0, 0, 0.0)]
    assert rows_of_check(warehouse, "vendor_months_account_for_all_payments") == []
    warehouse.execute("delete from marts.mart_vendor_spend_monthly where fiscal_period = 4")
    assert len(rows_of_check(warehouse, "vendor_months_account_for_all_payments")) == 1


def test_one_check_is_one_payment_however_many_splits_it_pays(warehouse: duckdb.DuckDBPyConnection) -> None:
    same = ("DPW", "Ace LLC", "1", "2023-07-03", "10")
    publish_checkbook(
        warehouse,
        [same, same, ("DPW", "ACE, L.L.C.", "1", "2023-07-03", "(4.00)"), ("DPW", "Ace", "2", "2023-07-03", "1")],
    )
    query = (
        "select count(*), count(distinct payment_split_id), count(distinct payment_id), sum(paid_amount), count(*) filter (is_reversal)"
        " from marts.fct_payments"
    )
    assert warehouse.execute(query).fetchone() == (4, 4, 2, 17, 1)
    assert warehouse.execute("select name_count, split_count from marts.dim_vendors").fetchall() == [(3, 4)]


def test_redacted_payees_are_one_vendor_and_unknown_agencies_one_agency(warehouse: duckdb.DuckDBPyConnection) -> None:
    publish_checkbook(
        warehouse,
        [
            (" dpw ", None, "1", "2023-07-03", "1"),
            ("Moon Base", " ", "2", "2023-07-05", "2"),
            ("Mars Base", "Ace", "3", "2023-07-06", "4"),
        ],
    )
    vendors = "select is_redacted, paid_amount from marts.dim_vendors order by paid_amount"
    assert warehouse.execute(vendors).fetchall() == [(True, 3), (False, 4)]
    agencies = "select agency_code, sum(paid_amount) from marts.fct_payments inner join marts.dim_agencies using (agency_id) group by all order by 1"
    assert warehouse.execute(agencies).fetchall() == [("AGC6100", 1), ("unmatched", 6)]
    assert rows_of_check(warehouse, "payments_agree_with_checkbook") == []
    warehouse.execute("delete from marts.fct_payments where check_number = '3'")
    assert len(rows_of_check(warehouse, "payments_agree_with_checkbook")) == 1


def test_ids_do_not_depend_on_the_order_in_which_a_portal_sends_its_rows(warehouse: duckdb.DuckDBPyConnection) -> None:
    publish_checkbook(warehouse, FOUR_MONTHS)
    query = "select payment_split_id, check_number, amount from clean.baltimore_spending order by all"
    before = warehouse.execute(query).fetchall()
    publish_checkbook(warehouse, FOUR_MONTHS[::-1])
    assert warehouse.execute(query).fetchall() == before


def test_an_alias_of_two_agencies_or_of_none_is_found(warehouse: duckdb.DuckDBPyConnection) -> None:
    publish_checkbook(warehouse, FOUR_MONTHS)
    assert rows_of_check(warehouse, "agency_aliases_name_one_agency") == []
    warehouse.execute(
        "insert into seeds.agency_aliases values ('baltimore', 'Nowhere', 'AGC0000'), ('baltimore', 'D.P.W.', 'AGC9999')"
    )
    assert len(rows_of_check(warehouse, "agency_aliases_name_one_agency")) == 2


def test_rows_that_share_an_id_are_all_kept_and_numbered(warehouse: duckdb.DuckDBPyConnection) -> None:
    """Unique_ID has not been seen to be unique: a repeated id must not lose money, nor make two rows one."""
    row = Paid("DPW", "Ace", "1", "2023-07-03", 10.5, row_id="A")
    put_checkbook(warehouse, [row, row, row._replace(amount=7), row._replace(row_id="B"), row._replace(row_id=None)])
    build(warehouse, "clean.baltimore_spending")
    query = "select count(*), count(distinct payment_split_id), sum(amount) from clean.baltimore_spending"
    assert warehouse.execute(query).fetchone() == (5, 5, 49)
    alone = "select payment_split_id from clean.baltimore_spending where source_row_id = 'B'"
    before = warehouse.execute(alone).fetchall()
    put_checkbook(warehouse, [row._replace(row_id="B", vendor="Ace, renamed")])
    build(warehouse, "clean.baltimore_spending")
    assert warehouse.execute(alone).fetchall() == before, "the id of the row names it, whatever else changes"


def test_the_splits_of_a_check_are_added_up_beside_its_amount(warehouse: duckdb.DuckDBPyConnection) -> None:
    good = [Paid("DPW", "Ace", "1", "2023-07-03", amount, check_amount=30) for amount in (10, 20)]
    doubled = [Paid("DPW", "Bee", "2", "2023-07-03", amount, check_amount=5) for amount in (5, 5)]
    unreadable = [Paid("DPW", "Cee", "3", "2023-07-03", amount, check_amount=9) for amount in (4, None)]
    numberless = [Paid("DPW", "Dee", None, "2023-07-03", 1, check_amount=1)]
    put_checkbook(warehouse, [*good, *doubled, *unreadable, *numberless])
    build(warehouse, "clean.baltimore_spending")
    query = "select distinct vendor_name, check_amount, check_splits_amount from clean.baltimore_spending order by 1"
    assert warehouse.execute(query).fetchall() == [
        ("Ace", 30, 30),
        ("Bee", 5, 10),
        ("Cee", 9, None),
        ("Dee", 1, None),
    ]
