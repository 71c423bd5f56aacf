"""`civic add`: it writes three files with which the next run succeeds without an edit."""

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from terminal import Ended, Place, edit, files_of

from civic_pipeline.scaffold.add import files_of as dataset_files

HEADER = "NoticeNum,DateNotice,BLOCKLOT,Fine Amount,Owner\n"


def notices(rows: int) -> str:
    lines = (f'{900_000 + n},2026-{1 + n % 9:02}-{1 + n % 28:02},"{n % 300:04} {n % 40:03}",{n * 1.25:.2f},{"City" if n % 3 else ""}\n' for n in range(rows))  # fmt: skip
    return HEADER + "".join(lines)


@pytest.fixture
def place(small: Place, tmp_path: Path) -> Place:
    """The small installation. Its portals serve two more files, one of which has no key."""
    place = small.copy(tmp_path)
    (place.served / "notices.csv").write_text(notices(400), encoding="utf-8")
    (place.served / "repeats.csv").write_text(notices(30) + "".join(notices(30).splitlines(keepends=True)[1:]), encoding="utf-8")  # fmt: skip
    listed = yaml.safe_load((place.served / "portal.yml").read_text(encoding="utf-8"))
    listed["files"] += [{"file": "notices.csv", "title": "Vacant Notices: open"}, {"file": "repeats.csv"}]
    (place.served / "portal.yml").write_text(yaml.safe_dump(listed), encoding="utf-8")
    return place


@pytest.fixture
def urls(place: Place) -> Iterator[dict[str, list[str]]]:
    """The addresses that the portals print, by file."""
    process = place.start("demo", "serve", "--folder", str(place.served), "--port", "0")
    try:
        assert process.stdout is not None
        printed: dict[str, list[str]] = {}
        for line in process.stdout:
            if line.startswith(b"Serving on "):
                break
            words = line.decode().split()
            if "rows" in words:
                printed[words[-1]] = []
            elif words:
                printed[list(printed)[-1]] += [word for word in words if word.startswith("http://")]
        yield printed
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


def add(place: Place, url: str, name: str, *options: str, city: str = "baltimore") -> Ended:
    return place.civic("add", url, "--city", city, "--name", name, "--subject", "housing", *options)


def written(place: Place, name: str) -> list[bool]:
    return [file.exists() for file in dataset_files(place.root, name)]


@pytest.mark.slow
def test_an_added_dataset_is_captured_built_and_passes_its_checks(place: Place, urls: dict[str, list[str]]) -> None:
    added = []
    for number, (kind, part) in enumerate({"socrata": "/resource/", "arcgis": "/FeatureServer/", "explore": "/explore/", "file": "/files/"}.items()):  # fmt: skip
        url = next(url for url in urls["repeats.csv" if kind == "arcgis" else "notices.csv"] if part in url)
        ended = add(place, url, f"notices_{number}", "--allow-private-hosts")
        assert ended.code == 0, ended.err
        assert written(place, f"baltimore/notices_{number}") == [True] * 3
        assert "Review these proposals" in ended.out
        passed, checks = re.search(r"checks +(\d+) of (\d+) pass", ended.out).groups()
        assert passed == checks
        added.append(f"baltimore_notices_{number}")
    ran = place.run(*(f"{schema}/{name}" for name in added for schema in ("raw", "clean")), "warehouse")
    assert ran.code == 0, ran.err
    rows = dict(place.rows("select table_name, row_count from meta.tables where table_name like 'clean.%notices%'"))
    assert rows == {f"clean.{name}": 60 if name.endswith("1") else 400 for name in added}
    failed = "select table_name, check_name from meta.checks where not is_passed and table_name like '%notices%'"
    assert place.rows(failed) == []


def test_the_files_mark_proposals_with_their_evidence(place: Place, urls: dict[str, list[str]]) -> None:
    url = next(url for url in urls["notices.csv"] if "/resource/" in url)
    assert add(place, url, "notices", "--allow-private-hosts").code == 0
    defs, sql, yml = (path.read_text(encoding="utf-8") for path in dataset_files(place.root, "baltimore/notices"))
    assert 'title: "Vacant Notices: open"' in defs
    assert re.search(r"key: \[noticenum\] +# proposed: unique and never null in 400 rows", defs)
    assert re.search(r"cadence: irregular +# the portal says: nothing", defs)
    assert sql.startswith("-- Each row is one record of Vacant Notices: open.\nselect\n")
    assert sql.endswith("    _capture_id\nfrom raw.baltimore_notices\n")
    assert re.search(r"key: \[noticenum\] +# proposed", yml)
    assert 'type: "DECIMAL(18,2)", unit: USD, source: fine_amount' in yml
    assert "# Proposed from this capture. Warnings do not hold the table back." in yml


def test_existing_files_are_an_error_and_are_not_changed(place: Place, urls: dict[str, list[str]]) -> None:
    before = files_of(place.root / "sql") | files_of(place.root / "civic_pipeline" / "defs")
    (url, *_) = urls["notices.csv"]
    refused = add(place, url, "spending", "--allow-private-hosts")
    assert (refused.code, refused.is_plain) == (2, True)
    assert "already exists, so nothing was written" in refused.message
    assert files_of(place.root / "sql") | files_of(place.root / "civic_pipeline" / "defs") == before


@pytest.mark.parametrize(("city", "name"), [("baltimore", "Vacants"), ("baltimore", "../x"), ("baltimore", ""), ("3", "x"), ("new york", "x")])  # fmt: skip
def test_an_invalid_name_is_an_error(small: Place, city: str, name: str) -> None:
    refused = add(small, "https://data.town.gov/d/abcd-1234", name, city=city)
    assert (refused.code, refused.is_plain) == (2, True)
    assert "use only lower-case letters" in refused.message


def test_after_an_error_no_file_is_written(place: Place, urls: dict[str, list[str]]) -> None:
    url = next(url for url in urls["notices.csv"] if "/resource/" in url)
    assert add(place, url, "notices").code == 2  # loopback is private
    assert add(place, url.replace("/resource/", "/resource/a"), "notices", "--allow-private-hosts").code != 0
    edit(place.root / "sql" / "functions" / "text.sql", "create or replace macro clean_text(text) as (", "create or replace macro clean_text_gone(text) as (")  # fmt: skip
    broken = add(place, url, "notices", "--allow-private-hosts")
    assert (broken.code, broken.is_plain) == (1, True)
    assert written(place, "baltimore/notices") == [False] * 3
    assert [path.name for path in place.data.glob(".add-*")] == []
