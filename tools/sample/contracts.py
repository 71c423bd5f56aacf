"""`contracts.csv.gz`: contracts of the Bureau of Purchases by agency, with their vendors."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from tools.sample.agencies import AGENCIES
from tools.sample.firms import Trade, vendors
from tools.sample.table import Table, seeded

_HEADER = (
    "contractno",
    "desc",
    "vendorid",
    "vendorname",
    "agency",
    "begindate",
    "enddate",
    "totalcontractamt",
    "amtspent",
    "amtremaining",
)
_LOCAL = ZoneInfo("America/New_York")


@dataclass(frozen=True)
class Contract:
    """A contract. `number` as in the checkbook; the list of contracts appends a release number, such as `P503784:0`."""

    number: str
    vendor: str
    trade: Trade


def local_midnight(day: date) -> int:
    """Return a day in the form of the legacy portal: epoch seconds of midnight in Baltimore, which readers must treat as UTC."""
    return int(datetime(day.year, day.month, day.day, tzinfo=_LOCAL).timestamp())


@cache
def contracts() -> tuple[Contract, ...]:
    rng = seeded("contract numbers")
    holders = rng.sample(vendors()[:400], 170)
    return tuple(
        Contract(f"P{503784 + 37 * number}", vendor.name, vendor.trade) for number, vendor in enumerate(holders)
    )


def table() -> Table:
    rng = seeded("contracts")
    output = Table(
        "contracts.csv.gz",
        {"dataset": "baltimore/contracts"},
        _HEADER,
    )
    for number, contract in enumerate(contracts()):
        begin = date(2022, 7, 1) + timedelta(days=rng.randrange(1200))
        end = begin + timedelta(days=365 * rng.choice((1, 2, 3, 5)))
        upper = rng.random() < 0.25
        agencies = rng.sample([agency.name.upper() for agency in AGENCIES[:18]], rng.choice((1, 1, 1, 2, 2))) + [
            "City-Wide"
        ] * (rng.random() < 0.4)
        for agency in agencies:
            total = round(contract.trade.typical * rng.uniform(4, 60), 2)
            spent = round(total * rng.random(), 2)
            if rng.random() < 0.03:
                spent = round(total * 1.08, 2)
                output.defects["contracts that are overspent (negative amtremaining)"] += 1
            output.rows.append(
                [
                    f"{contract.number}:{rng.choice((0, 0, 0, 1)) if agency == 'City-Wide' else 0}",
                    f"{contract.trade.spend_category} - {agency.title()}",
                    f"{300 + number * 7:08d}",
                    contract.vendor.upper() if upper else contract.vendor,
                    agency,
                    local_midnight(begin),
                    local_midnight(end),
                    f"{total:.2f}",
                    f"{spent:.2f}",
                    f"{total - spent:.2f}",
                ]
            )
        output.defects["contracts with one row per agency, so that contractno repeats"] += len(agencies) > 1
        output.defects["vendor names in capitals"] += upper * len(agencies)
    return output
