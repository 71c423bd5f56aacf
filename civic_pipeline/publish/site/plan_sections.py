"""Tables of the pages about the Action Plan: measures, initiatives, what we can compute, lifecycle, conflicts and actions."""

from collections.abc import Sequence
from typing import Any

from civic_pipeline.publish.site.formats import NOTHING, count, day, dollars, rate
from civic_pipeline.publish.site.sections import Cell, Heading, Section, number
from civic_pipeline.publish.site.site import Site, slug
from civic_pipeline.sql_text import literal

PART = "action-plan/"
ABOUT_STATUS = (
    "Met: the target was reached. Near: at least 95% of it. Off: less. No target, no actual, stale (only an older actual)"
    " and unscorable (no direction) are no failures: they cannot be scored."
)
_STATES = ("active", "silent", "retired_with_successor", "retired_no_successor")
_WORDS = {
    "met": "Met", "near": "Near", "off": "Off", "no_target": "No target", "no_actual": "No actual", "stale": "Stale",
    "unscorable": "Unscorable", "active": "Active", "silent": "Silent", "retired_with_successor": "Retired, with a successor",
    "retired_no_successor": "Retired, no successor named", "completed": "Completed", "in_progress": "In progress",
    "not_started": "Not started", "on_hold": "On hold", "planned": "Planned", "actual_conflict": "Actual",
    "target_conflict": "Target", "direction_conflict": "Direction", "definition_conflict": "Definition",
}  # fmt: skip
_YEARS = 3
_SHOWN = 500  # rows of a table that a page holds; all are in its file


def figure(value: Any, unit: str) -> str:
    """A figure as its unit is written: a percent, dollars or a count."""
    if value is None:
        return NOTHING
    if unit == "percent":
        return rate(float(value))
    if unit == "currency":
        return dollars(value)
    return f"{float(value):,.10g}"


def _figure(value: Any, unit: str, gap: str = "not published") -> Cell:
    return number(value, figure(value, unit), gap=gap)


def measures(site: Site, city: str, pillar: dict[str, Any]) -> Section:
    """The active measures of a pillar, or of none, with target, actual, owner, method and source."""
    code = f"= {literal(pillar['pillar_goal_id'])}" if pillar["pillar_goal_id"] else "is null"
    sql = f"""
        select scorecard.title, scorecard.owner_name, scorecard.service_name, scorecard.published_measure_id, scorecard.unit_kind,
            scorecard.direction, scorecard.target_value, scorecard.actual_value, scorecard.attainment, scorecard.status,
            lifecycle.lifecycle_state, versions.formula, versions.data_source, lifecycle.actual_conflicts + lifecycle.target_conflicts
            + lifecycle.direction_conflicts + lifecycle.definition_conflicts as conflicts,
            scorecard.actual_explanation, scorecard.target_explanation
        from marts.mart_kpi_scorecard as scorecard
        inner join marts.mart_kpi_lifecycle as lifecycle using (measure_id)
        inner join marts.dim_measures as versions on versions.measure_id = scorecard.measure_id and versions.is_shown
        left join marts.bridge_plan_services as bridge on bridge.city = scorecard.city and bridge.plan = {literal(pillar["plan"])}
            and bridge.service_code = scorecard.service_code
        where scorecard.city = {literal(city)} and scorecard.fiscal_year = {pillar["fiscal_year"]} and scorecard.is_active
            and bridge.pillar_goal_id {code}
        order by scorecard.owner_name, scorecard.title, scorecard.published_measure_id, scorecard.measure_id"""
    rows = site.query(sql)
    return Section(
        "measures",
        f"Its measures in fiscal year {pillar['fiscal_year']}",
        [
            Heading("Measure"),
            Heading("Result"),
            Heading("Target", is_number=True),
            Heading("Actual", is_number=True),
            Heading("Wanted"),
            Heading("Owner"),
            Heading("How it is computed", about="in the words of the owner"),
            Heading("Source of the data"),
            Heading("Lifecycle, conflicts"),
        ],
        [
            [
                Cell(row["title"]),
                Cell(_WORDS[row["status"]]),
                _figure(row["target_value"], row["unit_kind"]),
                _figure(row["actual_value"], row["unit_kind"]),
                Cell(row["direction"] or "not stated"),
                Cell(row["owner_name"]),
                Cell(row["formula"] or "not published"),
                Cell(row["data_source"] or "not published"),
                Cell(_standing(row)),
            ]
            for row in rows
        ],
        "All active measures. The file also has what the owners write about them.",
        site.csv(f"{PART}{city}/measures-{slug(pillar['pillar_code'] or 'no-pillar')}.csv", sql),
        notes=[ABOUT_STATUS],
        tables=site.present("marts.mart_kpi_scorecard", "marts.mart_kpi_lifecycle", "marts.dim_measures"),
    )


def _standing(row: dict[str, Any]) -> str:
    plural = "" if row["conflicts"] == 1 else "s"
    conflicts = f"; {row['conflicts']} conflict{plural} between plan years" if row["conflicts"] else ""
    return _WORDS[row["lifecycle_state"]] + conflicts


def initiatives(site: Site, city: str, pillar: dict[str, Any]) -> list[Section]:
    """The goals of a pillar with their leads and initiatives; none if the release has no goals."""
    sql = f"""
        select goals.goal_code, goals.title as goal, goals.lead_office, actions.title as initiative, actions.status, actions.not_published
        from marts.dim_pillars_goals as goals
        left join marts.fct_action_statuses as actions on actions.pillar_goal_id = goals.pillar_goal_id and actions.is_newest
        where goals.city = {literal(city)} and goals.plan = {literal(pillar["plan"])}
            and goals.pillar_code = {literal(pillar["pillar_code"])} and goals.plan_level = 'goal'
        order by goals.goal_code, actions.action_code"""
    rows = site.query(sql)
    if not rows:
        return []
    return [
        Section(
            "goals",
            "Its goals and initiatives",
            [Heading("Goal"), Heading("Lead"), Heading("Initiative"), Heading("Status")],
            [
                [
                    Cell(f"{row['goal_code']} {row['goal']}"),
                    Cell(row["lead_office"] or "not published"),
                    Cell(row["initiative"] or "none published"),
                    Cell(_WORDS[row["status"]] if row["status"] else "not published"),
                ]
                for row in rows
            ],
            next((row["not_published"] + "." for row in rows if row["not_published"]), None),
            site.csv(f"{PART}{city}/goals-{slug(pillar['pillar_code'])}.csv", sql),
            tables=site.present("marts.dim_pillars_goals", "marts.fct_action_statuses"),
        )
    ]


def reproducibility(site: Site, city: str) -> Section:
    """What the city reports beside what our tables give."""
    sql = f"from marts.mart_kpi_reproducibility where city = {literal(city)} order by title, fiscal_year desc"
    rows = site.query(sql) if site.present("marts.mart_kpi_reproducibility") else []
    newest = max((row["fiscal_year"] for row in rows), default=0)
    verdicts = {True: "Yes", False: "No"}
    return Section(
        "reproducibility",
        "What we can compute ourselves",
        [
            Heading("Measure"),
            Heading("Fiscal year"),
            Heading("City reports", is_number=True),
            Heading("We compute", is_number=True),
            Heading("Gap", is_number=True),
            Heading("Reproduced", about="gap of at most 1%, or one unit"),
            Heading("How, or why not"),
        ],
        [
            [
                Cell(row["title"]),
                Cell(str(row["fiscal_year"])),
                _figure(row["reported_value"], row["unit_kind"]),
                _figure(row["recomputed_value"], row["unit_kind"], "not possible"),
                _figure(row["gap"], row["unit_kind"], NOTHING),
                Cell(verdicts.get(row["is_reproduced"], NOTHING)),
                Cell(row["not_comparable_because"] or row["description"]),
            ]
            for row in rows
            if row["fiscal_year"] > newest - _YEARS
        ],
        "A gap does not say who is wrong: the city may count on another day, or have data that is not published."
        f" The newest {_YEARS} fiscal years; all are in the file.",
        site.csv(f"{PART}{city}/reproducibility.csv", sql) if rows else None,
        absence=None if rows else "No measure of this city has a known method.",
    )


def lifecycle(site: Site, city: str) -> Section:
    """How many measures are active, silent or retired, and which are not active."""
    states = site.query(
        "select lifecycle_state, count(*) as measures from marts.mart_kpi_lifecycle where city = ? group by 1", [city]
    )
    counted = {row["lifecycle_state"]: row["measures"] for row in states}
    sql = f"""
        select title, owner_name, lifecycle_state, first_actual_year, last_actual_year, last_target_year, successor_title, request_notes
        from marts.mart_kpi_lifecycle where city = {literal(city)} and lifecycle_state <> 'active'
        order by lifecycle_state, owner_name, title, measure_id"""
    rows = site.query(sql)
    shown = [state for state in _STATES if state in counted]
    total = "; ".join(f"{_WORDS[state].lower()}: {count(counted[state])}" for state in shown)
    return Section(
        "lifecycle",
        "Measures that fell silent or were retired",
        [
            Heading("Measure"),
            Heading("Owner"),
            Heading("State"),
            Heading("Last actual"),
            Heading("Last target"),
            Heading("Successor"),
        ],
        [
            [
                Cell(row["title"]),
                Cell(row["owner_name"]),
                Cell(_WORDS[row["lifecycle_state"]]),
                Cell(str(row["last_actual_year"] or NOTHING)),
                Cell(str(row["last_target_year"] or NOTHING)),
                Cell(row["successor_title"] or NOTHING),
            ]
            for row in rows[:_SHOWN]
        ],
        f"All measures by state: {total}. Silent: the newest closed year has a target and no actual.",
        site.csv(f"{PART}{city}/lifecycle.csv", sql),
        absence=None if rows else "Every measure is active.",
        is_folded=len(rows) > 30,
    )


def conflicts(site: Site, city: str) -> Section:
    """What two plan years state differently about the same measure."""
    sql = f"""
        select versions.title, versions.owner_name, versions.unit_kind, conflicts.* exclude (city)
        from marts.mart_kpi_conflicts as conflicts
        inner join marts.dim_measures as versions on versions.measure_id = conflicts.measure_id and versions.is_shown
        where conflicts.city = {literal(city)}
        order by conflicts.conflict_type, conflicts.relative_difference desc nulls first, versions.title, conflicts.conflict_id"""
    rows = site.query(sql)
    return Section(
        "conflicts",
        "Where two plan years disagree",
        [
            Heading("Measure"),
            Heading("Owner"),
            Heading("What"),
            Heading("Of"),
            Heading("Earlier plan year states"),
            Heading("Later plan year states"),
            Heading("Shown elsewhere", about="the record that was modified last"),
        ],
        [
            [
                Cell(row["title"]),
                Cell(row["owner_name"]),
                Cell(_what(row)),
                Cell(_period(row)),
                Cell(f"{row['earlier_plan_year']}: {row['earlier_text']}"),
                Cell(f"{row['later_plan_year']}: {row['later_text']}"),
                Cell(str(row["shown_plan_year"])),
            ]
            for row in rows[:_SHOWN]
        ],
        "Most measures have a record in each plan year. Nothing says which one is right, so both are kept.",
        site.csv(f"{PART}{city}/conflicts.csv", sql),
        absence=None if rows else "The plan years agree.",
        is_folded=len(rows) > 30,
        notes=[f"The first {_SHOWN} of {count(len(rows))}; all are in the file."] if len(rows) > _SHOWN else (),
    )


def _what(row: dict[str, Any]) -> str:
    named = row["field"] in ("actual", "target", "direction")
    return _WORDS[row["conflict_type"]] + ("" if named else f": {row['field']}")


def _period(row: dict[str, Any]) -> str:
    if row["fiscal_year"] is None:
        return "the measure"
    return f"FY {row['fiscal_year']}" + ("" if row["period"] == "year" else f" {row['period'].upper()}")


def tracker(site: Site, city: str) -> Section:
    """Actions with a published status, by plan, area and day."""
    sql = f"""
        select actions.plan, goals.title as area, actions.as_of_date, actions.status, count(*) as actions
        from marts.fct_action_statuses as actions
        inner join marts.dim_pillars_goals as goals using (pillar_goal_id)
        where actions.city = {literal(city)} and actions.status is not null
        group by all order by all"""
    rows = site.query(sql)
    return Section(
        "actions",
        "Actions of earlier plans",
        [Heading("Area"), Heading("Plan"), Heading("On"), Heading("Status"), Heading("Actions", is_number=True)],
        _action_rows(rows),
        "The status of each action on the day of each copy that we have.",
        site.csv(f"{PART}{city}/actions.csv", sql) if rows else None,
        absence=None if rows else "No action with a status is published.",
        is_folded=len(rows) > 30,
    )


def _action_rows(rows: Sequence[dict[str, Any]]) -> list[list[Cell]]:
    return [
        [
            Cell(row["area"]),
            Cell(row["plan"]),
            Cell(day(row["as_of_date"]), value=str(row["as_of_date"])),
            Cell(_WORDS[row["status"]]),
            number(row["actions"], count(row["actions"])),
        ]
        for row in rows
    ]
