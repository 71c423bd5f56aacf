"""`civic backfill`, the run after it, and `civic as-of`, in a terminal."""

import csv
import json
from pathlib import Path

import pytest
from terminal import Place


@pytest.mark.slow
def test_an_older_copy_becomes_history_in_the_next_run(place: Place, tmp_path: Path) -> None:
    with (place.served / "spending.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    fund = header.index("Fund_Description")
    old = [list(row) for row in rows[1:]]
    old[0][fund] = "Another Fund"
    copy = tmp_path / "checkbook_2020.csv"
    with copy.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *old])

    loaded = place.civic(
        "backfill", "baltimore/spending", str(copy), "--captured-at", "2020-02-29", "--edition", "fy2022-"
    )
    assert loaded.code == 0, loaded.err
    assert f"baltimore/spending/2020-02-29T000000.000000Z: {len(old)} rows of checkbook_2020.csv" in loaded.out
    again = place.civic(
        "backfill", "baltimore/spending", str(copy), "--captured-at", "2020-02-29T00:00Z", "--edition", "fy2022-"
    )
    assert again.code == 2
    assert "already exists" in again.message
    assert again.is_plain
    unknown = place.civic("backfill", "baltimore/spendin", str(copy), "--captured-at", "2020-02-29")
    assert (unknown.code, unknown.is_plain) == (2, True)
    assert "no dataset 'baltimore/spendin'" in unknown.message

    night = place.run()
    assert night.code == 0, night.err
    [(key, after)] = place.rows("select record_key, after from meta.revisions where kind = 'added'")
    assert json.loads(key)[0] == rows[0][header.index("Unique_ID")]
    assert json.loads(after)["Supplier_Name"] == (rows[0][header.index("Supplier_Name")] or None)
    assert place.rows(
        "select before ->> 'Fund_Description', after ->> 'Fund_Description' from meta.revisions where kind = 'changed'"
    ) == [("Another Fund", rows[1][fund])]
    assert place.rows("select count(*) from meta.revisions") == [(2,)]
    listed = place.civic("sql", "select kind, changed_columns from meta.revisions order by kind", "--format", "csv")
    assert listed.out.splitlines()[1:] == ['"added",', '"changed","[Fund_Description]"'], listed.err
    assert "raw.baltimore_spending" not in str(
        place.rows("select table_name from meta.tables where status <> 'current'")
    )
    [(newest,)] = place.rows("select distinct captured_at from meta.captures where dataset = 'baltimore/spending'")
    assert newest.year > 2020, "the capture of the portal stays the accepted one"

    query = "select count(*) as row_count from (select * from clean.baltimore_spending union all by name select * from quarantine.baltimore_spending)"
    then = place.civic("as-of", "2020-02-29", query, "--format", "csv")
    assert then.code == 0, then.err
    assert int(then.out.split()[-1]) == len(old)
    before = place.civic("as-of", "2020-02-28T23:59Z", query)
    assert (before.code, before.is_plain) == (2, True)
    assert "baltimore/spending (first captured 2020-02-29)" in before.message
    nonsense = place.civic("as-of", "29 February", query)
    assert (nonsense.code, nonsense.is_plain) == (2, True)
    assert "'29 February': use a day or a time" in nonsense.err
