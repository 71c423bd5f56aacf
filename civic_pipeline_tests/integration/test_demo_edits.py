"""Served rows that a test edits, as clients of both protocols see them."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from civic_pipeline.demo import DemoEditInvalid, DemoFolderError, DemoPortals

CASES = "OBJECTID,Name,Paid,Opened,number\n7,a,1.5,2024-01-31,1\n9,b,2,2024-02-01,2\n12,c,,,3\n"


@pytest.fixture
def portals(tmp_path: Path) -> Iterator[DemoPortals]:
    (tmp_path / "portal.yml").write_text("files: [{file: cases.csv, socrata: case-0001, edit_tracking: true}]\n")
    (tmp_path / "cases.csv").write_text(CASES)
    with DemoPortals(tmp_path) as running:
        yield running


def rows(portals: DemoPortals) -> dict[str, dict[str, Any]]:
    """Return all rows with their system fields, by name."""
    asked = {"$select": ":*,*", "$order": ":id"}
    answer = requests.get(f"{portals.url}/resource/case-0001.json", params=asked, timeout=10)
    return {row["name"]: row for row in answer.json()}


def layer(portals: DemoPortals, **asked: str) -> Any:
    asked = {"f": "json", "where": "1=1", "outFields": "*", "orderByFields": "OBJECTID", **asked}
    url = f"{portals.url}/arcgis/rest/services/cases/FeatureServer/0/query"
    return requests.get(url, params=asked, timeout=10).json()


def test_an_update_changes_only_its_rows(portals: DemoPortals) -> None:
    before, was = rows(portals), portals.files[0].updated_at
    portals.update("cases.csv", "Name = 'b' and number = 2", {"Paid": "99.5", "Opened": None})
    after = rows(portals)
    assert portals.files[0].updated_at == was + 1
    assert (after["a"], after["c"]) == (before["a"], before["c"])
    assert (after["b"]["paid"], "opened" in after["b"]) == ("99.5", False)
    assert after["b"][":id"] == before["b"][":id"]
    assert after["b"][":created_at"] == before["b"][":created_at"]
    assert after["b"][":updated_at"] > before["b"][":updated_at"]
    assert after["b"][":version"] != before["b"][":version"]
    since = f":updated_at > '{before['b'][':updated_at']}'"
    changed = requests.get(f"{portals.url}/resource/case-0001.json", params={"$where": since}, timeout=10).json()
    assert [row["name"] for row in changed] == ["b"]
    attributes = {feature["attributes"]["Name"]: feature["attributes"] for feature in layer(portals)["features"]}
    assert attributes["b"]["EditDate"] == (was + 1) * 1000 > attributes["b"]["CreationDate"] == was * 1000
    edited = layer(portals, where=f"EditDate > {0}", returnCountOnly="true")
    assert "error" in edited  # a date is compared with a date
    moment = after["a"][":updated_at"].replace("T", " ").removesuffix("Z")
    assert layer(portals, where=f"EditDate > TIMESTAMP '{moment}'", returnCountOnly="true") == {"count": 1}


def test_inserted_rows_get_new_ids_and_ids_of_deleted_rows_are_not_reused(portals: DemoPortals) -> None:
    before = rows(portals)
    portals.insert("cases.csv", [{"Name": "d", "Opened": "2024-03-01"}, {"Name": "e", "OBJECTID": 40, "Paid": 3}])
    portals.delete("cases.csv", "Name in ('c', 'd')")
    portals.insert("cases.csv", [{"Name": "f"}])
    after = rows(portals)
    assert after.keys() == {"a", "b", "e", "f"}
    assert {name: after[name] for name in "ab"} == {name: before[name] for name in "ab"}
    assert len({row[":id"] for row in (*before.values(), *after.values())}) == 5
    ids = {feature["attributes"]["Name"]: feature["attributes"]["OBJECTID"] for feature in layer(portals)["features"]}
    assert ids == {"a": 7, "b": 9, "e": 40, "f": 41}
    assert layer(portals, returnCountOnly="true") == {"count": 4}
    assert portals.files[0].rows == 4


def test_a_full_replace_gives_every_row_a_new_id(portals: DemoPortals) -> None:
    before = rows(portals)
    portals.replace("cases.csv")
    after = rows(portals)
    assert after.keys() == before.keys()
    assert not {row[":id"] for row in before.values()} & {row[":id"] for row in after.values()}
    assert [feature["attributes"]["OBJECTID"] for feature in layer(portals)["features"]] == [7, 9, 12]


def test_responses_keep_their_etag_until_an_edit(portals: DemoPortals) -> None:
    url = f"{portals.url}/resource/case-0001.json"
    tag = {"If-None-Match": requests.get(url, timeout=10).headers["ETag"]}
    assert requests.get(url, headers=tag, timeout=10).status_code == 304
    portals.delete("cases.csv", "OBJECTID = 7")
    assert requests.get(url, headers=tag, timeout=10).status_code == 200


def test_invalid_edits_are_rejected_completely(portals: DemoPortals) -> None:
    before = rows(portals)
    with pytest.raises(DemoEditInvalid, match="no column Nothing"):
        portals.insert("cases.csv", [{"Name": "d"}, {"Nothing": 1}])
    with pytest.raises(DemoEditInvalid, match="soon"):
        portals.update("cases.csv", "true", {"Opened": "soon"})
    with pytest.raises(DemoEditInvalid, match="nothing"):
        portals.delete("cases.csv", "nothing = 1")
    with pytest.raises(DemoFolderError, match=r"no file 'other\.csv'"):
        portals.delete("other.csv", "true")
    assert rows(portals) == before


def test_a_response_never_mixes_rows_before_and_after_an_edit(portals: DemoPortals) -> None:
    def read(_: int) -> list[str]:
        asked = {"$select": ":id,name", "$order": ":id"}
        return [
            row[":id"]
            for row in requests.get(f"{portals.url}/resource/case-0001.json", params=asked, timeout=30).json()
        ]

    with ThreadPoolExecutor(5) as pool:
        answers = pool.map(read, range(40))
        for number in range(20):
            portals.insert("cases.csv", [{"Name": f"new {number}"}, {"Name": f"newer {number}"}])
        lengths = [len(ids) for ids in answers if len(ids) == len(set(ids))]
    assert len(lengths) == 40
    assert {length % 2 for length in lengths} == {1}  # three rows, and two more with each edit
    assert len(read(0)) == 43
