"""The pages of payments: the index of vendors, the file that browsers read by ranges, and gaps in the months."""

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from small_release import FLAGS, HOSTILE, SPENDING, small_release

from civic_pipeline.publish.site import build_site
from civic_pipeline.publish.site.site import _groups


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
    assert (vendors["rows"], vendors["weights"]) == ([1, 2, 1], [7000, 3000, -500])
    first = 0
    for name, count in zip(vendors["names"], vendors["rows"], strict=True):
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
    cells = {
        name: re.findall(r'<td class="number( gap)?"(?: data-value="[^"]*")?>(.*?)</td>', row) for name, row in rows
    }
    assert cells["Fire"][0] == ("", "3")
    assert cells["Fire"][1] == (" gap", '<span class="hidden">not published</span>')
    assert cells["Parks &amp; Trees"][2] == (" gap", "7")  # a part was published
    assert '<th scope="col" class="number">Jan</th>' in matrix  # the only complete month; the year begins in January
    sums = dict(re.findall(r'data-value="(2026-0[1-3]-01)">.*?</th><td class="number[^>]*>(.*?)</td>', page))
    assert sums == {"2026-01-01": "$2,500", "2026-02-01": "not complete", "2026-03-01": "not complete"}
    assert "Nothing was published." in page
    assert "Partial: not all payments are published." in page


def test_the_sum_is_that_of_the_table(site: Path) -> None:
    rows = duckdb.read_csv(str(listed(site, "spending/town/agency_months.csv"))).fetchall()
    assert sum((Decimal(str(row[3])) for row in rows), Decimal()) == Decimal("9500.25")
    page = (site / "index.html").read_text(encoding="utf-8")
    assert "$9,500" in page
    assert "2 of its months are not or not fully published" not in page
    assert "11 of its months are not or not fully published" in page


def test_a_flag_stands_with_its_base_rate_and_what_may_explain_it(tmp_path: Path) -> None:
    site = build_site(small_release(tmp_path / "r.duckdb", FLAGS), tmp_path / "site").folder
    for page in ("spending/town/index.html", "spending/town/flags/index.html"):
        text = (site / page).read_text(encoding="utf-8")
        for words in (
            "Paid &lt;twice&gt;.",
            "Two instalments.",
            "1 in 5,000",
            "5.0%",
            "A flag is a question, not a finding.",
        ):
            assert words in text, (page, words)
    text = (site / "spending/town/flags/index.html").read_text(encoding="utf-8")
    assert "80.0% of labelled flags (37.0% to 96.0% with 95% confidence)" in text
    assert "Payments of the agency to all vendors" in text
    flags = json.loads(listed(site, "spending/town/flags.json").read_text(encoding="utf-8"))
    assert flags["vendors"] == {"Same Co [v1aaaa]": [[0, "Fire", "2025-07-02", "2025-07-03", 1000.1, "1 in 5,000"]]}
    assert [test["innocent"] for test in flags["tests"]] == ["Two instalments.", "Invoices of the year."]


def test_payments_without_tests_have_no_flags(site: Path) -> None:
    assert not (site / "spending/town/flags").exists()
    assert "data-flags" not in (site / "spending/town/vendor/index.html").read_text(encoding="utf-8")


def test_row_groups_have_one_size_whatever_the_batches() -> None:
    batches = [
        pa.record_batch({"n": list(range(first, first + rows))}) for first, rows in ((0, 3), (3, 7), (10, 1), (11, 2))
    ]
    groups = list(_groups(batches, 4))
    assert [group.num_rows for group in groups] == [4, 4, 4, 1]
    assert pa.concat_tables(groups).column("n").to_pylist() == list(range(13))
