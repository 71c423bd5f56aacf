"""A name is planted in each personal column of the sample, and everything that leaves is searched: files, pages, logs, answers."""

import csv
import re
import zipfile
from pathlib import Path

import duckdb
import pytest
from terminal import Ended, Place, edit

from civic_pipeline.catalog import load_datasets

MARK = "Planted4711"
CLEAN = "sql/clean/maryland/mbe_directory"
# What stays: the captures, and the build in which they are matched.
STAYS = {"lake", "build"}


def plant(file: Path, columns: list[str], word: str) -> None:
    """Write `word` and the column's name into every row of `columns`, numbered."""
    with file.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    for number, row in enumerate(rows):
        row.update({column: f"{MARK} {word} {column} {number}" for column in columns})
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def texts(file: Path) -> list[str]:
    """All that a file holds, as text: of databases every value of every table, of archives every file."""
    if file.suffix == ".zip":
        with zipfile.ZipFile(file) as archive:
            return [archive.read(name).decode("utf-8", errors="replace") for name in archive.namelist()]
    if file.suffix == ".parquet":
        return [str(duckdb.read_parquet(str(file)).fetchall())]
    if file.suffix == ".duckdb":
        with duckdb.connect(str(file), read_only=True) as connection:
            names = connection.execute("select schema_name || '.' || table_name from duckdb_tables()").fetchall()
            return [str(connection.execute(f"from {name}").fetchall()) for (name,) in names]
    return [file.read_bytes().decode("utf-8", errors="replace")]


def holding(folder: Path, besides: set[str]) -> list[str]:
    """The files below `folder` that hold the mark, but for some of its folders."""
    files = [file for file in sorted(folder.rglob("*")) if file.is_file() and file.suffix != ".lock"]
    files = [file for file in files if file.relative_to(folder).parts[0] not in besides]
    return [str(file.relative_to(folder)) for file in files if any(MARK in text for text in texts(file))]


@pytest.fixture
def planted(place: Place) -> Place:
    """Names in every personal column of the directory of firms, whose clean table keeps two of them and fails checks of them."""
    personal = sorted(load_datasets(place.root)["maryland/mbe_directory"].personal)
    assert {"contact", "phone", "fax", "contact_email_address"} == set(personal)
    plant(place.served / "mbe_directory.csv", personal, "first")
    sql, contract = place.root / f"{CLEAN}.sql", place.root / f"{CLEAN}.yml"
    edit(
        sql,
        "        _capture_id\n    from raw",
        "        clean_text(contact) as contact_name,\n        phone as _published_phone,\n        _capture_id\n    from raw",
    )
    edit(
        sql,
        "    certified_date,\n    _capture_id\nfrom numbered",
        "    certified_date,\n    contact_name,\n    _published_phone,\n    _capture_id\nfrom numbered",
    )
    edit(
        contract,
        "row_rules:",
        "row_rules:\n  - name: contact_is_not_the_seventh\n    keep_if: contact_name not like '% 7'\n    reason: Planted.",
    )
    edit(contract, "tolerate_quarantined: 1%", "tolerate_quarantined: 0%")
    edit(
        contract,
        "expectations:",
        "expectations:\n  - expect_column_values_to_match_regex: {column: contact_name, regex: '^[a-z]+$'}\n    severity: critical",
    )
    added = '  - {name: contact_name, type: VARCHAR, source: contact, personal: true, description: "Whom to ask."}\n'
    contract.write_text(contract.read_text(encoding="utf-8") + added, encoding="utf-8")
    return place


@pytest.mark.slow
def test_no_planted_name_leaves(planted: Place) -> None:
    contract = planted.root / f"{CLEAN}.yml"
    answers: list[Ended] = [planted.civic("run")]
    assert "held back" in answers[0].out + answers[0].err, "critical checks of the planted names fail"
    answers.append(planted.civic("try", "clean.maryland_mbe_directory"))
    assert answers[-1].code == 1
    answers.append(planted.civic("failed-rows", "clean.maryland_mbe_directory"))
    assert "contact_name__match_regex" in answers[-1].out
    edit(contract, "regex: '^[a-z]+$'}\n    severity: critical", "regex: '^[a-z]+$'}\n    severity: warning")
    edit(contract, "tolerate_quarantined: 0%", "tolerate_quarantined: 10%")
    plant(planted.served / "mbe_directory.csv", ["contact", "phone"], "second")
    answers.append(planted.civic("run"))
    assert answers[-1].code == 0, answers[-1].err
    answers += [
        planted.civic("status"),
        planted.civic("sql", "from clean.maryland_mbe_directory", "--format", "csv"),
        planted.civic("sql", "from quarantine.maryland_mbe_directory", "--format", "json"),
        planted.civic("as-of", "2099-01-01", "from clean.maryland_mbe_directory", "--format", "csv"),
        planted.civic("as-of", "2099-01-01", "from quarantine.maryland_mbe_directory", "--format", "csv"),
        planted.civic("docs"),
    ]
    assert [ended.code for ended in answers[-6:]] == [0] * 6
    assert "contact_is_not_the_seventh" in answers[-4].out, "rejected rows are released"
    assert [ended.out + ended.err for ended in answers if MARK in ended.out + ended.err] == []
    page = planted.data / "site" / "data" / "clean.maryland_mbe_directory" / "index.html"
    assert "firm_name" in page.read_text(encoding="utf-8"), "the public site is made, and searched below"
    assert holding(planted.data, besides=STAYS) == []
    assert holding(planted.root / "docs", besides=set()) == []
    # The search would find it, and it is where it is needed.
    assert re.search(r"build\.duckdb'|\.parquet'", str(holding(planted.data, besides=set())))


def test_captures_are_for_their_owner_alone(planted: Place) -> None:
    assert planted.civic("run", "--select", "raw/maryland_mbe_directory").code in (0, 3)
    files = list((planted.data / "lake" / "maryland" / "mbe_directory").rglob("*.parquet"))
    assert files
    assert {file.stat().st_mode & 0o777 for file in files[-1:]} == {0o600}
