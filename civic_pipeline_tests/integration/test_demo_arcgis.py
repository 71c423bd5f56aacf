"""The ArcGIS protocol of the demo portals over HTTP."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from civic_pipeline.demo import DemoPortals

ITEM = "0573e90adab5434f97b082590c503bc1"
PORTAL_YML = f"""
files:
  - {{file: cases.csv, item: {ITEM}, layer: MDCases, title: Cases, types: {{Code: text, Done: checkbox, Whole: double}}}}
  - {{file: many.csv, layer: Many}}
  - {{file: places.geojson, layer: Places}}
  - {{file: zips.csv, layer: Zips, geometry: true}}
"""
CASES = (
    "OBJECTID,DATE,Baltimore_City,Rate,Code,Done,Whole,Huge\n"
    "7,2020/03/15 10:00:00+00,1,0.5,01,true,3,3000000000\n"
    "9,1969/12/31 23:59:59+00,,,,,,\n"
)
PLACES = """{"type": "FeatureCollection", "features": [
 {"type": "Feature", "properties": {"name": "A"}, "geometry": {"type": "Polygon", "coordinates": [[[0,0],[0,1],[1,1],[0,0]]]}},
 {"type": "Feature", "properties": {"name": "B"}, "geometry": null}]}"""


@pytest.fixture(scope="module")
def portals(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoPortals]:
    folder = tmp_path_factory.mktemp("served")
    (folder / "portal.yml").write_text(PORTAL_YML)
    (folder / "cases.csv").write_text(CASES)
    (folder / "many.csv").write_text("n,band\n" + "".join(f"{n},{n // 10}\n" for n in range(4500)))
    (folder / "places.geojson").write_text(PLACES)
    (folder / "zips.csv").write_text("ZIP\n21201\n")
    with DemoPortals(folder) as running:
        yield running


def ask(portals: DemoPortals, path: str, **parameters: str | int) -> Any:
    asked: dict[str, str | int] = {"f": "json", **parameters}
    answer = requests.get(f"{portals.url}{path}", params=asked, timeout=10)
    assert answer.status_code == 200
    return answer.json()


def query(portals: DemoPortals, layer: str, **parameters: str | int) -> Any:
    asked: dict[str, str | int] = {"where": "1=1", "outFields": "*", **parameters}
    return ask(portals, f"/arcgis/rest/services/{layer}/FeatureServer/0/query", **asked)


def all_pages(portals: DemoPortals, **parameters: str | int) -> list[Any]:
    """Read all pages like a client that trusts `exceededTransferLimit` and advances by the received rows."""
    received: list[Any] = []
    while True:
        page = query(portals, "Many", resultOffset=len(received), **parameters)
        received += [feature["attributes"]["n"] for feature in page["features"]]
        if "exceededTransferLimit" not in page:
            return received
        assert page["exceededTransferLimit"] is True


def test_an_item_leads_to_its_layer(portals: DemoPortals) -> None:
    item = ask(portals, f"/sharing/rest/content/items/{ITEM}")
    assert (item["id"], item["title"], item["type"]) == (ITEM, "Cases", "Feature Service")
    service = requests.get(item["url"], params={"f": "json"}, timeout=10).json()
    assert (service["layers"], service["tables"]) == ([], [{"id": 0, "name": "MDCases", "type": "Table"}])
    layer = requests.get(f"{item['url']}/0", params={"f": "json"}, timeout=10).json()
    assert (layer["name"], layer["type"], layer["objectIdField"]) == ("MDCases", "Table", "OBJECTID")
    assert layer["maxRecordCount"] == 2000
    assert layer["advancedQueryCapabilities"]["supportsPagination"] is True
    edited = layer["editingInfo"]
    assert edited["dataLastEditDate"] == edited["lastEditDate"] == item["modified"] > 1_500_000_000_000


def test_layers_with_geometry_are_listed_separately(portals: DemoPortals) -> None:
    service = ask(portals, "/arcgis/rest/services/Places/FeatureServer")
    assert (service["layers"], service["tables"]) == ([{"id": 0, "name": "Places", "type": "Feature Layer"}], [])
    assert ask(portals, "/arcgis/rest/services/Places/FeatureServer/0")["geometryType"] == "esriGeometryPolygon"
    assert ask(portals, "/arcgis/rest/services/Zips/FeatureServer/0")["type"] == "Feature Layer"


def test_fields_declare_esri_types(portals: DemoPortals) -> None:
    fields = ask(portals, "/arcgis/rest/services/MDCases/FeatureServer/0")["fields"]
    assert {field["name"]: field["type"].removeprefix("esriFieldType") for field in fields} == {
        "OBJECTID": "OID",
        "DATE": "Date",
        "Baltimore_City": "Integer",
        "Rate": "Double",
        "Code": "String",
        "Done": "SmallInteger",
        "Whole": "Double",
        "Huge": "BigInteger",
    }
    assert all(field["domain"] is None and field["alias"] == field["name"] for field in fields)
    assert [field["length"] for field in fields if "length" in field] == [255]


def test_an_object_id_is_generated_if_the_file_has_none(portals: DemoPortals) -> None:
    layer = ask(portals, "/arcgis/rest/services/Many/FeatureServer/0")
    assert [field["name"] for field in layer["fields"]] == ["OBJECTID", "n", "band"]
    first = query(portals, "Many", orderByFields="OBJECTID", resultRecordCount=1)["features"][0]["attributes"]
    assert first == {"OBJECTID": 1, "n": 0, "band": 0}


def test_values_are_typed_dates_are_milliseconds_and_nulls_explicit(portals: DemoPortals) -> None:
    answer = query(portals, "MDCases", orderByFields="OBJECTID")
    assert answer["objectIdFieldName"] == "OBJECTID"
    assert [feature["attributes"] for feature in answer["features"]] == [
        {
            "OBJECTID": 7,
            "DATE": 1584266400000,
            "Baltimore_City": 1,
            "Rate": 0.5,
            "Code": "01",
            "Done": 1,
            "Whole": 3.0,
            "Huge": 3000000000,
        },
        {"OBJECTID": 9, "DATE": -1000} | dict.fromkeys(("Baltimore_City", "Rate", "Code", "Done", "Whole", "Huge")),
    ]


def test_ordered_pages_have_every_row_once_and_only_the_last_has_no_flag(portals: DemoPortals) -> None:
    assert all_pages(portals, orderByFields="OBJECTID") == list(range(4500))
    assert all_pages(portals, orderByFields="OBJECTID", resultRecordCount=900) == list(range(4500))


@pytest.mark.parametrize("order", [{}, {"orderByFields": "band DESC"}])
def test_pages_without_a_unique_order_overlap(portals: DemoPortals, order: dict[str, str]) -> None:
    received = all_pages(portals, resultRecordCount=901, **order)
    assert len(received) == 4500
    assert len(set(received)) < 4500


def test_no_page_exceeds_the_maximum(portals: DemoPortals) -> None:
    assert len(query(portals, "Many", resultRecordCount=100_000)["features"]) == 2000


def test_counts_and_ids_have_no_limit(portals: DemoPortals) -> None:
    assert query(portals, "Many", returnCountOnly="true") == {"count": 4500}
    answer = query(portals, "Many", returnIdsOnly="true")
    assert answer["objectIdFieldName"] == "OBJECTID"
    assert answer["objectIds"] != sorted(answer["objectIds"])
    assert sorted(answer["objectIds"]) == list(range(1, 4501))


def test_windows_of_ids(portals: DemoPortals) -> None:
    window = query(portals, "Many", where="OBJECTID >= 5 AND OBJECTID <= 7", outFields="OBJECTID")
    assert sorted(feature["attributes"]["OBJECTID"] for feature in window["features"]) == [5, 6, 7]
    assert query(portals, "MDCases", where="OBJECTID > 7", returnCountOnly="true") == {"count": 1}
    assert query(portals, "MDCases", where="DATE > DATE '2020-01-01'", returnCountOnly="true") == {"count": 1}


def test_geometry_is_esri_json(portals: DemoPortals) -> None:
    ring = [[[0, 0], [0, 1], [1, 1], [0, 0]]]
    esri = query(portals, "Places", orderByFields="OBJECTID", outSR=4326)
    assert esri["geometryType"] == "esriGeometryPolygon"
    assert [feature.get("geometry") for feature in esri["features"]] == [{"rings": ring}, None]
    bare = query(portals, "Places", returnGeometry="false")
    assert all("geometry" not in feature for feature in bare["features"])


def test_unknown_items_and_layers_are_errors_with_status_200(portals: DemoPortals) -> None:
    missing = ask(portals, f"/sharing/rest/content/items/{'0' * 32}")["error"]
    assert (missing["code"], missing["messageCode"]) == (400, "CONT_0001")
    for path in ("Nothing/FeatureServer", "Many/FeatureServer/1", "Many/FeatureServer/1/query", "Many/MapServer"):
        assert ask(portals, f"/arcgis/rest/services/{path}")["error"]["message"] == "Invalid URL"


@pytest.mark.parametrize(
    ("parameters", "detail"),
    [
        ({"where": ""}, "'where' clause is required"),
        ({"where": "n like 'x'"}, "'where' parameter is invalid"),
        ({"where": "nothing = 1"}, "'Invalid field: nothing' parameter is invalid"),
        ({"where": "n > 'x'"}, "Unable to perform query operation"),
        ({"outFields": "nothing"}, "'Invalid field: nothing' parameter is invalid"),
        ({"orderByFields": "nothing"}, "'Invalid field: nothing' parameter is invalid"),
        ({"orderByFields": "n sideways"}, "'orderByFields' parameter is invalid"),
        ({"resultOffset": "-1"}, "'resultOffset' parameter is invalid"),
        ({"outSR": "2248"}, "only 4326 is served"),
    ],
)
def test_rejected_queries_are_errors_with_status_200(
    portals: DemoPortals, parameters: dict[str, str], detail: str
) -> None:
    error = query(portals, "Many", **parameters)["error"]
    assert error["code"] == 400
    assert detail in error["details"][0]


def test_without_a_format_the_response_is_html(portals: DemoPortals) -> None:
    answer = requests.get(f"{portals.url}/arcgis/rest/services/Many/FeatureServer/0", timeout=10)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html;charset=utf-8")
