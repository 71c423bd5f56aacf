"""What a source does not state: the site is built, and says so, whichever column of the release is null."""

import re
from pathlib import Path

import duckdb
import pytest
from small_release import BUDGET, FLAGS, OTHERS, small_release
from test_site_certification import CERTIFICATION
from test_site_places import TABLES as PLACES

from civic_pipeline.publish.site import build_site, search

# Keys and amounts of the releases have critical checks: a null in them holds the table back.
CHECKED = re.compile(
    r"\w+_id|city|place|plan|block_lot|month|fiscal_(year|period)|observed_date|geography|group_(kind|name)|measure|metric|phase|breakdown|(\w+_)?kind"
)
WORDS = re.compile(r"\b(None|nan|NaN|null)\b")


@pytest.mark.parametrize("part", range(3))
def test_a_null_is_not_stated(part: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "_IS_INSTALLED", False)  # the index costs most of the time
    release = small_release(tmp_path / "r.duckdb", BUDGET | FLAGS | OTHERS | PLACES | CERTIFICATION)
    with duckdb.connect(str(release)) as connection:
        columns = connection.execute(
            "select concat_ws('.', schema_name, table_name), column_name from duckdb_columns()"
            " where schema_name in ('marts', 'clean') order by all"
        ).fetchall()
        for table, column in [pair for pair in columns if not CHECKED.fullmatch(pair[1])][part::3]:
            # A table without one amount would be held back by its totals.
            rows = "rowid % 2 = 1" if column.endswith("_amount") else "true"
            connection.execute(f"update {table} set {column} = null where {rows}")
    site = build_site(release, tmp_path / "site")
    assert site.left_out == {}
    for path in site.folder.rglob("*.html"):
        text = re.sub(r"(?s)<script.*?</script>", "", path.read_text(encoding="utf-8"))
        assert not WORDS.findall(text), path
