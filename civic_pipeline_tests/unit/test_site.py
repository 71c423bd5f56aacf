"""The public site from a release made by hand: what pages say, what they escape, how a build becomes the public one."""

import csv
import hashlib
import json
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree as ET

import duckdb
import pytest
from small_release import BUDGET, HOSTILE, MOMENT, SHA256, small_release

from civic_pipeline.errors import SiteFolderTaken, WarehouseMissing
from civic_pipeline.publish.site import build, build_site
from civic_pipeline.publish.site.budget import Group, Level
from civic_pipeline.publish.site.build import site_before
from civic_pipeline.publish.site.facts import in_words, read_facts
from civic_pipeline.publish.site.files import Earlier
from civic_pipeline.publish.site.formats import change, day, dollars, figure, short_dollars
from civic_pipeline.publish.site.site import HERE, Site, slugs
from civic_pipeline.releases import connect
from civic_pipeline.warehouse import meta


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_release(tmp_path_factory.mktemp("release") / "warehouse.duckdb")


@pytest.fixture(scope="module")
def site(release: Path) -> Path:
    return build_site(release, release.parent / "site").folder


def texts(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_the_first_page_shows_the_figure_its_release_and_the_way_to_its_evidence(site: Path) -> None:
    page = (site / "index.html").read_text(encoding="utf-8")
    assert "$400" in page
    assert "adopted for fiscal year 2026, +100.1% on 2025" in page
    assert "r1" in page
    assert 'href="./data/marts.fct_budget_lines/index.html"' in page


def test_a_year_that_is_only_recommended_yet_does_not_look_as_if_nothing_was_adopted() -> None:
    fire = Group("Fire", amounts={(2027, "recommended"): Decimal(5), (2026, "adopted"): Decimal(3)})
    level = Level("agencies", "By agency", "Agency", [fire], [(2027, "recommended"), (2026, "adopted")], None, {})
    assert (level.phase, level.year, level.before, level.total(level.year)) == ("adopted", 2026, None, 3)
    assert level.data["published"] == ["2027 recommended", "2026 adopted"]


def test_a_name_that_only_one_year_has_is_new_and_not_a_change(site: Path) -> None:
    page = (site / "budget" / "town" / "index.html").read_text(encoding="utf-8")
    agencies = page.partition('data-table="agencies"')[2].partition("</table>")[0]
    assert re.findall(r'<td class="number">([^<$]+)</td>', agencies) == ["+50.1%", "new name", "+100.1%"]
    assert "1 of 2 names are in both years; they are 75.0% of fiscal year 2026." in page


def test_names_are_explained_in_plain_words(site: Path) -> None:
    page = (site / "budget" / "town" / "index.html").read_text(encoding="utf-8")
    assert "Pay of staff." in page
    assert "For anything." in page
    assert "Puts out fires." in (site / "budget" / "town" / "fire" / "index.html").read_text(encoding="utf-8")


def test_what_stands_beside_a_budget_is_stated_or_its_absence_is(tmp_path: Path) -> None:
    beside = BUDGET | {
        "marts.mart_revenue_by_source": """
            select 'town' as city, 2026 as fiscal_year, 'not_published' as publication_status, 'Only on <paper>.' as not_published_reason,
            null as revenue_source, null as revenue_category, null as fund_name, null::decimal(18, 2) as estimated_amount, null::decimal(18, 2) as previous_amount""",
        "marts.mart_budget_execution": """
            select 'town' as city, 2025 as fiscal_year, 'a1' as agency_id, 'Fire' as agency_name, 200.00 as comparable_amount, 150.00 as paid_amount,
            'comparable' as execution_status""",
        "marts.mart_reconciliations": """
            select 'town' as city, 'budget' as subject, 2026 as fiscal_year, 'f' as figure_id, 'Budget speech' as figure, 500.00 as official_value,
            400.25 as our_value, -99.75 as difference, 'USD' as unit, 'unexplained' as reason, 'Mayor' as source""",
    }  # fmt: skip
    site = build_site(small_release(tmp_path / "r.duckdb", beside), tmp_path / "site").folder
    page = (site / "budget" / "town" / "index.html").read_text(encoding="utf-8")
    assert "Only on &lt;paper&gt;." in page
    assert "75.0%" in page.partition('id="paid"')[2]
    assert (
        "75.0%"
        in (site / "budget" / "town" / "fire" / "index.html").read_text(encoding="utf-8").partition('id="paid"')[2]
    )
    assert 'id="paid"' not in (site / "budget" / "town" / "parks-trees" / "index.html").read_text(encoding="utf-8")
    official = page.partition('id="official"')[2]
    assert re.findall(r'data-value="([^"]+)"', official) == ["500.00", "400.25", "-99.75"]
    assert "unexplained" in official


def test_the_flow_of_money_adds_up_to_the_adopted_budget(site: Path, tmp_path: Path) -> None:
    def links(folder: Path) -> list[tuple[str, str, str, str]]:
        page = (folder / "budget" / "town" / "index.html").read_text(encoding="utf-8").partition('id="flow"')[2]
        table = page.partition("<tbody>")[2].partition("</tbody>")[0]
        return re.findall(
            r'<th scope="row">(.*?)</th><td>(.*?)</td><td>(.*?)</td><td class="number" data-value="(.*?)">', table
        )

    assert links(site) == [
        ("General", "Fire", "fund to an agency", "300.25"),
        ("General", "Parks &amp; Trees", "fund to an agency", "100.00"),
    ]
    revenue = BUDGET | {
        "marts.mart_revenue_by_source": """
            select 'town' as city, 2025 as fiscal_year, 'published' as publication_status, null as not_published_reason, 'General' as fund_name,
            'Taxes' as revenue_category, 'Property tax' as revenue_source, 210.00::decimal(18, 2) as estimated_amount,
            null::decimal(18, 2) as previous_amount"""
    }  # fmt: skip
    # The newest year with both sides: 2026 has no revenue.
    other = build_site(small_release(tmp_path / "r.duckdb", revenue), tmp_path / "site").folder
    assert links(other) == [
        ("Taxes", "General", "revenue into a fund", "210.00"),
        ("General", "Fire", "fund to an agency", "200.00"),
    ]


def test_a_figure_is_followed_to_its_bytes(site: Path) -> None:
    page = (site / "data" / "marts.fct_budget_lines" / "index.html").read_text(encoding="utf-8")
    for fact in (SHA256, "Town Hall", "CC0", "Jan 2, 2026, 03:04 UTC", "Nothing else.", "1 passed, 0 failed", "a rule"):
        assert fact in page


def test_what_only_feeds_a_shared_dimension_is_not_named_as_a_source(tmp_path: Path) -> None:
    inputs = {"inputs": ["raw.town_source", "marts.dim_agencies"]}
    release = small_release(tmp_path / "r.duckdb", fct_budget_lines=inputs, dim_agencies={"inputs": ["raw.town_other"]})
    with duckdb.connect(str(release)) as connection:
        other = {
            "capture_id": "town/other/1", "dataset": "town/other", "captured_at": MOMENT, "title": "Other", "publisher": "Else",
            "sha256": "cd" * 32,
        }  # fmt: skip
        meta.put(connection, "meta.captures", "capture_id", "town/other/1", [other])
    site = build_site(release, tmp_path / "site").folder
    page = (site / "budget" / "town" / "index.html").read_text(encoding="utf-8")
    assert "Town Hall" in page
    assert "Else" not in page
    # The page of the table has everything that is behind it.
    assert "cd" * 32 in (site / "data" / "marts.fct_budget_lines" / "index.html").read_text(encoding="utf-8")


def test_a_report_quotes_the_table_the_row_the_page_and_the_release(site: Path) -> None:
    def reference(page: str) -> str:
        text = (site / page / "index.html").read_text(encoding="utf-8")
        return text.partition('<code class="reference">')[2].partition("</code>")[0]

    table = "marts.fct_budget_lines"
    assert reference("budget/town") == f"{table}, Town, page /budget/town/, release r1"
    assert reference("budget/town/fire") == f"{table}, Fire, page /budget/town/fire/, release r1"
    assert reference(f"data/{table}") == f"{table}, page /data/{table}/, release r1"
    assert reference("changes") == "page /changes/, release r1"


def test_every_link_leads_to_a_file_of_the_site(site: Path) -> None:
    for page in site.rglob("*.html"):
        for link in re.findall(r'(?:href|src)="([^"#?]+)', page.read_text(encoding="utf-8")):
            assert not re.match(r"\w+:|/", link), f"{page}: {link} is not relative"
            assert (page.parent / link).is_file(), f"{page}: {link}"


def test_names_from_portals_are_escaped_everywhere(site: Path) -> None:
    pages = [path for path in site.rglob("*.html") if b"alert" in path.read_bytes()]
    assert len(pages) > 1
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert "<script>alert" not in text
        for data in re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', text, re.DOTALL):
            assert "<" not in data
    assert any(HOSTILE in json.dumps(json.loads(data), ensure_ascii=False) for page in pages
               for data in re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', page.read_text(encoding="utf-8")))  # fmt: skip


def test_pages_obey_the_strictest_policy(site: Path) -> None:
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; object-src 'none'" in text.replace(
            "&#39;", "'"
        )
        assert not re.search(r"\sstyle=|<style|\son\w+=", text), page
        assert all("src=" in tag or "application/json" in tag for tag in re.findall(r"<script[^>]*>", text)), page


def test_a_chart_for_other_sites_is_an_image_with_its_source_and_without_style(site: Path) -> None:
    images = [path for path in site.rglob("*.svg") if "assets" not in path.parts]
    assert {path.name for path in images} >= {"agencies.svg", "funds.svg", "services.svg"}
    for path in images:
        text = path.read_text(encoding="utf-8")
        root = ET.fromstring(text)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert not re.search(r"\sstyle=|<style|<script|\son\w+=|href", text), path
        assert "Source: Town Hall" in text
        assert (path.parent / "index.html").read_text(encoding="utf-8").count(f'data-embed-code="{path.name}"') == 1
    bars = (site / "budget" / "town" / "agencies.svg").read_text(encoding="utf-8")
    assert re.findall(r"<text [^>]*y=\"(?:18|44)\"[^>]*>(.*?)</text>", bars) == [
        "Fire",
        "$300",
        "Parks &amp; Trees",
        "$100",
    ]


def test_files_are_named_by_their_content_and_listed(site: Path) -> None:
    manifest = json.loads((site / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["release_id"] == "r1"
    hashed = {str(path.relative_to(site)) for path in (site / "files").rglob("*") if path.is_file()}
    tables = {str(path.relative_to(site)) for path in (site / "releases" / "r1").glob("*.parquet")}
    assert {file["path"] for file in manifest["files"].values()} == hashed | tables
    assert len(tables) == len(BUDGET)
    for file in manifest["files"].values():
        digest = hashlib.sha256((site / file["path"]).read_bytes()).hexdigest()
        assert file["sha256"] == digest
        assert digest[:12] in file["path"] or file["path"] in tables


def test_a_download_has_the_rows_it_states_and_no_formula(site: Path) -> None:
    files = json.loads((site / "manifest.json").read_text(encoding="utf-8"))["files"]
    for name in ("tables/marts.fct_budget_lines.csv", "budget/town/agencies.csv"):
        with (site / files[name]["path"]).open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        assert len(rows) == files[name]["rows"] == 3
        assert sum(float(row["appropriated_amount"]) for row in rows) == 600.25
        assert not any(value.startswith("=") for row in rows for value in row.values())


def test_two_builds_are_equal_to_the_byte(release: Path, site: Path, tmp_path: Path) -> None:
    assert texts(build_site(release, tmp_path / "site").folder) == texts(site)


def test_a_folder_may_have_any_name(release: Path, tmp_path: Path) -> None:
    folder = tmp_path / "a, b's"
    folder.mkdir()
    assert build_site(release, folder / "site").is_new


def test_the_same_release_is_not_built_again(release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = build_site(release, tmp_path / "site")
    assert first.is_new
    again = build_site(release, tmp_path / "site")
    assert not again.is_new
    assert (again.pages, again.bytes) == (first.pages, first.bytes)
    monkeypatch.setattr(build, "code_hash", lambda: "other code")
    assert build_site(release, tmp_path / "site").is_new


def next_release(file: Path, changed: str) -> Path:
    """The release of `BUDGET` after r1, in which one table has other rows."""
    tables = BUDGET | {changed: f"{BUDGET[changed]} limit 1"}
    small_release(file, tables)
    with duckdb.connect(str(file)) as connection:
        connection.execute("update meta.releases set release_id = 'r2', released_at = released_at + interval 1 day")
        for table in BUDGET:
            change = {
                "release_id": "r2" if table == changed else "r1", "released_at": MOMENT, "table_name": table, "change": "new",
                "summary": "x",
            }  # fmt: skip
            meta.put(connection, "marts.mart_changes", "table_name", table, [change])
    return file


def test_files_of_unchanged_tables_are_taken_over_from_the_site_before(tmp_path: Path) -> None:
    changed = "marts.dim_objects"
    release = next_release(tmp_path / "r1.duckdb", changed)
    with duckdb.connect(str(release)) as connection:
        connection.execute("update meta.releases set release_id = 'r1'")
        connection.execute(f"create or replace table {changed} as {BUDGET[changed]}")
        connection.execute(
            "update meta.tables set content_hash = 'before', row_count = 2 where table_name = ?", [changed]
        )
    first = build_site(release, tmp_path / "site").folder.resolve()
    before = json.loads((first / "manifest.json").read_text())["files"]
    damaged = first / before["tables/marts.dim_funds.csv"]["path"]
    damaged.chmod(0o600)
    damaged.write_bytes(b"damaged")
    second = build_site(next_release(tmp_path / "r2.duckdb", changed), tmp_path / "site").folder.resolve()
    assert first != second
    after = json.loads((second / "manifest.json").read_text())["files"]
    taken = {
        name.removeprefix("releases/r2/")
        for name, file in after.items()
        for other in before.values()
        if (second / file["path"]).samefile(first / other["path"])
    }
    tables = BUDGET.keys() - {changed}
    expected = {name for table in tables for name in (f"tables/{table}.csv", f"{table}.parquet", f"tables/{table}.zip")}
    assert {name for name in taken if "marts." in name} == expected - {"tables/marts.dim_funds.csv"}
    assert "changes.csv" not in taken, "a table without a hash of its contents is always written"
    for file in after.values():
        assert hashlib.sha256((second / file["path"]).read_bytes()).hexdigest() == file["sha256"]
    fresh = build_site(tmp_path / "r2.duckdb", tmp_path / "other").folder
    assert texts(second) == texts(fresh), "taken over or written, the site is the same"


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"{}", b"\xff"])
def test_a_site_with_a_damaged_manifest_is_made_again(site: Path, tmp_path: Path, damage: bytes) -> None:
    public = tmp_path / "public"
    public.symlink_to(tmp_path / "damaged")
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "manifest.json").write_bytes(damage)
    assert site_before(public) is None
    (tmp_path / "damaged" / "manifest.json").write_bytes((site / "manifest.json").read_bytes())
    assert (site_before(public) or {})["release_id"] == "r1"


def test_a_file_of_the_site_before_is_never_written_into(release: Path, site: Path, tmp_path: Path) -> None:
    manifest = json.loads((site / "manifest.json").read_text())
    name = "tables/marts.dim_funds.csv"
    entry = manifest["files"][name]
    (tmp_path / "draft").mkdir()
    with connect(release) as connection:
        draft = Site(tmp_path / "draft", read_facts(connection), connection, Earlier(site, manifest), "")
        for _ in range(2):  # the second time a rename onto the same file does nothing, and leaves the link
            assert draft.add(name, entry["made_from"], lambda _: 1 // 0).sha256 == entry["sha256"]
        draft.file("other.json", b"{}")
    assert hashlib.sha256((site / entry["path"]).read_bytes()).hexdigest() == entry["sha256"]


def test_nothing_is_taken_over_from_other_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = build_site(small_release(tmp_path / "r1.duckdb"), tmp_path / "site").folder.resolve()
    monkeypatch.setattr(build, "code_hash", lambda: "other code")
    second = build_site(tmp_path / "r1.duckdb", tmp_path / "site").folder.resolve()
    inodes = {path.stat().st_ino for path in first.rglob("*") if path.is_file()}
    assert not {path.stat().st_ino for path in second.rglob("*") if path.is_file()} & inodes


def test_pages_know_when_portals_were_last_asked_though_no_release_was_made(release: Path, tmp_path: Path) -> None:
    def asked(site: Path) -> str:
        return str(json.loads((site / "asked.json").read_text())["asked_at"])

    assert asked(build_site(release, tmp_path / "site").folder) < "2027"
    later = build_site(release, tmp_path / "site", datetime(2031, 1, 2, 3, 4, 5, tzinfo=UTC))
    assert (later.is_new, asked(later.folder)) == (False, "2031-01-02T03:04:05Z")


def test_a_build_that_fails_leaves_the_old_site(release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = texts(build_site(release, tmp_path / "site").folder)
    monkeypatch.setattr(build, "code_hash", lambda: "other code")
    monkeypatch.setattr(build.data, "build", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        build_site(release, tmp_path / "site")
    assert texts(tmp_path / "site") == before


def test_what_is_no_site_is_not_replaced(release: Path, tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    with pytest.raises(SiteFolderTaken, match="choose another --out"):
        build_site(release, tmp_path / "site")
    with pytest.raises(WarehouseMissing):
        build_site(tmp_path / "none.duckdb", tmp_path / "other")


def test_what_is_held_back_says_since_when_and_why(tmp_path: Path) -> None:
    held = {"status": "held_back", "held_back_since": "2026-01-01 00:00", "held_back_because": "Totals <differ>."}
    site = build_site(small_release(tmp_path / "r.duckdb", fct_budget_lines=held), tmp_path / "site").folder
    for page in ("index.html", "budget/town/index.html", "data/marts.fct_budget_lines/index.html"):
        text = (site / page).read_text(encoding="utf-8")
        assert "Held back since Jan 1, 2026." in text
        assert "Totals &lt;differ&gt;." in text


def test_an_absent_table_shows_its_reason(tmp_path: Path) -> None:
    site = build_site(small_release(tmp_path / "r.duckdb", {}), tmp_path / "site").folder
    text = (site / "budget" / "index.html").read_text(encoding="utf-8")
    assert "Budget is not shown." in text
    assert "No release has this table yet." in text


def test_pages_that_need_a_table_which_never_passed_are_left_out_and_the_others_are_made(tmp_path: Path) -> None:
    tables = {name: query for name, query in BUDGET.items() if name != "marts.dim_objects"}
    tables |= {
        "marts.dim_cities": "select 'town' as city",
        "marts.dim_geographies": "select 'town' as city, 'n1' as geography_id, 'neighborhood' as kind, 'Upper' as geography_name,"
        " 'UPPER' as geography_key",
        "marts.bridge_geography_weights": "select 'town' as city",  # of an earlier release, with other columns
    }
    release = small_release(tmp_path / "r.duckdb", tables)
    built = build_site(release, tmp_path / "site")
    assert list(built.left_out) == ["budget/", "places/"]
    assert "Upper" not in (built.folder / "index.html").read_text(encoding="utf-8")  # its page is not there
    assert "dim_objects" in built.left_out["budget/"]
    for page in ("budget", "budget/town"):
        text = (built.folder / page / "index.html").read_text(encoding="utf-8")
        assert "Budget is not shown." in text
        assert (
            "It needs a table that this release does not have. The pages come back with the first release that has it."
            in text
        )
        assert "dim_objects" not in text  # the words of the engine are for those who run it
    assert (built.folder / "spending" / "index.html").exists()
    assert not build_site(release, tmp_path / "site").is_new


def test_pages_that_are_left_out_name_the_table_that_is_held_back(tmp_path: Path) -> None:
    held = {
        "status": "held_back",
        "held_back_since": "2026-01-01 00:00",
        "held_back_because": "Totals <differ>.",
        "row_count": None,
    }
    release = small_release(tmp_path / "r.duckdb", dim_objects=held)
    with duckdb.connect(str(release)) as connection:
        connection.execute("drop table marts.dim_objects")
    text = (build_site(release, tmp_path / "site").folder / "budget" / "index.html").read_text(encoding="utf-8")
    assert "It needs the table Objects. It is held back: Totals &lt;differ&gt;." in text
    assert 'href="../data/marts.dim_objects/index.html"' in text


def test_a_subject_has_a_page_that_names_the_cities_without_it(tmp_path: Path) -> None:
    release = small_release(tmp_path / "r.duckdb")
    with duckdb.connect(str(release)) as connection:
        other = {"place": "village", "kind": "city", "title": "Village", "owners": []}
        meta.put(connection, "meta.places", "place", "village", [other])
    site = build_site(release, tmp_path / "site").folder
    listed = (site / "budget" / "index.html").read_text(encoding="utf-8")
    assert 'href="../budget/town/index.html"' in listed
    for page in (listed, (site / "budget" / "town" / "index.html").read_text(encoding="utf-8")):
        assert "Village: nothing of this kind is in the release." in page


def test_libraries_are_what_their_list_says() -> None:
    listed = json.loads((HERE / "vendor" / "vendor.json").read_text(encoding="utf-8"))
    files = {name: digest for library in listed for name, digest in library["files"].items()}
    assert files.keys() | {"README.md", "vendor.json"} == {path.name for path in (HERE / "vendor").iterdir()}
    for name, digest in files.items():
        assert hashlib.sha256((HERE / "vendor" / name).read_bytes()).hexdigest() == digest
    used = "".join(
        path.read_text(encoding="utf-8") for part in ("assets", "templates") for path in (HERE / part).iterdir()
    )
    assert [name for name in files if not name.endswith("LICENSE") and name not in used] == []
    assert all(library["licence"] and library["licence_file"] in library["files"] for library in listed)


def test_pages_with_one_name_have_titles_that_say_where_they_are(site: Path) -> None:
    titles = [
        re.findall("<title>(.*?)</title>", page.read_text(encoding="utf-8"), re.DOTALL)[0]
        for page in site.rglob("index.html")
    ]
    assert "Fire – Budget of Town – Civic data" in titles
    assert len(titles) == len(set(titles))


def test_names_that_are_for_programs_are_written_in_words() -> None:
    text = "Only primes (prime_payments_only): see marts.mart_mwbe_reported and mart_kpi_lifecycle; plan_goals.csv is a file, not a case_rate."
    assert (
        in_words(text)
        == "Only primes (“prime payments only”): see M/WBE reported and KPI lifecycle; plan_goals.csv is a file, not a “case rate”."
    )


def test_a_date_to_come_is_an_error_of_the_source_and_not_the_newest_data(tmp_path: Path) -> None:
    entry = {"data_date": date(2062, 3, 1)}
    with connect(small_release(tmp_path / "r.duckdb", fct_budget_lines=entry)) as connection:
        assert read_facts(connection).tables["marts.fct_budget_lines"].data_date is None


def test_values_as_people_write_them() -> None:
    assert [dollars(value) for value in (None, 0, -0.4, 1234.5, -1234.6)] == ["–", "$0", "$0", "$1,235", "-$1,235"]
    assert [short_dollars(value) for value in (3_843_477_486, 999_600_000, 64_100_000, 9_996_000, 45_300, -2_000_000)] == [
        "$3.84 billion", "$1.00 billion", "$64.1 million", "$10.0 million", "$45,300", "-$2.00 million",
    ]  # fmt: skip
    assert [change(value) for value in (None, 0.25, -0.121)] == ["–", "+25.0%", "-12.1%"]
    assert day(None) == "–"


def test_a_changed_figure_is_written_to_the_digit_that_changed() -> None:
    values = [
        (-1234.5, "USD"),
        (12, "USD per resident"),
        (0.12345, "share"),
        (1234.50001, "notices"),
        (7, "as in unit"),
    ]
    assert [figure(*value) for value in values] == [
        "-$1,234.50",
        "$12.00 per resident",
        "12.35%",
        "1,234.5 notices",
        "7",
    ]


def test_a_name_used_twice_gets_two_addresses() -> None:
    names = [
        ("a", "Fire"),
        ("b", "Fire"),
        ("c", "FIRE"),
        ("d", "Été!"),
        ("e", "../x"),
        ("f", "火"),
        ("g", "🔥"),
        ("h", "x" * 500),
    ]
    parts = slugs(names)
    assert (parts["a"], parts["d"], parts["e"], parts["f"]) == ("fire", "t", "x", "none")
    assert len(set(parts.values())) == len(names), "each has an address of its own"
    assert max(map(len, parts.values())) <= 70, "a file system has a limit"
