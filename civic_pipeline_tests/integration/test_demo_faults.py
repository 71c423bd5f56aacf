"""Each fault of the demo portals, as a client sees it."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import duckdb
import pytest
import requests

from civic_pipeline.demo import DemoFolderError, DemoPortals, Faults

ROWS = 100
ITEM, FOUR = "0573e90adab5434f97b082590c503bc1", "many-0001"
LAYER = "/arcgis/rest/services/Many/FeatureServer/0"


@contextmanager
def many(folder: Path, entry: str = "", **faults: Any) -> Iterator[DemoPortals]:
    """Serve a file of 100 rows, in which some numbers are missing, with these faults."""
    (folder / "portal.yml").write_text(
        f"files: [{{file: many.csv, layer: Many, item: {ITEM}, socrata: {FOUR}{entry}}}]\n"
    )
    rows = (f"{n},thing {n},{'' if n % 10 == 3 else n}\n" for n in range(1, ROWS + 1))
    (folder / "many.csv").write_text("n,name,amount\n" + "".join(rows))
    with DemoPortals(folder, faults=Faults(**faults)) as portals:
        yield portals


def layer(portals: DemoPortals, **asked: Any) -> requests.Response:
    asked = {"f": "json", "where": "1=1", "outFields": "*", "orderByFields": "OBJECTID", **asked}
    return requests.get(f"{portals.url}{LAYER}/query", params=asked, timeout=10)


def resource(portals: DemoPortals, **asked: Any) -> requests.Response:
    asked = {f"${name}": value for name, value in {"order": ":id", **asked}.items()}
    return requests.get(f"{portals.url}/resource/{FOUR}.json", params=asked, timeout=10)


Ask = Callable[..., requests.Response]
both = pytest.mark.parametrize("ask", [layer, resource], ids=["arcgis", "socrata"])


def count(answer: requests.Response) -> int:
    body = answer.json()
    return len(body["features"] if isinstance(body, dict) else body)


def ids(answer: requests.Response) -> list[Any]:
    return [feature["attributes"]["OBJECTID"] for feature in answer.json()["features"]]


@both
@pytest.mark.parametrize("status", [202, 429, 500, 502, 503, 504])
def test_a_burst_ends(tmp_path: Path, ask: Ask, status: int) -> None:
    with many(tmp_path, burst_requests=2, burst_status=status, retry_after=0) as portals:
        answers = [ask(portals) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [status, status, 200]
        assert [answer.headers.get("Retry-After") for answer in answers] == ["0", "0", None]
        assert [one.status for one in portals.requests] == [status, status, 200]
        assert portals.most_at_once == 1


@both
def test_a_burst_counts_per_path_and_may_be_permanent(tmp_path: Path, ask: Ask) -> None:
    with many(tmp_path, burst_requests="always", burst_status=503) as portals:
        assert {ask(portals).status_code for _ in range(9)} == {503}
        assert requests.get(f"{portals.url}/api/views/{FOUR}.json", timeout=10).status_code == 200
        portals.inject_faults(Faults())
        assert ask(portals).status_code == 200


@both
def test_faults_can_start_after_some_pages(tmp_path: Path, ask: Ask) -> None:
    with many(tmp_path, burst_requests=1, after_pages=2) as portals:
        assert [ask(portals).status_code for _ in range(4)] == [200, 200, 429, 200]


@pytest.mark.parametrize(
    ("details", "members"), [("null", {"details": None}), ("absent", {}), ("empty", {"details": []})]
)  # fmt: skip
def test_an_arcgis_error_inside_200(tmp_path: Path, details: str, members: dict[str, Any]) -> None:
    with many(tmp_path, error_body=1, error_details=details) as portals:
        struck, well = layer(portals), layer(portals)
        assert (struck.status_code, count(well)) == (200, ROWS)
        assert struck.json() == {"error": {"code": 500, "message": "Unable to complete operation.", **members}}


def test_a_socrata_error_inside_200(tmp_path: Path) -> None:
    with many(tmp_path, error_body=1, error_details="absent") as portals:
        struck, well = resource(portals), resource(portals)
        assert (struck.status_code, count(well)) == (200, ROWS)
        assert struck.json() == {"error": True, "message": "Unable to complete operation.", "status": 500}


def test_a_token_is_required(tmp_path: Path) -> None:
    with many(tmp_path, token_required=True) as portals:
        assert layer(portals).json()["error"]["code"] == 499
        assert requests.get(f"{portals.url}{LAYER}", params={"f": "json"}, timeout=10).json()["error"]["code"] == 499
        assert resource(portals).status_code == 403


def test_pages_can_be_too_large(tmp_path: Path) -> None:
    with many(tmp_path, heavy_rows=30, heavy_code=504) as portals:
        heavy = layer(portals, resultRecordCount=31)
        assert (heavy.status_code, heavy.json()["error"]["message"]) == (200, "Error performing query operation")
        assert count(layer(portals, resultRecordCount=30)) == 30
        assert resource(portals, limit=31).status_code == resource(portals).status_code == 504
        assert count(resource(portals, limit=30)) == 30


@both
@pytest.mark.parametrize("fault", ["html_page", "html_appended", "empty_body", "truncated_json"])
def test_a_damaged_response_has_status_200_and_is_not_json(tmp_path: Path, ask: Ask, fault: str) -> None:
    with many(tmp_path, **{fault: 1}) as portals:
        struck, well = ask(portals), ask(portals)
        assert struck.status_code == 200
        with pytest.raises(requests.JSONDecodeError):
            struck.json()
        assert count(well) == ROWS


@both
def test_a_connection_that_is_dropped_in_the_body(tmp_path: Path, ask: Ask) -> None:
    with many(tmp_path, dropped_connection=1) as portals:
        with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
            ask(portals)
        assert count(ask(portals)) == ROWS


def test_portals_close_quietly_during_a_response(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    asked, ended, handled = threading.Event(), threading.Event(), threading.Event()

    def read_after_the_end(*_: object) -> None:
        asked.set()
        ended.wait()
        raise duckdb.ConnectionException("Connection Error: Connection already closed!")

    def ask_in_vain(portals: DemoPortals) -> None:
        with suppress(requests.RequestException):
            resource(portals)

    finish = ThreadingHTTPServer.shutdown_request
    monkeypatch.setattr(ThreadingHTTPServer, "shutdown_request", lambda *a: (finish(*a), handled.set()))
    with many(tmp_path) as portals:
        monkeypatch.setattr(portals, "respond", read_after_the_end)
        threading.Thread(target=ask_in_vain, args=(portals,), daemon=True).start()
        asked.wait()
    ended.set()
    handled.wait()
    assert capfd.readouterr().err == ""


def test_missing_numbers_as_nan(tmp_path: Path) -> None:
    with many(tmp_path, ", geometry: true", nan="bare") as portals:
        assert '"amount":NaN' in layer(portals).text
        assert '"geometry":{"x":NaN,"y":NaN}' in layer(portals).text
        assert '"amount":NaN' in resource(portals).text
        portals.inject_faults(Faults(nan="text"))
        rows = [feature["attributes"] for feature in layer(portals).json()["features"]]
        assert [row["n"] for row in rows if row["amount"] == "NaN"] == list(range(3, 100, 10))
        assert sum(row["amount"] == "NaN" for row in resource(portals).json()) == 10


def test_short_pages(tmp_path: Path) -> None:
    with many(tmp_path, short_pages=40) as portals:
        pages = [layer(portals, resultOffset=at, resultRecordCount=100) for at in (0, 40, 80)]
        assert [count(page) for page in pages] == [40, 40, 20]
        assert [page.json().get("exceededTransferLimit") for page in pages] == [True, True, None]
        assert count(resource(portals, limit=1000)) == 40
        portals.inject_faults(Faults(short_pages=40, never_flags=True))
        assert "exceededTransferLimit" not in layer(portals).json()
        portals.inject_faults(Faults(flags_always=True))
        assert layer(portals).json()["exceededTransferLimit"] is True


@pytest.mark.parametrize(("times", "second"), [(1, 30), ("always", 0)])
def test_an_empty_page_with_the_flag_set(tmp_path: Path, times: Any, second: int) -> None:
    with many(tmp_path, flagged_empty_at=30, flagged_empty_times=times) as portals:
        assert count(layer(portals, resultOffset=0, resultRecordCount=30)) == 30
        struck = layer(portals, resultOffset=30, resultRecordCount=30).json()
        assert (struck["features"], struck["exceededTransferLimit"]) == ([], True)
        assert count(layer(portals, resultOffset=30, resultRecordCount=30)) == second
        assert count(layer(portals, where="OBJECTID >= 31 AND OBJECTID <= 60")) == 30


@pytest.mark.parametrize(("how", "expected"), [("denied", False), ("absent", None)])
def test_no_paging(tmp_path: Path, how: str, expected: bool | None) -> None:
    with many(tmp_path, ", max_record_count: 50", no_paging=how) as portals:
        about = requests.get(f"{portals.url}{LAYER}", params={"f": "json"}, timeout=10).json()
        assert about["advancedQueryCapabilities"].get("supportsPagination") is expected
        assert layer(portals, resultOffset=0).json()["error"]["message"] == "Pagination is not supported."
        assert (count(layer(portals)), layer(portals).json()["exceededTransferLimit"]) == (50, True)


def test_offsets_that_are_ignored(tmp_path: Path) -> None:
    with many(tmp_path, paging_lies=True) as portals:
        assert ids(layer(portals, resultOffset=50, resultRecordCount=10)) == list(range(1, 11))


def test_rejected_requests(tmp_path: Path) -> None:
    with many(tmp_path, no_field_list_in_pages=True, no_post=True, no_long_urls=True, no_ids_only=True) as portals:
        assert "error" in layer(portals, resultOffset=0, outFields="n,name").json()
        assert count(layer(portals, resultOffset=0)) == ROWS
        url, form = f"{portals.url}{LAYER}/query", {"f": "json", "where": "1=1"}
        assert requests.post(url, data=form, timeout=10).status_code == 405
        assert layer(portals, where="OBJECTID > 0" + " AND OBJECTID > 0" * 120).status_code == 414
        assert "error" in layer(portals, returnIdsOnly="true").json()


def test_pages_that_are_empty_with_geometry(tmp_path: Path) -> None:
    with many(tmp_path, empty_with_geometry=True) as portals:
        assert (count(layer(portals)), count(layer(portals, returnGeometry="false"))) == (0, ROWS)


@pytest.mark.parametrize(
    ("shape", "first"), [("sparse", "1010,"), ("huge", "410106100001,"), ("float", "410106100001.0,")]
)
def test_unusual_object_ids(tmp_path: Path, shape: str, first: str) -> None:
    with many(tmp_path, object_ids=shape) as portals:
        assert layer(portals).text.partition('"attributes":{"OBJECTID":')[2].startswith(first)
        wanted = ids(layer(portals))[4]
        assert ids(layer(portals, where=f"OBJECTID >= {wanted} AND OBJECTID <= {wanted}")) == [wanted]
        assert sorted(layer(portals, returnIdsOnly="true").json()["objectIds"]) == ids(layer(portals))


def test_repeated_object_ids(tmp_path: Path) -> None:
    with many(tmp_path, repeated_ids=3) as portals:
        assert ids(layer(portals))[:8] == [1, 1, 3, 3, 5, 5, 7, 8]


def test_wrong_and_failing_counts(tmp_path: Path) -> None:
    with many(tmp_path, count_off_by=-7) as portals:
        assert layer(portals, returnCountOnly="true").json() == {"count": ROWS - 7}
        assert resource(portals, select="count(*)").json() == [{"count": str(ROWS - 7)}]
        portals.inject_faults(Faults(count_fails="always"))
        assert layer(portals, returnCountOnly="true").json()["error"]["code"] == 500
        assert resource(portals, select="count(*)").status_code == 500
        assert count(layer(portals)) == count(resource(portals)) == ROWS


@pytest.mark.parametrize(
    ("where", "view", "headers"),
    [
        ("metadata", {"rowsUpdatedAt", "viewLastModified"}, {"X-SODA2-Truth-Last-Modified", "Last-Modified"}),
        ("truth_header", set(), {"X-SODA2-Truth-Last-Modified"}),
        ("last_modified_header", set(), {"Last-Modified"}),
        ("view_last_modified", {"viewLastModified"}, set()),
        ("none", set(), set()),
    ],
)
def test_freshness_is_stated_in_one_place_or_nowhere(
    tmp_path: Path, where: str, view: set[str], headers: set[str]
) -> None:
    with many(tmp_path, freshness=where) as portals:
        described = requests.get(f"{portals.url}/api/views/{FOUR}.json", timeout=10).json()
        assert described.keys() & {"rowsUpdatedAt", "viewLastModified"} == view
        assert set(resource(portals).headers) & {"X-SODA2-Truth-Last-Modified", "Last-Modified"} == headers
        about = requests.get(f"{portals.url}{LAYER}", params={"f": "json"}, timeout=10).json()
        assert ("editingInfo" in about) is (where == "metadata")


def test_a_drifted_schema(tmp_path: Path) -> None:
    with many(
        tmp_path, hidden_columns=["n"], renamed_columns={"name": "Title"}, retyped_columns={"amount": "text"},
        added_columns={"Extra": "date"},
    ) as portals:  # fmt: skip
        about = requests.get(f"{portals.url}{LAYER}", params={"f": "json"}, timeout=10).json()
        assert {field["name"]: field["type"].removeprefix("esriFieldType") for field in about["fields"]} == {
            "OBJECTID": "OID", "Title": "String", "amount": "String", "Extra": "Date",
        }  # fmt: skip
        assert layer(portals).json()["features"][0]["attributes"] == {
            "OBJECTID": 1, "Title": "thing 1", "amount": "1", "Extra": 1706659200000,
        }  # fmt: skip
        view = requests.get(f"{portals.url}/api/views/{FOUR}.json", timeout=10).json()
        assert {column["fieldName"]: column["dataTypeName"] for column in view["columns"]} == {
            "title": "text", "amount": "text", "extra": "date",
        }  # fmt: skip
        first = resource(portals, where="title = 'thing 1'").json()
        assert first == [{"title": "thing 1", "amount": "1", "extra": "2024-01-31T00:00:00.000Z"}]


def test_a_layer_that_moved(tmp_path: Path) -> None:
    with many(tmp_path, moved_to_service="Many_2", layer_number=3) as portals:
        item = f"{portals.url}/sharing/rest/content/items/{ITEM}"
        home = requests.get(item, params={"f": "json"}, timeout=10).json()["url"]
        assert home == f"{portals.url}/arcgis/rest/services/Many_2/FeatureServer"
        assert layer(portals).json()["error"]["message"] == "Invalid URL"
        service = requests.get(home, params={"f": "json"}, timeout=10).json()
        assert [(entry["id"], entry["name"], entry["type"]) for entry in service["layers"]] == [
            (0, "Archive", "Group Layer"), (1, "Archive 1", "Feature Layer"), (2, "Archive 2", "Feature Layer"),
        ]  # fmt: skip
        assert [(entry["id"], entry["name"]) for entry in service["tables"]] == [(3, "Many")]
        assert "fields" not in requests.get(f"{home}/0", params={"f": "json"}, timeout=10).json()
        moved = requests.get(f"{home}/3/query", params={"f": "json", "where": "1=1"}, timeout=10)
        assert count(moved) == ROWS


def test_a_removed_item_and_a_moved_host(tmp_path: Path) -> None:
    with many(tmp_path, item_gone=True) as portals:
        item = f"{portals.url}/sharing/rest/content/items/{ITEM}"
        assert requests.get(item, params={"f": "json"}, timeout=10).json()["error"]["messageCode"] == "CONT_0001"
        assert count(layer(portals)) == ROWS
        portals.inject_faults(Faults(home_page=True))
        for answer in (requests.get(item, params={"f": "json"}, timeout=10), layer(portals), resource(portals)):
            assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html;charset=utf-8")


@both
@pytest.mark.parametrize(("edit", "after"), [("delete", 98), ("insert", 102), ("update", 100)])
def test_rows_change_during_a_read(tmp_path: Path, ask: Ask, edit: str, after: int) -> None:
    with many(tmp_path, edit_after_pages=2, edit=edit, edit_rows=2) as portals:
        before = portals.files[0].updated_at
        assert [count(ask(portals)) for _ in range(4)] == [100, 100, after, after]
        assert portals.files[0].updated_at == before + 1
        assert layer(portals, returnCountOnly="true").json() == {"count": after}
        portals.inject_faults(Faults(edit_after_pages=1, edits_forever=True))
        assert [count(ask(portals)) for _ in range(3)] == [after, after - 1, after - 2]


def test_a_fault_has_struck_once_it_changed_an_answer(tmp_path: Path) -> None:
    with many(tmp_path, short_pages=40, html_page=1, after_pages=1, hidden_columns=["n"]) as portals:

        def struck() -> set[str]:  # fmt: skip
            return {fault for fault in Faults.model_fields if portals.struck(fault)}

        assert struck() == set()
        assert count(layer(portals, resultRecordCount=39)) == 39
        assert struck() == set()
        layer(portals)
        assert struck() == {"html_page"}
        layer(portals)
        assert struck() == {"html_page", "short_pages"}
        requests.get(f"{portals.url}/api/views/{FOUR}.json", timeout=10)
        assert struck() == {"html_page", "short_pages", "hidden_columns"}
        portals.inject_faults(Faults())
        assert struck() == set()


def test_faults_of_one_file_are_those_of_its_entry(tmp_path: Path) -> None:
    with many(tmp_path, ", faults: {short_pages: 5}", short_pages=9, count_off_by=1) as portals:
        assert (portals.files[0].faults.short_pages, portals.files[0].faults.count_off_by) == (5, 1)
        assert count(layer(portals)) == 5


def test_faults_for_columns_the_file_does_not_have_are_refused(tmp_path: Path) -> None:
    with (
        pytest.raises(DemoFolderError, match=r"has faults for nothing, which many\.csv does not have"),
        many(tmp_path, ", faults: {hidden_columns: [nothing]}"),
    ):
        pass


def test_requests_are_remembered_and_answered_at_once(tmp_path: Path) -> None:
    with many(tmp_path, latency_ms=200) as portals, ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda at: layer(portals, resultOffset=at, resultRecordCount=25), range(0, 100, 25)))
        assert [value for answer in answers for value in ids(answer)] == list(range(1, 101))
        assert portals.most_at_once > 1
        assert sorted(int(one.parameters["resultOffset"]) for one in portals.requests) == [0, 25, 50, 75]
        assert {(one.method, one.path, one.status) for one in portals.requests} == {("GET", f"{LAYER}/query", 200)}
        assert all(one.headers["user-agent"].startswith("python-requests") for one in portals.requests)
