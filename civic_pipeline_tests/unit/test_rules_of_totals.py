"""Each mart has a total that equals its input's: the rule passes on agreeing tables, and fails when a join multiplies or loses rows."""

import duckdb
import pytest
from formulas import empty_warehouse, rows_of_check

YEAR = "'x' as city, 2024 as fiscal_year"
# Rule -> the tables that it reads, each as a query; the mart that it guards is the last one.
RULES = {
    "execution_accounts_for_budgets_and_payments": {
        "marts.fct_budget_lines": f"select {YEAR}, 'adopted' as phase, unnest([60, 40]) as appropriated_amount",
        "marts.fct_payments": f"select {YEAR}, unnest([5, 7]) as paid_amount",
        "marts.mart_budget_execution": f"select {YEAR}, 100 as appropriated_amount, 12 as paid_amount",
    },
    "credibility_accounts_for_comparable_budgets": {
        "marts.dim_agencies": "select unnest(['a', 'b']) as agency_id, 'x' as city, unnest(['1', '2']) as agency_code",
        "seeds.pefa_exclusions": "select 'x' as city, '2' as agency_code",
        "marts.mart_budget_execution": f"select {YEAR}, unnest(['a', 'a', 'b']) as agency_id, unnest([60, 9, 40]) as comparable_amount,"
        " unnest([5, 3, 7]) as paid_amount, unnest(['comparable', 'partly_covered', 'comparable']) as execution_status",
        "marts.mart_budget_credibility": f"select {YEAR}, 60 as comparable_amount, 5 as paid_amount",
    },
    "budget_changes_add_up": {
        "marts.fct_budget_lines": "select 'x' as city, unnest([2023, 2023, 2024]) as fiscal_year, 'adopted' as phase,"
        " unnest([60, 40, 70]) as appropriated_amount",
        "marts.mart_budget_by_agency": "select 'x' as city, unnest([2024, 2024, 2023]) as fiscal_year, 'adopted' as phase,"
        " unnest([60, 40, null]) as previous_amount",
    },
    "revenue_adds_up_to_its_lines": {
        "marts.fct_revenue_lines": "select 'x' as city, unnest([2023, 2024, 2024]) as fiscal_year, 'adopted' as phase,"
        " unnest([50, 60, 40]) as estimated_amount",
        "marts.mart_revenue_by_source": "select 'x' as city, unnest([2023, 2024, 2024]) as fiscal_year, 'adopted' as phase,"
        " 'published' as publication_status, unnest([50, 100, 0]) as estimated_amount, unnest([null, 20, 30]) as previous_amount",
    },
    "revenue_lines_are_complete": {
        "clean.chicago_revenue": "select 2024 as fiscal_year, unnest([60, 40]) as estimated_amount",
        "marts.fct_revenue_lines": "select 'chicago' as city, 2024 as fiscal_year, 100 as estimated_amount",
    },
    "drawdown_accounts_for_contract_payments": {
        "marts.mart_contract_coverage": "select 'x' as city, unnest(['in the list of contracts', 'no contract cited']) as contract_link,"
        " unnest([60, 40]) as paid_amount",
        "marts.mart_contract_drawdown": "select 'x' as city, 60 as paid_amount",
    },
    "flags_are_those_of_their_tests": {
        "marts.fct_duplicate_payments": f"select {YEAR}, 10 as amount_at_risk",
        "marts.fct_split_purchases": f"select {YEAR}",
        "marts.fct_spend_statistics": f"select {YEAR}, 'year_end_share' as test, unnest([true, false]) as is_flagged",
        "marts.fct_spend_flags": f"select {YEAR}, unnest(['duplicate_payment', 'split_purchase', 'year_end_share']) as test,"
        " unnest([10, 0, 0]) as amount_at_risk",
    },
    "tests_of_agencies_count_every_flag": {
        "marts.fct_spend_flags": f"select {YEAR}, unnest(['a', 'a', null]) as agency_id, 'duplicate_payment' as test,"
        " unnest([10, 5, 0]) as amount_at_risk",
        "marts.mart_agency_integrity_tests": f"select {YEAR}, unnest(['duplicate_payment D1', 'duplicate_payment D4']) as test,"
        " unnest([1, 1]) as flag_count, unnest([10, 5]) as amount_at_risk",
    },
    "digits_count_every_payment_once": {
        "marts.fct_payment_sizes": f"select {YEAR}, 'a' as agency_id, unnest(['first two digits', 'first two digits', 'first digit']) as size_kind,"
        " unnest([2, 3, 5]) as payment_count",
    },
    "contracts_keep_reported_spending": {
        "clean.baltimore_contracts": "select unnest([60, 40]) as spent_amount",
        "marts.dim_contracts": "select 'baltimore' as city, unnest([70, 30]) as reported_spent_amount",
    },
    "labelled_cases_are_counted": {
        "seeds.labelled_payment_cases": "select unnest(['x', 'x', 'x']) as city",
        "marts.fct_labelled_cases": "select unnest(['x', 'x', 'x']) as city, unnest([true, true, false]) as is_published",
        "marts.mart_integrity_test_quality": "select 'x' as city, unnest(['all', 'all', 'an audit']) as origin,"
        " unnest(['duplicate_payment', 'duplicate_payment D1', 'duplicate_payment']) as test, unnest([1, 1, 1]) as true_count,"
        " unnest([1, 0, 0]) as false_count",
    },
    "every_certification_has_a_firm": {
        "marts.dim_certified_firms": "select unnest(['x', 'x', 'y']) as authority",
        "marts.bridge_certified_firms": "select unnest(['x', 'x', 'y']) as authority",
    },
    "every_official_figure_is_compared": {
        "seeds.official_figures": "select unnest(['budget', 'budget']) as subject, unnest(['1', '0.0956']) as official_value",
        "marts.mart_reconciliations": "select unnest(['budget', 'budget']) as subject, unnest([1, 0.0956])::decimal(38, 4) as official_value",
    },
    "finder_accounts_for_matched_vendors": {
        "marts.fct_vendor_certification_matches": "select 'x' as authority, unnest(['v', 'w']) as vendor_id, true as is_assigned,"
        " unnest([0.6, 0.4]) as match_probability",
        "marts.dim_vendors": "select unnest(['v', 'w']) as vendor_id, unnest([60, 40]) as paid_amount",
        "marts.mart_mwbe_finder": "select 'x' as authority, unnest([60, 0]) as paid_amount",
    },
    "utilization_adds_up_to_the_city": {
        "marts.mart_mwbe_participation": f"select {YEAR}, unnest(['city', 'owner group']) as breakdown, 'eligible' as denominator,"
        " null::integer as fiscal_quarter, 'mbe' as certified_group, 100 as denominator_amount",
        "marts.mart_mwbe_utilization": f"select {YEAR}, unnest(['goods', 'construction']) as industry, 'mbe' as certified_group,"
        " unnest([60, 40]) as eligible_amount",
    },
}  # fmt: skip


def warehouse_of(rule: str) -> tuple[duckdb.DuckDBPyConnection, str]:
    warehouse = empty_warehouse()
    for table, query in RULES[rule].items():
        warehouse.execute(f"create table {table} as {query}")
    return warehouse, list(RULES[rule])[-1]


@pytest.mark.parametrize("rule", RULES)
def test_totals_that_agree_pass(rule: str) -> None:
    warehouse, _ = warehouse_of(rule)
    assert rows_of_check(warehouse, rule) == []


@pytest.mark.parametrize("rule", RULES)
def test_a_multiplied_row_breaks_the_rule(rule: str) -> None:
    warehouse, mart = warehouse_of(rule)
    warehouse.execute(f"insert into {mart} from {mart} limit 1")
    assert rows_of_check(warehouse, rule) != []


@pytest.mark.parametrize("rule", RULES)
def test_a_lost_row_breaks_the_rule(rule: str) -> None:
    warehouse, mart = warehouse_of(rule)
    warehouse.execute(f"create or replace table {mart} as from {mart} offset 1")
    assert rows_of_check(warehouse, rule) != []


def test_a_vendor_has_no_more_payments_or_agencies_than_its_spending() -> None:
    warehouse = empty_warehouse()
    warehouse.execute(
        f"create table marts.fct_vendor_breadth as select {YEAR}, unnest(['v', 'w']) as vendor_id, 20 as payment_count, 2 as agency_count;"
        f"create table marts.mart_spend_by_vendor as select {YEAR}, unnest(['v', 'w']) as vendor_id, 21 as payment_count, 2 as agency_count"
    )
    assert rows_of_check(warehouse, "vendor_breadth_is_within_payments") == []
    warehouse.execute("update marts.fct_vendor_breadth set payment_count = 22 where vendor_id = 'v'")
    assert [row[2] for row in rows_of_check(warehouse, "vendor_breadth_is_within_payments")] == ["v"]
    warehouse.execute("delete from marts.mart_spend_by_vendor where vendor_id = 'w'")
    assert len(rows_of_check(warehouse, "vendor_breadth_is_within_payments")) == 2
