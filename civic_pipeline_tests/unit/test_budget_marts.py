"""The budget marts, each on a few rows worked by hand; every formula is computed again in Python."""

from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from formulas import build, empty_warehouse, rows_of_check

from civic_pipeline.catalog import load_datasets
from civic_pipeline.lake.manifest import LandedColumn
from civic_pipeline.settings import CHECKOUT
from civic_pipeline.warehouse.captured import columns_of
from civic_pipeline.warehouse.seeds import create_seeds

# (fiscal year, agency, service, fund, object, outcome, dollars)
Line = tuple[int, str, int, str, int, int | None, int | None]
PARKS, POLICE, RESCUE = "Recreation and Parks", "Police", "M-R: American Rescue Plan Act"


@pytest.fixture
def warehouse() -> duckdb.DuckDBPyConnection:
    connection = empty_warehouse()
    create_seeds(connection, CHECKOUT)
    return connection


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


# The lines


def test_each_layer_gives_its_own_fiscal_year_and_only_its_own_amounts(warehouse: duckdb.DuckDBPyConnection) -> None:
    publish(warehouse, [(2022, POLICE, 622, "General", 1, 19, 100), (2023, POLICE, 622, "General", 1, 19, 110)])
    query = "select fiscal_year, adopted_amount, activity_name from clean.baltimore_budget order by 1"
    assert rows(warehouse, query) == [(2022, 100, "Operations"), (2023, 110, "Operations")]


def test_a_line_without_an_amount_stays_in_its_year_for_the_row_rule(warehouse: duckdb.DuckDBPyConnection) -> None:
    publish(warehouse, [(2022, POLICE, 622, "General", 1, 19, None), (2023, POLICE, 622, "General", 1, 19, 110)])
    query = "select fiscal_year, adopted_amount from clean.baltimore_budget order by 1"
    assert rows(warehouse, query) == [(2022, None), (2023, 110)]


def test_which_objects_count_is_a_fact_of_each_city(warehouse: duckdb.DuckDBPyConnection) -> None:
    publish(
        warehouse,
        [(2022, POLICE, 622, "General", 1, 19, 100), (2022, POLICE, 622, "General", 0, 19, -30)],
        [("0005", "Salaries and Wages", 500), ("9611", "To Reimburse the Corporate Fund", 80), ("9773", "Transfer for Police", 5)],
    )  # fmt: skip
    query = (
        "select city, appropriated_amount, not_counted_amount, city_amount from marts.mart_budget_by_agency order by 1"
    )
    # Baltimore's credits are part of what it adopted; what Chicago's funds pay each other is not.
    assert rows(warehouse, query) == [("baltimore", 70, 0, 70), ("chicago", 500, 85, 500)]


def test_the_rescue_plan_is_known_and_another_name_is_visible_as_unmatched(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    publish(warehouse, [(2022, RESCUE, 111, "Federal", 7, 4, 680), (2022, "Moon Base", 999, "Federal", 7, 4, 11)])
    query = "select agency_name, appropriated_amount from marts.mart_budget_by_agency order by 2 desc"
    assert rows(warehouse, query) == [("Office of Recovery Programs", 680), ("Unmatched agency name", 11)]


def test_unknown_objects_pillars_and_functions_keep_their_dollars(warehouse: duckdb.DuckDBPyConnection) -> None:
    lines: list[Line] = [
        (2022, POLICE, 622, "General", 1, 19, 100),
        (2022, POLICE, 622, "General", 77, 19, 5),
        (2022, POLICE, 900, "Unheard of", 1, 99, 7),
        (2022, POLICE, 901, "General", 1, None, 2),
        (2021, POLICE, 622, "General", 1, 19, 30),  # the plan with outcome 19 begins with the budget of 2022
    ]
    publish(warehouse, lines)
    by_object = (
        "select objects.object_code, sum(appropriated_amount) from marts.fct_budget_lines join marts.dim_objects as objects"
        " using (object_id) group by 1 order by 1"
    )
    assert rows(warehouse, by_object) == [("1", 139), ("unmatched", 5)]
    by_pillar = "select pillar_name, sum(appropriated_amount) from marts.mart_budget_by_service group by 1 order by 1"
    assert rows(warehouse, by_pillar) == [
        ("Building Public Safety", 105),
        ("No pillar published", 39),
    ]
    assert rows_of_check(warehouse, "budget_totals_agree") == []


def test_totals_agree_to_the_cent_by_line_agency_service_fund_and_pillar(warehouse: duckdb.DuckDBPyConnection) -> None:
    lines: list[Line] = [
        (2022, POLICE, 622, "General", 1, 19, 100),
        (2022, PARKS, 646, "State", 3, 20, 50),
        (2022, PARKS, 648, "General", 0, 18, -7),
        (2023, PARKS, 648, "General", 1, 18, 9),
    ]
    publish(warehouse, lines, [("0005", "Salaries", 3), ("9611", "To Reimburse the Corporate Fund", 1)])
    assert rows(warehouse, "select city, fiscal_year, sum(published_amount) from marts.fct_budget_lines group by all order by all") == [
        ("baltimore", 2022, 143), ("baltimore", 2023, 9), ("chicago", 2025, 4),
    ]  # fmt: skip
    for rule in ("budget_totals_agree", "budget_lines_are_complete", "budget_changes_have_the_right_sign"):
        assert rows_of_check(warehouse, rule) == [], rule
    warehouse.execute(
        "update marts.mart_budget_by_service set appropriated_amount = 49.99 where service_name = 'Service 646' and fiscal_year = 2022"
    )
    assert [row[:3] for row in rows_of_check(warehouse, "budget_totals_agree")] == [("baltimore", 2022, "adopted")]
    warehouse.execute("delete from marts.fct_budget_lines where fiscal_year = 2023")
    assert [row[:2] for row in rows_of_check(warehouse, "budget_lines_are_complete")] == [("baltimore", 2023)]


def test_lines_of_the_table_of_before_2020_are_read_by_its_shape(warehouse: duckdb.DuckDBPyConnection) -> None:
    dataset = load_datasets(CHECKOUT)["baltimore/budget"]
    warehouse.execute(
        "create table old as select *, 'General' as fund, '1001' as fund_id, '' as fund_type, 'Patrol' as program, '622' as program_id,"
        " 'd' as description, 'Salaries' as expense_category, '101' as sub_object_id, 'Full-time' as expense_type, 90 as recommended_amount"
        " from (values (2015, 'Police', 1.0, '9999', 100), (2016, 'Police', 0.0, '7', -40))"
        " as t(fiscal_year, department, obj, activity_id, approved_amount)"
    )
    landed = [LandedColumn(name=name, portal_type="text") for (name, *_) in rows(warehouse, "describe old")]  # type: ignore[misc]
    named = columns_of(landed, dataset)
    absent = {name for name in dataset.columns if "*" not in name} - {column.name for column in named}
    columns = ", ".join(
        [*(column.sql for column in named), *(f"cast(null as varchar) as {name}" for name in sorted(absent))]
    )
    warehouse.execute(
        f"create table raw.baltimore_budget as select {columns}, cast(null as varchar) as _edition, 'c' as _capture_id from old"
    )
    build(warehouse, "clean.baltimore_budget")
    query = (
        "select fiscal_year, agency_code, agency_name, service_code, activity_code, object_code, outcome_code, adopted_amount,"
        " count(*) over () from clean.baltimore_budget order by 1"
    )
    assert rows(warehouse, query) == [
        (2015, None, "Police", "622", None, "1", None, 100, 2),
        (2016, None, "Police", "622", "7", "0", None, -40, 2),
    ]


def test_an_export_that_numbers_its_rows_by_another_name_is_read_too() -> None:
    dataset = load_datasets(CHECKOUT)["baltimore/budget"]
    live = [name for name in dataset.columns if "*" not in name]
    assert dataset.shape_of((*live, "fy22_budget")) is None
    exported = dataset.shape_of((*live[1:], "fy22_budget", "FID"))
    assert exported is not None
    assert exported.columns == {"OBJECTID": "FID"}


# Change, per resident, real


def test_an_increase_is_positive_even_from_a_negative_budget(warehouse: duckdb.DuckDBPyConnection) -> None:
    lines: list[Line] = [
        (2022, POLICE, 622, "General", 1, 19, 200), (2023, POLICE, 622, "General", 1, 19, 250),
        (2022, PARKS, 646, "General", 1, 20, 200), (2023, PARKS, 646, "General", 1, 20, 150),
        (2022, "Law", 860, "General", 0, 16, -100), (2023, "Law", 860, "General", 0, 16, -50),
    ]  # fmt: skip
    publish(warehouse, lines)
    for mart in ("mart_budget_by_agency", "mart_budget_by_service"):
        query = f"select agency_name, change_amount, change_rate from marts.{mart} where fiscal_year = 2023 order by 1"
        assert rows(warehouse, query) == [("Law", 50, 0.5), ("Police", 50, 0.25), (PARKS, -50, -0.25)]
    assert rows_of_check(warehouse, "budget_changes_have_the_right_sign") == []
    warehouse.execute(
        "update marts.mart_budget_by_agency set change_rate = -change_rate"
    )  # as the City's own SQL has it
    assert len(rows_of_check(warehouse, "budget_changes_have_the_right_sign")) == 3


def test_what_had_no_budget_before_is_new_what_ended_has_a_row_and_nothing_is_compared_with_a_missing_budget(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    lines: list[Line] = [
        (2020, POLICE, 622, "General", 1, 19, 1),
        (2022, POLICE, 622, "General", 1, 19, 100),
        (2023, POLICE, 622, "General", 1, 19, 100),
        (2023, POLICE, 623, "General", 1, 19, 30),
        (2022, POLICE, 624, "General", 1, 19, 40),
        (2022, "Law", 860, "General", 1, 16, 7),
    ]
    publish(warehouse, lines)
    query = (
        "select fiscal_year, service_name, appropriated_amount, previous_amount, change_rate, is_new, is_ended"
        " from marts.mart_budget_by_service order by 1, 2"
    )
    assert rows(warehouse, query) == [
        (2020, "Service 622", 1, None, None, False, False),
        (2022, "Service 622", 100, None, None, False, False),
        (2022, "Service 624", 40, None, None, False, False),
        (2022, "Service 860", 7, None, None, False, False),
        (2023, "Service 622", 100, 100, 0.0, False, False),
        (2023, "Service 623", 30, 0, None, True, False),
        (2023, "Service 624", 0, 40, -1.0, False, True),
        (2023, "Service 860", 0, 7, -1.0, False, True),
    ]
    query = "select agency_name, previous_amount, change_amount, is_ended from marts.mart_budget_by_agency where fiscal_year = 2023 order by 1"
    assert rows(warehouse, query) == [("Law", 7, -7, True), ("Police", 140, -10, False)]
    assert rows_of_check(warehouse, "budget_changes_add_up") == []


def test_per_resident_and_real_amounts_are_those_of_their_formulas(warehouse: duckdb.DuckDBPyConnection) -> None:
    publish(
        warehouse,
        [(2022, POLICE, 622, "General", 1, 19, 555_084_016), (2023, POLICE, 622, "General", 1, 19, 600_000_000)],
        [("0005", "Salaries", 1000)],
    )
    index = dict(rows(warehouse, "select month, cast(index_value as double) from seeds.price_indexes"))

    def mean(year: int) -> float:
        months = [f"{year - 1}-{month:02d}-01" for month in range(7, 13)]
        months += [f"{year}-{month:02d}-01" for month in range(1, 7)]
        return round(sum(index[month] for month in months) / 12, 4)

    base = 2025  # fiscal year 2026 lacks October 2025, which was never published
    assert "2025-10-01" not in index
    query = (
        "select fiscal_year, population_year, appropriated_amount_per_resident, base_fiscal_year, appropriated_amount_real,"
        " change_rate_real from marts.mart_budget_by_agency where city = 'baltimore' order by 1"
    )
    first, second = rows(warehouse, query)
    real = {2022: 555_084_016 * mean(base) / mean(2022), 2023: 600_000_000 * mean(base) / mean(2023)}
    assert first[:4] == (2022, 2020, Decimal("947.71"), base)
    assert second[2] == round(Decimal(600_000_000) / 585_708, 2)
    assert float(first[4]) == pytest.approx(real[2022], abs=0.01)  # type: ignore[arg-type]
    assert float(second[4]) == pytest.approx(real[2023], abs=0.01)  # type: ignore[arg-type]
    assert first[5] is None
    assert second[5] == pytest.approx(real[2023] / real[2022] - 1, abs=1e-9)
    # No count of Chicago's residents is cited, and its 2025 lacks a month of prices.
    query = "select population_year, appropriated_amount_per_resident, appropriated_amount_real from marts.mart_budget_by_agency where city = 'chicago'"
    assert rows(warehouse, query) == [(None, None, None)]


# Services and pillars


def test_a_service_that_moves_has_the_pillar_of_each_year_and_its_newest_agency(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    publish(warehouse, [(2022, "Finance", 757, "General", 1, 16, 5), (2023, POLICE, 757, "General", 1, 19, 6)])
    membership = "select fiscal_year, pillar_name from marts.bridge_service_pillars join marts.dim_pillars using (pillar_id) order by 1"
    assert rows(warehouse, membership) == [
        (2022, "Responsible Stewardship of City Resources"),
        (2023, "Building Public Safety"),
    ]
    service = (
        "select agency_name, first_fiscal_year, last_fiscal_year, cofog_division, mapping_confidence"
        " from marts.dim_services join marts.dim_agencies using (agency_id)"
    )
    assert rows(warehouse, service) == [("Police", 2022, 2023, "03", "high")]


def test_a_large_service_has_its_own_function_and_a_small_one_that_of_its_agency(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    publish(warehouse, [(2022, "Fire", 609, "General", 1, 19, 5), (2022, "Fire", 612, "General", 1, 19, 1)])
    query = "select service_code, cofog_name, mapping_confidence, plain_sentence from marts.dim_services order by 1"
    assert rows(warehouse, query) == [
        ("609", "Health", "medium", "Ambulances and paramedics."),
        ("612", "Public order and safety", "high", None),
    ]


# Revenue


def test_a_city_without_published_revenue_says_so_and_has_no_amount(warehouse: duckdb.DuckDBPyConnection) -> None:
    publish(warehouse, [(2022, POLICE, 622, "General", 1, 19, 100)], [("0005", "Salaries", 90)])
    warehouse.execute(
        "create table raw.chicago_revenue as select '0100' as fund_code, 'Corporate Fund' as fund_name, *, 'c' as _capture_id"
        " from (values ('Local Tax', 'Utility', 'Gas', 30, '2025'), (null, null, 'Fees', 10, '2025'), ('Local Tax', 'Utility', 'Gas', 24, '2024'),"
        " (null, null, 'Fines', 8, '2024'))"
        " as t(revenue_group_type, revenue_category, revenue_source, estimated_revenue, _edition)"
    )
    build(warehouse, "clean.chicago_revenue", "marts.fct_revenue_lines", "marts.mart_revenue_by_source")
    query = (
        "select city, fiscal_year, publication_status, revenue_source, estimated_amount, change_rate, city_share, is_ended"
        " from marts.mart_revenue_by_source order by 1, 2, 4"
    )
    assert rows(warehouse, query) == [
        ("baltimore", 2022, "not_published", None, None, None, None, False),
        ("chicago", 2024, "published", "Fines", 8, None, 0.25, False),
        ("chicago", 2024, "published", "Gas", 24, None, 0.75, False),
        ("chicago", 2025, "published", "Fees", 10, None, 0.25, False),
        ("chicago", 2025, "published", "Fines", 0, -1.0, 0.0, True),
        ("chicago", 2025, "published", "Gas", 30, 0.25, 0.75, False),
    ]
    reason = rows(warehouse, "select not_published_reason from marts.mart_revenue_by_source where city = 'baltimore'")
    assert "PDF" in str(reason)


# Execution and credibility


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


def test_only_objects_paid_to_others_are_compared_and_no_dollar_is_lost(warehouse: duckdb.DuckDBPyConnection) -> None:
    lines: list[Line] = [
        (2022, POLICE, 622, "General", 1, 19, 1000),  # salaries are in no checkbook
        (2022, POLICE, 622, "General", 3, 19, 200),
        (2022, POLICE, 622, "General", 8, 19, 70),  # nor is debt
        (2022, PARKS, 646, "General", 1, 20, 40),
        (2022, PARKS, 646, "State", 4, 20, 60),
    ]
    publish(warehouse, lines)
    pay(warehouse, [(2022, "Police", "General", 150), (2022, PARKS, "General", 5)], {2022: 12})
    query = (
        "select agency_name, fund_name, appropriated_amount, comparable_amount, paid_amount, unmatched_amount, execution_status,"
        " variance_amount, execution_rate from marts.mart_budget_execution where city = 'baltimore' order by 1, 2"
    )
    assert rows(warehouse, query) == [
        ("Police", "General", 1270, 200, 150, None, "comparable", -50, 0.75),
        (PARKS, "General", 40, 0, 5, 5, "no_comparable_budget", None, None),
        (PARKS, "State", 60, 60, 0, None, "comparable", -60, 0.0),
    ]


def test_no_rate_is_given_for_a_year_that_one_of_the_two_sources_lacks(warehouse: duckdb.DuckDBPyConnection) -> None:
    publish(
        warehouse,
        [(2022, POLICE, 622, "General", 3, 19, 200), (2023, POLICE, 622, "General", 3, 19, 200)],
        [("0140", "Services", 9)],
    )
    pay(warehouse, [(2022, "Police", "General", 150), (2024, "Police", "General", 70)], {2022: 11, 2024: 12})
    query = (
        "select city, fiscal_year, comparable_amount, paid_amount, execution_status, execution_rate, not_published"
        " from marts.mart_budget_execution order by 1, 2"
    )
    none = "No dataset with the {} of this fiscal year is in the catalog."
    assert rows(warehouse, query) == [
        ("baltimore", 2022, 200, 150, "partly_covered", None, "The checkbook covers 11 of the 12 months."),
        ("baltimore", 2023, 200, None, "payments_not_published", None, none.format("payments")),
        ("baltimore", 2024, None, 70, "budget_not_published", None, none.format("adopted budget")),
        ("chicago", 2025, 9, None, "payments_not_published", None,
         "Chicago publishes payments (s4vu-giwb), which are not in the catalog yet."),
    ]  # fmt: skip
    assert rows(warehouse, "select count(*) from marts.mart_budget_credibility") == [(0,)]


def test_pefa_indicators_are_those_worked_by_hand(warehouse: duckdb.DuckDBPyConnection) -> None:
    """Budgets of 100, 200 and 300 in each year; contingency is left out.

    2022: paid 110, 190, 300 = 600: PI-1 1.0; differences 10 + 10 + 0 = 20, PI-2 20 / 600.
    2023: paid 150, 200, 310 = 660: PI-1 1.1; adjusted 110, 220, 330: 40 + 20 + 20 = 80, PI-2 80 / 660.
    2024: paid 90, 180, 240 = 510: PI-1 0.85; adjusted 85, 170, 255: 5 + 10 + 15 = 30, PI-2 30 / 510.
    The middle deviation is 0.1, a B; the middle variance 0.0588, a B.
    """
    budgets = {"Police": 100, PARKS: 200, "Law": 300}
    paid = {2022: (110, 190, 300), 2023: (150, 200, 310), 2024: (90, 180, 240)}
    lines: list[Line] = [
        (year, agency, 600 + number, "General", 3, 19, dollars)
        for year in paid for number, (agency, dollars) in enumerate(budgets.items())
    ]  # fmt: skip
    lines += [(year, "M-R: Contingent Fund", 121, "General", 7, 4, 1000) for year in paid]
    publish(warehouse, lines)
    payments = [
        (year, agency, "General", dollars)
        for year, amounts in paid.items() for agency, dollars in zip(budgets, amounts, strict=True)
    ]  # fmt: skip
    pay(warehouse, payments, dict.fromkeys(paid, 12))
    query = (
        "select fiscal_year, comparable_amount, paid_amount, head_count, outturn_rate, outturn_grade, outturn_score,"
        " composition_variance, composition_grade, composition_score from marts.mart_budget_credibility order by 1"
    )
    [(by_object,)] = rows(warehouse, "select distinct by_object_not_published from marts.mart_budget_credibility")
    assert "no object of expense" in str(by_object)
    assert rows(warehouse, query) == [
        (2022, 600, 600, 3, 1.0, "A", None, pytest.approx(20 / 600, abs=1e-6), "A", None),
        (2023, 600, 660, 3, 1.1, "B", None, pytest.approx(80 / 660, abs=1e-6), "C", None),
        (2024, 600, 510, 3, 0.85, "C", "B", pytest.approx(30 / 510, abs=1e-6), "B", "B"),
    ]


def test_of_more_than_twenty_heads_the_smallest_are_one_line(warehouse: duckdb.DuckDBPyConnection) -> None:
    """25 agencies with budgets of 25 down to 1; each pays one dollar more or less than it has, in turn.

    The twenty largest are 310 of 325. The five smallest, 5 + 4 + 3 + 2 + 1 = 15, pay 16, and count as one line.
    """
    names = [
        name
        for (name,) in rows(
            warehouse, "select agency_name from seeds.agencies where agency_code <> 'AGC4306' order by 1 limit 25"
        )
    ]
    budgets = dict(zip(names, range(25, 0, -1), strict=True))
    paid = {name: dollars + (1 if number % 2 == 0 else -1) for number, (name, dollars) in enumerate(budgets.items())}
    publish(warehouse, [(2022, name, 100 + dollars, "General", 3, 19, dollars) for name, dollars in budgets.items()])
    pay(warehouse, [(2022, name, "General", dollars) for name, dollars in paid.items()], {2022: 12})
    matched = rows(
        warehouse,
        "select count(*), sum(paid_amount) from marts.mart_budget_execution where execution_status = 'comparable'",
    )
    assert matched == [(25, sum(paid.values()))]
    heads = [(budgets[name], paid[name]) for name in names[:20]]
    heads.append((sum(budgets[name] for name in names[20:]), sum(paid[name] for name in names[20:])))
    scale = sum(paid.values()) / sum(budgets.values())
    variance = sum(abs(spent - had * scale) for had, spent in heads) / sum(paid.values())
    query = "select head_count, composition_variance from marts.mart_budget_credibility"
    assert rows(warehouse, query) == [(21, pytest.approx(variance, abs=1e-6))]


def test_of_many_heads_of_one_size_those_that_cover_three_quarters_count(warehouse: duckdb.DuckDBPyConnection) -> None:
    """30 agencies with a budget of 10: 22 are 220 of 300, so the 23rd is needed for 225; the other seven are one line."""
    names = rows(warehouse, "select agency_name from seeds.agencies where agency_code <> 'AGC4306' order by 1 limit 30")
    publish(warehouse, [(2022, str(name), 600 + n, "General", 3, 19, 10) for n, (name,) in enumerate(names)])
    pay(warehouse, [(2022, str(name), "General", 10) for (name,) in names], {2022: 12})
    assert rows(warehouse, "select head_count from marts.mart_budget_credibility") == [(24,)]


# Official figures


def test_a_difference_is_equal_explained_or_unexplained_and_never_hidden(warehouse: duckdb.DuckDBPyConnection) -> None:
    publish(
        warehouse,
        [(2022, POLICE, 622, "General", 1, 19, 1_992_751_000), (2022, RESCUE, 111, "Federal", 7, 4, 1_850_726_486)],
    )
    warehouse.execute(
        "create table marts.fct_vacancy_lists as select 'baltimore' as city, * from (values"
        " ('a', timestamp '2025-06-27 10:00', 12602), ('b', timestamp '2025-07-05 10:00', 1), ('c', timestamp '2024-08-01', 2))"
        " as t(capture_id, listed_at, row_count)"
    )
    warehouse.execute(
        "create table marts.mart_mwbe_participation as select 'baltimore' as city, 2025 as fiscal_year, 'city' as breakdown, * from (values"
        " ('unduplicated', null, 'all', 100000000.00, 0.2), ('unduplicated', 3, 'eligible', 30000000.00, 0.0956), ('mbe', 3, 'eligible', 1.00, 0.1))"
        " as t(certified_group, fiscal_quarter, denominator, expected_amount, expected_share)"
    )
    # Two months of the year are missing; the third quarter is complete.
    warehouse.execute(
        "create table marts.dim_coverage as select 'baltimore' as city, 'spending' as source, 2025 as fiscal_year, fiscal_period,"
        " if(fiscal_period in (11, 12), 'missing', 'complete') as status from range(1, 13) as months(fiscal_period)"
    )
    build(warehouse, "marts.mart_reconciliations")
    answers = {
        figure: (difference, status)
        for figure, difference, status in rows(
            warehouse, "select figure_id, difference, status from marts.mart_reconciliations"
        )
    }
    assert len(answers) == len(Path(CHECKOUT / "data/seeds/official_figures.csv").read_text().splitlines()) - 1
    assert answers["baltimore_budget_2022_file"] == (0, "equal")
    assert answers["baltimore_budget_2022_general_fund"] == (0, "equal")
    assert answers["baltimore_budget_2022_plan"] == (43_477_486, "explained")
    assert answers["baltimore_mwbe_2025_certified"] == (Decimal("-37860561.60"), "unexplained")
    assert answers["baltimore_mwbe_2025_q3_share"] == (0, "equal")
    [(possible,)] = rows(
        warehouse,
        "select possible_reason from marts.mart_reconciliations where figure_id = 'baltimore_mwbe_2025_certified'",
    )
    assert str(possible).startswith("The checkbook covers 10 of the 12 months. Ours has payments to primes only")
    assert answers["baltimore_vacants_2025_07_01"] == (3, "explained")
    assert answers["baltimore_vacants_2024_07_01"] == (None, "no_own_figure")
    warehouse.execute("update marts.mart_budget_by_agency set appropriated_amount = appropriated_amount * 2")
    build(warehouse, "marts.mart_reconciliations")
    query = "select difference, status, reason from marts.mart_reconciliations where figure_id = 'baltimore_budget_2022_file'"
    assert rows(warehouse, query) == [(3_843_477_486, "unexplained", "unexplained")]
