"""Budgeted dollars by outcome: what is linked, what is not, and that nothing is lost, on lines made by hand."""

from decimal import Decimal

import duckdb
import pytest
from formulas import build, empty_warehouse

from civic_pipeline.settings import CHECKOUT

MART = "marts.mart_dollars_to_outcomes"
RULE = CHECKOUT / "sql" / "checks" / "performance" / "outcome_dollars_add_up.sql"


@pytest.fixture
def warehouse() -> duckdb.DuckDBPyConnection:
    """One adopted budget: 100 + 50 for two services under the pillar Safety, 30 for a service under no pillar, a credit of 5."""
    warehouse = empty_warehouse()
    warehouse.execute("""
        create table marts.fct_budget_lines (city varchar, fiscal_year integer, phase varchar, agency_id varchar,
            service_id varchar, pillar_id varchar, appropriated_amount decimal(18, 2));
        insert into marts.fct_budget_lines values
            ('baltimore', 2023, 'adopted', 'police', 'patrol', 'safety', 60), ('baltimore', 2023, 'adopted', 'police', 'patrol', 'safety', 40),
            ('baltimore', 2023, 'adopted', 'fire', 'rescue', 'safety', 50),
            ('baltimore', 2023, 'adopted', 'law', 'advice', 'none', 30), ('baltimore', 2023, 'adopted', 'law', 'debt', 'none', -5);
        create table marts.dim_pillars as select * from
            (values ('safety', 'Building Public Safety', 'a plan'), ('none', 'No pillar published', null)) as t(pillar_id, pillar_name, plan);
        create table marts.dim_agencies as select unnest(['police', 'fire', 'law']) as agency_id, upper(agency_id) as agency_name;
        create table marts.dim_services as select unnest(['patrol', 'rescue', 'advice', 'debt']) as service_id, upper(service_id) as service_name
    """)
    build(warehouse, MART)
    return warehouse


def test_dollars_are_under_their_outcome_and_those_without_one_are_a_row(warehouse: duckdb.DuckDBPyConnection) -> None:
    shown = warehouse.execute(
        f"select outcome_name, agency_name, service_name, service_count, appropriated_amount, city_share, is_linked from {MART} order by 5 desc"
    ).fetchall()
    assert shown == [
        ("Building Public Safety", "POLICE", "PATROL", 1, Decimal(100), pytest.approx(100 / 175), True),
        ("Building Public Safety", "FIRE", "RESCUE", 1, Decimal(50), pytest.approx(50 / 175), True),
        ("Linked to no outcome", None, None, 2, Decimal(25), pytest.approx(25 / 175), False),
    ]
    assert warehouse.execute(f"select distinct measures_status from {MART}").fetchall() == [("not_published",)]


def test_the_rule_sees_a_lost_dollar_and_a_join_that_multiplies(warehouse: duckdb.DuckDBPyConnection) -> None:
    rule = RULE.read_text(encoding="utf-8")
    assert warehouse.execute(rule).fetchall() == []
    warehouse.execute("insert into marts.dim_pillars values ('safety', 'The same again', 'a plan')")
    build(warehouse, MART)
    assert warehouse.execute(rule).fetchall() == [("baltimore", 2023, "adopted", Decimal(175), Decimal(625))]
