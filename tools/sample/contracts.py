"""`contracts.csv.gz`: contracts of the Bureau of Purchases by agency, with their vendors."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from tools.sample.agencies import AGENCIES
from tools.sample.firms import Trade, vendors
from tools.sample.table import Table, seeded

_HEADER = (
    "OBJECTID", "PO_Number", "Short_Description", "Vendor_Name", "Blanket_Begin_Date", "Blanket_End_Date",
    "Department_Allowed_to_Purchase", "Blanket_Dollar_Limit", "Dollar_Amt_Spent_to_Date", "Dollars_Left",
)  # fmt: skip


@dataclass(frozen=True)
class Contract:
    """A contract. The list of contracts and the checkbook append a release to `number`, such as `P503784:0`."""

    number: str
    vendor: str
    trade: Trade


@cache
def contracts() -> tuple[Contract, ...]:
    rng = seeded("contract numbers")
    holders = rng.sample(vendors()[:400], 170)
    return tuple(
        Contract(f"P{503784 + 37 * number}", vendor.name, vendor.trade) for number, vendor in enumerate(holders)
    )


def table() -> Table:
    rng = seeded("contracts")
    output = Table("contracts.csv.gz", {"dataset": "baltimore/contracts"}, _HEADER)
    for contract in contracts():
        begin = date(2020, 7, 1) + timedelta(days=rng.randrange(1200))
        end = begin + timedelta(days=365 * rng.choice((1, 2, 3, 5)))
        upper = rng.random() < 0.25
        agencies = rng.sample([agency.name.upper() for agency in AGENCIES[:18]], rng.choice((1, 1, 1, 2, 2))) + [
            "City-Wide"
        ] * (rng.random() < 0.4)
        ceiling = contract.trade.typical * rng.uniform(20, 400)
        for agency in agencies:
            limit = round(ceiling * rng.choice((1, 1, 1, 0.2)), -3)
            overspent = rng.random() < 0.03
            spent = round(limit * (1.08 if overspent else rng.random()), 2)
            output.defects["rows that are overspent (negative Dollars_Left)"] += overspent
            output.rows.append(
                [
                    len(output.rows) + 1,
                    f"{contract.number}:{rng.choice((0, 0, 0, 1)) if agency == 'City-Wide' else 0}",
                    f"{contract.trade.spend_category} - {agency.title()}",
                    contract.vendor.upper() if upper else contract.vendor,
                    begin.isoformat(),
                    end.isoformat(),
                    agency,
                    limit,
                    spent,
                    round(limit - spent, 2),
                ]
            )
        output.defects["contracts with one row per agency, so that PO_Number and the limit repeat"] += len(agencies) > 1
        output.defects["vendor names in capitals"] += upper * len(agencies)
    return output
