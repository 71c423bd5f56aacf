"""`spending.csv.gz`: the Open Checkbook, one row per split of an invoice, all values text."""

import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta

from tools.sample.agencies import AGENCIES, Agency
from tools.sample.contracts import contracts
from tools.sample.firms import Vendor, respelt, vendors
from tools.sample.table import Row, Table, seeded

_HEADER = (
    "OBJECTID", "Agency", "Fund", "Cost_Center", "Spend_Category", "Supplier_Name", "Check_Number",
    "Supplier_Invoice_Number",
    "Supplier_Contract_Number", "Payment_Date", "Payment_Amount_Split",
)  # fmt: skip
_AGENCY, _VENDOR, _DATE, _AMOUNT = (
    _HEADER.index(name) for name in ("Agency", "Supplier_Name", "Payment_Date", "Payment_Amount_Split")
)

FIRST_DAY, LAST_DAY = date(2023, 7, 3), date(2026, 6, 30)
# Two months without payments. The warehouse must report them as missing, never as zero.
GAP = (date(2025, 4, 1), date(2025, 5, 31))
_HOLIDAYS = {(1, 1), (6, 19), (7, 4), (11, 11), (12, 25)}

_CHECKS_A_DAY = 28
# The fiscal year ends in June; July has few payments.
_SEASON = {6: 1.5, 7: 0.8, 8: 0.9, 12: 1.05}

_Split = tuple[Agency, Row, float]


def table() -> Table:
    rng = seeded("spending")
    output = Table(
        "spending.csv.gz",
        {"dataset": "baltimore/spending"},
        _HEADER,
    )
    splits = list(_splits(rng))
    splits += _double_payments(rng, splits, output)
    splits += _reversals(rng, splits, output)
    splits.sort(key=lambda split: split[1][_DATE])  # type: ignore[arg-type, return-value]
    for agency, row, amount in splits:
        row[_AMOUNT] = _as_published(rng, amount, output)
        _spell(rng, agency, row, output)
    output.rows = [row for _, row, _ in splits]
    _spoil(rng, output)
    for number, row in enumerate(output.rows, start=1):
        row[0] = number
    output.defects["months without payments (2025-04, 2025-05)"] = 2
    return output


def _business_days() -> Iterator[date]:
    day = FIRST_DAY
    while day <= LAST_DAY:
        if day.weekday() < 5 and (day.month, day.day) not in _HOLIDAYS and not GAP[0] <= day <= GAP[1]:
            yield day
        day += timedelta(days=1)


def _splits(rng: random.Random) -> Iterator[_Split]:
    """Yield the splits of the invoices of all checks. Amounts and dates are not yet in their published form."""
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
    for day in _business_days():
        for _ in range(max(1, round(rng.gauss(_CHECKS_A_DAY * _SEASON.get(day.month, 1.0), 4)))):
            check += rng.randrange(1, 4)
            vendor = rng.choices(vendors(), vendor_weights)[0]
            agency = rng.choice(customers[vendor.name])
            for _ in range(rng.choice((1, 1, 1, 2, 2, 4))):
                invoices[vendor.name] += rng.randrange(1, 9)
                invoice = _invoice(vendor, invoices[vendor.name])
                cited = rng.choice(held[vendor.name]) if held[vendor.name] and rng.random() < 0.7 else ""
                total = vendor.trade.typical * vendor.scale * rng.lognormvariate(-0.4, 0.9)
                parts = rng.choice((1, 1, 1, 2, 3))
                for part in range(parts):
                    service, name = rng.choice(agency.numbered_services())
                    fund = rng.choice(agency.funds)
                    amount = round(total / parts * rng.uniform(0.7, 1.3), 2)
                    yield (
                        agency,
                        [
                            None,
                            agency.name,
                            fund,
                            f"CC{service}{part:02d} {name}",
                            vendor.trade.spend_category,
                            vendor.name,
                            str(check),
                            invoice,
                            cited,
                            day.isoformat(),
                            None,
                        ],
                        amount,
                    )


def _invoice(vendor: Vendor, number: int) -> str:
    """Return an invoice number in the style of the vendor."""
    style = sum(vendor.name.encode()) % 4
    return (f"INV-{number:06d}", str(number), f"{vendor.name[:2].upper()}{number}", f"{number}/{vendor.name[0]}")[style]


def _double_payments(rng: random.Random, splits: list[_Split], output: Table) -> list[_Split]:
    """Return splits that are paid again by another check some weeks later, as auditors often find."""
    paid = [split for split in splits if split[2] > 40_000 and split[1][_DATE] < "2025-01-01"]  # type: ignore[operator]
    again: list[_Split] = []
    for agency, row, amount in rng.sample(paid, 6):
        later = date.fromisoformat(str(row[_DATE])) + timedelta(days=28)
        later -= timedelta(days=max(0, later.weekday() - 4))
        copy = list(row)
        copy[_HEADER.index("Check_Number")] = str(int(str(row[6])) + 9_000_000)
        copy[_DATE] = later.isoformat()
        again.append((agency, copy, amount))
    output.defects["splits paid twice, the second time by another check"] = len(again)
    return again


def _reversals(rng: random.Random, splits: list[_Split], output: Table) -> list[_Split]:
    """Return negative splits that reverse earlier ones, among them three of the double payments."""
    reversed_splits = splits[-3:] + rng.sample([split for split in splits[:-6] if split[1][_DATE] < "2026-05-01"], 147)  # type: ignore[operator]
    reversals: list[_Split] = []
    for agency, row, amount in reversed_splits:
        later = date.fromisoformat(str(row[_DATE])) + timedelta(days=35)
        if GAP[0] <= later <= GAP[1]:
            later = date(2025, 6, 2)
        later -= timedelta(days=max(0, later.weekday() - 4))
        reversals.append((agency, [*row[:_DATE], later.isoformat(), None], -amount))
    output.defects["reversals, written (1234.50)"] = len(reversals)
    return reversals


def _as_published(rng: random.Random, amount: float, output: Table) -> str:
    if amount < 0:
        return f"({-amount:.2f})"
    if rng.random() < 0.3:
        output.defects["amounts written $1,234.50"] += 1
        return f"${amount:,.2f}"
    return f"{amount}"


def _spell(rng: random.Random, agency: Agency, row: Row, output: Table) -> None:
    """Replace agency, vendor and date by other spellings in some rows."""
    if rng.random() < 0.12:
        row[_AGENCY] = rng.choice(agency.variants)
        output.defects["agency names abbreviated, in capitals or with another spelling"] += 1
    if rng.random() < 0.01:
        row[_AGENCY] = f" {row[_AGENCY]} "
        output.defects["agency names with leading and trailing spaces"] += 1
    if rng.random() < 0.015:
        row[_VENDOR] = f"{row[_VENDOR]}  "
        output.defects["vendor names with trailing spaces"] += 1
    elif rng.random() < 0.03:
        spelt = respelt(rng, str(row[_VENDOR]))
        output.defects["vendor names with another spelling"] += spelt != row[_VENDOR]
        row[_VENDOR] = spelt
    if rng.random() < 0.35:
        year, month, day = str(row[_DATE]).split("-")
        row[_DATE] = f"{month}/{day}/{year}"
        output.defects["dates written MM/DD/YYYY"] += 1


def _spoil(rng: random.Random, output: Table) -> None:
    """Add unreadable values, redacted payees and repeated rows; never two defects in one row."""
    victims = iter(rng.sample(range(len(output.rows)), 40 + 25 + 18 + 120))
    for what, column, count, values in (
        ("unreadable amounts (n/a, #REF!, empty)", _AMOUNT, 40, ("n/a", "#REF!", "")),
        ("unreadable dates (13/45/2024, TBD, empty)", _DATE, 25, ("13/45/2024", "TBD", "")),
        ("redacted payees (empty vendor)", _VENDOR, 18, ("",)),
    ):
        for turn in range(count):
            output.rows[next(victims)][column] = values[turn % len(values)]
        output.defects[what] = count
    repeated = sorted(victims)
    output.defects["repeated rows (same values except OBJECTID)"] = len(repeated)
    for position in reversed(repeated):
        output.rows.insert(position + 1, list(output.rows[position]))
