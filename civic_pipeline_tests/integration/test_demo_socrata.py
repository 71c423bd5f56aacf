"""The demo's Socrata protocol over real HTTP, as a client of the field would meet it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from sodapy import Socrata

from civic_pipeline.demo import DemoPortals, DemoPortTaken

PORTAL_YML = """
files:
  - file: firms.csv
    socrata: abcd-1234
    title: Certified Firms
    types: {certified: date, signed: calendar_date, site: url, paid: money, mail: email, active: checkbox, place: point}
  - {file: many.csv, socrata: many-0001}
  - {file: wide.csv, socrata: wide-0001}
"""
FIRMS = (
    "Cert No,Name,certified,signed,site,paid,mail,active,place\n"
    '01,"Alder, ""A"" Co",1290412800,2014-10-13,http://a.example,1234.50,a@a.example,true,POINT (-76.6 39.3)\n'
    '02,"two\nlines",,,"[null, null]",-12,,false,\n'
)


@pytest.fixture(scope="module")
def portals(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoPortals]:
    folder = tmp_path_factory.mktemp("served")
    (folder / "portal.yml").write_text(PORTAL_YML)
    (folder / "firms.csv").write_text(FIRMS)
    (folder / "many.csv").write_text("n,band\n" + "".join(f"{n},{n // 10}\n" for n in range(5000)))
    (folder / "wide.csv").write_text(",".join(f"column_{n}" for n in range(900)) + "\n" + ",".join("1" * 900) + "\n")
    (folder / "places.geojson").write_text(
        '{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"name": "A"},'
        ' "geometry": {"type": "Point", "coordinates": [-76.6, 39.3]}}]}'
    )
    (folder / "portal.yml").write_text(PORTAL_YML + "  - {file: places.geojson, socrata: geos-0001}\n")
    with DemoPortals(folder) as running:
        yield running


def get(portals: DemoPortals, path: str, **parameters: str | int) -> requests.Response:
    return requests.get(
        f"{portals.url}{path}", params={f"${name}": value for name, value in parameters.items()}, timeout=10
    )


def rows(portals: DemoPortals, dataset: str, **parameters: str | int) -> list[dict[str, Any]]:
    answer = get(portals, f"/resource/{dataset}.json", **parameters)
    assert answer.status_code == 200, answer.text
    return list(answer.json())


def test_json_writes_each_type_as_the_portal_does_and_leaves_nulls_out(portals: DemoPortals) -> None:
    assert rows(portals, "abcd-1234", order="cert_no") == [
        {
            "cert_no": "01",
            "name": 'Alder, "A" Co',
            "certified": "2010-11-22T08:00:00.000Z",
            "signed": "2014-10-13T00:00:00.000",
            "site": {"url": "http://a.example"},
            "paid": "1234.50",
            "mail": "a@a.example",
            "active": True,
            "place": {"type": "Point", "coordinates": [-76.6, 39.3]},
        },
        {"cert_no": "02", "name": "two\nlines", "paid": "-12.00", "active": False},
    ]


def test_csv_quotes_every_cell_and_empties_nulls(portals: DemoPortals) -> None:
    answer = get(portals, "/resource/abcd-1234.csv", select="cert_no,name,signed", order="cert_no")
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert answer.text == (
        '"cert_no","name","signed"\n"01","Alder, ""A"" Co","2014-10-13T00:00:00.000"\n"02","two\nlines",""\n'
    )


def test_headers_name_fields_and_types(portals: DemoPortals) -> None:
    headers = get(portals, "/resource/abcd-1234.json", select=":id,certified,signed,paid,mail").headers
    assert headers["X-SODA2-Fields"] == '[":id","certified","signed","paid","mail"]'
    assert headers["X-SODA2-Types"] == '["text","fixed_timestamp","floating_timestamp","number","text"]'
    assert headers["Last-Modified"].endswith("GMT")


def test_headers_are_left_out_for_very_wide_tables(portals: DemoPortals) -> None:
    answer = get(portals, "/resource/wide-0001.json")
    assert "X-SODA2-Fields" not in answer.headers
    assert len(answer.json()[0]) == 900


def test_metadata_declare_the_columns(portals: DemoPortals) -> None:
    metadata = get(portals, "/api/views/abcd-1234.json").json()
    assert (metadata["id"], metadata["name"], metadata["viewType"], metadata["assetType"]) == (
        "abcd-1234",
        "Certified Firms",
        "tabular",
        "dataset",
    )
    assert metadata["rowsUpdatedAt"] == metadata["viewLastModified"] > 1_500_000_000
    columns = metadata["columns"]
    assert [column["position"] for column in columns] == list(range(1, 10))
    assert (columns[0]["name"], columns[0]["fieldName"], columns[0]["dataTypeName"]) == ("Cert No", "cert_no", "text")
    assert {column["fieldName"]: column["dataTypeName"] for column in columns[2:]} == {
        "certified": "date",
        "signed": "calendar_date",
        "site": "url",
        "paid": "money",
        "mail": "email",
        "active": "checkbox",
        "place": "point",
    }


def test_geometry_brings_a_computed_region(portals: DemoPortals) -> None:
    columns = {c["fieldName"]: c["dataTypeName"] for c in get(portals, "/api/views/geos-0001").json()["columns"]}
    (region,) = [name for name in columns if name.startswith(":@computed_region_")]
    assert columns == {"name": "text", "the_geom": "point", region: "number"}
    (row,) = rows(portals, "geos-0001")
    assert row["the_geom"] == {"type": "Point", "coordinates": [-76.6, 39.3]}


def test_a_thousand_rows_unless_asked_otherwise(portals: DemoPortals) -> None:
    assert len(rows(portals, "many-0001")) == 1000
    assert len(rows(portals, "many-0001", limit=50_000)) == 5000
    assert rows(portals, "many-0001", offset=5000) == []


def test_pages_ordered_by_id_hold_every_row_once(portals: DemoPortals) -> None:
    pages = [rows(portals, "many-0001", select="n", order=":id", limit=700, offset=at) for at in range(0, 5000, 700)]
    assert sorted(int(str(row["n"])) for page in pages for row in page) == list(range(5000))


@pytest.mark.parametrize("order", [{}, {"order": ":updated_at"}, {"order": "band"}])
def test_pages_without_a_unique_order_overlap(portals: DemoPortals, order: dict[str, str]) -> None:
    pages = [rows(portals, "many-0001", select="n", limit=1001, offset=at, **order) for at in range(0, 5000, 1001)]
    received = [row["n"] for page in pages for row in page]
    assert len(received) == 5000
    assert len(set(received)) < 5000


def test_keyset_paging_by_id_reaches_every_row(portals: DemoPortals) -> None:
    seen: list[str] = []
    last = ""
    while page := rows(portals, "many-0001", select=":id,n", where=f":id > '{last}'", order=":id", limit=900):
        seen += [str(row["n"]) for row in page]
        last = str(page[-1][":id"])
    assert len(seen) == len(set(seen)) == 5000


def test_system_fields_come_on_request_only(portals: DemoPortals) -> None:
    assert set(rows(portals, "many-0001", limit=1)[0]) == {"n", "band"}
    asked = rows(portals, "many-0001", limit=1, select=":*,*")[0]
    assert set(asked) == {":id", ":created_at", ":updated_at", ":version", "n", "band"}
    at = str(asked[":updated_at"])
    assert at.endswith("Z")
    assert rows(portals, "many-0001", select="count(*)", where=f":updated_at > '{at}'") == [{"count": "0"}]
    assert rows(portals, "many-0001", select="count(*)", where=f":updated_at >= '{at}'") == [{"count": "5000"}]


def test_counts_are_strings_and_obey_conditions(portals: DemoPortals) -> None:
    assert rows(portals, "many-0001", select="count(*)") == [{"count": "5000"}]
    assert rows(portals, "many-0001", select="count(*)", where="n >= 10 and n < 20") == [{"count": "10"}]
    answer = requests.get(f"{portals.url}/resource/many-0001.json?band=7&$select=n&$order=n", timeout=10)
    assert answer.json() == [{"n": str(number)} for number in range(70, 80)]


def test_numbers_are_ordered_as_numbers(portals: DemoPortals) -> None:
    assert [row["n"] for row in rows(portals, "many-0001", order="n DESC", limit=2)] == ["4999", "4998"]


@pytest.mark.parametrize(
    ("parameters", "code", "message"),
    [
        ({"$select": "nothing"}, "query.soql.no-such-column", "No such column: nothing"),
        ({"$order": "nothing"}, "query.soql.no-such-column", "No such column: nothing"),
        ({"$where": "nothing = 1"}, "query.soql.no-such-column", "No such column: nothing"),
        ({"$where": "n like '1'"}, "query.compiler.malformed", "Could not parse SoQL"),
        ({"$where": "n > 'many'"}, "query.soql.type-mismatch", "type-mismatch"),
        ({"$limit": "many"}, "query.compiler.malformed", "$limit must be a whole number"),
        ({"$offset": "-1"}, "query.compiler.malformed", "$offset must be a whole number"),
        ({"$group": "n"}, "query.compiler.malformed", "Unrecognized arguments [$group]"),
        ({"nothing": "1"}, "query.compiler.malformed", "Unrecognized arguments [nothing]"),
    ],
)
def test_what_the_portal_refuses(portals: DemoPortals, parameters: dict[str, str], code: str, message: str) -> None:
    answer = requests.get(f"{portals.url}/resource/many-0001.json", params=parameters, timeout=10)
    assert (answer.status_code, answer.json()["error"], answer.json()["code"]) == (400, True, code)
    assert message in answer.json()["message"]


@pytest.mark.parametrize("path", ["/resource/none-0000.json", "/resource/none-0000.csv", "/api/views/none-0000.json"])
def test_an_unknown_dataset_is_missing(portals: DemoPortals, path: str) -> None:
    answer = get(portals, path)
    assert (answer.status_code, answer.json()["code"], answer.json()["error"]) == (404, "dataset.missing", True)


def test_an_unchanged_answer_is_not_sent_again(portals: DemoPortals) -> None:
    with requests.Session() as session:
        url = f"{portals.url}/api/views/abcd-1234.json"
        tag = session.get(url, timeout=10).headers["ETag"]
        assert session.get(url, headers={"If-None-Match": tag}, timeout=10).status_code == 304
        # The connection is still usable: a 304 carries no body.
        assert session.get(url, headers={"If-None-Match": "other"}, timeout=10).status_code == 200


def test_ids_change_when_the_file_does(tmp_path: Path) -> None:
    def first_id(folder: str, text: str) -> object:
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.csv").write_text(text)
        with DemoPortals(tmp_path / folder) as running:
            return rows(running, running.files[0].socrata_id, select=":id", where="n = 1")[0][":id"]

    assert first_id("1", "n\n1\n2\n") == first_id("2", "n\n1\n2\n") != first_id("3", "n\n1\n3\n")


def test_other_addresses_are_html(portals: DemoPortals) -> None:
    answer = get(portals, "/")
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "text/html;charset=utf-8")


def test_a_taken_port_is_named(portals: DemoPortals, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("n\n1\n")
    port = int(portals.url.rpartition(":")[2])
    with pytest.raises(DemoPortTaken, match=f"Port {port}"):
        DemoPortals(tmp_path, port=port)


def test_sodapy_reads_the_demo_and_loses_rows_as_it_does_in_the_field(portals: DemoPortals) -> None:
    with Socrata(portals.url.removeprefix("http://"), None) as client:
        client.uri_prefix = "http://"
        assert client.get_metadata("many-0001")["id"] == "many-0001"
        unordered = [row[":id"] for row in client.get_all("many-0001", exclude_system_fields=False)]
        ordered = [row[":id"] for row in client.get_all("many-0001", exclude_system_fields=False, order=":id")]
    assert len(unordered) == len(set(ordered)) == 5000
    assert len(set(unordered)) < 5000
