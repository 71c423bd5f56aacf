"""The public site of the released sample in Chromium, served as a static host would, with its policy enforced."""

import csv
import gzip
import io
import json
import os
import re
import shutil
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from grades import grades_of
from playwright.sync_api import Browser, Page, expect, sync_playwright
from terminal import Place

from civic_pipeline.publish.site import build_site
from civic_pipeline.publish.site.server import application
from civic_pipeline.releases import connect

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium: apt-get install chromium"),
]
_FLAGS = (
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
)  # fmt: skip
_FIRST_LOAD_BYTES = 150_000
_FIRST_LOAD_REQUESTS = 14  # the index of the search is read in pieces, not counted
_VENDOR_INDEX_BYTES = 350_000
_RULES = {
    "resultTypes": ["violations"],
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}


@pytest.fixture(scope="module")
def site(released: Place, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_site(released.data / "warehouse.duckdb", tmp_path_factory.mktemp("public") / "site").folder


@pytest.fixture(scope="module")
def warehouse(released: Place) -> Path:
    return released.data / "warehouse.duckdb"


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    server = uvicorn.Server(uvicorn.Config(application(site), port=0, log_level="warning", lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(_FLAGS))
        yield browser
        browser.close()


@contextmanager
def opened(browser: Browser, address: str, **options: Any) -> Iterator[Page]:
    """A page in a new context. No request may leave the origin, and no error may be logged."""
    context = browser.new_context(base_url=address, accept_downloads=True, **options)
    page, elsewhere, errors = context.new_page(), list[str](), list[str]()
    page.set_default_timeout(30_000)
    context.on(
        "request",
        lambda request: None if request.url.startswith((address, "blob:", "data:")) else elsewhere.append(request.url),
    )
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert elsewhere == []
    assert errors == []


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    with opened(browser, address, viewport={"width": 1280, "height": 900}) as page:
        yield page


def ask(warehouse: Path, query: str, *parameters: object) -> list[tuple[Any, ...]]:
    with connect(warehouse) as connection:
        return connection.execute(query, list(parameters)).fetchall()


def instances(site: Path) -> list[str]:
    """Three pages of each template, of different subjects where there are some; every page with CIVIC_EVERY_PAGE."""
    pages: dict[str, str] = json.loads((site / "manifest.json").read_text(encoding="utf-8"))["pages"]
    if os.environ.get("CIVIC_EVERY_PAGE"):
        return list(pages)
    chosen: dict[str, list[str]] = {}
    for path in sorted(pages, key=lambda path: (_place_in_its_kind(path, pages), path)):
        of_template = chosen.setdefault(pages[path], [])
        if len(of_template) < 3 or _place_in_its_kind(path, pages) == 0:
            of_template.append(path)
    return [path for paths in chosen.values() for path in paths]


def _place_in_its_kind(path: str, pages: Iterable[str]) -> int:
    """How many pages of the same subject and depth come before it."""
    kind = path.partition("/")[0], path.count("/")
    return sum(other < path and (other.partition("/")[0], other.count("/")) == kind for other in pages)


def test_pages_are_accessible_small_and_readable_at_four_hundred_percent(
    browser: Browser, address: str, site: Path
) -> None:
    axe, problems = Axe(), list[str]()
    with opened(browser, address, viewport={"width": 320, "height": 640}) as page:  # 1280 px at 400%, or a small phone
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url.removeprefix(address).partition("?")[0]))
        for path in [*instances(site), "search/?q=budget", "budget/baltimore/?view=map"]:
            query = "?zip=21201" if path == "firms/" else ""  # axe reads each visible row: thousands take a minute
            asked.clear()
            page.goto(f"/{path}{query}")
            page.wait_for_load_state("networkidle")
            violations = axe.run(page, options=_RULES).response["violations"]
            problems += [f"/{path}: {rule['id']}: {rule['nodes'][0]['html'][:200]}" for rule in violations]
            problems += [f"/{path} is wider than the window: {element}" for element in page.evaluate(_TOO_WIDE)]
            if (size := first_load(site, asked)) > _FIRST_LOAD_BYTES:
                problems.append(f"/{path} loads {size:,} bytes")
            if (requests := sum("pagefind" not in part for part in asked)) > _FIRST_LOAD_REQUESTS:
                problems.append(f"/{path} makes {requests} requests")
    assert "\n".join(problems) == ""


# Elements that make the page scroll sideways, or whose text is cut.
_TOO_WIDE = """() => document.documentElement.scrollWidth <= 320 ? [] : [...document.querySelectorAll('body *')]
    .filter(element => element.getBoundingClientRect().right > 320 && !element.closest('.scroll')).map(element => element.outerHTML.slice(0, 150))"""


def test_texts_are_for_readers_of_grade_eight(site: Path) -> None:
    grades = grades_of(site)
    assert len(grades) > 200
    assert sum(grades) / len(grades) <= 8


def first_load(site: Path, asked: list[str]) -> int:
    """Bytes of the page and what it loads at once, compressed; the index of the search and the data files come later."""
    files = {site / path.lstrip("/") / ("index.html" if path.endswith("/") else "") for path in asked}
    return sum(len(gzip.compress(file.read_bytes())) for file in files if not {"files", "pagefind"} & set(file.parts))


def test_what_a_vendor_was_paid_is_three_clicks_away(page: Page, warehouse: Path) -> None:
    name, paid, rows = ask(
        warehouse,
        "select vendor_name, sum(fct_payments.paid_amount), count(*) from fct_payments inner join dim_vendors using (vendor_id)"
        " group by vendor_id, vendor_name order by 3 desc limit 1",
    )[0]
    clicks = clicked(page)
    page.goto("/")
    page.get_by_role("link", name="Spending", exact=True).first.click()
    page.get_by_label("Name of the vendor").fill(name[:8].lower())
    page.get_by_role("option", name=name).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    expect(page.get_by_text(f"in {rows:,} payment lines")).to_be_visible()
    assert len(clicks) <= 3
    with page.expect_download() as download:
        page.get_by_role("button", name=f"Download all {rows:,} payment lines").click()
    lines = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text(encoding="utf-8-sig"))))
    assert {line["vendor"] for line in lines} == {name}
    assert len(lines) == rows
    assert sum((Decimal(line["amount"]) for line in lines), Decimal()) == paid


def test_a_vendor_with_markup_for_a_name_is_text_wherever_it_stands(page: Page, site: Path, warehouse: Path) -> None:
    ((name,),) = ask(warehouse, "select vendor_name from dim_vendors where vendor_name like '%<script>%'")
    page.goto("/spending/baltimore/")
    page.get_by_label("Name of the vendor").fill(name[:18])
    page.get_by_role("option", name=name).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    expect(page.locator(".reference")).to_contain_text(name)
    assert page.locator("main script:not([type='application/json'])").count() == 0
    assert [file for file in site.rglob("*.html") if "<script>" in file.read_text(encoding="utf-8")] == []


def test_a_property_is_looked_up_with_its_time_line_and_its_whole_block(page: Page, warehouse: Path) -> None:
    lot, block, address, events, properties = ask(
        warehouse,
        "select block_lot, block, address, event_count, (select count(*) from mart_property_profiles as others where others.block = own.block)"
        " from mart_property_profiles as own where is_vacant order by event_count desc, block_lot limit 1",
    )[0]
    days = ask(
        warehouse,
        "select event_date, capture_id from fct_property_events where block_lot = ?"
        " order by event_date desc, event_type, event_id",
        lot,
    )
    page.goto("/housing/baltimore/")
    page.get_by_label("Address of a building").fill(address.lower())
    page.get_by_role("option", name=f"{address} ({lot.replace('|', ' ')})").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(address)
    lines = page.locator("[data-table=time-line] tbody tr")
    assert lines.count() == events
    shown = [[str(cell.get_attribute("data-value")) for cell in line.locator(".day").all()] for line in lines.all()]
    assert shown == [[str(day), capture] for day, capture in days]
    expect(page.get_by_role("heading", name=f"The whole block {block}")).to_be_visible()
    assert page.locator("[data-table=block] tbody tr").count() == properties
    neighbor = page.locator("[data-table=block] tbody a").first
    expected = neighbor.inner_text()
    neighbor.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(expected)


def test_rows_of_another_release_are_not_shown_as_the_vendors(page: Page, site: Path, warehouse: Path) -> None:
    (name,) = ask(warehouse, "select vendor_name from dim_vendors order by vendor_name limit 1 offset 5")[0]
    files = json.loads((site / "manifest.json").read_text(encoding="utf-8"))["files"]
    index = json.loads((site / files["spending/baltimore/vendors.json"]["path"]).read_text(encoding="utf-8"))
    index["rows"][0] += 1  # every later vendor's rows are one off
    page.route("**/vendors.*.json", lambda route: route.fulfill(json=index))
    page.goto(f"/spending/baltimore/vendor/?vendor={name}")
    expect(page.get_by_text("rows of another name or release")).to_be_visible()
    assert page.locator("[data-vendor] table").count() == 0


def test_how_an_agencys_budget_changed_is_three_clicks_away(page: Page, warehouse: Path) -> None:
    year, agency, now, before = ask(
        warehouse,
        "select fiscal_year, agency_name, appropriated_amount, previous_amount from mart_budget_by_agency where city = 'baltimore'"
        " and phase = 'adopted' and previous_amount > 0 order by fiscal_year desc, appropriated_amount desc limit 1",
    )[0]
    clicks = clicked(page)
    page.goto("/")
    page.get_by_role("link", name="Budget", exact=True).first.click()
    row = page.get_by_role("row").filter(has=page.get_by_role("link", name=agency, exact=True)).first
    assert [cell.get_attribute("data-value") for cell in row.get_by_role("cell").all()[::2]] == [
        f"{now:.2f}",
        f"{before:.2f}",
    ]
    row.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(agency)
    expect(page.get_by_text(f"adopted for fiscal year {year}")).to_be_visible()
    assert len(clicks) <= 3
    page.locator("tbody a").first.click()
    expect(page.get_by_role("heading", name="By line of the budget")).to_be_visible()


def test_firms_of_a_trade_in_a_zip_code_are_three_clicks_away_and_downloaded_as_seen(
    page: Page, warehouse: Path
) -> None:
    clicks = clicked(page)
    page.goto("/")
    page.get_by_role("link", name="Certified firms", exact=True).first.click()
    page.get_by_text("More filters").click()
    page.get_by_label("Register").select_option("Maryland")
    page.get_by_label("In or near a neighborhood").select_option("Oliver")
    page.reload()
    expect(page.get_by_label("In or near a neighborhood")).to_have_value("Oliver")
    zips = {row.locator("td").nth(3).inner_text() for row in page.locator("#firms tbody tr:visible").all()}
    assert set() < zips <= {code for (code,) in ask(warehouse, _ZIP_CODES_OF_A_NEIGHBORHOOD, "Oliver")}
    page.get_by_label("In or near a neighborhood").select_option("all")
    page.get_by_label("ZIP code").fill("212")
    page.get_by_label("Trade or service").fill("services")
    shown = page.locator("#firms tbody tr:visible").count()
    assert 0 < shown < page.locator("#firms tbody tr").count()
    assert "zip=212" in page.url
    lines = downloaded(page, "Download what you see")
    assert len(clicks) <= 3
    assert len(lines) == shown
    assert all(line["ZIP"].startswith("212") and "Maryland" in line["Register and type"] for line in lines)
    ((firms, paid),) = ask(
        warehouse,
        "select count(*), sum(paid_amount) from mart_mwbe_finder"
        " where authority = 'maryland' and zip_code like '212%' and trades ilike '%services%'",
    )
    assert (shown, sum(Decimal(line["Paid"] or 0) for line in lines)) == (firms, paid)


_ZIP_CODES_OF_A_NEIGHBORHOOD = """
    select zips.geography_key
    from bridge_geography_weights as parts
    inner join dim_geographies as areas on areas.geography_id = parts.from_geography_id
    inner join dim_geographies as zips on zips.geography_id = parts.to_geography_id
    where areas.kind = 'neighborhood' and areas.geography_name = ? and parts.to_kind = 'zip code'"""


def test_the_table_of_a_budget_is_downloaded_to_the_cent(page: Page, warehouse: Path) -> None:
    page.goto("/budget/chicago/")
    lines = downloaded(page, "Download what you see")
    year = list(lines[0])[1]
    expected = ask(
        warehouse,
        "select agency_name, appropriated_amount from mart_budget_by_agency where city = 'chicago' and phase = 'adopted'"
        " and fiscal_year = ? and appropriated_amount <> 0",
        int(year.removeprefix("FY ")),
    )
    assert {line["Agency"]: Decimal(line[year]) for line in lines if Decimal(line[year])} == dict(expected)


def clicked(page: Page) -> list[str]:
    """The clicks of a mouse from now on, on every page that follows."""
    clicks: list[str] = []

    def count(target: str) -> None:  # Playwright cannot call a built-in method
        clicks.append(target)

    page.expose_function("countClick", count)
    page.add_init_script(
        "addEventListener('click', event => event.isTrusted && countClick(event.target.outerHTML), true)"
    )
    return clicks


def downloaded(page: Page, button: str) -> list[dict[str, str]]:
    """The rows of the CSV that the first button of that name saves."""
    with page.expect_download() as download:
        page.get_by_role("button", name=button).first.click()
    return list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text(encoding="utf-8-sig"))))


def test_the_index_of_vendors_is_loaded_when_it_is_first_needed(page: Page, site: Path, address: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.removeprefix(address)))
    page.goto("/spending/baltimore/")
    page.wait_for_load_state("networkidle")
    assert not any("/files/" in path for path in asked)
    with page.expect_response("**/vendors.*.json"):
        page.get_by_label("Name of the vendor").focus()
    (index,) = (path for path in asked if "/files/" in path)
    assert len(gzip.compress((site / index.lstrip("/")).read_bytes())) <= _VENDOR_INDEX_BYTES


def test_the_site_is_used_with_the_keyboard_alone(page: Page) -> None:
    page.goto("/budget/baltimore/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.get_by_role("tab", name="Sorted bars").first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Treemap").first).to_be_focused()
    boxes = page.locator("#agencies-map a")
    assert boxes.count() > 5
    boxes.first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="By service")).to_be_visible()
    page.goto("/spending/baltimore/")
    page.get_by_label("Name of the vendor").focus()
    page.keyboard.type("co")
    expect(page.get_by_role("option").first).to_be_visible()
    for _ in range(50):  # the list looks at its field every 100 ms and may begin again
        page.keyboard.press("ArrowDown")
        page.wait_for_timeout(150)
        if page.locator("[role=option]:focus").count():
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/vendor/**vendor=**")


def test_the_menu_of_a_phone_opens_and_closes_with_the_keyboard(browser: Browser, address: str) -> None:
    with opened(browser, address, viewport={"width": 320, "height": 640}) as page:
        page.goto("/about/")
        menu, link = page.get_by_role("button", name="Menu"), page.locator("#menu").get_by_text("Housing")
        expect(link).to_be_hidden()
        menu.focus()
        page.keyboard.press("Enter")
        expect(link).to_be_visible()
        page.keyboard.press("Tab")
        expect(page.get_by_role("button", name="Close")).to_be_focused()
        page.keyboard.press("Escape")
        expect(link).to_be_hidden()
        expect(menu).to_be_focused()


def test_choices_filters_folds_and_downloads_work_with_the_keyboard(page: Page) -> None:
    page.goto("/budget/baltimore/")
    unit = page.locator("select[name=unit]")
    unit.focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("[data-base]")).to_contain_text("residents (2020 Census")
    assert "unit=resident" in page.url
    download = page.get_by_role("button", name="Download what you see").first
    download.focus()
    with page.expect_download():
        page.keyboard.press("Enter")
    fold = page.locator("summary").filter(has_text="The numbers as a table").first
    fold.focus()
    page.keyboard.press("Space")
    expect(page.locator("[data-table=flow]")).to_be_visible()
    page.goto("/firms/")
    page.get_by_label("Name", exact=True).focus()
    page.keyboard.type("no firm is called that")
    expect(page.locator("[data-finder-count]")).to_have_text(re.compile("^0 of .* clear the filters"))
    page.set_viewport_size({"width": 320, "height": 640})
    region = page.get_by_role("region", name="Certified firms")
    region.focus()
    page.keyboard.press("ArrowRight")
    for _ in range(50):  # wait_for_function would ask the page to run text as code, which the policy refuses
        if region.evaluate("element => element.scrollLeft"):
            break
        page.wait_for_timeout(100)
    assert region.evaluate("element => element.scrollLeft") > 0


def test_every_part_shows_that_it_is_focused(page: Page) -> None:
    page.goto("/budget/baltimore/")
    without = []
    for _ in range(45):
        page.keyboard.press("Tab")
        without += page.evaluate(
            "() => getComputedStyle(document.activeElement).outlineStyle === 'none' ? [document.activeElement.outerHTML.slice(0, 100)] : []"
        )
    assert without == []


def test_charts_are_read_in_forced_colors_and_nothing_moves_if_asked(browser: Browser, address: str) -> None:
    with opened(browser, address, forced_colors="active", reduced_motion="reduce") as page:
        page.goto("/budget/baltimore/?view=map")
        fill = "element => getComputedStyle(element).fill"
        box, text = (
            page.locator(".treemap .box").first.evaluate(fill),
            page.locator(".treemap text").first.evaluate(fill),
        )
        bar, track = (page.locator(f"#funds-bars .bar .{part}").first.evaluate(fill) for part in ("value", "track"))
        assert box != text
        assert bar != track
        page.goto("/firms/baltimore/")
        strokes = {
            line.evaluate("element => getComputedStyle(element).stroke")
            for line in page.locator(".chart .line0 path").all()
        }
        assert strokes == {page.locator("h1").evaluate("element => getComputedStyle(element).color")}
        page.goto("/")
        moving = "() => [...document.querySelectorAll('*')].filter(one => parseFloat(getComputedStyle(one).transitionDuration)).length"
        assert page.evaluate(moving) == 0


def test_a_page_is_printed_with_all_its_rows_and_without_its_controls(page: Page) -> None:
    page.goto("/spending/baltimore/")
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    for hidden in (".top nav", ".controls", ".downloads"):
        expect(page.locator(hidden).first).to_be_hidden()
    assert page.locator("details:not(.embed):not([open])").count() == 0
    assert page.locator(".scroll").first.evaluate("element => getComputedStyle(element).overflowX") == "visible"
    expect(page.get_by_text("Cite as")).to_be_visible()


def test_a_chart_is_embedded_by_its_whole_address(page: Page, address: str) -> None:
    page.goto("/budget/baltimore/")
    page.get_by_text("Use this chart on another site").first.click()
    code = page.get_by_label("HTML for your page").first.input_value()
    image = re.fullmatch(r'<img src="(.*?)" alt="Budget of Baltimore: by agency" width="720">', code)
    assert image
    assert image[1].startswith(address)
    answer = page.request.get(image[1])
    assert answer.headers["content-type"] == "image/svg+xml"
    assert "Source: " in answer.text()


def test_two_years_are_compared_and_the_choice_is_in_the_address(page: Page) -> None:
    page.goto("/budget/chicago/")
    choices = page.get_by_label("compared with")
    oldest = choices.locator("option").last.get_attribute("value")
    choices.select_option(oldest)
    heads = page.locator("table[data-table=agencies] thead")
    expect(heads).to_contain_text(f"FY {oldest}")
    assert f"with={oldest}" in page.url
    page.reload()
    expect(heads).to_contain_text(f"FY {oldest}")


def test_the_search_runs_under_the_policy(page: Page) -> None:
    page.goto("/")
    page.get_by_role("searchbox").fill("vacant building notices")
    page.keyboard.press("Enter")
    page.locator(".results a").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("acant")


def test_pages_work_without_scripts(browser: Browser, address: str) -> None:
    with opened(browser, address, java_script_enabled=False) as page:
        page.goto("/budget/baltimore/")
        page.locator("tbody a").first.click()
        assert page.locator("tbody tr").count() > 0
        page.goto("/firms/")
        assert page.locator("#firms tbody tr").count() > 100


def test_the_footer_turns_amber_when_the_pipeline_stops(page: Page) -> None:
    page.clock.install(time="2036-01-01T00:00:00Z")
    page.goto("/")
    expect(page.locator(".fresh.old")).to_contain_text("may be out of date")
