"""The models on real downloads: the numbers an independent reading of the same files gave."""

from decimal import Decimal

import duckdb
import pytest
from formulas import build, empty_warehouse
from real_files import REAL, needs_real_files

from civic_pipeline.settings import CHECKOUT
from civic_pipeline.warehouse.seeds import create_seeds

pytestmark = [pytest.mark.slow, needs_real_files]


BUDGET = [
    f"marts.{name}"
    for name in (
        "dim_cities", "dim_dates", "dim_fiscal_dates", "dim_fiscal_years", "dim_agencies", "bridge_agency_aliases", "dim_funds",
        "dim_objects", "dim_pillars", "fct_budget_lines", "dim_services", "bridge_service_pillars", "mart_budget_by_service",
        "mart_budget_by_agency", "fct_revenue_lines", "mart_revenue_by_source",
    )
]  # fmt: skip


@pytest.fixture(scope="module")
def warehouse() -> duckdb.DuckDBPyConnection:
    """Chicago's budgets and Maryland's firms, built from real files."""
    connection = empty_warehouse()
    editions = [
        f"select *, '{year}' as _edition, 'c' as _capture_id"
        f" from read_csv('{REAL}/chicago/budget/appropriations_fy{year}.csv', all_varchar = true)"
        for year in (2023, 2024, 2025)
    ]
    connection.execute(f"create table raw.chicago_budget as {' union all by name '.join(editions)}")
    revenue = [
        f"select *, '{year}' as _edition, 'c' as _capture_id"
        f" from read_csv('{REAL}/chicago/budget/revenue_fy{year}.csv', all_varchar = true)"
        for year in (2024, 2025)
    ]
    connection.execute(f"create table raw.chicago_revenue as {' union all by name '.join(revenue)}")
    connection.execute(
        "create table raw.baltimore_budget as select *, '2022' as _edition, 'c' as _capture_id"
        f" from read_csv('{REAL}/baltimore/budget/baltimore_fy2022_budget_data_arcgis_2022-06.csv.gz')"
    )
    for names in (
        "baltimore_spending (agency_name varchar, fund_name varchar)",
        "baltimore_contracts (agency_name varchar)",
    ):
        connection.execute(f"create table clean.{names}")
    connection.execute(
        "create table raw.maryland_mbe_directory as select *, 'c' as _capture_id"
        f" from read_csv('{REAL}/maryland/mwbe/mbe_statewide_directory_first1000_2017-05.csv.gz', types = {{'zip': 'varchar'}})"
    )
    create_seeds(connection, CHECKOUT)
    build(
        connection,
        "clean.chicago_budget",
        "clean.chicago_revenue",
        "clean.baltimore_budget",
        "clean.maryland_mbe_directory",
        *BUDGET,
    )
    return connection


def test_chicagos_budgets_keep_every_line_and_dollar(warehouse: duckdb.DuckDBPyConnection) -> None:
    query = "select fiscal_year, count(*), count(distinct budget_line_id), sum(adopted_amount) from clean.chicago_budget group by all order by 1"
    assert warehouse.execute(query).fetchall() == [
        (2023, 3447, 3447, Decimal(17_974_994_000)),
        (2024, 3584, 3584, Decimal(18_341_105_000)),
        (2025, 3477, 3477, Decimal(18_842_061_980)),
    ]


def test_baltimores_budget_is_what_the_city_adopted(warehouse: duckdb.DuckDBPyConnection) -> None:
    lines = "select count(*), count(distinct budget_line_id), sum(adopted_amount) from clean.baltimore_budget"
    assert warehouse.execute(lines).fetchone() == (20_147, 20_147, Decimal(3_843_477_486))
    agencies = (
        "select count(*), sum(appropriated_amount), sum(not_counted_amount), max(city_amount), max(appropriated_amount)"
        " filter (where agency_name = 'Office of Recovery Programs') from marts.mart_budget_by_agency where city = 'baltimore'"
    )
    assert warehouse.execute(agencies).fetchone() == (53, 3_843_477_486, 0, 3_843_477_486, 680_284_732)
    unmatched = "select count(*) from marts.bridge_agency_aliases where source_system = 'budget' and not is_matched"
    assert warehouse.execute(unmatched).fetchone() == (0,)


def test_real_budgets_add_up_by_fund_object_and_pillar(warehouse: duckdb.DuckDBPyConnection) -> None:
    for rule in (
        "budget_totals_agree.sql",
        "budget_changes_add_up.sql",
        "revenue_adds_up_to_its_lines.sql",
        "budget_lines_are_complete/baltimore.sql",
        "budget_lines_are_complete/chicago.sql",
    ):
        assert warehouse.execute((CHECKOUT / "sql/checks/budget" / rule).read_text()).fetchall() == [], rule
    general = (
        "select sum(appropriated_amount) from marts.fct_budget_lines join marts.dim_funds using (fund_id)"
        " where gasb_fund_type = 'General Fund' and fct_budget_lines.city = 'baltimore'"
    )
    assert warehouse.execute(general).fetchone() == (1_992_751_000,)
    unknown = "select count(*) from marts.fct_budget_lines join marts.dim_objects using (object_id) where object_group = 'unmatched'"
    assert warehouse.execute(unknown).fetchone() == (0,)
    services = "select count(*), count(cofog_division) from marts.dim_services where city = 'baltimore'"
    assert warehouse.execute(services).fetchone() == (208, 208)
    explained = "select count(*) from marts.dim_funds where plain_sentence is null or gasb_fund_type is null"
    assert warehouse.execute(explained).fetchone() == (0,)
    large = (
        "select count(*), count(plain_sentence) from marts.mart_budget_by_service"
        " where city = 'baltimore' and appropriated_amount >= 10000000"
    )
    count, sentences = warehouse.execute(large).fetchone() or (0, 0)
    assert count == sentences > 50


def test_chicagos_reimbursements_are_shown_and_not_counted(warehouse: duckdb.DuckDBPyConnection) -> None:
    query = (
        "select fiscal_year, sum(appropriated_amount), sum(not_counted_amount) from marts.mart_budget_by_agency"
        " where city = 'chicago' group by 1 order by 1"
    )
    assert warehouse.execute(query).fetchall() == [
        (2023, 17_709_173_942, 265_820_058),
        (2024, 18_074_577_272, 266_527_728),
        (2025, 18_555_127_259, 286_934_721),
    ]


def test_official_figures_of_the_real_budgets_are_equal_explained_or_unexplained(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    warehouse.execute("""
        create table marts.fct_vacancy_lists (city varchar, capture_id varchar, listed_at timestamp, row_count bigint);
        create table marts.mart_mwbe_participation (city varchar, fiscal_year integer, fiscal_quarter integer, breakdown varchar,
            certified_group varchar, denominator varchar, expected_amount decimal(38, 2), expected_share double);
        create table marts.dim_coverage (city varchar, source varchar, fiscal_year integer, fiscal_period integer, status varchar)
    """)
    build(warehouse, "marts.mart_reconciliations")
    query = "select figure_id, our_value, difference, status from marts.mart_reconciliations where our_value is not null order by 1"
    assert warehouse.execute(query).fetchall() == [
        ("baltimore_budget_2022_file", 3_843_477_486, 0, "equal"),
        ("baltimore_budget_2022_general_fund", 1_992_751_000, 0, "equal"),
        ("baltimore_budget_2022_plan", 3_843_477_486, 43_477_486, "explained"),
        ("chicago_budget_2024_appropriations", 18_341_105_000, 41_105_000, "explained"),
        ("chicago_budget_2025_approved", 18_555_127_259, 1_455_127_259, "unexplained"),
    ]


def test_chicagos_revenue_is_all_there_and_baltimore_publishes_none(warehouse: duckdb.DuckDBPyConnection) -> None:
    query = "select city, fiscal_year, publication_status, sum(estimated_amount) from marts.mart_revenue_by_source group by all order by all"
    assert warehouse.execute(query).fetchall() == [
        ("baltimore", 2022, "not_published", None),
        ("chicago", 2023, "not_published", None),
        ("chicago", 2024, "published", 13_130_285_000),
        ("chicago", 2025, "published", 13_509_378_139),
    ]


def test_one_of_a_thousand_firms_has_no_certification_number(warehouse: duckdb.DuckDBPyConnection) -> None:
    query = "select count(*), count(certification_number), count(distinct listing_id) from clean.maryland_mbe_directory"
    assert warehouse.execute(query).fetchone() == (1000, 999, 1000)
