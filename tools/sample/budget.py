"""`budget_<year>.csv.gz`: Baltimore's adopted budget, one layer per fiscal year, one row per account."""

import random
from collections.abc import Iterator

from tools.sample.accounts import DEBT_SERVICE, FUNDS, NOT_BUDGETED, OBJECTS, TRANSFERS
from tools.sample.agencies import AGENCIES, Agency
from tools.sample.table import Table, seeded

YEARS = (2022, 2023)
_COLUMNS = (
    "OBJECTID", "agency_id", "agency_name", "service_id", "service_name", "activity_id", "activity_name", "fund_id", "fund_name",
    "object_id", "object_name", "outcome_id", "outcome_name", "subobject_id", "subobject_name",
)  # fmt: skip

_OUTCOMES = {
    4: "Other",
    16: "Responsible Stewardship of City Resources",
    17: "Equitable Neighborhood Development",
    18: "Prioritizing Our Youth",
    19: "Building Public Safety",
    20: "Clean and Healthy Communities",
}
_RESCUE_PLAN = Agency("M-R: American Rescue Plan Act", 320_000_000, ("111 Economic Recovery",), funds=("Federal",))
_DEBT = "M-R: Debt Service"
# Agency -> its code and the outcome that most of its services serve.
_AGENCIES = {
    "Human Resources": (100, 16),
    "Comptroller": (700, 16),
    "Courts: Circuit Court": (1311, 16),
    "Finance": (2300, 16),
    "Fire": (2500, 19),
    "General Services": (2600, 20),
    "Health": (2700, 20),
    "Housing and Community Development": (3100, 20),
    "Law": (3500, 16),
    "Enoch Pratt Free Library": (3900, 18),
    "M-R: Office of Information and Technology": (4303, 16),
    "M-R: Office of Children and Family Success": (4309, 18),
    _DEBT: (4312, 4),
    "M-R: Office of Neighborhood Safety and Engagement": (4346, 19),
    "M-R: Baltimore City Public Schools": (4371, 18),
    "M-R: Office of Homeless Services": (4381, 20),
    _RESCUE_PLAN.name: (4392, 4),
    "M-R: Office of Employment Development": (4500, 18),
    "Planning": (5700, 17),
    "Police": (5900, 19),
    "Public Works": (6100, 20),
    "Recreation and Parks": (6300, 18),
    "Sheriff": (6500, 19),
    "State's Attorney": (6900, 19),
    "Transportation": (7000, 20),
}
# Services that serve another outcome than most of their agency.
_OTHER_OUTCOMES = {
    "308": 18, "310": 18, "315": 19, "500": 19, "611": 20, "646": 20, "653": 20, "654": 20, "682": 17, "684": 19, "689": 19, "697": 19,
    "762": 20, "763": 20, "792": 17,
}  # fmt: skip
# From fiscal year 2023 on, cameras serve public safety; the other service is new then.
_MOVED, _NEW = ("757", 19), "619"
_ACTIVITIES = ("Administration", "Operations", "Field Services", "Customer Support", "Planning and Analysis")
_GROWTH = 1.03


def table(year: int) -> Table:
    rng = seeded(f"budget {year}")
    output = Table(
        f"budget_{year}.csv.gz",
        {"dataset": "baltimore/budget", "edition": str(year)},
        (*_COLUMNS, f"fy{year % 100}_budget"),
    )
    for agency in (*AGENCIES, _RESCUE_PLAN):
        for service, name in agency.numbered_services():
            if service == _NEW and year == YEARS[0]:
                output.defects["services that are new in the next fiscal year"] += 1
                continue
            outcome = _OTHER_OUTCOMES.get(service, _AGENCIES[agency.name][1])
            if service == _MOVED[0] and year > YEARS[0]:
                outcome = _MOVED[1]
                output.defects["services that moved to another outcome"] += 1
            share = agency.dollars / len(agency.services) * _GROWTH ** (year - YEARS[0])
            for activity, fund, obj, subobject, amount in _accounts(rng, agency, share):
                output.rows.append(
                    [
                        None, _AGENCIES[agency.name][0], agency.name, int(service), name, activity + 1, _ACTIVITIES[activity],
                        FUNDS[fund], fund, obj[0], obj[1], outcome, _OUTCOMES[outcome], *subobject, amount,
                    ]
                )  # fmt: skip
                output.defects["negative lines of object 0, credits that are part of the total"] += (
                    obj[0] == TRANSFERS[0]
                )
    _spoil(rng, output)
    for number, row in enumerate(output.rows, start=1):
        row[0] = number
    return output


_Account = tuple[int, str, tuple[int, str], tuple[int, str], int]


def _accounts(rng: random.Random, agency: Agency, dollars: float) -> Iterator[_Account]:
    """Yield activity, fund, object, subobject and amount of the accounts of a service; the first fund pays most of it."""
    funds = [fund for fund in agency.funds if fund != NOT_BUDGETED]
    for position, fund in enumerate(funds):
        part = dollars if len(funds) == 1 else dollars * (0.7 if position == 0 else 0.3 / (len(funds) - 1))
        if agency.name == _DEBT:
            yield from ((0, fund, DEBT_SERVICE[:2], subobject, round(part / 2)) for subobject in DEBT_SERVICE[2])
            continue
        for obj, (name, weight, subobjects) in OBJECTS.items():
            for subobject in subobjects:
                if rng.random() < 0.37:
                    continue
                amount = round(part * weight / len(subobjects) * rng.uniform(0.75, 1.3))
                yield rng.randrange(len(_ACTIVITIES)), fund, (obj, name), subobject, amount
    if rng.random() < 0.5:
        credit = -round(dollars * rng.uniform(0.002, 0.03))
        yield 0, "General", TRANSFERS[:2], TRANSFERS[2], credit


def _spoil(rng: random.Random, output: Table) -> None:
    """Pad the names of some activities, as the City's layer does."""
    name = output.column("activity_name")
    for row in rng.sample(output.rows, len(output.rows) // 20):
        row[name] = f" {row[name]}  "
        output.defects["activity names with leading and trailing spaces"] += 1
