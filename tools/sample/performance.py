"""Performance measures, services, the Action Plan and the tracker of the first hundred days. Every figure is invented."""

import csv
import re
from datetime import date
from functools import cache

from civic_pipeline.settings import CHECKOUT
from tools.sample.agencies import AGENCIES
from tools.sample.performance_cases import CASES, Case, Owner
from tools.sample.table import Table, seeded

_FIGURES = (
    "FY 21 Actual", "FY 22 Actual", "FY 23 Actual", "FY 24 Target", "FY 24 Actual", "FY 25 Target", "FY 25 Q1", "FY 25 Q2", "FY 25 Q3",
    "FY 25 Q4", "FY 25 Actual", "FY 26 Target", "FY 26 Q1", "FY 26 Q2", "FY 26 Q3", "FY 27 Target",
)  # fmt: skip
_HEADER = (
    "Performance Measure", "Agency", "Service", "Service Description", "Measure ID", "Performance Measure Type", "Desired Outcome",
    *_FIGURES[:6], "Notes: FY25 Target Explanation", *_FIGURES[6:10], "FY 25 Quarterly Context", "FY 25 Actual", "FY 25 Actual Explanation",
    "FY 26 Target", "FY 26 Target Explanation", *_FIGURES[12:15], "FY 26 Quarterly Context", "FY 27 Target", "FY 27 Target Explanation",
    "FY 24 Actual Explanation", "Interval", "Equity Measure", "Percent or Count", "Deprecated", "Status", "Fiscal Year", "Agency ID",
    "Service ID", "Measure Formula", "Data Source", "Metric Additions", "Measure Request", "Measure Request Notes", "Contact", "Modified",
    "Modified By", "Item Type", "Path",
)  # fmt: skip
_PILLARS = (
    ("Enhancing Public Safety", "Deputy Mayor, Public Safety"),
    ("Prioritizing Youth, Older Adults, and Vulnerable Communities", "Deputy Mayor, Health and Human Services"),
    ("Clean, Healthy, and Sustainable Communities", "Deputy Mayor, Operations"),
    ("Equitable Economic Development", "Deputy Mayor, Community and Economic Development"),
    ("Responsible Stewardship of City Resources", "Deputy City Administrator"),
    ("Modernizing Public Infrastructure", "Deputy Mayor, Operations"),
)
_RECOVERED = "6"  # the pillar whose usual measures all met their targets for FY2025 and none for FY2024, so that the years differ
_GOALS = (3, 4, 4, 3, 5, 4)  # goals of each pillar
_AREAS = ("safety", "youth", "clean streets", "jobs", "stewardship", "infrastructure")
_PILLAR_OF = {
    "Police": "1", "Fire": "1", "State's Attorney": "1", "Sheriff": "1", "M-R: Office of Neighborhood Safety and Engagement": "1",
    "Health": "2", "Recreation and Parks": "2", "Enoch Pratt Free Library": "2", "M-R: Office of Homeless Services": "2",
    "M-R: Office of Children and Family Success": "2", "M-R: Baltimore City Public Schools": "2", "Public Works": "3",
    "Housing and Community Development": "4", "Planning": "4", "M-R: Office of Employment Development": "4", "Finance": "5",
    "Human Resources": "5", "Law": "5", "Comptroller": "5", "General Services": "6", "Transportation": "6",
}  # fmt: skip
_COMMITTEES = (
    "Building Public Safety", "Making Baltimore Equitable", "Prioritizing Our Youth", "Building Public Trust", "COVID-19 Recovery",
    "Responsible Stewardship of City Resources",
)  # fmt: skip
_TRACKER = ("Action #", "Committee", "Action", "Parties Responsible", "Progress", "Count")
_SHAPES = ("# of requests completed", "% of requests completed on time", "Average # of days to complete a request")


def _key(name: str) -> str:
    return re.sub(r"\W+", " ", name)


@cache
def _services() -> tuple[tuple[str, str, str, str, str], ...]:
    """Code and name of each service, code and name of its agency, and its pillar, which may be none."""
    with (CHECKOUT / "data" / "seeds" / "agency_aliases" / "baltimore.csv").open(encoding="utf-8") as file:
        codes = {_key(row["raw_name"]): row["agency_code"] for row in csv.DictReader(file)}
    return tuple(
        (f"SRV0{number}", name, codes[_key(agency.name)], agency.name, _PILLAR_OF.get(agency.name, ""))
        for agency in AGENCIES
        for number, name in agency.numbered_services()
    )


def services() -> Table:
    output = Table(
        "services.csv.gz",
        {"dataset": "baltimore/services"},
        ("service_id", "service_name", "agency_id", "service_type", "pillar_id", "pillar_name", "active"),
    )
    for position, (code, name, agency, _, pillar) in enumerate(_services()):
        title = _PILLARS[int(pillar) - 1][0] if pillar else None
        active = position % 17 != 16
        output.defects["services without a pillar"] += not pillar
        output.defects["services that are not active"] += not active
        output.rows.append([code, name, agency, "Performance", pillar or None, title, "true" if active else "false"])
    return output


def plan() -> list[Table]:
    """Pillars, goals and initiatives of the Action Plan. The pillars are real, the goals and initiatives are numbered."""
    entry: dict[str, object] = {"dataset": "baltimore/action_plan"}
    pillars = Table("action_plan_pillars.csv.gz", {**entry, "edition": "pillars"}, (
        "pillar_id", "pillar_name", "pillar_lead", "pillar_lead_name", "summary", "overview", "sort_order",
    ))  # fmt: skip
    goals = Table(
        "action_plan_goals.csv.gz",
        {**entry, "edition": "goals"},
        ("pillar_id", "goal_code", "goal_title", "goal_lead", "sort_order"),
    )
    initiatives = Table(
        "action_plan_initiatives.csv.gz",
        {**entry, "edition": "initiatives"},
        ("goal_code", "initiative_title", "sort_order"),
    )
    for pillar, (name, lead) in enumerate(_PILLARS, 1):
        person = f"Invented Deputy {pillar}"
        pillars.rows.append([pillar, name, lead, person, f"Invented summary of pillar {pillar}.", "Invented.", pillar])
        for goal in range(1, _GOALS[pillar - 1] + 1):
            code = f"{pillar}.{goal}"
            goals.rows.append(
                [pillar, code, f"Invented goal {code} for {_AREAS[pillar - 1]}", f"Lead of goal {code}", goal]
            )
            for step in range(1, 2 + (pillar + goal) % 3):
                initiatives.rows.append([code, f"Invented initiative {step} of goal {code}", step])
    return [pillars, goals, initiatives]


def trackers() -> list[Table]:
    """The tracker at its end, and on the day of its launch."""
    entry: dict[str, object] = {"dataset": "baltimore/action_tracker"}
    launch = Table("action_tracker_2021-02-03.csv.gz", {**entry, "captured_at": date(2021, 2, 3)}, _TRACKER)
    end = Table("action_tracker.csv.gz", entry, _TRACKER)
    order = list(range(58))
    seeded("tracker").shuffle(order)
    for output, (complete, in_progress) in ((end, (23, 31)), (launch, (10, 20))):
        states = {place: _state(rank, complete, in_progress) for rank, place in enumerate(order)}
        _track(output, [states[place] for place in range(58)])
    return [end, launch]


def _state(rank: int, complete: int, in_progress: int) -> str:
    return "Complete" if rank < complete else "In Progress" if rank < complete + in_progress else "Not Yet Started"


def _track(output: Table, states: list[str]) -> None:
    for number, state in enumerate(states, 1):
        committee = _COMMITTEES[number * 6 // 59]
        party = "Mayor's Office " if number % 9 == 0 else "Mayor's Office"
        output.defects["responsible parties with a trailing space"] += party.endswith(" ")
        output.rows.append([number, committee, f"Invented action {number}", party, state, 1])


def measures() -> Table:
    output = Table("performance_measures.csv.gz", {"dataset": "baltimore/performance_measures"}, _HEADER)
    for case in (*CASES, *_usual()):
        for plan_year in case.plan_years:
            output.rows.append(_row(output, case, plan_year))
        for defect in case.defects:
            output.defects[defect] += 1
    return output


def earlier_measures() -> Table:
    """The list as it was some weeks earlier: figures that were filled since, others that were changed."""
    output = Table(
        "performance_measures_2026-05-11.csv.gz",
        {"dataset": "baltimore/performance_measures", "captured_at": date(2026, 5, 11)},
        _HEADER,
    )
    changes: dict[str, dict[str, str | None]] = {
        "7518": {"FY 25 Actual": "5350"}, "7514": {"FY 26 Target": None, "FY 25 Target": "0.97"}, "1176": {"FY 25 Target": "880"},
        "1896": {"Desired Outcome": "Decrease"}, "7513": {"Measure Formula": "Notices on the list"}, "6192": {"FY 25 Actual": None},
        "7451": {"FY 24 Actual": "0.79"}, "7004": {"FY 23 Actual": "5"},
    }  # fmt: skip
    for row in measures().rows:
        values = dict(zip(_HEADER, row, strict=True))
        later = changes.get(str(values["Measure ID"]), {}) if values["Fiscal Year"] == "FY26" else {}
        output.defects["figures and definitions that were changed since"] += len(later)
        output.defects["figures of the second quarter of FY2026 that were not there yet"] += (
            values["FY 26 Q2"] is not None
        )
        values.update({"FY 26 Q2": None, **later})
        output.rows.append([values[name] for name in _HEADER])
    return output


def _usual() -> list[Case]:
    """Measures without a defect, one or two a service, in every shape."""
    rng = seeded("performance measures")
    cases = []
    for position, (code, name, agency_code, agency, pillar) in enumerate(_services()):
        if position % 2:
            continue
        shape = position // 2 % 3
        level = (rng.randrange(200, 4_000), rng.uniform(0.55, 0.97), rng.uniform(3, 60))[shape]
        actuals = [level * rng.uniform(0.88, 1.12) for _ in range(5)]
        if pillar == _RECOVERED:
            actuals[3:] = [level * factor for factor in ((0.8, 1.05), (0.8, 1.05), (1.2, 0.95))[shape]]
        quarters = [actuals[4] / 4 * rng.uniform(0.9, 1.1) for _ in range(3)]
        if shape == 0:
            actuals = [float(round(value)) for value in actuals]
            quarters = [float(round(value)) for value in quarters]
            quarters.append(actuals[4] - sum(quarters))
        else:
            quarters = [actuals[4] * rng.uniform(0.95, 1.05) for _ in range(3)] + [actuals[4]]
        digits = (0, 2, 1)[shape]
        texts = [f"{min(value, 1.0) if shape == 1 else value:.{digits}f}" for value in (*actuals, *quarters)]
        target = f"{level:.{digits}f}"
        figures = dict(
            zip(
                ("FY 21 Actual", "FY 22 Actual", "FY 23 Actual", "FY 24 Actual", "FY 25 Actual"), texts[:5], strict=True
            )
        )
        figures |= {f"FY 25 Q{quarter}": texts[4 + quarter] for quarter in range(1, 5)}
        figures |= {f"FY {year} Target": target for year in (24, 25, 26)} | {"FY 26 Q1": texts[5], "FY 26 Q2": texts[6]}
        cases.append(Case(
            f"{_SHAPES[shape]}: {name}", Owner(agency, agency_code, code, name), f"9{position:03d}", figures,
            direction="Decrease" if shape == 2 else "Increase", kind="percent" if shape == 1 else "count",
            interval="Cumulative" if shape == 0 else "Snapshot", measure_type=("Output", "Effectiveness", "Efficiency")[shape],
            is_equity=position % 5 == 0,
        ))  # fmt: skip
    return cases


def _row(output: Table, case: Case, plan_year: str) -> list[str | int | float | None]:
    position = len(output.rows)
    values: dict[str, str | int | float | None] = {
        "Performance Measure": case.title, "Agency": case.owner.agency, "Service": case.owner.service, "Measure ID": case.measure_id,
        "Performance Measure Type": case.measure_type, "Desired Outcome": case.direction, "Interval": case.interval,
        "Equity Measure": "Yes" if case.is_equity else "No", "Percent or Count": case.kind, "Fiscal Year": plan_year,
        "Agency ID": f"{case.owner.agency_code} {case.owner.agency}", "Service ID": f"{case.owner.service_code} {case.owner.service}",
        "Measure Formula": "Invented formula", "Data Source": "Invented system", "Contact": f"Invented Person {position % 7}",
        "Modified": f"2026-0{1 + position % 5}-{1 + position % 28:02d} {8 + position % 10:02d}:{position % 60:02d}:00",
        "Modified By": f"Invented Person {position % 5}", "Item Type": "Item", "Path": "sites/opi/Lists/Performance Plan Data",
        "FY 26 Target Explanation": "Invented explanation.", "FY 25 Actual Explanation": case.explanation,
    }  # fmt: skip
    values |= {**case.figures, **case.columns}
    if plan_year == "FY27":
        values |= case.later
    return [values.get(name) for name in _HEADER]
