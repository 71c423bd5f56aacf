"""Lines of budgets put there by a test, and the budget marts built from them."""

import duckdb
from formulas import build, empty_warehouse

from civic_pipeline.settings import CHECKOUT
from civic_pipeline.warehouse.seeds import create_seeds

# (fiscal year, agency, service, fund, object, outcome, dollars)
Line = tuple[int, str, int, str, int, int | None, int | None]
PARKS, POLICE, RESCUE = "Recreation and Parks", "Police", "M-R: American Rescue Plan Act"


def rows(warehouse: duckdb.DuckDBPyConnection, query: str) -> list[tuple[object, ...]]:
    return warehouse.execute(query).fetchall()


def publish(
    warehouse: duckdb.DuckDBPyConnection, lines: list[Line], chicago: list[tuple[str, str, int]] | None = None
) -> None:
    """Baltimore's layers, and Chicago's 2025 lines as (account, its description, dollars); then all budget marts."""
    years = sorted({line[0] for line in lines})
    amounts = ", ".join(f"fy{year % 100}_budget bigint" for year in years)
    warehouse.execute(
        "create table raw.baltimore_budget (agency_id bigint, agency_name varchar, service_id bigint, service_name varchar,"
        " activity_id bigint, activity_name varchar, fund_id bigint, fund_name varchar, object_id bigint, object_name varchar,"
        " outcome_id bigint, outcome_name varchar, subobject_id bigint, subobject_name varchar,"
        f" {amounts}, _edition varchar, _capture_id varchar)"
    )
    for number, (year, agency, service, fund, obj, outcome, dollars) in enumerate(lines):
        warehouse.execute(
            "insert into raw.baltimore_budget by name select ? as agency_id, ? as agency_name, ? as service_id, ? as service_name,"
            " 1 as activity_id, ' Operations  ' as activity_name, ? as fund_id, ? as fund_name, ? as object_id, 'o' as object_name,"
            f" ? as outcome_id, 's' as subobject_name, ? as subobject_id, ? as fy{year % 100}_budget, ? as _edition, 'c' as _capture_id",
            [len(agency), agency, service, f"Service {service}", len(fund), fund, obj, outcome, number, dollars, str(year)],
        )  # fmt: skip
    warehouse.execute(
        "create table raw.chicago_budget (fund_type varchar, fund_code varchar, fund_description varchar, department_number varchar,"
        " department_description varchar, appropriation_authority varchar, appropriation_authority_description varchar,"
        " appropriation_account varchar, appropriation_account_description varchar, _ordinance_amount_ decimal(38, 18),"
        " _edition varchar, _capture_id varchar)"
    )
    for account, description, dollars in chicago or []:
        warehouse.execute(
            "insert into raw.chicago_budget values ('LOCAL', '0100', 'Corporate Fund', '57', 'Chicago Police Department', '1000',"
            " 'Police', ?, ?, ?, '2025', 'c')",
            [account, description, dollars],
        )
    warehouse.execute("create table clean.baltimore_spending (agency_name varchar, fund_name varchar)")
    warehouse.execute("create table clean.baltimore_contracts (agency_name varchar)")
    build(
        warehouse, "clean.baltimore_budget", "clean.chicago_budget", "marts.dim_cities", "marts.dim_dates",
        "marts.dim_fiscal_dates", "marts.dim_fiscal_years", "marts.dim_agencies", "marts.bridge_agency_aliases",
        "marts.dim_funds", "marts.dim_objects", "marts.dim_pillars", "marts.fct_budget_lines", "marts.dim_services",
        "marts.bridge_service_pillars", "marts.mart_budget_by_service", "marts.mart_budget_by_agency",
    )  # fmt: skip


def pay(
    warehouse: duckdb.DuckDBPyConnection, payments: list[tuple[int, str, str, int]], covered: dict[int, int]
) -> None:
    """Payments as (fiscal year, agency, fund, dollars); `covered`: fiscal year -> months that the checkbook covers."""
    warehouse.execute(
        "create table marts.fct_payments (city varchar, fiscal_year integer, agency_id varchar, fund_id varchar, paid_amount decimal(18, 2))"
    )
    for year, agency, fund, dollars in payments:
        warehouse.execute(
            "insert into marts.fct_payments select 'baltimore', ?, agency_id, fund_id, ? from marts.dim_agencies, marts.dim_funds as funds"
            " where dim_agencies.city = 'baltimore' and agency_name = ? and funds.city = 'baltimore' and fund_name = ?",
            [year, dollars, agency, fund],
        )  # fmt: skip
    warehouse.execute(
        "create table marts.dim_coverage (city varchar, source varchar, fiscal_year integer, status varchar)"
    )
    for year, months in covered.items():
        warehouse.execute(
            "insert into marts.dim_coverage select 'baltimore', 'spending', ?, if(month < ?, 'complete', 'missing') from range(12) as t(month)",
            [year, months],
        )
    build(warehouse, "marts.mart_budget_execution", "marts.mart_budget_credibility")


def warehouse_with_seeds() -> duckdb.DuckDBPyConnection:
    connection = empty_warehouse()
    create_seeds(connection, CHECKOUT)
    return connection
