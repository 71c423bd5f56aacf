"""What portals may answer, and the error each answer becomes. No sockets: an adapter answers from memory."""

import io
import json
from collections.abc import Callable
from datetime import date
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
import requests
from requests.adapters import BaseAdapter

from civic_pipeline.catalog import ArcgisSource, SocrataSource
from civic_pipeline.errors import AnswerUnreadable, PortalRefused, PortalUnreachable, SourceNotFound
from civic_pipeline.portals import Access, http
from civic_pipeline.portals.arcgis import ArcgisLayer
from civic_pipeline.portals.http import TRIES, Client
from civic_pipeline.portals.socrata import SocrataDataset

URL = "https://data.town.gov/x.json"
Answer = tuple[int, str] | tuple[int, str, dict[str, str]] | Exception


class FromMemory(BaseAdapter):
    def __init__(self, answer: Callable[[str], Answer]) -> None:
        super().__init__()
        self.answer, self.asked, self.tokens = answer, list[str](), list[str | None]()

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        self.asked.append(str(request.url))
        self.tokens.append(request.headers.get("X-App-Token"))
        given = self.answer(str(request.url))
        if isinstance(given, Exception):
            raise given
        response = requests.Response()
        response.status_code, response.raw, response.url = given[0], io.BytesIO(given[1].encode()), str(request.url)
        response.headers.update(given[2] if len(given) == 3 else {})
        response.request = request
        return response

    def close(self) -> None: ...


def client(answer: Callable[[str], Answer]) -> Client:
    session = requests.Session()
    session.mount("https://", FromMemory(answer))
    return Client(4, session)


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits between tries, noted instead of waited."""
    waited: list[float] = []
    monkeypatch.setattr(http, "pause", waited.append)
    return waited


@pytest.mark.parametrize(
    ("answer", "error", "told"),
    [
        (requests.ConnectionError("<urllib3 object at 0x7f>: no route to host"), PortalUnreachable, "no route to host"),
        (requests.ReadTimeout("timed out"), PortalUnreachable, "timed out"),
        ((503, "<html><title>Maintenance</title>"), PortalUnreachable, "HTTP 503: an HTML page titled 'Maintenance'"),
        ((429, ""), PortalUnreachable, "HTTP 429"),
        ((404, '{"message": "Not found"}'), SourceNotFound, "Not found"),
        ((403, '{"message": "Forbidden"}'), PortalRefused, "HTTP 403: Forbidden"),
        ((200, "<!DOCTYPE html><title>Open\nData</title>"), AnswerUnreadable, "an HTML page titled"),
        ((200, ""), AnswerUnreadable, "returned an empty body; expected JSON"),
        ((200, '[{"a": 1'), AnswerUnreadable, "8 characters of broken JSON"),
    ],
)  # fmt: skip
def test_an_answer_that_is_not_the_data_becomes_the_error_that_says_what_came(
    answer: Answer, error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told) as raised:
        client(lambda _: answer).json(URL, {"secret": "1"})
    assert URL in str(raised.value)
    assert "0x7f" not in str(raised.value)


def test_json_is_returned_as_it_is() -> None:
    assert client(lambda _: (200, '[{"a": 0.1}]')).json(URL, {}) == [{"a": 0.1}]


def test_html_behind_good_json_is_cut_off_and_other_things_are_not() -> None:
    assert client(lambda _: (200, '{"a": "</p>"}\n<html>x</html>')).json(URL, {}) == {"a": "</p>"}
    with pytest.raises(AnswerUnreadable):
        client(lambda _: (200, '{"a": 1}{"b": 2}<html>')).json(URL, {})


@pytest.mark.parametrize(
    "passing",
    [
        (202, ""), (429, ""), (500, ""), (503, "<html>"), (200, ""), (200, "<html>"), (200, '{"a": '),
        requests.ConnectionError("reset"), requests.exceptions.ChunkedEncodingError("broken off"),
    ],
    ids=str,
)  # fmt: skip
def test_what_may_pass_is_tried_again_and_counted(passing: Answer, pauses: list[float]) -> None:
    answers = [passing] * (TRIES - 1) + [(200, "[]")]
    asked = client(lambda _: answers.pop(0))
    assert asked.json(URL, {}) == []
    assert (asked.traffic.requests, asked.traffic.retries) == (TRIES, TRIES - 1)
    assert len(pauses) == TRIES - 1
    assert all(0 < seconds < 10 for seconds in pauses)


def test_a_portal_that_throttles_says_when_to_come_back_and_is_asked_by_fewer(pauses: list[float]) -> None:
    answers: list[Answer] = [(429, "", {"Retry-After": "7"}), (429, "", {"Retry-After": "0"}), (200, "[]")]
    asked = client(lambda _: answers.pop(0))
    assert asked.json(URL, {}) == []
    assert pauses == [7, 0]
    assert asked.at_once == 1


def test_a_portal_that_asks_for_an_hour_gets_its_turn_in_the_next_run(pauses: list[float]) -> None:
    with pytest.raises(PortalUnreachable):
        client(lambda _: (503, "", {"Retry-After": "3600"})).json(URL, {})
    assert pauses == []


# ArcGIS: found by item, verified by layer name, with fallbacks

ITEM = "0" * 32
SOURCE = ArcgisSource(
    portal="arcgis", item=ITEM, layer="Payments", recorded=date(2026, 1, 1),
    fallbacks=("https://old.town.gov/Payments/FeatureServer",),
)  # fmt: skip
LAYER = {
    "name": "Payments", "objectIdField": "FID", "editingInfo": {"dataLastEditDate": 1700000000000},
    "fields": [{"name": "FID", "type": "esriFieldTypeOID"}, {"name": "When", "type": "esriFieldTypeDate", "alias": "When paid"}],
}  # fmt: skip


def layer(answers: dict[str, Any]) -> ArcgisLayer:
    """A layer whose portal knows the addresses in `answers` (their beginnings) and refuses others."""
    made = ArcgisLayer(SOURCE, Access())

    def answer(url: str) -> Answer:
        found = next(
            (body for start, body in answers.items() if url.startswith(start)),
            {"error": {"code": 498, "message": "Invalid Token"}},
        )
        return 200, json.dumps(found)

    made._client = client(answer)
    return made


SERVICE = "https://services.town.gov/New/FeatureServer"
LISTING = {"layers": [{"id": 3, "name": "Other"}], "tables": [{"id": 7, "name": "Payments"}]}
KNOWN = {
    f"https://www.arcgis.com/sharing/rest/content/items/{ITEM}": {"url": SERVICE},
    f"{SERVICE}/7/query": {"count": 5},
    f"{SERVICE}/7": LAYER,
    SERVICE: LISTING,
}


def test_a_layer_is_found_by_its_item_and_its_name_wherever_it_moved() -> None:
    description = layer(KNOWN).describe()
    assert description.url == f"{SERVICE}/7"
    assert description.row_id is not None
    assert description.row_id.name == "FID"
    assert [(c.name, c.portal_type, c.title) for c in description.columns] == [
        ("FID", "OID", "FID"),
        ("When", "Date", "When paid"),
    ]
    assert (description.freshness.token, description.freshness.link) == (
        "1700000000000",
        "editingInfo.dataLastEditDate",
    )


def test_an_item_that_does_not_resolve_is_looked_for_where_it_was_before() -> None:
    old = "https://old.town.gov/Payments/FeatureServer"
    description = layer({f"{old}/7/query": {"count": 5}, f"{old}/7": LAYER, old: LISTING}).describe()
    assert description.url == f"{old}/7"


def test_an_item_that_is_nowhere_is_told_by_the_first_problem() -> None:
    with pytest.raises(SourceNotFound, match=rf"The item {ITEM} was not found .*498 Invalid Token"):
        layer({}).describe()


def test_another_layer_under_the_same_address_is_not_taken_for_ours() -> None:
    with pytest.raises(SourceNotFound, match=r"The layer 'Payments' was not found .*the service holds Other"):
        layer(KNOWN | {SERVICE: {"layers": [{"id": 7, "name": "Other"}]}}).describe()


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"error": {"code": 400, "message": "Bad"}}, PortalRefused),
        ({"count": "5"}, AnswerUnreadable),
        ([], AnswerUnreadable),
    ],
)
def test_an_error_inside_an_http_200_is_an_error(body: object, error: type[Exception]) -> None:
    with pytest.raises(error):
        source = layer({f"{SERVICE}/7/query": body} | KNOWN | {f"{SERVICE}/7/query": body})
        source.describe()
        source.count()


# Socrata

VIEW = {
    "name": "Payments", "rowsUpdatedAt": 17, "viewType": "tabular",
    "columns": [
        {"fieldName": "payment", "dataTypeName": "number", "name": "Payment"},
        {"fieldName": "note", "dataTypeName": "text"},
        {"fieldName": ":@computed_region_abcd", "dataTypeName": "number"},
    ],
}  # fmt: skip


def dataset(
    view: Any = VIEW, count: Any = ({"count": "3"},), pages: tuple[Any, ...] = ()
) -> tuple[SocrataDataset, FromMemory]:
    """A dataset that answers `pages`: each at the offset where the one before ends, whatever the order they are asked in."""
    source = SocrataSource(portal="socrata", domain="data.town.gov", id="abcd-1234", recorded=date(2026, 1, 1))
    made = SocrataDataset(source, "abcd-1234", Access())
    by_offset = dict(zip(accumulate(map(len, pages), initial=0), pages, strict=False))

    def answer(url: str) -> Answer:
        offset = int(url.partition("offset=")[2] or 0)
        body = view if "/api/views/" in url else count if "count%28" in url else by_offset.get(offset, [])
        return 200, json.dumps(body)

    adapter = FromMemory(answer)
    made._client._session.mount("https://", adapter)
    return made, adapter


def test_rows_are_read_to_the_last_by_what_arrived_and_nulls_are_kept(tmp_path: Path) -> None:
    source, adapter = dataset(
        pages=([{":id": "a", "payment": "0.10"}, {":id": "b", "note": "x"}], [{":id": "c", "payment": 7}], [])
    )
    description = source.describe()
    assert [c.name for c in description.columns] == ["payment", "note"]
    assert (source.count(), description.freshness.token) == (3, "17")
    pages = list(source.read(description, 3, tmp_path, careful=False))
    assert [page.to_pylist()[0]["_id"] for page in pages] == ["a", "c"]
    assert pages[0].column("note").to_pylist() == [None, "x"]
    assert sorted(url.partition("offset=")[2] for url in adapter.asked if "offset=" in url) == ["0", "2", "3"]


@pytest.mark.parametrize(
    ("to", "told"),
    [
        ("https://elsewhere.gov/x", None),
        ("http://data.town.gov/x", None),
        ("https://data.town.gov/x", "t"),
        ("/x", "t"),
    ],
)
def test_the_token_does_not_follow_a_redirect_to_another_host(to: str, told: str | None) -> None:
    source = SocrataSource(portal="socrata", domain="data.town.gov", id="abcd-1234", recorded=date(2026, 1, 1))
    made = SocrataDataset(source, "abcd-1234", Access(socrata_token="t"))
    adapter = FromMemory(lambda url: (200, json.dumps(VIEW)) if url.endswith("/x") else (301, "", {"Location": to}))
    for scheme in ("https://", "http://"):
        made._client._session.mount(scheme, adapter)
    made.describe()
    assert adapter.tokens == ["t", told]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"view": {"error": True, "message": "permission denied"}}, PortalRefused),
        ({"view": {"id": "abcd-1234"}}, AnswerUnreadable),
        ({"view": VIEW | {"viewType": "href"}}, SourceNotFound),
        ({"count": []}, AnswerUnreadable),
        ({"count": [{"count": None}]}, AnswerUnreadable),
        ({"pages": ({"rows": []},)}, AnswerUnreadable),
    ],
    ids=["error", "no columns", "a link", "no count", "null count", "no list"],
)
def test_a_dataset_that_is_no_table_is_refused(
    arguments: dict[str, Any], error: type[Exception], tmp_path: Path
) -> None:
    source, _ = dataset(**arguments)
    with pytest.raises(error):
        list(source.read(source.describe(), source.count(), tmp_path, careful=False))
