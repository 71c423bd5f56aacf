"""The OpenDataSoft protocol and the plain files of the demo portals over HTTP."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from civic_pipeline.demo import DemoFolderError, DemoPortals, Faults

ROWS = 12_000
PORTAL_YML = """
files:
  - file: Many Stops.csv
    opendatasoft: many-stops
    title: Stops
    description: Where buses stop. Or do not.
    license: Open Licence
    attribution: The town
    update_frequency: daily
    types: {Active: checkbox, Place: point, Day: date_only}
  - {file: small.csv}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("served")
    (folder / "portal.yml").write_text(PORTAL_YML)
    lines = (
        f'{n},{n}.5,"stop; ""{n}""",2024-01-31 10:00:00,2024-01-31,true,POINT (-76.6 39.3)\n' for n in range(1, ROWS)
    )
    (folder / "Many Stops.csv").write_text(
        "N,Rate,Stop Name,At,Day,Active,Place\n" + "".join(lines) + f"{ROWS},,,,,,\n"
    )
    (folder / "small.csv").write_text("n\n1\n2\n3\n")
    return folder


@pytest.fixture
def portals(folder: Path) -> Iterator[DemoPortals]:
    with DemoPortals(folder) as running:
        yield running


def get(portals: DemoPortals, path: str = "", dataset: str = "many-stops", **asked: Any) -> requests.Response:
    url = f"{portals.url}/api/explore/v2.1/catalog/datasets/{dataset}{path}"
    return requests.get(url, params=asked, timeout=30)


def test_a_dataset_is_described(portals: DemoPortals) -> None:
    about = get(portals).json()
    assert {field["name"]: (field["type"], field["label"]) for field in about["fields"]} == {
        "n": ("int", "N"), "rate": ("double", "Rate"), "stop_name": ("text", "Stop Name"), "at": ("datetime", "At"),
        "day": ("date", "Day"), "active": ("boolean", "Active"), "place": ("geo_point_2d", "Place"),
    }  # fmt: skip
    default = about["metas"]["default"]
    assert (default["title"], default["license"], default["publisher"]) == ("Stops", "Open Licence", "The town")
    assert (default["records_count"], default["data_processed"]) == (ROWS, default["modified"])
    assert get(portals, dataset="small").json()["dataset_id"] == "small"
    unknown = get(portals, dataset="nothing")
    assert (unknown.status_code, unknown.json()["error_code"]) == (404, "UnknownDataset")


def test_pages_have_at_most_100_records_and_end_at_10_000(portals: DemoPortals) -> None:
    page = get(portals, "/records", order_by="n", limit=100, offset=9900).json()
    assert (page["total_count"], len(page["results"])) == (ROWS, 100)
    assert page["results"][0] == {
        "n": 9901, "rate": 9901.5, "stop_name": 'stop; "9901"', "at": "2024-01-31T10:00:00+00:00", "day": "2024-01-31",
        "active": True, "place": {"lon": -76.6, "lat": 39.3},
    }  # fmt: skip
    assert len(get(portals, "/records").json()["results"]) == 10
    assert get(portals, "/records", limit=0).json() == {"total_count": ROWS, "results": []}
    for asked in ({"limit": 101}, {"limit": 100, "offset": 9901}):
        refused = get(portals, "/records", **asked)
        assert (refused.status_code, refused.json()["error_code"]) == (400, "InvalidRESTParameterError")


def test_records_can_be_filtered(portals: DemoPortals) -> None:
    page = get(portals, "/records", where='n >= 10 and stop_name = "stop; "', select="n").json()
    assert page == {"total_count": 0, "results": []}
    page = get(portals, "/records", where="n <= 2 or at is null", select="n,rate", order_by="n desc").json()
    assert page["results"] == [{"n": ROWS, "rate": None}, {"n": 2, "rate": 2.5}, {"n": 1, "rate": 1.5}]
    for asked in ({"where": "n like 2"}, {"select": "nothing"}, {"order_by": "n sideways"}, {"where": "n > 'x'"}):
        assert get(portals, "/records", **asked).status_code == 400


def test_records_without_an_order_overlap(portals: DemoPortals) -> None:
    pages = [get(portals, "/records", limit=100, offset=at, select="n").json()["results"] for at in range(0, 2000, 100)]
    assert len({row["n"] for page in pages for row in page}) < 2000


def test_exports_have_all_records(portals: DemoPortals) -> None:
    rows = get(portals, "/exports/json", select="n,rate").json()
    assert rows == [{"n": n, "rate": n + 0.5 if n < ROWS else None} for n in range(1, ROWS + 1)]
    lines = get(portals, "/exports/jsonl", limit=2).text.splitlines()
    assert [json.loads(line)["n"] for line in lines] == [1, 2]


def test_an_export_beyond_the_window_ends_with_an_error_and_status_200(portals: DemoPortals) -> None:
    answer = get(portals, "/exports/jsonl", offset=9_998)
    assert answer.status_code == 200
    assert '"n":9999,' in answer.text
    assert answer.text.splitlines()[-1].startswith(
        "Streaming interrupted due to the following error: Invalid value for offset"
    )


@pytest.mark.parametrize("form", ["json", "jsonl"])
def test_exports_that_end_early(portals: DemoPortals, form: str) -> None:
    portals.inject_faults(Faults(export_breaks_after=5))
    broken = get(portals, f"/exports/{form}")
    assert broken.status_code == 200
    assert "stop; " in broken.text
    assert broken.text.endswith("Streaming interrupted due to the following error: Query timed out")
    portals.inject_faults(Faults(export_short_by=2))
    assert f"{ROWS - 2}.5" in get(portals, f"/exports/{form}").text
    assert f"{ROWS - 1}.5" not in get(portals, f"/exports/{form}").text
    assert get(portals, "/records", limit=1).json()["total_count"] == ROWS


def test_the_daily_quota(portals: DemoPortals) -> None:
    portals.inject_faults(Faults(calls_left=2))
    answers = [get(portals, "/records", limit=1) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer.headers.get("X-RateLimit-Remaining") for answer in answers] == ["1", "0", "0"]
    assert answers[2].json()["errorcode"] == 10002
    assert get(portals).status_code == 200


def test_other_faults_also_use_the_protocol(portals: DemoPortals) -> None:
    portals.inject_faults(Faults(error_body=1, freshness="none", count_off_by=3))
    struck = get(portals, "/records")
    assert (struck.status_code, struck.json()["message"]) == (200, "Unable to complete operation.")
    default = get(portals).json()["metas"]["default"]
    assert default["records_count"] == get(portals, "/records").json()["total_count"] == ROWS + 3
    assert not {"modified", "data_processed"} & default.keys()


def test_ids_must_be_unique(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("n\n1\n")
    (tmp_path / "portal.yml").write_text("files: [{file: a.csv, opendatasoft: x}, {file: b.csv, opendatasoft: x}]\n")
    with pytest.raises(DemoFolderError, match="OpenDataSoft id x is given to two"):
        DemoPortals(tmp_path)


def test_a_plain_file_is_sent_byte_for_byte(portals: DemoPortals, folder: Path) -> None:
    url = f"{portals.url}/files/small.csv"
    answer = requests.get(url, timeout=10)
    assert answer.content == (folder / "small.csv").read_bytes()
    assert answer.headers["Content-Length"] == str(len(answer.content))
    for header, value in (("If-None-Match", "ETag"), ("If-Modified-Since", "Last-Modified")):
        unchanged = requests.get(url, headers={header: answer.headers[value]}, timeout=10)
        assert (unchanged.status_code, unchanged.content) == (304, b"")
    asked = requests.head(url, timeout=10)
    assert (asked.content, asked.headers["ETag"]) == (b"", answer.headers["ETag"])
    assert requests.get(f"{portals.url}/files/Many%20Stops.csv", timeout=10).status_code == 200
    assert requests.get(f"{portals.url}/files/portal.yml", timeout=10).status_code == 404


def test_a_changed_plain_file_and_one_without_validators(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("n\n1\n")
    with DemoPortals(tmp_path) as portals:
        first = requests.get(f"{portals.url}/files/a.csv", timeout=10)
        (tmp_path / "a.csv").write_text("n\n2\n")
        second = requests.get(
            f"{portals.url}/files/a.csv", headers={"If-None-Match": first.headers["ETag"]}, timeout=10
        )
        assert (second.status_code, second.text) == (200, "n\n2\n")
        assert first.headers["Last-Modified"] != second.headers["Last-Modified"]
        portals.inject_faults(Faults(no_validators=True))
        assert not {"ETag", "Last-Modified"} & set(requests.get(f"{portals.url}/files/a.csv", timeout=10).headers)
        portals.inject_faults(Faults(dropped_connection=1))
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            requests.get(f"{portals.url}/files/a.csv", timeout=10)


def test_every_address_responds(portals: DemoPortals) -> None:
    for file in portals.files:
        for address in portals.addresses(file):
            answer = requests.get(address, params={"f": "json"} if "/arcgis/" in address else {}, timeout=30)
            assert answer.status_code == 200, address
            assert "error" not in answer.text[:50], address


def test_a_workbook_is_served_only_as_a_plain_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("n\n1\n")
    (tmp_path / "b.xlsx").write_bytes(b"PK a workbook")
    with DemoPortals(tmp_path) as portals:
        assert [file.name for file in portals.files] == ["a.csv"]
        assert requests.get(f"{portals.url}/files/b.xlsx", timeout=10).content == b"PK a workbook"
