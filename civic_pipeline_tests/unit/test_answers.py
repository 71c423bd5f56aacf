"""Responses of portals and the errors that they raise. No sockets: an adapter sends responses from memory."""

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
from civic_pipeline.errors import AnswerUnreadable, PortalRefused, PortalUnreachable, RedirectInsecure, SourceNotFound
from civic_pipeline.portals import Access, http
from civic_pipeline.portals.arcgis import ArcgisLayer
from civic_pipeline.portals.http import TRIES, Client
from civic_pipeline.portals.session import is_private
from civic_pipeline.portals.socrata import SocrataDataset

URL = "https://data.town.gov/x.json"
Answer = tuple[int, str] | tuple[int, str, dict[str, str]] | Exception


class MemoryAdapter(BaseAdapter):
    def __init__(self, answer: Callable[[str], Answer]) -> None:
        super().__init__()
        self.answer, self.urls, self.tokens = answer, list[str](), list[str | None]()

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        self.urls.append(str(request.url))
        self.tokens.append(request.headers.get("X-App-Token"))
        answer = self.answer(str(request.url))
        if isinstance(answer, Exception):
            raise answer
        response = requests.Response()
        response.status_code, response.raw, response.url = answer[0], io.BytesIO(answer[1].encode()), str(request.url)
        response.headers.update(answer[2] if len(answer) == 3 else {})
        response.request = request
        return response

    def close(self) -> None: ...


def client(answer: Callable[[str], Answer]) -> Client:
    session = requests.Session()
    session.mount("https://", MemoryAdapter(answer))
    return Client(4, session)


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Records the pauses between tries instead of waiting."""
    seconds: list[float] = []
    monkeypatch.setattr(http, "pause", seconds.append)
    return seconds


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        (requests.ConnectionError("<urllib3 object at 0x7f>: no route to host"), PortalUnreachable, "no route to host"),
        (requests.ReadTimeout("timed out"), PortalUnreachable, "timed out"),
        ((503, "<html><title>Maintenance</title>"), PortalUnreachable, "HTTP 503: an HTML page titled 'Maintenance'"),
        ((429, ""), PortalUnreachable, "HTTP 429"),
        ((404, '{"message": "Not found"}'), SourceNotFound, "Not found"),
        ((403, '{"message": "Forbidden"}'), PortalRefused, "HTTP 403: Forbidden"),
        ((206, "[]"), PortalRefused, "HTTP 206"),
        ((204, ""), PortalRefused, "HTTP 204: an empty body"),
        ((300, "[]"), PortalRefused, "HTTP 300"),
        ((200, "<!DOCTYPE html><title>Open\nData</title>"), AnswerUnreadable, "an HTML page titled"),
        ((200, ""), AnswerUnreadable, "returned an empty body; expected JSON"),
        ((200, '[{"a": 1'), AnswerUnreadable, "8 bytes of broken JSON"),
    ],
)  # fmt: skip
def test_the_error_describes_the_response(answer: Answer, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message) as raised:
        client(lambda _: answer).json(URL, {"secret": "1"})
    assert URL in str(raised.value)
    assert "0x7f" not in str(raised.value)


def test_json_is_returned_as_it_is() -> None:
    assert client(lambda _: (200, '[{"a": 0.1}]')).json(URL, {}) == [{"a": 0.1}]


def test_only_html_after_valid_json_is_removed() -> None:
    assert client(lambda _: (200, '{"a": "</p>"}\n<html>x</html>')).json(URL, {}) == {"a": "</p>"}
    with pytest.raises(AnswerUnreadable):
        client(lambda _: (200, '{"a": 1}{"b": 2}<html>')).json(URL, {})


@pytest.mark.parametrize(
    "temporary",
    [
        (202, ""), (429, ""), (500, ""), (503, "<html>"), (200, ""), (200, "<html>"), (200, '{"a": '),
        requests.ConnectionError("reset"), requests.exceptions.ChunkedEncodingError("broken off"),
    ],
    ids=str,
)  # fmt: skip
def test_a_temporary_failure_is_retried_and_counted(temporary: Answer, pauses: list[float]) -> None:
    answers = [temporary] * (TRIES - 1) + [(200, "[]")]
    retrying = client(lambda _: answers.pop(0))
    assert retrying.json(URL, {}) == []
    assert (retrying.traffic.requests, retrying.traffic.retries) == (TRIES, TRIES - 1)
    assert len(pauses) == TRIES - 1
    assert all(0 < seconds < 10 for seconds in pauses)


def test_after_throttling_the_client_waits_as_asked_and_sends_fewer_requests_at_once(pauses: list[float]) -> None:
    answers: list[Answer] = [(429, "", {"Retry-After": "7"}), (429, "", {"Retry-After": "0"}), (200, "[]")]
    throttled = client(lambda _: answers.pop(0))
    assert throttled.json(URL, {}) == []
    assert pauses == [7, 0]
    assert throttled.at_once == 1


def test_a_portal_that_asks_for_a_long_pause_is_not_retried_in_this_run(pauses: list[float]) -> None:
    with pytest.raises(PortalUnreachable):
        client(lambda _: (503, "", {"Retry-After": "3600"})).json(URL, {})
    assert pauses == []


# ArcGIS: looked up by item, checked by layer name, with fallbacks

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
    """A layer whose portal answers URLs that begin with a key of `answers`, and rejects others."""
    source = ArcgisLayer(SOURCE, Access())

    def answer(url: str) -> Answer:
        body = next(
            (body for start, body in answers.items() if url.startswith(start)),
            {"error": {"code": 498, "message": "Invalid Token"}},
        )
        return 200, json.dumps(body)

    source._client = client(answer)
    return source


SERVICE = "https://services.town.gov/New/FeatureServer"
LISTING = {"layers": [{"id": 3, "name": "Other"}], "tables": [{"id": 7, "name": "Payments"}]}
KNOWN = {
    f"https://www.arcgis.com/sharing/rest/content/items/{ITEM}": {"url": SERVICE},
    f"{SERVICE}/7/query": {"count": 5},
    f"{SERVICE}/7": LAYER,
    SERVICE: LISTING,
}


def test_a_layer_that_moved_is_found_by_item_and_name() -> None:
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


def test_the_fallbacks_are_used_if_the_item_is_gone() -> None:
    old = "https://old.town.gov/Payments/FeatureServer"
    description = layer({f"{old}/7/query": {"count": 5}, f"{old}/7": LAYER, old: LISTING}).describe()
    assert description.url == f"{old}/7"


def test_the_demo_portals_have_the_service_of_a_layer_without_an_item() -> None:
    source = ArcgisLayer(
        SOURCE.model_copy(update={"item": None}), Access(root="https://demo.town.gov", socrata_token="demo")
    )
    demo = "https://demo.town.gov/arcgis/rest/services/Payments/FeatureServer"
    known = {f"{demo}/7": LAYER, demo: LISTING}
    source._client = client(
        lambda url: (200, json.dumps(next(known[start] for start in known if url.startswith(start))))
    )
    assert source.describe().url == f"{demo}/7"


def test_if_the_layer_is_nowhere_the_first_error_is_raised() -> None:
    with pytest.raises(SourceNotFound, match=rf"The item {ITEM} was not found .*498 Invalid Token"):
        layer({}).describe()


def test_another_layer_at_the_same_url_is_an_error() -> None:
    with pytest.raises(SourceNotFound, match=r"The layer 'Payments' was not found .*the service has Other"):
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
) -> tuple[SocrataDataset, MemoryAdapter]:
    """A dataset whose rows are `pages`: each starts at the offset where the one before ends."""
    source = SocrataSource(portal="socrata", domain="data.town.gov", id="abcd-1234", recorded=date(2026, 1, 1))
    socrata = SocrataDataset(source, Access())
    by_offset = dict(zip(accumulate(map(len, pages), initial=0), pages, strict=False))

    def answer(url: str) -> Answer:
        offset = int(url.partition("offset=")[2] or 0)
        body = view if "/api/views/" in url else count if "count%28" in url else by_offset.get(offset, [])
        return 200, json.dumps(body)

    adapter = MemoryAdapter(answer)
    socrata._client._session.mount("https://", adapter)
    return socrata, adapter


def test_the_offset_grows_by_the_rows_received_and_nulls_are_kept(tmp_path: Path) -> None:
    source, adapter = dataset(
        pages=([{":id": "a", "payment": "0.10"}, {":id": "b", "note": "x"}], [{":id": "c", "payment": 7}], [])
    )
    description = source.describe()
    assert [c.name for c in description.columns] == ["payment", "note"]
    assert (source.count(), description.freshness.token) == (3, "17")
    pages = list(source.read(description, 3, tmp_path, sequential=False))
    assert [page.to_pylist()[0]["_id"] for page in pages] == ["a", "c"]
    assert pages[0].column("note").to_pylist() == [None, "x"]
    assert sorted(url.partition("offset=")[2] for url in adapter.urls if "offset=" in url) == ["0", "2", "3"]


@pytest.mark.parametrize(
    ("to", "token"),
    [
        ("https://elsewhere.gov/x", None),
        ("https://data.town.gov/x", "t"),
        ("/x", "t"),
    ],
)
def test_the_token_does_not_follow_a_redirect_to_another_host(to: str, token: str | None) -> None:
    source = SocrataSource(portal="socrata", domain="data.town.gov", id="abcd-1234", recorded=date(2026, 1, 1))
    socrata = SocrataDataset(source, Access(socrata_token="t"))
    adapter = MemoryAdapter(lambda url: (200, json.dumps(VIEW)) if url.endswith("/x") else (301, "", {"Location": to}))
    for scheme in ("https://", "http://"):
        socrata._client._session.mount(scheme, adapter)
    socrata.describe()
    assert adapter.tokens == ["t", token]


@pytest.mark.parametrize("to", ["http://data.town.gov/x", "HTTP://elsewhere.gov/x"])
def test_a_redirect_away_from_https_is_not_followed(to: str) -> None:
    source = SocrataSource(portal="socrata", domain="data.town.gov", id="abcd-1234", recorded=date(2026, 1, 1))
    socrata = SocrataDataset(source, Access())
    adapter = MemoryAdapter(lambda url: (200, json.dumps(VIEW)) if url.endswith("/x") else (301, "", {"Location": to}))
    for scheme in ("https://", "http://"):
        socrata._client._session.mount(scheme, adapter)
    with pytest.raises(
        RedirectInsecure, match=r"(?i)https://data.town.gov/.* redirects to http://.*, which is not encrypted"
    ):
        socrata.describe()
    assert not any(url.endswith("/x") for url in adapter.urls)


@pytest.mark.parametrize(
    ("address", "private"),
    [
        *((text, True) for text in (
            "168.63.129.16", "169.254.169.254", "192.88.99.1", "100:0:0:1::1", "2001::1", "2001:2::1", "3fff::1", "5f00::1",
            "fec0::1", "64:ff9b::a00:1", "::ffff:168.63.129.16", "2002:a83f:8110::1", "ff02::1", "192.0.0.192", "::ffff:0:127.0.0.1",
            "4000::1", "200::1", "e000::1", "233.252.0.1",
        )),
        *((text, False) for text in ("8.8.8.8", "2606:4700::1111", "64:ff9b::808:808")),
    ],
)  # fmt: skip
def test_special_networks_are_not_public(address: str, private: bool) -> None:
    assert is_private(address) is private


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
def test_a_dataset_that_is_not_a_table_is_an_error(
    arguments: dict[str, Any], error: type[Exception], tmp_path: Path
) -> None:
    source, _ = dataset(**arguments)
    with pytest.raises(error):
        list(source.read(source.describe(), source.count(), tmp_path, sequential=False))
