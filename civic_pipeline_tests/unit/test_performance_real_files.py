"""The performance measures on the City's real files, against the figures of the project's research; where ours differ, both are given."""

import duckdb
import pytest
from formulas import build, empty_warehouse
from real_files import REAL, needs_real_files

from civic_pipeline.settings import CHECKOUT
from civic_pipeline.warehouse.seeds import create_seeds

BALTIMORE = REAL / "baltimore"

pytestmark = [pytest.mark.slow, needs_real_files]

MARTS = (
    "dim_cities", "dim_dates", "dim_fiscal_dates", "dim_fiscal_years", "dim_agencies", "dim_pillars_goals", "bridge_plan_services",
    "fct_measure_records", "fct_measure_observations", "dim_measures", "mart_kpi_scorecard", "mart_goal_scorecard", "mart_kpi_conflicts",
    "fct_measure_revisions", "mart_kpi_lifecycle",
)  # fmt: skip
# The key of the research: owner and published id, with the title only where the id is empty.
RESEARCH_KEY = "owner_name, published_measure_id, case when published_measure_id is null then title end"


def text(path: str) -> str:
    """A query that reads a CSV file as text."""
    return f"from read_csv('{BALTIMORE / path}', all_varchar = true, header = true, quote = '\"', escape = '\"', strict_mode = false)"


@pytest.fixture(scope="module")
def warehouse() -> duckdb.DuckDBPyConnection:
    """The list of measures of 2026-07-01, the services, the plan of 2026 and the tracker of 2021; no budget."""
    connection = empty_warehouse()
    create_seeds(connection, CHECKOUT)
    for table, path in {
        "performance_measures": "kpi/performance_plan_measures_2026-07-01.csv.gz",
        "services": "reference/workday_service.csv",
        "action_tracker": "kpi/mayors_100_day_tracker_2021_actions.csv",
    }.items():
        connection.execute(f"create table raw.baltimore_{table} as select *, 'c' as _capture_id {text(path)}")
    plan = {
        "pillars": "kpi/mayors_action_plan_2026_pillar.csv",
        "goals": "kpi/mayors_action_plan_2026_pillar_goal.csv",
        "initiatives": "kpi/mayors_action_plan_2026_action_plan_initiative.csv",
    }
    editions = [f"select *, '{label}' as _edition, 'c' as _capture_id {text(path)}" for label, path in plan.items()]
    connection.execute(f"create table raw.baltimore_action_plan as {' union all by name '.join(editions)}")
    connection.execute(
        "create table marts.dim_pillars (pillar_id varchar, city varchar, plan varchar, pillar_code varchar, pillar_name varchar)"
    )
    connection.execute(
        "create table marts.bridge_service_pillars (city varchar, service_id varchar, pillar_id varchar, fiscal_year integer)"
    )
    connection.execute(
        "create table marts.dim_services (city varchar, service_id varchar, service_code varchar, service_name varchar)"
    )
    cleaned = (
        f"clean.baltimore_{name}" for name in ("performance_measures", "services", "action_plan", "action_tracker")
    )
    build(connection, *cleaned)
    connection.execute(
        "create table clean_history.baltimore_performance_measures as select *, timestamp '2026-07-01' as _captured_at from clean.baltimore_performance_measures"
    )
    build(connection, *(f"marts.{name}" for name in MARTS))
    return connection


def one(warehouse: duckdb.DuckDBPyConnection, query: str) -> tuple[object, ...] | None:
    return warehouse.execute(query).fetchone()


def test_every_figure_of_every_record_is_read_once(warehouse: duckdb.DuckDBPyConnection) -> None:
    query = (
        "select count(*), count(distinct record_id), count(distinct agency_name), count(distinct record_id) filter (where plan_year = 2026),"
        " count(distinct record_id) filter (where published_measure_id is null) from clean.baltimore_performance_measures"
    )
    assert one(warehouse, query) == (1_465 * 16, 1_465, 56, 791, 12)
    unread = (
        "select count(*) from clean.baltimore_performance_measures where value is null and published_text is not null"
        " and not is_sentinel and not is_unit_error"
    )
    assert one(warehouse, unread) == (14,)  # "6500-7000", "New Target for FY 25" and other remarks


def test_measures_are_829_where_the_research_counts_826(warehouse: duckdb.DuckDBPyConnection) -> None:
    """The research counts 826 (owner and id, title where the id is empty) and 696 that are active; its own rule adds the title where an id is reused.

    Three ids are used for two measures of one owner and plan year (6300-912-1, 7302, 7311), so there are 829 measures, 699 active.
    """
    assert one(warehouse, f"select count(*) from (select distinct {RESEARCH_KEY} from marts.fct_measure_records)") == (
        826,
    )
    assert one(
        warehouse,
        "select count(*), count(*) filter (where not is_deprecated) from marts.fct_measure_records where is_shown",
    ) == (829, 699)


@pytest.mark.parametrize(
    ("year", "met", "scorable", "active", "ours"),
    [(2024, 281, 482, 696, (281, 484, 699)), (2025, 271, 469, 696, (272, 471, 699))],
)
def test_the_share_met_is_that_of_the_research(
    warehouse: duckdb.DuckDBPyConnection, year: int, met: int, scorable: int, active: int, ours: tuple[int, int, int]
) -> None:
    """FY2024: 281 of 482 = 58.3% (53.8 to 62.6%); FY2025: 271 of 469 = 57.8% (53.3 to 62.2%); coverage 69% and 67%.

    With the three reused ids as two measures each: 281 of 484 = 58.1% (53.6 to 62.4%) and 272 of 471 = 57.7% (53.2 to 62.1%); the same coverage.
    """
    merged = (
        f"select count(*) filter (where is_met), count(*) filter (where is_scorable), count(*) from (select * from marts.mart_kpi_scorecard"
        f" inner join marts.fct_measure_records as records using (record_id) where fiscal_year = {year}"
        f" qualify row_number() over (partition by {RESEARCH_KEY.replace('owner_name', 'records.owner_name').replace('published', 'records.published').replace('title', 'records.title')}"
        " order by modified_time desc) = 1) where is_active"
    )
    assert one(warehouse, merged) == (met, scorable, active)
    query = f"select met, scorable, measures, met_share_low, met_share_high, coverage_share from marts.mart_goal_scorecard where level = 'city' and fiscal_year = {year}"
    row = one(warehouse, query)
    assert row is not None
    assert row[:3] == ours
    assert row[3:] == (
        pytest.approx({2024: 0.538, 2025: 0.533}[year], abs=0.003), pytest.approx({2024: 0.626, 2025: 0.622}[year], abs=0.003),
        pytest.approx({2024: 0.69, 2025: 0.67}[year], abs=0.005),
    )  # fmt: skip


def test_the_change_of_a_year_cannot_be_distinguished_from_none(warehouse: duckdb.DuckDBPyConnection) -> None:
    query = (
        "select is_change_distinguishable from marts.mart_goal_scorecard where level = 'city' and fiscal_year = 2025"
    )
    assert one(warehouse, query) == (False,)


def test_what_cannot_be_scored_in_2025_is_what_the_research_lists(warehouse: duckdb.DuckDBPyConnection) -> None:
    """K5 counts 94 without a target, 84 with a target and an actual but no direction, and 49 with a target but no actual.

    With three more measures, one of which has no target, ours are 95, 84 and 49. In the order of the statuses, direction first, the same measures are 146
    unscorable, 58 without a target and 24 without an actual.
    """
    query = (
        "select count(*) filter (where status = 'unscorable'), count(*) filter (where status = 'no_target'),"
        " count(*) filter (where status in ('no_actual', 'stale')), count(*) filter (where target_value is null),"
        " count(*) filter (where target_value is not null and direction is null and actual_value is not null),"
        " count(*) filter (where target_value is not null and actual_value is null)"
        " from marts.mart_kpi_scorecard where fiscal_year = 2025 and is_active"
    )
    assert one(warehouse, query) == (146, 58, 24, 95, 84, 49)


def test_notations_mix_in_313_of_636_percent_records(warehouse: duckdb.DuckDBPyConnection) -> None:
    """The research counts 309 of 636; by the rules of the normaliser 313 records have figures read by two rules."""
    query = "select count(distinct record_id), count(distinct record_id) filter (where is_mixed_scale) from clean.baltimore_performance_measures where unit_kind = 'percent'"
    assert one(warehouse, query) == (636, 313)
    sentinels = "select count(distinct published_measure_id) filter (where unit_kind = 'percent') from clean.baltimore_performance_measures where published_text = '9999'"
    assert one(warehouse, sentinels) == (2,)
    dollars = "select list(distinct published_measure_id) from clean.baltimore_performance_measures where is_unit_error"
    assert one(warehouse, dollars) == (["8344"],)


def test_a_fifth_of_the_outcomes_is_flagged_for_equity_and_none_has_figures_by_group(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    """The research counts 163 measures flagged as equity measures. By the record that was modified last it is 171 of 829, 139 of 699 active ones, and
    47 of 221 active outcomes, which is what criterion DM8 tests. The export has no column for figures by group."""
    query = (
        "select count(*) filter (where is_equity), count(*) filter (where is_equity and not is_deprecated),"
        " count(*) filter (where is_equity and not is_deprecated and measure_type = 'outcome'),"
        " count(*) filter (where not is_deprecated and measure_type = 'outcome') from marts.dim_measures where is_shown"
    )
    assert one(warehouse, query) == (171, 139, 47, 221)


def test_figures_that_anybody_can_look_up(warehouse: duckdb.DuckDBPyConnection) -> None:
    query = (
        "select list(cast(value as double) order by fiscal_year) from marts.fct_measure_observations as figures"
        " inner join marts.fct_measure_records as records using (record_id) where is_shown and period = 'year'"
        " and figure_kind = '{}' and value is not null and published_measure_id = '{}' and fiscal_year <= 2025"
    )
    assert one(warehouse, query.format("actual", "7513")) == ([15_375.0, 14_781.0, 13_998.0, 13_366.0, 12_599.0],)
    assert one(warehouse, query.format("actual", "8343")) == ([767.0, 1_106.0, 1_059.0, 1_244.0, 1_235.0],)
    assert one(warehouse, query.format("target", "8343")) == ([1_565.0, 1_300.0],)
    assert one(warehouse, query.format("target", "8344")) == ([0.3, 0.31],)
    assert one(warehouse, query.format("actual", "8344")) == (None,)
    paid = (
        "select list(cast(value as double) order by fiscal_year) from marts.fct_measure_observations as figures"
        " inner join marts.fct_measure_records as records using (record_id) where is_shown and period = 'year'"
        " and figure_kind = 'actual' and value is not null and published_measure_id = '1200-902-A-1'"
    )
    assert one(warehouse, paid) == ([0.65, 0.75, 0.75, 0.83],)


def test_cumulative_counts_are_sums_in_208_of_397_records(warehouse: duckdb.DuckDBPyConnection) -> None:
    """The research counts 389 records of cumulative counts with four quarters of FY2025; the year is their sum in 204 and the last quarter in 84.

    It leaves out those whose interval is written Cumalitve; with these eight there are 397, 208 and 88.
    """
    query = """
        with years as (
            select record_id, max(value) filter (where period = 'year') as year, sum(value) filter (where period <> 'year') as total,
                max(value) filter (where period = 'q4') as last
            from clean.baltimore_performance_measures
            where fiscal_year = 2025 and figure_kind = 'actual' and interval_kind = 'cumulative' and unit_kind = 'count'
            group by record_id having count(value) filter (where period <> 'year') = 4)
        select count(*), count(*) filter (where abs(year - total) <= 0.005 * abs(total)), count(*) filter (where abs(year - last) <= 0.005 * abs(last)) from years
    """
    assert one(warehouse, query) == (397, 208, 88)


def test_the_tracker_and_the_plan_are_complete(warehouse: duckdb.DuckDBPyConnection) -> None:
    statuses = "select status, count(*) from clean.baltimore_action_tracker group by status order by status"
    assert warehouse.execute(statuses).fetchall() == [("completed", 23), ("in_progress", 31), ("not_started", 4)]
    kinds = "select item_kind, count(*) from clean.baltimore_action_plan group by item_kind order by item_kind"
    assert warehouse.execute(kinds).fetchall() == [("goal", 23), ("initiative", 65), ("pillar", 6)]
    services = (
        "select count(*), count(pillar_code), count(*) filter (where not is_active) from clean.baltimore_services"
    )
    assert one(warehouse, services) == (262, 238, 18)


def test_plan_years_conflict_as_often_as_the_research_counts(warehouse: duckdb.DuckDBPyConnection) -> None:
    """K4: 60 actuals of FY2025 (23 by more than 5%, 7 by more than 50%), 5 of FY2024, 9 targets of FY2025 and 19 of FY2026, in 631 pairs, of which in 485 the
    older plan year was modified last. The figures agree, with one actual of FY2025 that is 0 in the earlier plan year counted as the largest difference;
    K4 does not name 4 actuals of FY2022. We count 636 pairs and 489: it leaves out pairs of an owner and id that have more than two records.
    """
    query = (
        "select fiscal_year, conflict_type, count(*), count(*) filter (where coalesce(relative_difference, 9) > 0.05),"
        " count(*) filter (where coalesce(relative_difference, 9) > 0.5) from marts.mart_kpi_conflicts where period = 'year' group by all order by all"
    )
    assert warehouse.execute(query).fetchall() == [
        (2022, "actual_conflict", 4, 4, 2), (2024, "actual_conflict", 5, 4, 3), (2025, "actual_conflict", 60, 23, 7), (2025, "target_conflict", 9, 8, 0),
        (2026, "target_conflict", 19, 14, 5),
    ]  # fmt: skip
    pairs = (
        "select count(*), count(*) filter (where earlier.modified_time > later.modified_time) from marts.fct_measure_records as earlier"
        " inner join marts.fct_measure_records as later using (measure_id) where earlier.plan_year = 2026 and later.plan_year = 2027"
    )
    assert one(warehouse, pairs) == (636, 489)


def test_forty_one_measures_stop_after_2023_and_forty_nine_are_silent(warehouse: duckdb.DuckDBPyConnection) -> None:
    """K6: 41 measures, 21 of invoices paid in time and 20 of general funds expended, all deprecated; no note names a successor."""
    query = "select title, lifecycle_state, count(*) from marts.mart_kpi_lifecycle where last_actual_year = 2023 group by all order by 3 desc, 1"
    assert warehouse.execute(query).fetchall() == [
        ("% of invoices paid within 30 days of receipt", "retired_no_successor", 21), ("% of general funds expended (unaudited)", "retired_no_successor", 20),
    ]  # fmt: skip
    states = "select lifecycle_state, count(*) from marts.mart_kpi_lifecycle group by 1 order by 1"
    assert dict(warehouse.execute(states).fetchall()) == {"active": 650, "silent": 49, "retired_no_successor": 130}


def test_the_vacant_notices_that_the_city_reports_are_those_of_its_list(warehouse: duckdb.DuckDBPyConnection) -> None:
    """12,599 notices are reported for 2025-07-01; the list of 2025-06-27 (the file is named 2025-08) has 12,602. Of the other years no list is within 31 days."""
    listed = text("housing/vacant_building_notices_2025-08.csv.gz")
    warehouse.execute(f"""
        create table clean_history.baltimore_vacant_building_notices as
            select "NoticeNum" as notice_number, timestamp '2025-06-27' as _captured_at, 'c' as _capture_id {listed};
        create table clean_history.baltimore_mwbe (firm_name varchar, certification_status varchar, _captured_at timestamp, _capture_id varchar);
        create table marts.mart_mwbe_participation (city varchar, fiscal_year integer, fiscal_quarter integer, breakdown varchar, certified_group varchar,
            denominator varchar, expected_share double, interval_low_share double, interval_high_share double);
        create table marts.mart_service_requests_on_time (city varchar, month date, group_kind varchar, group_name varchar, closed_on_time_count bigint,
            due_count bigint)
    """)
    build(warehouse, "marts.mart_kpi_reproducibility")
    query = (
        "select fiscal_year, cast(reported_value as integer), recomputed_value, gap, is_reproduced from marts.mart_kpi_reproducibility"
        " where method = 'vacant_notices' order by fiscal_year"
    )
    rows = warehouse.execute(query).fetchall()
    assert rows[-1] == (2025, 12_599, 12_602.0, -3.0, True)
    assert [row[1:] for row in rows[:-1]] == [
        (reported, None, None, None) for reported in (15_375, 14_781, 13_998, 13_366)
    ]
    methods = "select list(distinct title order by title) from marts.mart_kpi_reproducibility where city = 'baltimore'"
    assert (
        len((one(warehouse, methods) or ([],))[0]) == 5
    )  # of M/WBE procurement nothing is reported, and nothing can be computed here
