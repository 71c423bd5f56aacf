"""Budgets beside payments and beside official figures, each on a few rows worked by hand."""

from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from budget_rows import PARKS, POLICE, RESCUE, Line, pay, publish, rows, warehouse_with_seeds
from formulas import build

from civic_pipeline.settings import CHECKOUT


@pytest.fixture
def warehouse() -> duckdb.DuckDBPyConnection:
    return warehouse_with_seeds()


# Execution and credibility


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
