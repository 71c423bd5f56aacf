"""Every figure can be followed, for all subjects at once: what a page reads it names, and what it names is of its city."""

import json
import re
import zipfile
from collections import defaultdict
from collections.abc import Mapping
from html import unescape
from pathlib import Path
from typing import Any

import duckdb
import pytest
from small_release import BUDGET, FLAGS, OTHERS, SHA256, small_release
from test_site_certification import CERTIFICATION
from test_site_places import TABLES as PLACES

from civic_pipeline.publish.site import build_site
from civic_pipeline.publish.site.build import SUBJECTS
from civic_pipeline.publish.site.facts import _SHARED
from civic_pipeline.publish.site.site import Site

CITIES = ("town", "village")
BESIDE = {
    "marts.dim_cities": "select 'town' as city",
    "marts.mart_budget_execution": """
        select 'town' as city, 'a1' as agency_id, 'Fire' as agency_name, 2025 as fiscal_year, 200.0 as comparable_amount, 150.0 as paid_amount,
            'comparable' as execution_status""",
    "marts.mart_revenue_by_source": """
        select 'town' as city, 2026 as fiscal_year, 'Taxes' as revenue_source, 'General' as fund_name, 'Taxes' as revenue_category, 400.0 as estimated_amount,
            390.0 as previous_amount, 'published' as publication_status""",
    "marts.mart_reconciliations": """
        select 'town' as city, subject, 2026 as fiscal_year, subject as figure_id, 'Total' as figure, 'USD' as unit, 400.0 as official_value,
            400.25 as our_value, 0.25 as difference, 'Rounded' as reason, 'Book' as source
        from (values ('budget'), ('participation')) as t(subject)""",
    "marts.mart_mwbe_participation": """
        select 'town' as city, 2026 as fiscal_year, 'all' as denominator, 'city' as breakdown, null::integer as fiscal_quarter,
            'unduplicated' as certified_group, 100.0 as denominator_amount, 4 as vendor_count, 0.1 as expected_share, 0.05 as interval_low_share,
            0.2 as interval_high_share, 5.0 as interval_low_amount, 20.0 as interval_high_amount""",
}
# Names, shapes and weights of places, by which rows are found and drawn: they give no figure.
LOOKUPS = _SHARED | {"marts.dim_geographies", "marts.bridge_geography_weights"}
_TABLE = re.compile(r"\b(?:clean|marts)\.\w+")


def of_both(tables: Mapping[str, str]) -> dict[str, str]:
    """The tables with the rows of a second city, which has other ids."""
    both = {}
    with duckdb.connect() as connection:
        for name, query in tables.items():
            columns = [column for column, *_ in connection.execute(f"describe {query}").fetchall()]
            changed = [
                f"'v' || {column} as {column}"
                for column in columns
                if column.endswith("_id") and column != "capture_id"
            ]
            changed += ["'village' as city"] if "city" in columns else []
            other = f" union all by name select * replace ({', '.join(changed)}) from ({query})" if changed else ""
            both[name] = f"from ({query}){other}"
    clean = {name.replace("town", "village"): query for name, query in tables.items() if name.startswith("clean.town_")}
    return both | clean


@pytest.fixture(scope="module")
def read() -> dict[str, set[str]]:
    """Part of a subject -> the tables that its pages and files were made from; filled when the site is built."""
    return defaultdict(set)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, read: dict[str, set[str]]) -> Path:
    """A site of two cities, each with a source of its own, and of a State whose source both have."""
    folder = tmp_path_factory.mktemp("sources")
    tables = of_both(CERTIFICATION | FLAGS | OTHERS | BUDGET | BESIDE | PLACES)
    inputs = [f"raw.{place}_source" for place in (*CITIES, "state")]
    entries = {name.partition(".")[2]: {"inputs": inputs} for name in tables}
    release = small_release(folder / "r.duckdb", tables, **entries)
    with duckdb.connect(str(release)) as connection:
        for place, kind in (("village", "city"), ("state", "state")):
            connection.execute(
                "insert into meta.places by name select ? as place, ? as kind, ? as title", [place, kind, place.title()]
            )
            connection.execute(
                "insert into meta.captures by name select * replace (? as dataset, ? as capture_id, ? as title) from meta.captures"
                " where dataset = 'town/source'",
                [f"{place}/source", f"{place}/source/1", f"Source of {place}"],
            )
        connection.execute("update meta.captures set title = 'Source of town' where dataset = 'town/source'")
        connection.execute("update meta.captures set licence = null where dataset = 'state/source'")
    with pytest.MonkeyPatch.context() as patch:
        part = [""]

        def recorded(name: str) -> None:
            original = getattr(Site, name)

            def record(self: Site, first: str, *others: Any, **named: Any) -> Any:
                read[part[0]].update(
                    table for text in (first, *others) if isinstance(text, str) for table in _TABLE.findall(text)
                )
                return original(self, first, *others, **named)

            patch.setattr(Site, name, record)

        def entered(subject: Any) -> None:
            original = subject.build

            def build(site: Site) -> None:
                part[0] = subject.PART
                original(site)
                part[0] = ""

            patch.setattr(subject, "build", build)

        for name in ("query", "csv", "parquet", "parquet_by_ranges"):
            recorded(name)
        for subject in SUBJECTS:
            entered(subject)
        built = build_site(release, folder / "site")
    assert not built.left_out
    return built.folder


def pages(site: Path, part: str) -> list[Path]:
    return sorted((site / part).rglob("index.html"))


def listed(page: Path, what: str) -> list[str]:
    place = re.search(rf"<dt>{what}</dt><dd><ul>(.*?)</ul>", page.read_text(), re.DOTALL)
    return [unescape(text) for text in re.findall(r"<li>(.*?)</li>", place[1], re.DOTALL)] if place else []


def test_a_page_of_a_city_names_its_sources_and_no_other_citys(site: Path) -> None:
    seen = 0
    for page in (page for subject in SUBJECTS for page in pages(site, subject.PART)):
        for city, other in (CITIES, CITIES[::-1]):
            if city in page.relative_to(site).parts:
                sources = " ".join(listed(page, "Sources"))
                assert (f"Source of {city}" in sources, f"Source of {other}" in sources) == (True, False), page
                seen += 1
    assert seen > 30


@pytest.mark.parametrize("part", [subject.PART for subject in SUBJECTS if subject.PART != "action-plan/"])
def test_what_the_pages_of_a_subject_read_they_name(site: Path, read: dict[str, set[str]], part: str) -> None:
    named = {
        table
        for page in pages(site, part)
        for text in listed(page, "Tables")
        for table in re.findall(r'data/((?:clean|marts)\.\w+)/index\.html"', text)
    }
    assert read[part], "the pages are made from something"
    assert read[part] - named - LOOKUPS == set()


def test_the_page_of_a_table_leads_from_a_figure_to_the_bytes(site: Path) -> None:
    links = {
        (page.parent / unescape(address)).resolve()
        for subject in SUBJECTS
        for page in pages(site, subject.PART)
        for address in re.findall(r'<a class="evidence" href="([^"]+)"', page.read_text())
    }
    assert len(links) > 20
    for page in links:
        text = page.read_text()
        assert all(word in text for word in (page.parent.name, "a rule", "Jan 2, 2026", "town/source", SHA256, "r1")), (
            page
        )


def test_the_rows_behind_a_page_are_those_of_its_city(site: Path) -> None:
    for city in CITIES:
        page = (site / "budget" / city / "index.html").read_text()
        assert "<b>3</b> rows behind it" in page
        page = (site / "311" / city / "index.html").read_text()
        assert "<b>8</b> rows behind it" in page


def test_a_licence_of_some_sources_is_not_that_of_the_table(site: Path) -> None:
    (packed,) = (site / "files" / "tables").glob("marts.dim_agencies.*.zip")
    with zipfile.ZipFile(packed) as archive:
        assert "licenses" not in json.loads(archive.read("datapackage.json"))
        assert "Source of state (Town Hall): not stated" in archive.read("LICENSE.txt").decode()
    croissant = json.loads((site / "data" / "marts.dim_agencies" / "croissant.json").read_text())
    assert croissant["license"] == "CC0; not stated"
