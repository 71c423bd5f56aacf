"""Hostile texts in every column that holds text: they are text in every file of the site that a browser or a reader parses."""

import csv
import json
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import duckdb
import pytest
from small_release import FLAGS, OTHERS, small_release

from civic_pipeline.publish.site import build_site

TEXT = (
    "<script>alert(1)</script>\"onerror=alert(2) '><img src=x onerror=alert(3)> \u202eRTL\x1b[2J {{7*7}} %s %n ]]> --> </script><!--"
    " javascript:alert(4) &amp;"
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of a release by hand, in which every name, title and sentence is hostile. Codes and ids stay."""
    release = small_release(tmp_path_factory.mktemp("release") / "warehouse.duckdb", FLAGS | OTHERS)
    with duckdb.connect(str(release)) as connection:
        columns = connection.execute(
            "select concat_ws('.', schema_name, table_name), column_name from duckdb_columns()"
            " where data_type = 'VARCHAR' and schema_name in ('marts', 'meta') and column_name not in ('table_name', 'column_type')"
        ).fetchall()
        for table, column in columns:
            is_text = f"regexp_matches({column}, '[A-Z ]')"
            connection.execute(f"update {table} set {column} = '=' || {column} || ? where {is_text}", [TEXT])
    return build_site(release, release.parent / "site").folder


class Page(HTMLParser):
    """What of a page a browser would run."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.runs: list[str] = []
        self.policies = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.policies += given.get("http-equiv") == "Content-Security-Policy"
        self.runs += [
            name for name, value in given.items() if name.startswith("on") or "javascript:" in value[:20].lower()
        ]
        if tag == "script" and not given.get("src") and "json" not in given.get("type", ""):
            self.runs.append("a script in the page")
        if tag == "img" and given.get("src") == "x":
            self.runs.append("an image of the text")


def test_pages_run_nothing_of_it(site: Path) -> None:
    pages = {path: path.read_text(encoding="utf-8") for path in site.rglob("*.html")}
    assert sum("alert(1)" in text for text in pages.values()) > 10
    for path, text in pages.items():
        page = Page(text)
        assert page.runs == [], path
        assert page.policies == 1, path
        assert "\x1b" not in text, path
        assert "\u202e" not in text, path


def test_charts_feed_and_data_can_be_parsed(site: Path) -> None:
    files = [path for path in site.rglob("*") if path.suffix in (".svg", ".xml", ".json", ".csv")]
    assert {path.suffix for path in files} == {".svg", ".xml", ".json", ".csv"}
    for path in files:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".json":
            json.loads(text)
        elif path.suffix == ".csv":
            assert not [cell for row in csv.reader(text.splitlines()) for cell in row if cell.startswith(("=", "@"))], (
                path
            )
        else:
            assert "script" not in {element.tag.rpartition("}")[2] for element in ET.fromstring(text).iter()}, path
