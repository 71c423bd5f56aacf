"""`budget.csv.gz`: Baltimore's operating budget, one row per service, fund and sub-object."""

from tools.sample.accounts import FUNDS, OBJECTS
from tools.sample.agencies import AGENCIES
from tools.sample.table import Row, Table, seeded

_HEADER = (
    "fiscal_year", "department", "fund_id", "fund", "fund_type", "detailed_fund_id", "detailed_fund_description",
    "program_id", "service", "program",
    "activity_id", "description", "obj", "expense_category", "sub_object_id", "expense_type", "approved_amount",
    "recommended_amount",
)  # fmt: skip
YEARS = (2024, 2025, 2026)
_ACTIVITIES = ("Administration", "Operations", "Field Services", "Customer Support", "Planning and Analysis")


def table() -> Table:
    rng = seeded("budget")
    output = Table(
        "budget.csv.gz",
        {"dataset": "baltimore/budget"},
        _HEADER,
    )
    for year in YEARS:
        for agency in AGENCIES:
            for service, name in agency.numbered_services():
                share = agency.dollars / len(agency.services)
                padded = rng.random() < 0.08
                for position, fund in enumerate(agency.funds):
                    fund_id, detailed_id, detailed, kind = FUNDS[fund]
                    # The first fund pays most of a service.
                    part = share * (0.7 if position == 0 else 0.3 / max(1, len(agency.funds) - 1))
                    for obj, (category, weight, sub_objects) in OBJECTS.items():
                        for sub_object, expense in sub_objects:
                            if rng.random() < 0.37:
                                continue
                            activity = rng.randrange(1, 6)
                            amount = round(
                                part * weight / len(sub_objects) * rng.uniform(0.75, 1.3) * 1.03 ** (year - YEARS[0])
                            )
                            sentinel = rng.random() < 0.015
                            zeros = rng.random() < 0.04
                            output.defects["activity_id 9999 instead of empty"] += sentinel
                            output.defects["program_id with a leading zero (0661 and 661)"] += zeros
                            output.defects["service names with leading and trailing spaces"] += padded
                            row: Row = [
                                year,
                                agency.name,
                                fund_id,
                                fund,
                                kind,
                                detailed_id,
                                detailed,
                                f"0{service}" if zeros else service,
                                f" {name}  " if padded else name,
                                name,
                                "9999" if sentinel else str(activity),
                                _ACTIVITIES[activity - 1],
                                obj,
                                category,
                                sub_object,
                                expense,
                                amount,
                                round(amount * rng.choice((1, 1, 1, 0.97, 1.02))),
                            ]
                            output.rows.append(row)
                if rng.random() < 0.5:
                    amount = -round(share * rng.uniform(0.002, 0.03))
                    output.rows.append(
                        [
                            year,
                            agency.name,
                            "1001",
                            "General",
                            "",
                            "1001",
                            "General",
                            service,
                            name,
                            name,
                            str(rng.randrange(1, 27)),
                            "Transfers",
                            0,
                            "Transfers",
                            "0",
                            "Unallocable Credits (General)",
                            amount,
                            0,
                        ]
                    )
                    output.defects["negative transfer lines without a fund_type"] += 1
    for position in sorted(rng.sample(range(len(output.rows)), 30), reverse=True):
        output.rows.insert(position + 1, list(output.rows[position]))
    output.defects["repeated lines"] = 30
    return output
