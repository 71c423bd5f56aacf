"""The checkbook in its earlier layout and in today's, in one dataset: the same payments give the same money, then and now."""

import csv
import re
import shutil
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import old_checkbook
import pytest
from terminal import Place

from tools.sample import spending

pytestmark = pytest.mark.slow

TOTALS = (60_473, Decimal("1394644730.90"))


def written(path: Path, header: tuple[str, ...], rows: list[list[object]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def amount_of(text: str) -> str:
    digits = re.sub(r"[$,()]", "", text)
    if not re.fullmatch(r"\d+(\.\d+)?", digits):
        return ""
    return f"-{digits}" if text.startswith("(") else digits


def day_of(text: str) -> str:
    for notation in ("%Y-%m-%d", "%m/%d/%Y"):
        try:
            return f"{datetime.strptime(text, notation):%Y-%m-%d}"
        except ValueError:
            continue
    return ""


def as_of_today(old: dict[str, str]) -> list[object]:
    """The same split as the live table has it; codes are invented."""
    values = {
        "Check_Number": old["Check_Number"],
        "Payment_Date": day_of(old["Payment_Date"]),
        "Supplier_Name": old["Supplier_Name"],
        "Supplier_Invoice_Number": old["Supplier_Invoice_Number"],
        "Payment_Amount_split": amount_of(old["Payment_Amount_Split"]),
        "Supplier_Contract_Number": old["Supplier_Contract_Number"],
        "Agency": old["Agency"],
        "Fund": "1001",
        "Fund_Description": old["Fund"],
        "Cost_Center": "CC1",
        "Cost_Center_Description": old["Cost_Center"],
        "Spend_Category": "SC1",
        "Spend_Category_Description": old["Spend_Category"],
        "Unique_ID": f"U{old['OBJECTID']}",
        "ID": old["OBJECTID"],
    }
    return [values.get(name, "") for name in spending.HEADER]


def test_both_layouts_give_the_same_rows_and_dollars(small: Place, tmp_path: Path) -> None:
    old = old_checkbook.table()
    rows = [["" if value is None else str(value) for value in row] for row in old.rows]
    copy = written(tmp_path / "checkbook_before.csv", old_checkbook.HEADER, [list(row) for row in rows])
    served = shutil.copytree(small.served, tmp_path / "served")
    today = [as_of_today(dict(zip(old_checkbook.HEADER, row, strict=True))) for row in rows]
    written(served / "spending.csv", spending.HEADER, today)
    place = Place(tmp_path / "data", served, small.root)

    loaded = place.civic(
        "backfill", "baltimore/spending", str(copy), "--captured-at", "2026-07-15", "--edition", "fy2022-"
    )
    assert loaded.code == 0, loaded.err
    night = place.run()
    assert night.code == 0, night.err
    query = "select count(*) as payments, sum(amount) as dollars from clean.baltimore_spending"
    assert place.rows(query) == [TOTALS]
    then = place.civic("as-of", "2026-07-16", query, "--format", "csv")
    assert then.code == 0, then.err
    assert then.out.split()[-1] == ",".join(map(str, TOTALS))
    by_fund = (
        "select fund_name, cost_center, sum(amount) from clean.baltimore_spending group by 1, 2 order by 1, 2 limit 3"
    )
    before = place.civic("as-of", "2026-07-16", by_fund, "--format", "csv")
    assert list(csv.reader(before.out.splitlines()))[1:] == [list(map(str, row)) for row in place.rows(by_fund)]
