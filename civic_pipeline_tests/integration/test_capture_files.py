"""Captures of files from a web server and from disk, and real files of cities read by all readers."""

import csv
import gzip
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import shapely
from faulty import faulty
from real_files import REAL, needs_real_files
from shapely.geometry import shape

from civic_pipeline.catalog import Dataset, FileHere
from civic_pipeline.demo import DemoPortals
from civic_pipeline.errors import (
    AnswerUnreadable,
    CivicError,
    FileUnreadable,
    PortalUnreachable,
    SchemaDrifted,
    SourceEmpty,
    SourceNotFound,
    VolumeCollapsed,
)
from civic_pipeline.lake import Captured, Lake, capture
from civic_pipeline.portals import Access, PortalSource, editions_of, http
from civic_pipeline.settings import CHECKOUT

ROWS = 3000
PAYMENTS = "no,payee,amount\r\n" + "".join(f'{n:04},"Smith, ""{n}""\nLtd",{n}.50\r\n' for n in range(1, ROWS + 1))


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "pause", lambda _: None)


@pytest.fixture
def served(tmp_path: Path) -> Path:
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "payments.csv").write_text(PAYMENTS, encoding="utf-8", newline="")
    return folder


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def take(
    lake: Lake, root: str | None, url: str = "https://data.town.gov/2026/payments.csv", project: Path = CHECKOUT, **columns: str
) -> Captured:  # fmt: skip
    dataset = Dataset.model_validate({
        "title": "Payments", "publisher": "The town", "subject": "shared", "licence": "not stated", "description": "Payments.", "cadence": "irregular",
        "source": {"portal": "file", "url": url, "recorded": "2026-01-01"}, "key": [], "volume": {"shrink_at_most": "0%"},
        "columns": columns or {"no": "text", "payee": "text", "amount": "text"},
    })  # fmt: skip
    return capture("town/payments", dataset, lake, Access(root=root, project=project))


def rows(lake: Lake, captured: Captured) -> list[dict[str, Any]]:
    (file,) = lake.files(captured.manifest)
    rows_read: list[dict[str, Any]] = pq.read_table(file).to_pylist()
    return rows_read


WRITTEN = [{"_row": n, "no": f"{n:04}", "payee": f'Smith, "{n}"\nLtd', "amount": f"{n}.50"} for n in range(1, ROWS + 1)]


def test_a_file_is_captured_row_by_row_and_downloaded_once(served: Path, lake: Lake) -> None:
    with DemoPortals(served) as portals:
        captured = take(lake, portals.url)
        first, second = portals.requests
        assert ("if-none-match" in first.headers, "if-none-match" in second.headers) == (False, True)
        assert take(lake, portals.url).status == "unchanged"
    assert rows(lake, captured) == WRITTEN
    (part,) = captured.manifest.parts
    assert (part.counted, part.landed, part.distinct, part.row_id) == (ROWS, ROWS, ROWS, "_row")
    assert part.freshness_link == "sha256"
    assert part.received_bytes == len(PAYMENTS.encode())


def test_without_validators_a_file_is_downloaded_twice_and_stored_once(served: Path, lake: Lake) -> None:
    with faulty(served, no_validators=True) as portals:
        captured = take(lake, portals.url)
        assert [a.status for a in portals.requests] == [200, 200]
        assert take(lake, portals.url).status == "unchanged"
    assert len(list(lake.folder.rglob("*.parquet"))) == 1
    assert rows(lake, captured) == WRITTEN


def test_a_changed_file_is_captured_again(served: Path, lake: Lake) -> None:
    with DemoPortals(served) as portals:
        take(lake, portals.url)
        (served / "payments.csv").write_text(PAYMENTS + "9999,Late,1\r\n", encoding="utf-8", newline="")
        captured = take(lake, portals.url)
    assert (captured.status, captured.manifest.rows) == ("captured", ROWS + 1)


def test_a_geojson_in_gzip_keeps_its_types(served: Path, lake: Lake) -> None:
    features = [
        {"type": "Feature", "properties": {"ward": n, "share": n / 8, "name": f"é{n}"}, "geometry": {"type": "Point", "coordinates": [n % 90, 1.5]}}
        for n in range(200)
    ]  # fmt: skip
    content = json.dumps({"type": "FeatureCollection", "features": features}).encode()
    (served / "wards.geojson.gz").write_bytes(gzip.compress(content))
    with DemoPortals(served) as portals:
        url = "https://data.town.gov/wards.geojson.gz"
        captured = take(lake, portals.url, url, ward="integer", share="number", name="text")
    wards = rows(lake, captured)
    assert wards[3] | {"share": float(wards[3]["share"])} == {
        "_row": 4, "ward": 3, "share": 0.375, "name": "é3", "_geometry": shapely.Point(3, 1.5).wkb,
    }  # fmt: skip
    assert len(wards) == 200


@pytest.mark.parametrize(
    "faults",
    [{"html_page": 1}, {"empty_body": 2}, {"dropped_connection": 1}, {"burst_requests": 2}, {"burst_requests": 3, "burst_status": 503}],
    ids=str,
)  # fmt: skip
def test_a_temporary_fault_costs_only_retries(served: Path, lake: Lake, faults: dict[str, Any]) -> None:
    with faulty(served, **faults) as portals:
        captured = take(lake, portals.url)
    assert rows(lake, captured) == WRITTEN
    assert captured.manifest.parts[0].retries


@pytest.mark.parametrize(
    ("faults", "error", "message"),
    [
        ({"html_page": "always"}, AnswerUnreadable, "returned an HTML page; expected a table"),
        ({"home_page": True}, AnswerUnreadable, "returned an HTML page; expected a table"),
        ({"empty_body": "always"}, AnswerUnreadable, "returned an empty file"),
        ({"dropped_connection": "always"}, PortalUnreachable, "could not be reached"),
        ({"html_appended": "always"}, FileUnreadable, "line 6002 has 1 value, the header has 3 names"),
        ({"truncated_json": "always"}, FileUnreadable, "line "),
        ({"burst_requests": "always"}, PortalUnreachable, "HTTP 429"),
    ],
    ids=str,
)  # fmt: skip
def test_a_lasting_fault_is_an_error_and_nothing_is_stored(
    served: Path, lake: Lake, faults: dict[str, Any], error: type[CivicError], message: str
) -> None:
    with faulty(served, **faults) as portals, pytest.raises(error) as raised:
        take(lake, portals.url)
    assert message in str(raised.value)
    assert lake.newest("town/payments") is None
    assert not list(lake.folder.rglob("*.parquet"))


def test_a_missing_file_is_an_error(served: Path, lake: Lake) -> None:
    with DemoPortals(served) as portals, pytest.raises(SourceNotFound, match=r"gone\.csv"):
        take(lake, portals.url, "https://data.town.gov/gone.csv")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path


def test_a_file_of_the_project_is_captured_when_its_bytes_change(project: Path, lake: Lake) -> None:
    file = project / "data" / "payments.csv"
    file.write_text(PAYMENTS, encoding="cp1252", newline="")
    captured = take(lake, None, "data/payments.csv", project)
    assert rows(lake, captured) == WRITTEN
    assert captured.manifest.parts[0].url == "data/payments.csv"
    file.touch()
    assert take(lake, None, "data/payments.csv", project).status == "unchanged"
    file.write_text(PAYMENTS.replace("\nLtd", "\nInc"), encoding="cp1252", newline="")
    assert take(lake, None, "data/payments.csv", project).status == "captured"
    file.write_text("no,payee,amount\n1,2,3\n", encoding="cp1252")
    with pytest.raises(VolumeCollapsed):
        take(lake, None, "data/payments.csv", project)
    file.write_text("no,payee,amount\n", encoding="cp1252")
    with pytest.raises(SourceEmpty):
        take(lake, None, "data/payments.csv", project)
    file.write_text("no,payee,total\n1,2,3\n", encoding="cp1252")
    with pytest.raises(SchemaDrifted, match="missing columns: amount"):
        take(lake, None, "data/payments.csv", project)


def test_a_row_longer_than_a_block_is_read_sequentially(project: Path, lake: Lake) -> None:
    (project / "data" / "shapes.csv").write_text(f"id,shape\n1,{'x' * 9_000_000}\n2,y\n", encoding="utf-8")
    assert [row["id"] for row in rows(lake, take(lake, None, "data/shapes.csv", project, id="text"))] == ["1", "2"]


# Memory


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_a_long_file_is_never_completely_in_memory(tmp_path: Path) -> None:
    script = """
import re, sys
from datetime import date
from pathlib import Path
from civic_pipeline.catalog import FileHere
from civic_pipeline.portals import Access, editions_of
most = lambda: int(re.search(r"VmHWM:\\s+([0-9]+)", Path("/proc/self/status").read_text())[1]) >> 10
file = editions_of(FileHere(portal="file", url=sys.argv[1], recorded=date(2026, 1, 1)), Access())[None]
before, description, inspected = most(), file.describe(), most()
rows = sum(page.num_rows for page in file.read(description, file.count(), Path(sys.argv[1]).parent, False))
print(rows, inspected - before, most() - before)
"""
    path = tmp_path / "long.csv"
    with path.open("w", encoding="utf-8") as file:
        file.write("id,day,vendor,amount,note\n")
        file.writelines(f'{n},2024-01-31,"Vendor, {n % 5000}",{n}.5,{"some words " * 30}\n' for n in range(1_200_000))
    megabytes = path.stat().st_size >> 20
    process = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True)
    rows, describing, reading = map(int, process.stdout.split())
    assert rows == 1_200_000
    assert megabytes > 420
    assert describing < 50
    assert reading < 320


# Real files


def real_files() -> Iterator[Any]:
    """All readable files that cities published, by path; one skipped test if there are none."""
    readable = {".csv", ".gz", ".xlsx", ".xls", ".geojson"}
    paths = sorted(path for path in REAL.rglob("*") if path.suffix in readable and not path.name.endswith(".json.gz"))
    for path in paths:
        yield pytest.param(path, id=str(path.relative_to(REAL)))
    if not paths:
        yield pytest.param(REAL, id="none", marks=needs_real_files)


def opened(path: Path) -> PortalSource:
    return editions_of(FileHere(portal="file", url=str(path), recorded=date(2026, 1, 1)), Access())[None]


@pytest.mark.parametrize("path", list(real_files()))
def test_both_readers_and_an_independent_one_agree_on_a_real_file(path: Path, tmp_path: Path) -> None:
    file = opened(path)
    described, counted = file.describe(), file.count()
    tables = [list(file.read(described, counted, tmp_path, sequential)) for sequential in (False, True)]
    values = [[row for page in pages for row in page.to_pylist()] for pages in tables]
    assert len(values[0]) == counted > 0
    assert values[0] == values[1]
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    if ".csv" in path.name:
        lines = content.decode("utf-8-sig").splitlines(keepends=True)
        assert [list(row.values())[1:] for row in values[0]] == [
            [value or None for value in record] for record in list(csv.reader(lines))[1:] if record
        ]
    elif ".geojson" in path.name:
        features = json.loads(content)["features"]
        shapes = [shapely.from_wkb(row["_geometry"]) for row in values[0]]
        assert shapes == [shape(feature["geometry"]) for feature in features]


@needs_real_files
def test_real_files_of_other_formats_are_an_error() -> None:
    others = [
        path for path in REAL.rglob("*") if path.suffix in {".dbf", ".shp", ".shx"} or path.name.endswith(".json.gz")
    ]
    for path in others:
        with pytest.raises(FileUnreadable):
            opened(path).describe()
