"""Invented payments of the City: splits of invoices, paid by checks. How a portal publishes them is not decided here."""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from tools.sample.agencies import AGENCIES, Agency
from tools.sample.contracts import contracts
from tools.sample.firms import Vendor, vendors

LAST_DAY = date(2026, 6, 30)
# Two months without payments. The warehouse must report them as missing, never as zero.
GAP = (date(2025, 4, 1), date(2025, 5, 31))
_HOLIDAYS = {(1, 1), (6, 19), (7, 4), (11, 11), (12, 25)}

# The fiscal year ends in June; July has few payments.
_SEASON = {6: 1.5, 7: 0.8, 8: 0.9, 12: 1.05}


@dataclass(frozen=True)
class Split:
    """One split. `service` and `service_name` are its service of the budget, `part` the number of the split in its invoice."""

    agency: Agency
    fund: str
    service: str
    service_name: str
    part: int
    category: str
    vendor: str
    check: int
    invoice: str
    contract: str
    day: date
    amount: float


def business_days(first: date, last: date = LAST_DAY) -> Iterator[date]:
    day = first
    while day <= last:
        if day.weekday() < 5 and (day.month, day.day) not in _HOLIDAYS and not GAP[0] <= day <= GAP[1]:
            yield day
        day += timedelta(days=1)


def weekday_on_or_before(day: date) -> date:
    """The day, the Friday before a weekend, or the first business day after the gap."""
    if GAP[0] <= day <= GAP[1]:
        day = date(2025, 6, 2)
    return day - timedelta(days=max(0, day.weekday() - 4))


def splits(
    rng: random.Random, first_day: date, checks_a_day: int, price_level: float = 1, last_day: date = LAST_DAY
) -> Iterator[Split]:
    """Yield the splits of the invoices of all checks, in order of their days. `price_level` multiplies the usual amounts."""
    spending = [agency for agency in AGENCIES if agency.weight]
    agency_weights = [agency.weight for agency in spending]
    # A vendor works for few agencies, as in reality, so that the concentration by agency is realistic.
    customers = {vendor.name: rng.choices(spending, agency_weights, k=rng.choice((1, 1, 2, 3))) for vendor in vendors()}
    vendor_weights = [vendor.weight for vendor in vendors()]
    held: dict[str, list[str]] = defaultdict(list)
    for contract in contracts():
        held[contract.vendor].append(contract.number)
    invoices: dict[str, int] = {vendor.name: rng.randrange(100, 9000) for vendor in vendors()}
    check = 4_200_000
    for day in business_days(first_day, last_day):
        for _ in range(max(1, round(rng.gauss(checks_a_day * _SEASON.get(day.month, 1.0), 4)))):
            check += rng.randrange(1, 4)
            vendor = rng.choices(vendors(), vendor_weights)[0]
            agency = rng.choice(customers[vendor.name])
            for _ in range(rng.choice((1, 1, 1, 2, 2, 4))):
                invoices[vendor.name] += rng.randrange(1, 9)
                invoice = _invoice(vendor, invoices[vendor.name])
                cited = rng.choice(held[vendor.name]) if held[vendor.name] and rng.random() < 0.7 else ""
                total = vendor.trade.typical * vendor.scale * price_level * rng.lognormvariate(-0.4, 0.9)
                parts = rng.choice((1, 1, 1, 2, 3))
                for part in range(parts):
                    service, name = rng.choice(agency.numbered_services())
                    fund = rng.choice(agency.funds)
                    amount = round(total / parts * rng.uniform(0.7, 1.3), 2)
                    category = vendor.trade.spend_category
                    yield Split(
                        agency, fund, service, name, part, category, vendor.name, check, invoice, cited, day, amount
                    )


def _invoice(vendor: Vendor, number: int) -> str:
    """Return an invoice number in the style of the vendor."""
    style = sum(vendor.name.encode()) % 4
    return (f"INV-{number:06d}", str(number), f"{vendor.name[:2].upper()}{number}", f"{number}/{vendor.name[0]}")[style]


def reversal(split: Split) -> Split:
    """The split that takes the money back, on the same check, five weeks later."""
    return replace(split, day=weekday_on_or_before(split.day + timedelta(days=35)), amount=-split.amount)


def reversals(rng: random.Random, paid: Sequence[Split], count: int) -> list[Split]:
    """Return the reversals of some splits."""
    return [reversal(split) for split in rng.sample([split for split in paid if split.day < date(2026, 5, 1)], count)]
