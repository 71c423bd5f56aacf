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
        create table marts.dim_services as select unnest(['patrol', 'rescue', 'advice', 'debt']) as service_id, upper(service_id) as service_name;
        create table marts.fct_measure_records as select 'baltimore' as city, * from (values
            ('r1', 'calls', 'Calls answered', 'patrol', true, false), ('r2', 'fires', 'Fires', 'rescue', true, false),
            ('r3', 'drills', 'Drills', 'rescue', true, false), ('r4', 'old', 'Old', 'patrol', true, true), ('r5', 'calls', 'Calls', 'patrol', false, false)
        ) as t(record_id, measure_id, title, service_id, is_shown, is_deprecated);
        create table marts.fct_measure_observations as select *, 'year' as period, 'actual' as figure_kind from (values
            ('r1', 2022, 10), ('r1', 2023, 30), ('r2', 2022, 5), ('r4', 2023, 7), ('r5', 2023, 99)
        ) as t(record_id, fiscal_year, value);
        create table marts.mart_kpi_scorecard as select 'baltimore' as city, * from (values
            ('patrol', 2024, true, true, true, true, 1.2::double), ('rescue', 2024, true, true, true, false, 0.5), ('rescue', 2024, true, true, true, true, 1.0),
            ('patrol', 2025, true, true, true, false, 0.1)
        ) as t(service_id, fiscal_year, is_active, is_closed_year, is_scorable, is_met, attainment)
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


def test_the_measures_of_a_service_stand_beside_its_dollars_and_never_multiply_them(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    """Patrol has one active measure, which rose from 10 to 30; rescue has two, of which none has an actual of 2023; the rest is not linked."""
    shown = warehouse.execute(
        "select service_name, measures_status, measure_count, reported_count, scored_fiscal_year, scorable_count, met_count, median_attainment,"
        f" measure_title, measure_change, dollars_per_unit_of_change from {MART} order by appropriated_amount desc"
    ).fetchall()
    assert shown == [
        ("PATROL", "published", 1, 1, 2024, 1, 1, 1.2, "Calls answered", 20, pytest.approx(100 / 20)),
        ("RESCUE", "not_reported", 2, 0, 2024, 2, 1, 0.75, None, None, None),
        (None, "not_linked", 0, 0, 2024, 0, 0, None, None, None, None),
    ]


def test_a_unit_of_change_has_no_price_before_the_year_is_closed(warehouse: duckdb.DuckDBPyConnection) -> None:
    price = f"select measure_change, dollars_per_unit_of_change from {MART} where service_name = 'PATROL'"
    for first_open_year, expected in ((2024, 5), (2023, None)):
        warehouse.execute(
            "delete from marts.mart_kpi_scorecard where not is_closed_year;"
            f" insert into marts.mart_kpi_scorecard values ('baltimore', 'patrol', {first_open_year}, true, false, false, null, null)"
        )
        build(warehouse, MART)
        assert warehouse.execute(price).fetchone() == (20, expected)


def test_the_rule_sees_a_lost_dollar_and_a_join_that_multiplies(warehouse: duckdb.DuckDBPyConnection) -> None:
    rule = RULE.read_text(encoding="utf-8")
    assert warehouse.execute(rule).fetchall() == []
    warehouse.execute("insert into marts.dim_pillars values ('safety', 'The same again', 'a plan')")
    build(warehouse, MART)
    assert warehouse.execute(rule).fetchall() == [("baltimore", 2023, "adopted", Decimal(175), Decimal(625))]
