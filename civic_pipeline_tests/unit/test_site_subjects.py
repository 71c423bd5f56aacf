"""The pages of firms, COVID-19, housing and salaries: what is a gap stays a gap, what is masked stays masked."""

import html
import json
import re
from datetime import date
from pathlib import Path

import duckdb
import pytest
from small_release import OTHERS, small_release

from civic_pipeline.publish.site import build_site
from civic_pipeline.publish.site.charts import Chart, Line
from civic_pipeline.publish.site.facts import Place


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("others")
    return build_site(small_release(folder / "r.duckdb", OTHERS), folder / "site").folder


def rows(page: Path) -> list[list[str]]:
    """The cells of all rows of all tables of a page, without tags."""
    text = re.sub(r"<svg.*?</svg>", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    table_rows = re.findall(r"<tr>(.*?)</tr>", text, re.DOTALL)
    return [
        [re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)]
        for row in table_rows
    ]


def test_a_firm_shows_its_certificate_and_what_its_likely_payees_were_paid(site: Path) -> None:
    firms = {row[0]: row[1:] for row in rows(site / "firms" / "index.html")}
    assert firms["Able Paving"][:6] == [
        "Town, MBE | WBE",
        "PAVING",
        "Hispanic American",
        "21201",
        "TOWSON",
        "certified since Jan 1, 2020",
    ]
    assert firms["Able Paving"][6:] == ["$1,235", "91.0%: ABLE PAVINGFire"]
    (hostile,) = (cells for name, cells in firms.items() if "Sons" in name)
    assert hostile[5:] == ["not now", "", ""]  # no payee: nothing is known, which is not $0
    assert "Not published by the register Source: expiration" in (site / "firms" / "index.html").read_text(
        encoding="utf-8"
    )


def table_of(page: Path, section: str) -> dict[str, list[str]]:
    """The rows of one section's table by their first cell."""
    text = page.read_text(encoding="utf-8")
    (table,) = re.findall(rf'<table data-table="{section}">.*?</table>', text, re.DOTALL)
    part = page.with_name(f"{section}.part")
    part.write_text(table, encoding="utf-8")
    return {row[0]: row[1:] for row in rows(part)}


def test_an_outage_is_a_gap_of_the_line_and_of_the_table(site: Path) -> None:
    page = site / "covid" / "allegany" / "index.html"
    text = page.read_text(encoding="utf-8")
    cases = text[text.index('id="cases-allegany"') : text.index('id="deaths-allegany"')]
    assert (
        len(re.findall(r'<path d="M[\d.]+,', cases.partition("</svg>")[0])) == 3
    )  # two stretches of ours, one of the CDC
    assert cases.count('class="missing"') == 1
    table = table_of(page, "cases-allegany")
    assert table["Dec 15, 2021"] == ["not known"] * 5
    assert table["Dec 22, 2021"] == ["103", *["not known"] * 4]
    assert table["Jan 5, 2022"] == ["105", "35.0", "34.5", "5.0", "5.0"]
    deaths = table_of(page, "deaths-allegany")
    assert deaths["Dec 15, 2021"] == ["not published", "not known", "not known", "not known"]  # published as 0
    assert deaths["Dec 8, 2021"] == ["11", "not known", "0.7", "0.1"]


def test_every_definition_of_a_rate_stands_under_its_name(site: Path) -> None:
    names = [html.unescape(name) for name in table_of(site / "covid" / "index.html", "definitions")]
    assert names[1:7] == [
        "Health Department rate", "Maryland's rate", "CDC rate", "Positive tests, Maryland", "Positive tests, CDC",
        "Positive tests, Johns Hopkins",
    ]  # fmt: skip
    assert table_of(site / "covid" / "index.html", "compared")["Day"] == ["Allegany", "Kent"]


def test_a_correction_is_shown_as_published_and_as_distributed(site: Path) -> None:
    page = site / "covid" / "allegany" / "index.html"
    assert table_of(page, "corrections-allegany")["Dec 29, 2021"] == ["Cases", "-3", "0"]


def test_a_revision_triangle_has_a_column_per_capture(site: Path) -> None:
    table = table_of(site / "covid" / "allegany" / "index.html", "revisions-allegany")
    assert table["Day"] == [f"Captured {day}" for day in ("Dec 9, 2021", "Dec 16, 2021", "Jan 1, 2022", "Feb 1, 2022")]
    assert table["Dec 8, 2021"] == ["90", "90", "90", "101"]
    assert table["Dec 15, 2021"] == ["not captured yet", "not published", "not published", "102"]
    assert "Dec 22, 2021" not in table  # it never changed
    assert "No capture changed a count" in (site / "covid" / "kent" / "index.html").read_text(encoding="utf-8")


def test_a_share_of_vaccinated_people_is_shown_up_to_99_9_percent(site: Path) -> None:
    table = table_of(site / "covid" / "allegany" / "index.html", "federal-allegany")
    assert table["Dec 8, 2021"] == ["12.5%", "99.9%"]
    assert "no rows of it" in (site / "covid" / "kent" / "index.html").read_text(encoding="utf-8")


def test_a_hidden_count_of_a_zip_code_is_0_to_7(site: Path) -> None:
    table = table_of(site / "covid" / "zip" / "index.html", "zip-codes")
    assert table["21201"] == ["40", "Dec 1, 2021"]
    assert table["21202"] == ["0 to 7", "Dec 1, 2021"]


def test_a_chart_draws_each_value_where_its_axis_says() -> None:
    days = [date(2021, 1, 1), date(2021, 1, 8), date(2021, 1, 15), date(2021, 1, 22)]
    chart = Chart("A line", "people", [Line("it", list(zip(days, [0, 50, None, 100.0], strict=True)))])
    assert [text for _, text in chart.ticks] == ["0", "20", "40", "60", "80", "100"]
    heights = {text: y for y, text in chart.ticks}
    first, last = (re.findall(r"([\d.]+),([\d.]+)", path) for path in chart.paths[0])
    assert float(first[0][1]) == heights["0"] == chart.floor
    assert float(first[1][1]) == pytest.approx((heights["40"] + heights["60"]) / 2, abs=0.1)
    assert float(last[0][1]) == pytest.approx(heights["100"], abs=0.1)
    assert len(chart.gaps) == 1


def test_a_value_below_zero_is_drawn_below_zero() -> None:
    chart = Chart("A line", "people", [Line("it", [(date(2021, 1, 1), -302.0), (date(2021, 1, 8), 900.0)])])
    assert [text for _, text in chart.ticks] == ["-500", "0", "500", "1,000"]
    heights = {text: y for y, text in chart.ticks}
    assert heights["-500"] == chart.floor
    assert heights["1,000"] == chart.ceiling
    low = float(re.findall(r",([\d.]+)", chart.paths[0][0])[0])
    assert low == pytest.approx(heights["0"] + 0.604 * (heights["-500"] - heights["0"]), abs=0.1)
    dip = Chart("A line", "people", [Line("it", [(date(2021, 1, 1), -1.0), (date(2021, 1, 8), 900.0)])])
    assert [text for _, text in dip.ticks] == ["0", "200", "400", "600", "800", "1,000"]
    assert float(re.findall(r",([\d.]+)", dip.paths[0][0])[0]) == dip.floor > dip.ticks[0][0]


@pytest.mark.parametrize("top", [0.02, 0.7, 1, 4, 9.99, 10, 1946, 123_456])
def test_an_axis_has_few_lines(top: float) -> None:
    chart = Chart("A line", "people", [Line("it", [(date(2021, 1, 1), top), (date(2021, 1, 8), 0.0)])])
    assert 1 <= len(chart.ticks) <= 6


def test_an_interval_is_a_band_with_the_gaps_of_its_ends_and_nothing_is_drawn_before_the_first_value() -> None:
    days = [date(2021, month, 1) for month in range(1, 7)]

    def line(*values: float | None) -> Line:
        return Line("it", list(zip(days, values, strict=True)))

    chart = Chart(
        "A share",
        "percent",
        [line(None, 2, 2, None, 2, 2)],
        (line(None, 1, 1, None, 1, 1), line(None, 3, 3, None, 3, 4)),
    )
    assert [path.count("L") + 1 for path in chart.areas] == [4, 4]  # two stretches, each with two days below and above
    assert chart.paths[0][0].startswith(f"M{chart.left:.1f},")  # January has no value: the chart begins in February
    assert len(chart.gaps) == 1
    assert chart.ticks[-1] == (chart.ceiling, "4")  # the axis ends at a round number, not below the largest value


@pytest.mark.parametrize(
    ("first_month", "is_named_by_start", "period", "day"),
    [
        (7, False, 1, date(2025, 7, 1)),
        (7, False, 12, date(2026, 6, 1)),
        (7, True, 12, date(2027, 6, 1)),
        (1, False, 3, date(2026, 3, 1)),
    ],
)
def test_a_month_of_a_fiscal_year_has_a_first_day(
    first_month: int, is_named_by_start: bool, period: int, day: date
) -> None:
    place = Place("town", "Town", "city", None, (), first_month, is_named_by_start)
    assert place.first_day(2026, period) == day


def test_notices_without_a_neighborhood_are_counted(site: Path) -> None:
    table = rows(site / "housing" / "town" / "index.html")
    assert ["Oliver", "2", "Jan 1, 2020", "Jan 1, 2021"] in table
    assert ["Not stated", "1", "Jan 1, 2022", "Jan 1, 2022"] in table
    assert "It needs two captures of the list" in (site / "housing" / "town" / "index.html").read_text(encoding="utf-8")


def test_a_masked_group_shows_no_number(site: Path) -> None:
    table = {row[0]: row[1:] for row in rows(site / "salaries" / "town" / "index.html")}
    assert table["Clerk"] == ["fewer than 5 people", "–", "–", "–", "–"]
    assert table["Fire"] == ["100", "$60,000", "$50,000 to $70,000", "$6,100,001", "1.02"]


def test_a_vacancy_has_two_clocks_and_a_block(site: Path) -> None:
    page = site / "housing" / "town" / "index.html"
    clocks = table_of(page, "clocks")
    assert clocks["All of the city"] == ["3", "5.1", "9.6", "0", "2"]
    assert clocks["OLIVER"] == ["2", "4.0", "8.0", "0", "1"]
    blocks = table_of(page, "blocks")
    assert blocks["0001"] == ["OLIVER", "1", "4", "25%"]
    assert blocks["0009"] == ["Not stated", "1", "0", "not known"]
    assert 'href="../../housing/town/block/index.html?block=0001"' in page.read_text(encoding="utf-8")


def test_the_records_of_a_block_are_where_the_index_says_each_with_its_capture(site: Path) -> None:
    files = json.loads((site / "manifest.json").read_text(encoding="utf-8"))["files"]
    index = json.loads((site / files["housing/town/block/index.json"]["path"]).read_text(encoding="utf-8"))
    rows = duckdb.read_parquet(str(site / index["file"]))
    assert index["blocks"] == ["0001", "0009"]  # a block without a vacancy on any list is not in it
    assert index["rows"] == [3, 1]
    assert index["names"] == ["1 MILL AVE (0001 001)", "No address (0009 001)"]
    assert [index["blocks"][place] for place in index["of"]] == ["0001", "0009"]
    assert rows.select("block", "property", "date", "event", "source", "capture", "is_listed").fetchall() == [
        ("0001", "0001|001", "2021-02-03", "building permit", "town_permits", "town/permits/2025-05-12T000000.000000Z", True),
        ("0001", "0001|001", "2020-01-01", "vacant notice", "town_notices", "town/notices/2024-04-27T000000.000000Z", False),
        ("0001", "0001|002", None, None, None, None, None),
        ("0009", "0009|001", None, None, None, None, None),
    ]  # fmt: skip
    page = (site / "housing/town/block/index.html").read_text(encoding="utf-8")
    assert f'data-index="../../../{files["housing/town/block/index.json"]["path"]}"' in page
    assert '<a href="../../../data/marts.fct_property_events/index.html">table of all</a>' in page
