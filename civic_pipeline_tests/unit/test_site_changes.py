"""What changed: from one release to the next, from one capture to the next, on pages and in the feed."""

import json
import re
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree as ET

import duckdb
import pytest
from small_release import BUDGET, HOSTILE, MOMENT, small_release

from civic_pipeline.publish.site import build_site
from civic_pipeline.warehouse import meta

LATER = datetime(2026, 2, 3, 4, 5, 6)
ATOM = "{http://www.w3.org/2005/Atom}"
CLEAN = {"clean.town_source": "select 1 as id, 12.50::decimal(18, 2) as amount"}
REVISED = 'Amount, $ (6" ~1/a)'
CITIES = {"marts.dim_cities": "select unnest(['town', 'village']) as city"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("changes")
    release = small_release(folder / "r.duckdb", BUDGET | CLEAN | CITIES)
    with duckdb.connect(str(release)) as connection:
        for name, at, values in (
            ("r0", MOMENT, {"change": "new", "rows_after": 2, "summary": "New table: 2 rows."}),
            ("r1", LATER, {
                "change": "changed", "rows_before": 2, "rows_after": 3, "amount_column": "appropriated_amount",
                "amount_before": Decimal("500.25"), "amount_after": Decimal("600.25"), "summary": f"1 row added by {HOSTILE}.",
            }),
        ):  # fmt: skip
            row = {"release_id": name, "released_at": at, "table_name": "marts.fct_budget_lines"} | values
            meta.put(connection, "marts.mart_changes", "release_id", name, [row])
        figure = {
            "released_at": LATER, "table_name": "marts.fct_budget_lines", "row_key": '["l1"]', "column_name": "appropriated_amount",
            "unit": "USD", "value_before": 200.25, "value_after": 300.25, "release_id": "r1",
        }  # fmt: skip
        meta.put(connection, "marts.mart_changed_figures", "release_id", "r1", [
            figure | {"row_name": ["town", "2026", "Fire"]},
            figure | {"row_name": ["town", "2026", HOSTILE], "row_key": '["l2"]', "value_before": 99.0, "value_after": 100.0},
            figure | {"row_name": ["village", "2026", "Fire"], "row_key": '["l9"]'},
        ])  # fmt: skip
        place = {"kind": "city", "owners": []}
        for name in ("town", "village"):
            meta.put(connection, "meta.places", "place", name, [place | {"place": name, "title": name.capitalize()}])
        compared = {
            "dataset": "town/source", "capture_id": "c2", "captured_at": LATER, "is_comparable": True,
            "added": 1, "removed": 0, "changed": 1, "rekeyed": 0,
        }  # fmt: skip
        meta.put(connection, "meta.comparisons", "capture_id", "c2", [compared])
        revision = {
            "dataset": "town/source", "record_key": '["1", "a"]', "kind": "changed", "changed_columns": [REVISED],
            "before": json.dumps({REVISED: "10.00"}), "after": json.dumps({REVISED: "12.50"}),
            "previous_captured_at": MOMENT, "captured_at": LATER,
        }  # fmt: skip
        meta.put(connection, "meta.revisions", "record_key", "x", [revision])
    return build_site(release, folder / "site").folder


def read(site: Path, page: str) -> str:
    return " ".join((site / page).read_text(encoding="utf-8").split())


def test_a_figure_that_changed_says_since_when_from_what_and_to_what(site: Path) -> None:
    for page in ("budget/town/index.html", "data/marts.fct_budget_lines/index.html"):
        text = read(site, page)
        assert "Changed on Feb 3, 2026." in text
        assert "From $500 to $600." in text
    assert "Changed Feb 3, 2026" in read(site, "index.html")
    # A table that is only new did not change.
    assert "Changed on" not in read(site, "data/clean.town_source/index.html")


def test_a_page_states_the_figures_of_its_own_rows_that_changed(site: Path) -> None:
    fire = "Town, 2026, Fire: appropriated amount changed on Feb 3, 2026, from $200.25 to $300.25."
    hostile = "Town, 2026, &lt;script&gt;"
    city, agency = read(site, "budget/town/index.html"), read(site, "budget/town/fire/index.html")
    assert "2 figures of these rows changed" in city
    assert fire in city
    assert hostile in city
    assert "1 figure of these rows changed" in agency
    assert fire in agency
    assert "Village, 2026" not in city + agency
    assert "3 figures of these rows changed" in read(site, "data/marts.fct_budget_lines/index.html")
    assert "each figure that changed: 3 rows, CSV" in read(site, "changes/index.html")


def test_the_page_lists_releases_from_the_newest(site: Path) -> None:
    text = read(site, "changes/index.html")
    assert re.findall(r'<h2 id="r\d">(.*?)</h2>', text) == [
        "Feb 3, 2026: 1 table changed",
        "Jan 2, 2026: 1 new table",
    ]
    assert 'data-value="500.25"' in text
    assert "<script>alert" not in text


def test_the_feed_is_atom_with_an_entry_for_each_release(site: Path) -> None:
    feed = ET.fromstring((site / "changes" / "feed.xml").read_bytes())
    assert feed.tag == f"{ATOM}feed"
    entries = feed.findall(f"{ATOM}entry")
    assert [entry.findtext(f"{ATOM}id") for entry in entries] == [
        "urn:civic-pipeline:release:r1",
        "urn:civic-pipeline:release:r0",
    ]
    assert [entry.findtext(f"{ATOM}updated") for entry in entries] == ["2026-02-03T04:05:06Z", "2026-01-02T03:04:05Z"]
    assert HOSTILE in (entries[0].findtext(f"{ATOM}content") or "")
    for name in ("id", "title", "updated"):
        assert feed.findtext(f"{ATOM}{name}")
    links = [entry.find(f"{ATOM}link").attrib["href"] for entry in entries]
    assert links == ["index.html#r1", "index.html#r0"], "the part of a release, also when newer ones stand above it"
    assert all(f'id="{link.partition("#")[2]}"' in read(site, "changes/index.html") for link in links)


def test_values_that_a_portal_revised_are_beside_each_other(site: Path) -> None:
    text = read(site, "data/clean.town_source/index.html")
    assert "town/source: 1 records added, 0 removed, 1 revised" in text
    assert re.search(
        r"1, a</th><td><code>Amount, \$ \(6&#34; ~1/a\)</code></td><td>10.00</td><td>12.50</td><td>Jan 2, 2026</td>",
        text,
    )
