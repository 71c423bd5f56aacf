"""The pages of payments: the index of vendors, the file that browsers read by ranges, and gaps in the months."""

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from small_release import HOSTILE, SPENDING, small_release

from civic_pipeline.publish.site import build_site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("spending")
    return build_site(small_release(folder / "r.duckdb", SPENDING), folder / "site").folder


def listed(site: Path, name: str) -> Path:
    return site / json.loads((site / "manifest.json").read_text(encoding="utf-8"))["files"][name]["path"]


def index(site: Path) -> dict[str, Any]:
    return json.loads(listed(site, "spending/town/vendors.json").read_text(encoding="utf-8"))


def test_the_rows_of_a_vendor_are_where_the_index_says(site: Path) -> None:
    vendors = index(site)
    rows = duckdb.read_parquet(str(site / vendors["file"])).fetchall()
    assert vendors["names"] == [HOSTILE, "Same Co [v1aaaa]", "Same Co [v2bbbb]"]
    assert (vendors["payments"], vendors["dollars"]) == ([1, 2, 1], [7000, 3000, -500])
    first = 0
    for name, count in zip(vendors["names"], vendors["payments"], strict=True):
        assert [row[0] for row in rows[first : first + count]] == [name] * count
        first += count
    assert first == len(rows)
    assert {row[1] for row in rows} == {None, "SAME CO (same letters) | Same Co (same name)"}


def test_the_file_is_as_long_as_the_index_says(site: Path) -> None:
    vendors = index(site)
    content = (site / vendors["file"]).read_bytes()
    assert len(content) == vendors["bytes"]
    assert content[-4:] == b"PAR1"
    assert int.from_bytes(content[-8:-4], "little") + 8 == vendors["footer"]


def test_a_month_without_payments_is_a_gap_and_never_a_zero(site: Path) -> None:
    page = (site / "spending" / "town" / "index.html").read_text(encoding="utf-8")
    matrix = page.partition('class="matrix"')[2].partition("</table>")[0]
    rows = re.findall(r'<tr><th scope="row">(.*?)</th>(.*?)</tr>', matrix, re.DOTALL)
    cells = {name: re.findall(r'<td class="number( gap)?">(.*?)</td>', row) for name, row in rows}
    assert cells["Fire"][0] == ("", "3")
    assert cells["Fire"][1] == (" gap", '<span class="hidden">not published</span>')
    assert cells["Parks &amp; Trees"][2] == (" gap", "7")  # a part was published
    assert '<th scope="col" class="number">Jan</th>' in matrix  # the only complete month; the year begins in January
    assert "Nothing was published." in page
    assert "Partial: not all payments are published." in page


def test_the_sum_is_that_of_the_table(site: Path) -> None:
    rows = duckdb.read_csv(str(listed(site, "spending/town/agency_months.csv"))).fetchall()
    assert sum((Decimal(str(row[3])) for row in rows), Decimal()) == Decimal("9500.25")
    page = (site / "index.html").read_text(encoding="utf-8")
    assert "$9,500" in page
    assert "2 of its months are not or not fully published" not in page
    assert "11 of its months are not or not fully published" in page
