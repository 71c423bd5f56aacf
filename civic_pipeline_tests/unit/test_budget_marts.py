"""The budget marts, each on a few rows worked by hand; every formula is computed again in Python."""

from decimal import Decimal

import duckdb
import pytest
from budget_rows import PARKS, POLICE, RESCUE, Line, publish, rows, warehouse_with_seeds
from formulas import build, committed_models, create, empty_warehouse, put, rows_of_check

from civic_pipeline.catalog import load_datasets
from civic_pipeline.lake.manifest import LandedColumn
from civic_pipeline.settings import CHECKOUT
from civic_pipeline.warehouse.captured import columns_of


@pytest.fixture
def warehouse() -> duckdb.DuckDBPyConnection:
    return warehouse_with_seeds()


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
    landed = [LandedColumn(name=name, portal_type="text") for (name, *_) in rows(warehouse, "describe old")]
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
        return sum(index[month] for month in months) / 12

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
    assert float(first[4]) == pytest.approx(real[2022], abs=0.006)
    assert float(second[4]) == pytest.approx(real[2023], abs=0.006)
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


@pytest.mark.parametrize(
    ("table", "code", "name"),
    [
        ("clean.baltimore_budget", "agency_code", "agency_name"),
        ("clean.baltimore_budget", "fund_code", "fund_name"),
        ("clean.baltimore_budget", "object_code", "object_name"),
        ("clean.chicago_budget", "department_number", "department_name"),
        ("clean.chicago_budget", "fund_code", "fund_name"),
    ],
)
def test_a_code_that_stands_for_two_names_in_a_year_is_seen(table: str, code: str, name: str) -> None:
    (query,) = [
        expected.arguments["unexpected_rows_query"]
        for expected in committed_models()[table].contract.expectations
        if expected.name == "code_has_one_name"
    ]
    warehouse = empty_warehouse()
    create(warehouse, table)
    for year, stands_for in ((2023, "Police"), (2023, "Police"), (2024, "Public Safety"), (2024, None)):
        put(warehouse, table, fiscal_year=year, **{code: "1", name: stands_for})
    assert warehouse.execute(query.format(batch=table)).fetchall() == []
    put(warehouse, table, fiscal_year=2024, **{code: "1", name: "Fire"})
    assert warehouse.execute(query.format(batch=table)).fetchall() == [
        (2024, code.removesuffix("_code").removesuffix("_number"), "1", 2)
    ]


def test_an_account_that_was_a_transfer_in_another_year_is_seen() -> None:
    (query,) = [
        str(expectation.arguments["unexpected_rows_query"])
        for expectation in committed_models()["clean.chicago_budget"].contract.expectations
        if "account_code" in str(expectation.arguments.get("unexpected_rows_query"))
    ]
    warehouse = empty_warehouse()
    create(warehouse, "clean.chicago_budget")
    for year, account, is_transfer in (
        (2024, "9611", True),
        (2025, "9611", False),
        (2024, "9773", True),
        (2025, "0005", False),
    ):
        put(warehouse, "clean.chicago_budget", fiscal_year=year, account_code=account, is_transfer=is_transfer)
    assert warehouse.execute(query.format(batch="clean.chicago_budget")).fetchall() == [("9611", 2)]
