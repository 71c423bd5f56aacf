"""Less common parts of the protocols: SODA3, metadata of datasets, map services and newer ArcGIS types."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from civic_pipeline.demo import DemoPortals

FOUR, ITEM = "case-0001", "0573e90adab5434f97b082590c503bc1"
PORTAL_YML = f"""
files:
  - file: cases.csv
    socrata: {FOUR}
    item: {ITEM}
    service: Health
    server: MapServer
    max_record_count: 3
    standard_max_record_count: 5
    title: Cases
    description: Cases by day. Since 2020.
    license: Public Domain
    attribution: Department of Health
    update_frequency: Daily
    domains: {{Kind: {{"1": mild, "2": severe}}}}
    types: {{Kind: small_integer, Big: big_integer, Rate: single, Day: date_only, Time: time_only, Sent: timestamp_offset,
             Guid: guid, Global: global_id, Code: text}}
  - {{file: clinics.csv, service: Health, server: MapServer, group: Places, geometry: true}}
  - {{file: wards.csv, service: Health, server: MapServer, group: Places, geometry: true}}
"""
CASES = "Kind,Big,Rate,Day,Time,Sent,Guid,Global,Code\n" + "".join(
    f"{1 + n % 2},{n},{n}.5,2024-01-31,10:15:00,2024-01-31T10:15:00-05:00,{{A}},{{B}},0{n}\n" for n in range(8)
)


@pytest.fixture(scope="module")
def portals(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoPortals]:
    folder = tmp_path_factory.mktemp("served")
    (folder / "portal.yml").write_text(PORTAL_YML)
    (folder / "cases.csv").write_text(CASES)
    (folder / "clinics.csv").write_text("name\nA\n")
    (folder / "wards.csv").write_text("name\nB\n")
    with DemoPortals(folder) as running:
        yield running


def ask(portals: DemoPortals, path: str, **asked: Any) -> Any:
    return requests.get(f"{portals.url}{path}", params={"f": "json", **asked}, timeout=10).json()


def soda3(
    portals: DemoPortals, query: str, form: str = "query.json", token: str | None = "any", **body: Any
) -> requests.Response:
    headers = {"X-App-Token": token} if token else {}
    url = f"{portals.url}/api/v3/views/{FOUR}/{form}"
    return requests.post(url, json={"query": query, "includeSynthetic": False, **body}, headers=headers, timeout=10)


def test_soda3_needs_a_token(portals: DemoPortals) -> None:
    refused = soda3(portals, "SELECT *", token=None)
    assert (refused.status_code, refused.json()["error"]) == (403, True)


def test_soda3_pages(portals: DemoPortals) -> None:
    pages = [soda3(portals, "SELECT big", page={"pageNumber": at, "pageSize": 3}).json() for at in (1, 2, 3, 4)]
    assert [len(page) for page in pages] == [3, 3, 2, 0]
    assert sorted(row["big"] for page in pages for row in page) == [str(n) for n in range(8)]


def test_soda3_queries(portals: DemoPortals) -> None:
    answer = soda3(portals, "SELECT code, big WHERE code = '03' OR big > 6 ORDER BY big DESC LIMIT 5 OFFSET 0")
    assert answer.json() == [{"code": "07", "big": "7"}, {"code": "03", "big": "3"}]
    assert soda3(portals, "SELECT count(*)").json() == [{"count": "8"}]
    assert soda3(portals, "select * where code = 'select'").json() == []
    assert len(soda3(portals, "SELECT *").json()) == 8
    assert set(soda3(portals, "SELECT *", includeSynthetic=True).json()[0]) > {":id", ":updated_at"}
    assert soda3(portals, "SELECT code", form="export.csv").text.startswith('"code"\n"0')
    assert answer.headers["Last-Modified"] != answer.headers["X-SODA2-Truth-Last-Modified"]
    for query in ("code", "SELECT code WHERE", "SELECT nothing", "LIMIT 5"):
        assert soda3(portals, query).status_code == 400


def test_rows_after_a_watermark_include_ties(portals: DemoPortals) -> None:
    def rows(**asked: str) -> list[dict[str, str]]:
        named = {f"${name}": value for name, value in asked.items()}
        return list(requests.get(f"{portals.url}/resource/{FOUR}.json", params=named, timeout=10).json())

    (last,) = rows(select="max(:updated_at) as at, max(:id) as id, count(*)")
    assert last["count"] == "8"
    order = ":updated_at,:id"
    ordered = rows(select=":id,:updated_at", order=order)
    assert [row[":id"] for row in ordered] == sorted(row[":id"] for row in ordered)
    at, seen = last["at"], ordered[2][":id"]
    after = rows(select=":id", order=order, where=f":updated_at > '{at}' or (:updated_at = '{at}' and :id > '{seen}')")
    assert [row[":id"] for row in after] == [row[":id"] for row in ordered[3:]]


def test_socrata_states_the_licence(portals: DemoPortals) -> None:
    view = requests.get(f"{portals.url}/api/views/{FOUR}.json", timeout=10).json()
    assert (view["licenseId"], view["license"]["name"]) == ("PUBLIC_DOMAIN", "Public Domain")
    assert (view["attribution"], view["description"]) == ("Department of Health", "Cases by day. Since 2020.")
    assert "Daily" in json.dumps(view["metadata"]["custom_fields"])
    short = requests.get(f"{portals.url}/api/views/metadata/v1/{FOUR}", timeout=10).json()
    assert (short["id"], short["license"], short["dataUpdatedAt"][:2]) == (FOUR, "Public Domain", "20")
    assert "columns" not in short


def test_an_item_states_the_licence(portals: DemoPortals) -> None:
    item = ask(portals, f"/sharing/rest/content/items/{ITEM}")
    assert item["url"].endswith("/arcgis/rest/services/Health/MapServer")
    assert (item["licenseInfo"], item["accessInformation"]) == ("Public Domain", "Department of Health")
    assert (item["snippet"], item["description"]) == ("Cases by day", "Cases by day. Since 2020.")


def test_a_map_service_of_several_layers(portals: DemoPortals) -> None:
    service = ask(portals, "/arcgis/rest/services/Health/MapServer")
    assert [(entry["id"], entry["name"], entry["type"]) for entry in service["tables"]] == [(0, "cases", "Table")]
    assert [(entry["id"], entry["name"], entry["parentLayerId"]) for entry in service["layers"]] == [
        (1, "Places", -1), (2, "clinics", 1), (3, "wards", 1),
    ]  # fmt: skip
    group = ask(portals, "/arcgis/rest/services/Health/MapServer/1")
    assert (group["type"], "fields" in group) == ("Group Layer", False)
    assert ask(portals, "/arcgis/rest/services/Health/MapServer/3")["name"] == "wards"
    assert ask(portals, "/arcgis/rest/services/Health/FeatureServer/3")["error"]["message"] == "Invalid URL"
    assert "error" in ask(portals, "/arcgis/rest/services/Health/MapServer/1/query", where="1=1")
    assert ask(portals, "/arcgis/rest/services/Health/MapServer/3/query", where="1=1", returnCountOnly="true") == {
        "count": 1
    }


def test_newer_types_and_domains(portals: DemoPortals) -> None:
    fields = {field["name"]: field for field in ask(portals, "/arcgis/rest/services/Health/MapServer/0")["fields"]}
    assert {name: field["type"].removeprefix("esriFieldType") for name, field in fields.items()} == {
        "OBJECTID": "OID", "Kind": "SmallInteger", "Big": "BigInteger", "Rate": "Single", "Day": "DateOnly",
        "Time": "TimeOnly", "Sent": "TimestampOffset", "Guid": "GUID", "Global": "GlobalID", "Code": "String",
    }  # fmt: skip
    assert fields["Kind"]["domain"]["codedValues"] == [{"name": "mild", "code": 1}, {"name": "severe", "code": 2}]
    query = "/arcgis/rest/services/Health/MapServer/0/query"
    first = ask(portals, query, where="OBJECTID = 1", outFields="*")["features"][0]["attributes"]
    assert first == {
        "OBJECTID": 1, "Kind": 1, "Big": 0, "Rate": 0.5, "Day": "2024-01-31", "Time": "10:15:00",
        "Sent": "2024-01-31T10:15:00-05:00", "Guid": "{A}", "Global": "{B}", "Code": "00",
    }  # fmt: skip


def test_standard_pages_are_longer(portals: DemoPortals) -> None:
    about = ask(portals, "/arcgis/rest/services/Health/MapServer/0")
    assert (about["maxRecordCount"], about["standardMaxRecordCount"]) == (3, 5)
    assert about["advancedQueryCapabilities"]["supportsQueryWithResultType"] is True
    query = "/arcgis/rest/services/Health/MapServer/0/query"
    assert len(ask(portals, query, where="1=1")["features"]) == 3
    assert len(ask(portals, query, where="1=1", resultType="standard", resultRecordCount=9)["features"]) == 5
