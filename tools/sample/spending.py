"""`spending.csv.gz`: the Open Checkbook in the layout of the live table, one row per split of an invoice, and its earlier years."""

import random
from collections import defaultdict
from dataclasses import replace
from datetime import date, timedelta

from tools.sample.accounts import FUNDS
from tools.sample.agencies import AGENCIES
from tools.sample.firms import TRADES, respelt
from tools.sample.ledger import LAST_DAY, Split, reversals, splits
from tools.sample.planted import cases, patterns
from tools.sample.table import Cell, Row, Table, seeded

HEADER = (
    "Category", "Check_Number", "Payment_Date", "Supplier_Name", "Supplier_Invoice_Number", "Payment_Amount",
    "Payment_Amount_split", "Supplier_Contract_Name", "Supplier_Contract_Number", "Agency_Code", "Agency", "Fund",
    "Fund_Description", "Cost_Center", "Cost_Center_Description", "Spend_Category", "Spend_Category_Description", "FileName",
    "InsertDate", "Unique_ID", "ID",
)  # fmt: skip
_VENDOR, _DATE, _AMOUNT = (HEADER.index(name) for name in ("Supplier_Name", "Payment_Date", "Payment_Amount_split"))

FIRST_DAY = date(2021, 7, 1)
_CHECKS_A_DAY = 16

_HEADER_2020 = (
    "OBJECTID", "Date", "Agency", "Service", "Spending_Category", "Spending_Description", "Fund", "Amount", "Vendor_Name",
)  # fmt: skip
_HEADER_2021 = ("OBJECTID", "OBJECTID_1", *_HEADER_2020[1:], "Date_Accuracy", "GlobalID", "name")
# Fiscal year -> its layout and last day: 2021 was published without its last quarter.
EARLIER = {2020: (_HEADER_2020, date(2020, 6, 30)), 2021: (_HEADER_2021, date(2021, 3, 31))}
# An eighth of the checks of later years, with larger amounts.
_EARLIER_CHECKS_A_DAY = 2
_EARLIER_PRICE_LEVEL = 9
_FIRST_WRONG_DATE = date(2020, 12, 1)
# The usual amounts of `firms`, so that what is paid in a year is of the size of the budget's non-personnel objects.
_PRICE_LEVEL = 2.2
# From here on, contracts are in Workday and have numbers of its own.
_WORKDAY = date(2022, 8, 1)
_CATEGORY_CODES = {
    category: f"SC{610 + 7 * number:04d}"
    for number, category in enumerate(sorted({trade.spend_category for trade in TRADES}))
}
_AGENCY_CODES = {agency.name: f"{100 + 50 * number}" for number, agency in enumerate(AGENCIES)}


def table() -> Table:
    rng = seeded("live checkbook")
    output = Table("spending.csv.gz", {"dataset": "baltimore/spending", "edition": "fy2022-"}, HEADER)
    paid = list(splits(rng, FIRST_DAY, _CHECKS_A_DAY, _PRICE_LEVEL))
    paid = [replace(split, contract=_cited(rng, split)) for split in paid]
    back = reversals(rng, paid, 147)
    planted = [split for case in (*cases(), *patterns()) for split in case.splits]
    output.defects["reversals"] = len(back) + sum(split.amount < 0 for split in planted)
    output.defects["cases planted for the integrity tests"] = len(cases())
    ledger = sorted([*paid, *back, *planted], key=lambda split: split.day)
    checks: dict[tuple[int, date], float] = defaultdict(float)
    for split in ledger:
        checks[split.check, split.day] += split.amount
    output.rows = [_row(rng, split, round(checks[split.check, split.day], 2), output) for split in ledger]
    _spoil(rng, output)
    for number, row in enumerate(output.rows, start=1):
        row[-2:] = [f"{row[HEADER.index('Check_Number')]}-{number}", number]
    output.defects["months without payments (2025-04, 2025-05)"] = 2
    return output


def _cited(rng: random.Random, split: Split) -> str:
    """Return the contract as the ledger cites it: with a release, without one, or by its number in Workday."""
    if not split.contract:
        return ""
    if split.day >= _WORKDAY and rng.random() < 0.45:
        return f"SCON-{int(split.contract[1:]) - 400_000:06d}"
    return f"{split.contract}:{rng.choice((0, 0, 1))}" if rng.random() < 0.8 else split.contract


def _row(rng: random.Random, split: Split, check_amount: float, output: Table) -> Row:
    agency, vendor = split.agency.name, split.vendor
    if rng.random() < 0.12:
        agency = rng.choice(split.agency.variants)
        output.defects["agency names abbreviated, in capitals or with another spelling"] += 1
    if rng.random() < 0.01:
        agency = f" {agency} "
        output.defects["agency names with leading and trailing spaces"] += 1
    if rng.random() < 0.015:
        vendor = f"{vendor}  "
        output.defects["vendor names with trailing spaces"] += 1
    elif rng.random() < 0.03:
        vendor = respelt(rng, split.vendor)
        output.defects["vendor names with another spelling"] += vendor != split.vendor
    loaded = min(split.day + timedelta(days=3), LAST_DAY)
    return [
        "Supplier Invoice", str(split.check), split.day.isoformat(), vendor, split.invoice, check_amount, split.amount,
        f"{split.category} Services" if split.contract else "", split.contract, _AGENCY_CODES[split.agency.name], agency,
        str(FUNDS[split.fund]), split.fund, f"CC{split.service}{split.part:02d}", split.service_name,
        _CATEGORY_CODES[split.category], split.category, f"OpenCheckbook_{loaded:%Y%m}.csv", loaded.isoformat(), None, None,
    ]  # fmt: skip


def _spoil(rng: random.Random, output: Table) -> None:
    """Empty some values and repeat some rows; never two defects in one row, and none in a planted case."""
    regular = [
        place for place, row in enumerate(output.rows) if not str(row[HEADER.index("Check_Number")]).startswith("7")
    ]
    victims = iter(rng.sample(regular, 40 + 25 + 18 + 120))
    for what, column, count in (
        ("empty amounts", _AMOUNT, 40),
        ("empty dates", _DATE, 25),
        ("redacted payees (empty vendor)", _VENDOR, 18),
    ):
        for _ in range(count):
            output.rows[next(victims)][column] = ""
        output.defects[what] = count
    repeated = sorted(victims)
    output.defects["repeated rows (same values except Unique_ID and ID)"] = len(repeated)
    for position in reversed(repeated):
        output.rows.insert(position + 1, list(output.rows[position]))


def earlier(year: int) -> Table:
    """A fiscal year before the ledger moved: no numbers of checks, invoices and contracts."""
    rng = seeded(f"checkbook of {year}")
    header, last_day = EARLIER[year]
    output = Table(f"spending_fy{year}.csv.gz", {"dataset": "baltimore/spending", "edition": f"fy{year}"}, header)
    paid = list(splits(rng, date(year - 1, 7, 1), _EARLIER_CHECKS_A_DAY, _EARLIER_PRICE_LEVEL, last_day))
    empty = set(rng.sample(range(len(paid)), 12)) if year == 2021 else set()
    for number, split in enumerate(paid, start=1):
        values: dict[str, Cell] = {
            "OBJECTID": number,
            "OBJECTID_1": number,
            "Date": split.day.isoformat(),
            "Agency": split.agency.name,
            "Service": split.service_name,
            "Spending_Category": split.category,
            "Spending_Description": f"{split.category}, other",
            "Fund": split.fund,
            "Amount": "" if number - 1 in empty else split.amount,
            "Vendor_Name": split.vendor,
            "Date_Accuracy": "approximate" if split.day >= _FIRST_WRONG_DATE else "exact",
            "GlobalID": f"{{{rng.getrandbits(128):032X}}}",
            "name": "",
        }
        output.rows.append([values[name] for name in header])
    if year == 2021:
        output.defects["empty amounts"] = len(empty)
        output.defects["dates that the City announced to be wrong (2020-12 to 2021-03)"] = sum(
            row[header.index("Date_Accuracy")] == "approximate" for row in output.rows
        )
        output.defects["months without payments (2021-04 to 2021-06)"] = 3
    return output
