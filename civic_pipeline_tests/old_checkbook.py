"""The checkbook in the layout in which it was recorded first: eleven columns, all of them text, dates and amounts in several notations.

A capture of that time stays readable; see `earlier_shapes` of baltimore/spending.
"""

import random
from dataclasses import replace
from datetime import date, timedelta

from tools.sample.firms import respelt
from tools.sample.ledger import Split, reversal, reversals, splits, weekday_on_or_before
from tools.sample.table import Row, Table, seeded

HEADER = (
    "OBJECTID", "Agency", "Fund", "Cost_Center", "Spend_Category", "Supplier_Name", "Check_Number",
    "Supplier_Invoice_Number",
    "Supplier_Contract_Number", "Payment_Date", "Payment_Amount_Split",
)  # fmt: skip
_AGENCY, _VENDOR, _DATE, _AMOUNT = (
    HEADER.index(name) for name in ("Agency", "Supplier_Name", "Payment_Date", "Payment_Amount_Split")
)


def table() -> Table:
    """Three fiscal years, always the same: 60,473 readable rows of $1,394,644,730.90, and 65 that cannot be read."""
    rng = seeded("spending")
    paid = list(splits(rng, date(2023, 7, 3), checks_a_day=28))
    often = [split for split in paid if split.amount > 40_000 and split.day < date(2025, 1, 1)]
    again = [
        replace(split, check=split.check + 9_000_000, day=weekday_on_or_before(split.day + timedelta(days=28)))
        for split in rng.sample(often, 6)
    ]
    back = [reversal(split) for split in again[-3:]] + reversals(rng, paid, 147)
    output = Table("spending.csv.gz", {}, HEADER)
    for split in sorted([*paid, *again, *back], key=lambda split: split.day):
        output.rows.append(_row(rng, split))
    _spoil(rng, output)
    for number, row in enumerate(output.rows, start=1):
        row[0] = number
    return output


def _row(rng: random.Random, split: Split) -> Row:
    amount = f"({-split.amount:.2f})" if split.amount < 0 else f"{split.amount}"
    if split.amount >= 0 and rng.random() < 0.3:
        amount = f"${split.amount:,.2f}"
    agency = rng.choice(split.agency.variants) if rng.random() < 0.12 else split.agency.name
    if rng.random() < 0.01:
        agency = f" {agency} "
    vendor = split.vendor
    if rng.random() < 0.015:
        vendor = f"{vendor}  "
    elif rng.random() < 0.03:
        vendor = respelt(rng, vendor)
    day = f"{split.day:%m/%d/%Y}" if rng.random() < 0.35 else split.day.isoformat()
    cost_center = f"CC{split.service}{split.part:02d} {split.service_name}"
    return [
        None, agency, split.fund, cost_center, split.category, vendor, str(split.check), split.invoice, split.contract,
        day, amount,
    ]  # fmt: skip


def _spoil(rng: random.Random, output: Table) -> None:
    """Add unreadable values, redacted payees and repeated rows; never two defects in one row."""
    victims = iter(rng.sample(range(len(output.rows)), 40 + 25 + 18 + 120))
    for column, count, values in (
        (_AMOUNT, 40, ("n/a", "#REF!", "")),
        (_DATE, 25, ("13/45/2024", "TBD", "")),
        (_VENDOR, 18, ("",)),
    ):
        for turn in range(count):
            output.rows[next(victims)][column] = values[turn % len(values)]
    for position in sorted(victims, reverse=True):
        output.rows.insert(position + 1, list(output.rows[position]))
