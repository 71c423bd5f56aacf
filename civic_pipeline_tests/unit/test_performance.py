"""Performance measures: how figures are read, which record is shown and how a measure is scored, on records made by hand."""

import math
import statistics
from decimal import Decimal

import duckdb
import pytest
from formulas import build
from measure_records import records, score

FIGURES = "select fiscal_year, figure_kind, period, value, scale_rule from clean.baltimore_performance_measures"


def read(kind: str, *texts: str) -> list[tuple[object, ...]]:
    """The values of one record, whose actuals and targets from FY21 on are `texts`, with their rules."""
    columns = ["FY 21 Actual", "FY 22 Actual", "FY 23 Actual", "FY 24 Actual", "FY 25 Actual", "FY 26 Target"]
    warehouse = records({"Percent or Count": kind, **dict(zip(columns, texts, strict=False))})
    query = (
        "select value, scale_rule, is_sentinel, is_unit_error, is_mixed_scale from clean.baltimore_performance_measures"
        " where published_text is not null order by fiscal_year"
    )
    return warehouse.execute(query).fetchall()


def values(kind: str, *texts: str) -> list[Decimal | None]:
    return [row[0] for row in read(kind, *texts)]


def share_in_python(text: str, others: list[str]) -> float:
    """The rule of the row-aware normaliser, in Python."""
    plain = [float(other.rstrip("%")) / 100 for other in [*others, text] if "%" in other or float(other) > 1.5]
    if "%" in text:
        return float(text.rstrip("%")) / 100
    figure = float(text)
    if figure > 1.5:
        return figure / 100
    if plain and figure > 0:
        middle = statistics.median(plain)
        if abs(math.log(figure / 100 / middle)) < abs(math.log(figure / middle)):
            return figure / 100
    return figure


def test_a_percent_is_read_in_every_notation() -> None:
    assert values("percent", "99%", "0.84", "93", "104%") == [
        Decimal("0.99"),
        Decimal("0.84"),
        Decimal("0.93"),
        Decimal("1.04"),
    ]
    assert [row[1] for row in read("percent", "99%", "0.84", "93")] == ["percent_sign", "as_is", "over_1_5"]


@pytest.mark.parametrize(
    ("text", "others", "value"),
    [
        ("1", ["100%"], "1"), ("0.5", ["2", "3%"], "0.005"), ("1", ["3%", "2%"], "0.01"), ("0.05", ["4%", "90%"], "0.05"), ("1.5", ["1.6"], "0.015"),
    ],
)  # fmt: skip
def test_a_small_figure_takes_the_scale_of_its_record(text: str, others: list[str], value: str) -> None:
    assert values("percent", text, *others)[0] == Decimal(value)
    assert share_in_python(text, others) == pytest.approx(float(value))


def test_what_stands_for_none_and_what_has_another_unit_is_not_read() -> None:
    assert read("percent", "9999", "58380951.34", "0.5") == [
        (None, None, True, False, False), (None, None, False, True, False), (Decimal("0.5"), "as_is", False, False, False),
    ]  # fmt: skip
    assert [row[:3] for row in read("count", "9999", "N/A", "No Data", "TBD", "6500-7000")] == [
        (None, None, True), (None, None, True), (None, None, True), (None, None, True), (None, None, False),
    ]  # fmt: skip


def test_counts_and_dollars_are_read_as_spreadsheets_write_them() -> None:
    assert values("currency", "$2,360,000 ", "1.15977e+007", ".95", "-41", "4,222\u00a0") == [
        Decimal(2_360_000), Decimal(11_597_700), Decimal("0.95"), Decimal(-41), Decimal(4222),
    ]  # fmt: skip


def test_a_record_with_several_notations_is_marked() -> None:
    assert {row[4] for row in read("percent", "99%", "0.84")} == {True}
    assert {row[4] for row in read("percent", "99%", "84%")} == {False}


def test_a_measure_is_its_agency_and_id_and_its_title_where_the_id_does_not_name_it() -> None:
    warehouse = records(
        {"Performance Measure": "Trees"},
        {"Performance Measure": "Trees planted", "Fiscal Year": "FY27"},  # renamed: the same measure
        {"Performance Measure": "Trees", "Agency": "Parks"},  # another agency has the id, too
        {"Performance Measure": "Left", "Measure ID": "2"},
        {"Performance Measure": "Right", "Measure ID": "2"},  # one id for two measures of a plan
        {"Performance Measure": "left", "Measure ID": "2", "Fiscal Year": "FY27"},
        {"Performance Measure": "No id", "Measure ID": None},
        {"Performance Measure": "No id either", "Measure ID": " "},
    )
    query = "select list(distinct lower(title) order by lower(title)) from clean.baltimore_performance_measures group by measure_id, agency_name order by all"
    assert [titles for (titles,) in warehouse.execute(query).fetchall()] == [
        ["left"], ["no id"], ["no id either"], ["right"], ["trees"], ["trees", "trees planted"],
    ]  # fmt: skip


# Scores


def scored(warehouse: duckdb.DuckDBPyConnection, columns: str, year: int = 2025) -> list[tuple[object, ...]]:
    score(warehouse)
    return warehouse.execute(
        f"select {columns} from marts.mart_kpi_scorecard where fiscal_year = {year} order by title"
    ).fetchall()


def measure(
    number: int, direction: str | None, actual: str | None, target: str | None, **columns: str
) -> dict[str, str | None]:
    named = {name.replace("_", " "): value for name, value in columns.items()}
    return {
        "Measure ID": str(number), "Performance Measure": f"Measure {number:02d}", "Desired Outcome": direction,
        "FY 25 Actual": actual, "FY 25 Target": target, "FY 24 Target": "1", **named,
    }  # fmt: skip


def attainment_in_python(direction: str, actual: float, target: float) -> float:
    if direction == "increase":
        return actual / target if target > 0 else float(actual >= target)
    if direction == "decrease":
        return target / actual if actual > 0 and target > 0 else float(actual <= target)
    return 1.0 if abs(actual - target) <= 0.05 * abs(target) else max(0.0, 1 - abs(actual - target) / abs(target))


def test_attainment_follows_the_direction_and_the_status_the_first_reason() -> None:
    cases = [
        ("increase", 90, 100, "off"), ("increase", 95, 100, "near"), ("increase", 100, 100, "met"), ("increase", -0.1, -0.15, "met"),
        ("decrease", 8, 4, "off"), ("decrease", 0, 4, "met"), ("decrease", 4.1, 4, "near"), ("decrease", 3, 0, "off"),
        ("maintain", 104, 100, "met"), ("maintain", 80, 100, "off"),
    ]  # fmt: skip
    warehouse = records(
        *(measure(number, way, str(actual), str(target)) for number, (way, actual, target, _) in enumerate(cases)),
        measure(80, None, "5", "4"),
        measure(81, "increase", "5", None),
        measure(82, "increase", None, "4"),
        measure(83, "increase", None, "4", FY_23_Actual="3"),
    )
    rows = scored(warehouse, "status, attainment, is_scorable, is_met")
    for (direction, actual, target, status), row in zip(cases, rows, strict=False):
        expected = attainment_in_python(direction, actual, target)
        assert row == (status, pytest.approx(expected), True, expected >= 1), (direction, actual, target)
    assert [row[0] for row in rows[len(cases) :]] == ["unscorable", "no_target", "no_actual", "stale"]
    assert {row[1:] for row in rows[len(cases) :]} == {(None, False, None)}


def test_cityscore_is_unlimited_and_gives_zero_to_the_best_where_less_is_better() -> None:
    """Why it is there for comparison only: 0 homicides score 0, and one measure of 2.81 outweighs others."""
    cases = {("increase", 281, 100): 2.81, ("increase", 0, 100): 0, ("decrease", 8, 4): 0.5, ("decrease", 0, 4): 0, ("maintain", 4, 4): None,
        ("increase", 4, 0): None, ("increase", -1, 4): None, ("decrease", 3, -4): None}  # fmt: skip
    warehouse = records(
        *(measure(number, way, str(actual), str(target)) for number, (way, actual, target) in enumerate(cases)),
        measure(80, "increase", None, "4"),
    )
    rows = scored(warehouse, "cityscore_compatible, attainment")
    assert [row[0] for row in rows] == [None if value is None else pytest.approx(value) for value in cases.values()] + [
        None
    ]
    assert rows[3] == (0, 1)


def test_a_year_is_closed_when_ninety_days_of_the_next_are_over_by_the_newest_edit_of_the_list() -> None:
    for edited, closed in (("2025-09-29 00:00:00", True), ("2025-09-28 23:59:59", False)):  # FY2026 begins on 1 July
        warehouse = records(measure(1, "increase", None, "4", FY_23_Actual="3", Modified=edited))
        assert scored(warehouse, "is_closed_year, status") == [(closed, "stale" if closed else "no_actual")]


def test_the_record_that_was_modified_last_is_shown() -> None:
    warehouse = records(
        measure(1, "increase", "7", "10", Modified="2026-05-02 10:00:00"),
        measure(1, "increase", "10", "10", Modified="2026-05-01 10:00:00", Fiscal_Year="FY27"),
        measure(2, "increase", "7", "10"),
        measure(2, "increase", "10", "10", Fiscal_Year="FY27"),  # at one time: the later plan year
    )
    assert scored(warehouse, "plan_year, actual_value, status") == [(2026, 7, "off"), (2027, 10, "met")]


def test_progress_is_measured_from_the_first_actual_and_the_trend_needs_three() -> None:
    warehouse = records(
        measure(1, "decrease", "60", "40", FY_22_Actual="100", FY_24_Actual="70"),
        measure(2, "increase", "5", "3", FY_24_Actual="3"),
    )
    columns = "baseline_fiscal_year, baseline_value, progress_from_baseline, trend_slope"
    slope = statistics.linear_regression([2022, 2024, 2025], [100, 70, 60]).slope
    assert scored(warehouse, columns) == [
        (2022, 100, pytest.approx((60 - 100) / (40 - 100)), pytest.approx(slope, abs=1e-6)),
        (2024, 3, None, None),  # the target is the baseline
    ]


def test_a_deprecated_measure_is_not_active() -> None:
    warehouse = records(measure(1, "increase", "1", "1", Deprecated="yes"), measure(2, "increase", "1", "1"))
    assert scored(warehouse, "is_active") == [(False,), (True,)]


# Versions and quarters


def quarters(number: int, year: str, *values: str) -> dict[str, str | None]:
    return {"Measure ID": str(number), "Performance Measure": f"Measure {number}", "FY 25 Actual": year, "FY 25 Target": "1"} | {
        f"FY 25 Q{quarter}": value for quarter, value in enumerate(values, 1)
    }  # fmt: skip


def test_the_rule_by_which_quarters_make_a_year_is_the_first_that_fits_best() -> None:
    warehouse = records(
        quarters(1, "100.4", "10", "20", "30", "40"),  # within half a percent of the sum
        quarters(2, "40", "10", "20", "30", "40"),
        quarters(3, "45", "40", "45", "30", "20"),
        quarters(4, "5", "4", "6", "3", "7"),
        quarters(5, "77", "10", "20", "30", "40"),
        quarters(6, "10", "10", "20", "30", ""),
        quarters(7, "0", "0", "0", "0", "0"),  # sum before the others
    )
    score(warehouse)
    query = "select aggregation_rule from marts.dim_measures order by title"
    assert [rule for (rule,) in warehouse.execute(query).fetchall()] == [
        "sum",
        "last",
        "max",
        "mean",
        "unknown",
        "untested",
        "sum",
    ]


def test_a_version_lasts_while_plan_years_describe_the_measure_alike() -> None:
    warehouse = records(
        {"Performance Measure": "# of PMs", "Fiscal Year": "FY25"},
        {"Performance Measure": " # of  pms ", "Fiscal Year": "FY26", "Modified": "2026-05-03 10:00:00"},
        {"Performance Measure": "# of services", "Fiscal Year": "FY27"},
    )
    score(warehouse)
    query = "select version_number, valid_from_plan_year, valid_to_plan_year, is_newest, is_shown, title from marts.dim_measures order by 1"
    assert warehouse.execute(query).fetchall() == [
        (1, 2025, 2026, False, True, "# of pms"), (2, 2027, 2027, True, False, "# of services"),
    ]  # fmt: skip


# Pillars


def wilson(met: int, scorable: int) -> tuple[float, float]:
    z, share = 1.959964, met / scorable
    centre = (share + z * z / (2 * scorable)) / (1 + z * z / scorable)
    half = z * math.sqrt(share * (1 - share) / scorable + z * z / (4 * scorable**2)) / (1 + z * z / scorable)
    return centre - half, centre + half


def test_a_pillar_shows_the_share_met_with_its_interval_and_what_it_covers() -> None:
    both = {"FY_24_Actual": "1", "Service_ID": "SRV0303 Clinics"}
    warehouse = records(
        measure(1, "increase", "10", "10", **both),
        measure(2, "increase", "9", "10", **both),
        measure(3, "increase", "10", "10", **both),
        measure(4, "increase", None, "10", **both),
        measure(5, "increase", "1", "10", **both | {"Service_ID": "SRV0999 Elsewhere"}),
        measure(6, "increase", "1", "10", Deprecated="Yes", **both),
    )
    score(warehouse)
    warehouse.execute("""
        create table marts.dim_pillars_goals as select * from (values ('p', 'baltimore', 'plan', 'pillar', '1', null, 'Health'),
            ('g', 'baltimore', 'plan', 'goal', '1', '1.1', 'Healthier')) as t(pillar_goal_id, city, plan, plan_level, pillar_code, goal_code, title);
        create table marts.bridge_plan_services as select 'baltimore' as city, 'plan' as plan, 'p' as pillar_goal_id, 'SRV0303' as service_code
    """)
    build(warehouse, "marts.mart_goal_scorecard")
    query = (
        "select level, measures, scorable, met, met_share, met_share_low, met_share_high, coverage_share, median_attainment, measures_status"
        " from marts.mart_goal_scorecard where fiscal_year = 2025 order by level"
    )
    rows = {row[0]: row[1:] for row in warehouse.execute(query).fetchall()}
    low, high = wilson(2, 3)
    assert rows["pillar"] == (
        4, 3, 2, pytest.approx(2 / 3, abs=1e-6), pytest.approx(low, abs=1e-5), pytest.approx(high, abs=1e-5), 0.75, 1.0, "published",
    )  # fmt: skip
    assert rows["city"][:4] == (5, 4, 2, 0.5)
    assert rows["no_pillar"][:4] == (1, 1, 0, 0.0)
    assert rows["goal"] == (None,) * 8 + ("not_published",)
    change = "select change_low, change_high, is_change_distinguishable from marts.mart_goal_scorecard where fiscal_year = 2025 and level = 'pillar'"
    before_low, before_high = wilson(4, 4)
    share, before = 2 / 3, 1.0
    assert warehouse.execute(change).fetchone() == (
        pytest.approx(share - before - math.hypot(share - low, before_high - before), abs=1e-5),
        pytest.approx(share - before + math.hypot(high - share, before - before_low), abs=1e-5),
        False,
    )


# Conflicts, revisions and lifecycle


def test_what_two_plan_years_state_differently_is_a_conflict_and_rounding_is_none() -> None:
    later = {"Fiscal_Year": "FY27", "Modified": "2026-01-01 00:00:00"}
    warehouse = records(
        measure(1, "increase", "1000", "5"),
        measure(1, "increase", "1005", "5", **later),  # exactly half a percent
        measure(2, "increase", "1000", "50%", Percent_or_Count="percent"),
        measure(
            2, "increase", "1005.1", "0.5", Percent_or_Count="percent", **later
        ),  # one target in two notations; no actual
        measure(3, "increase", "200", "5"),
        measure(3, "decrease", "100", "6", Measure_Formula="a", **later),  # the formula is only in one of them
        measure(4, "increase", "0", None),
        measure(4, "increase", "3", "5", **later),
        {**measure(5, "increase", "1", "1"), "Measure Formula": "Sum", "FY 25 Q1": "1"},
        {**measure(5, "increase", "1", "1", **later), "Measure Formula": "Mean", "FY 25 Q1": "2"},
    )
    score(warehouse)
    build(warehouse, "marts.mart_kpi_conflicts")
    query = (
        "select title, conflict_type, field, period, relative_difference, shown_plan_year from marts.mart_kpi_conflicts"
        " inner join marts.fct_measure_records as records using (measure_id) where is_shown order by all"
    )
    assert warehouse.execute(query).fetchall() == [
        ("Measure 03", "actual_conflict", "actual", "year", pytest.approx(abs(200 - 100) / 200), 2026),
        ("Measure 03", "direction_conflict", "direction", None, None, 2026),
        ("Measure 03", "target_conflict", "target", "year", pytest.approx(abs(5 - 6) / 5), 2026),
        ("Measure 04", "actual_conflict", "actual", "year", None, 2026),
        ("Measure 05", "actual_conflict", "actual", "q1", 1.0, 2026),
        ("Measure 05", "definition_conflict", "formula", None, None, 2026),
    ]


def captures(*captured: tuple[str, list[dict[str, str | None]]]) -> duckdb.DuckDBPyConnection:
    """A warehouse whose newest capture is the last of these, with the clean table as of each."""
    history = []
    for day, rows in captured:
        warehouse = records(*rows)
        columns = warehouse.execute("from clean.baltimore_performance_measures").to_arrow_table()
        history.append((day, columns))
    for number, (day, table) in enumerate(history):
        warehouse.register("one_capture", table)
        selected = f"select * exclude (_capture_id), '{number}' as _capture_id, timestamp '{day}' as _captured_at from one_capture"
        name = "clean_history.baltimore_performance_measures"
        warehouse.execute(
            f"create table {name} as {selected}" if number == 0 else f"insert into {name} by name {selected}"
        )
        warehouse.unregister("one_capture")
    score(warehouse)
    return warehouse


def test_what_changed_between_captures_is_a_revision_of_its_kind() -> None:
    before = [
        measure(1, "increase", None, "5"), measure(2, "increase", "3", "5"), measure(3, "increase", "3", "5"), measure(4, "increase", "3", "5"),
        measure(5, "increase", "3", "5"), measure(6, "increase", "30%", "5", Percent_or_Count="percent"),
    ]  # fmt: skip
    after = [
        measure(1, "increase", "4", "5"), measure(2, "increase", "4", "5"), measure(3, "increase", "3", "6"), measure(4, "decrease", "3", "5"),
        measure(5, "increase", "3", "5", Measure_Formula="new"), measure(6, "increase", "0.3", "5", Percent_or_Count="percent"), measure(7, "increase", "1", "1"),
    ]  # fmt: skip
    warehouse = captures(("2026-05-01", before), ("2026-06-01", after), ("2026-07-01", after))
    build(warehouse, "marts.fct_measure_revisions")
    query = (
        "select title, revision_type, figure_kind, previous_text, current_text, captured_date::varchar from marts.fct_measure_revisions"
        " inner join marts.fct_measure_records using (measure_id) order by title"
    )
    assert warehouse.execute(query).fetchall() == [
        ("Measure 01", "filled", "actual", None, "4", "2026-06-01"),
        ("Measure 02", "value_changed", "actual", "3", "4", "2026-06-01"),
        ("Measure 03", "target_moved", "target", "5", "6", "2026-06-01"),
        ("Measure 04", "direction_flipped", None, "increase", "decrease", "2026-06-01"),
        ("Measure 05", "definition_changed", None, "Measure 05", "Measure 05; new", "2026-06-01"),
    ]


def test_a_measure_is_active_silent_or_retired() -> None:
    warehouse = captures((
        "2026-07-01",
        [
            {**measure(1001, "increase", "1", "1"), "FY 23 Actual": "1"},
            {**measure(1002, "increase", None, "1"), "FY 21 Actual": "1"},
            {**measure(1003, "increase", None, None), "FY 23 Actual": "1", "Deprecated": "Yes", "Measure Request Notes": "See 1001-b and 11001"},
            {**measure(1004, "increase", None, None), "Deprecated": "yes", "Measure Request Notes": "Combined with 1001, which counts both."},
        ],
    ))  # fmt: skip
    build(warehouse, "marts.fct_measure_revisions", "marts.mart_kpi_conflicts", "marts.mart_kpi_lifecycle")
    query = (
        "select published_measure_id, lifecycle_state, first_actual_year, last_actual_year, successor_title, actual_conflicts, figures_filled"
        " from marts.mart_kpi_lifecycle order by 1"
    )
    assert warehouse.execute(query).fetchall() == [
        ("1001", "active", 2023, 2025, None, 0, 0),
        ("1002", "silent", 2021, 2021, None, 0, 0),
        ("1003", "retired_no_successor", 2023, 2023, None, 0, 0),
        ("1004", "retired_with_successor", None, None, "Measure 1001", 0, 0),
    ]


# What we can compute ourselves


def test_a_reported_figure_is_reproduced_within_one_percent_or_one_unit() -> None:
    housing = "Baltimore City Department of Housing and Community Development"
    firms = {"Agency": "Mayor's Office of Small and Minority Business Advocacy and Development"}
    comptroller = {"Agency": "Comptroller", "Percent or Count": "percent", "Performance Measure": "Paid"}
    warehouse = captures((
        "2026-07-01",
        [
            {"Agency": housing, "Measure ID": "7513", "Performance Measure": "Notices", "FY 24 Actual": "300", "FY 25 Actual": "100", "FY 25 Target": "9"},
            {"Agency": housing, "Measure ID": "7451", "Performance Measure": "On time", "FY 25 Actual": "0.74", "Percent or Count": "percent"},
            {**firms, "Measure ID": "8343", "Performance Measure": "Firms", "FY 25 Actual": "4"},
            {**firms, "Measure ID": "8344", "Performance Measure": "Share", "FY 25 Actual": "15%", "Percent or Count": "percent"},
            {**comptroller, "Measure ID": "1200-902-A-1", "FY 25 Actual": "83%"},
        ],
    ))  # fmt: skip
    warehouse.execute("""
        create table clean_history.baltimore_vacant_building_notices as
            select notice_number, day as _captured_at, cast(day as varchar) as _capture_id
            from (values (timestamp '2024-05-30', 290), (timestamp '2025-06-20', 120), (timestamp '2025-07-02', 101)) as lists(day, notices),
            lateral (select unnest(range(notices)) as notice_number);
        create table clean_history.baltimore_mwbe as
            select firm_name, certification_status, timestamp '2025-07-31' as _captured_at, 'm' as _capture_id
            from (values ('Acme LLC', 'CERTIFY'), ('ACME, L.L.C.', 'CERTIFY'), ('Beta', 'EXPIRED'), ('Gamma', 'CERTIFY'), ('Delta', 'CERTIFY'))
                as t(firm_name, certification_status);
        create table marts.mart_mwbe_participation as
            select 'baltimore' as city, 2025 as fiscal_year, quarter as fiscal_quarter, 'city' as breakdown, grouped as certified_group, denominator,
                share as expected_share, share - 0.02 as interval_low_share, share + 0.02 as interval_high_share
            from (values (null, 'unduplicated', 'eligible', 0.12), (1, 'unduplicated', 'eligible', 0.5), (null, 'mbe', 'eligible', 0.6),
                (null, 'unduplicated', 'all', 0.7)) as t(quarter, grouped, denominator, share);
        create table marts.dim_fiscal_dates as select 'baltimore' as city, day, cast(year(day) + (month(day) >= 7)::integer as integer) as fiscal_year
            from (select unnest(generate_series(date '2023-07-01', date '2026-06-01', interval 1 month))::date as day);
        create table marts.mart_service_requests_on_time as select 'baltimore' as city, day as month, 'agency' as group_kind, 'Housing' as group_name,
            3 as closed_on_time_count, 4 as due_count from marts.dim_fiscal_dates where fiscal_year = 2025 or day = '2024-01-01'
    """)
    build(warehouse, "marts.mart_kpi_reproducibility")
    query = (
        "select title, fiscal_year, reported_value, recomputed_value, gap, is_reproduced, listed_date::varchar, not_comparable_because is not null"
        " from marts.mart_kpi_reproducibility order by title, fiscal_year"
    )
    assert warehouse.execute(query).fetchall() == [
        ("Firms", 2025, 4, 3.0, 1.0, True, "2025-07-31", False),  # one firm has two spellings, one certificate ended
        ("Notices", 2024, 300, None, None, None, None, True),  # the list of 30 May is 32 days from 1 July
        ("Notices", 2025, 100, 101.0, -1.0, True, "2025-07-02", False),  # 1 unit; the list of 20 June is farther
        ("On time", 2025, Decimal("0.74"), 0.75, pytest.approx(-0.01), True, None, False),
        ("Paid", 2025, Decimal("0.83"), None, None, None, None, True),
        (
            "Share",
            2025,
            Decimal("0.15"),
            0.12,
            pytest.approx(0.03),
            False,
            None,
            False,
        ),  # of eligible payments of the year, no firm twice
    ]
    interval = "select recomputed_low, recomputed_high from marts.mart_kpi_reproducibility where title = 'Share'"
    assert warehouse.execute(interval).fetchone() == (pytest.approx(0.1), pytest.approx(0.14))


def test_names_of_staff_stay_in_the_capture() -> None:
    warehouse = records(measure(1, "increase", "1", "1"))
    published = 'select "Contact", "Modified By" from raw.baltimore_performance_measures'
    assert warehouse.execute(published).fetchone() == ("A Person", "B Person")
    (cleaned,) = warehouse.execute(
        "select string_agg(t::varchar, '') from clean.baltimore_performance_measures as t"
    ).fetchone() or ("",)
    assert "Measure 01" in cleaned
    assert "Person" not in cleaned
