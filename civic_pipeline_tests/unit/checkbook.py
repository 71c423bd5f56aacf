"""The Open Checkbook with payments put there by a test, and the tables built from it."""

from collections.abc import Sequence
from typing import NamedTuple

import duckdb
from formulas import build


class Paid(NamedTuple):
    """One split, in the columns of the live table."""

    agency: str | None
    vendor: str | None
    check: str | None
    day: str
    amount: str | float | None
    invoice: str = "i"
    contract: str | None = None
    category: str = "s"
    check_amount: float | None = None
    row_id: str | None = None


def put_checkbook(warehouse: duckdb.DuckDBPyConnection, payments: Sequence[Paid]) -> None:
    """Put `payments` into the raw table, and the seeds and clean tables that the marts read beside them, empty unless they exist."""
    warehouse.execute(
        "create or replace table raw.baltimore_spending (agency varchar, supplier_name varchar, check_number varchar, payment_date varchar,"
        " payment_amount_split varchar, supplier_invoice_number varchar, supplier_contract_number varchar,"
        " spend_category_description varchar, payment_amount double, unique_id varchar, fund_description varchar default 'General Fund',"
        " cost_center_description varchar default 'c', supplier_contract_name varchar, _capture_id varchar default 'capture')"
    )
    columns = "agency, supplier_name, check_number, payment_date, payment_amount_split, supplier_invoice_number,"
    columns += " supplier_contract_number, spend_category_description, payment_amount, unique_id"
    for paid in payments:
        warehouse.execute(f"insert into raw.baltimore_spending ({columns}) values ({', '.join('?' * len(paid))})", paid)
    for table, declared in {
        "clean.baltimore_budget": "agency_name varchar, fund_name varchar",
        "clean.baltimore_contracts": "agency_name varchar",
        "clean.chicago_budget": "fiscal_year integer, fund_type varchar, fund_code varchar, fund_name varchar,"
        " department_number varchar, department_name varchar",
        "seeds.agencies": "city varchar, agency_code varchar, agency_name varchar",
        "seeds.agency_aliases": "city varchar, raw_name varchar, agency_code varchar",
        "seeds.fund_groups": "city varchar, fund_name varchar, fund_group varchar",
        "seeds.fund_types": "city varchar, fund_key varchar, gasb_fund_type varchar, mapping_confidence varchar, plain_sentence varchar",
        "seeds.vendor_merges": "city varchar, raw_name varchar, vendor_name varchar, reviewer_role varchar, reviewed_on varchar, reason varchar",
        "seeds.fixed_fee_categories": "city varchar, word varchar, reason varchar",
        "seeds.coverage_notes": "city varchar, source varchar, first_month varchar, last_month varchar, status varchar, note varchar",
    }.items():
        warehouse.execute(f"create table if not exists {table} ({declared})")
    warehouse.execute("delete from seeds.agencies where agency_code = 'AGC6100'")
    warehouse.execute("delete from seeds.agency_aliases where agency_code = 'AGC6100'")
    warehouse.execute("insert into seeds.agencies values ('baltimore', 'AGC6100', 'Public Works')")
    warehouse.execute(
        "insert into seeds.agency_aliases values ('baltimore', 'DPW', 'AGC6100'), ('baltimore', 'Public Works', 'AGC6100')"
    )


def publish_checkbook(
    warehouse: duckdb.DuckDBPyConnection,
    payments: Sequence[tuple[str | None, str | None, str | None, str, str | float | None]],
) -> None:
    """The checkbook as (agency, vendor, check, date, amount), and the payments built from it."""
    put_checkbook(warehouse, [Paid(*payment) for payment in payments])
    build_payments(warehouse)


def build_payments(warehouse: duckdb.DuckDBPyConnection) -> None:
    """Build everything up to the payments and the months of vendors."""
    build(
        warehouse,
        "clean.baltimore_spending",
        "marts.dim_cities",
        "marts.dim_dates",
        "marts.dim_fiscal_dates",
        "marts.fct_source_days",
        "marts.dim_agencies",
        "marts.bridge_agency_aliases",
        "marts.dim_funds",
    )
    build(warehouse, "marts.dim_coverage", "marts.fct_payee_names", "marts.bridge_vendor_names", "marts.dim_vendors")
    build(warehouse, "marts.fct_payments", "marts.mart_vendor_spend_monthly")
