"""What an OpenDataSoft portal may answer, and what becomes of it. No sockets: an adapter answers from memory."""

import io
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from requests.adapters import BaseAdapter

from civic_pipeline.catalog import OpendatasoftSource
from civic_pipeline.errors import (
    AnswerUnreadable,
    CivicError,
    PagingBroken,
    PortalOverloaded,
    PortalUnreachable,
    SourceNotFound,
    ValueUnreadable,
)
from civic_pipeline.portals import About, Access, Freshness, http
from civic_pipeline.portals.http import TRIES
from civic_pipeline.portals.opendatasoft import OpendatasoftDataset

SOURCE = OpendatasoftSource(portal="opendatasoft", domain="data.town.gov", id="stops", recorded=date(2026, 1, 1))
PAGE = "/api/explore/v2.1/catalog/datasets/stops"


def field(name: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, "label": name.title(), "annotations": {}, **more}


METAS: dict[str, Any] = {
    "default": {
        "title": "Stops", "description": "<p>Where buses stop.</p>", "publisher": "The town", "license": "CC0",
        "modified": "2026-01-02T00:00:00+00:00", "data_processed": "2026-01-03T00:00:00+00:00",
    },
    "dcat": {"accrualperiodicity": "daily"},
}  # fmt: skip
DATASET: dict[str, Any] = {
    "dataset_id": "stops", "has_records": True, "metas": METAS,
    "fields": [
        field("n", "int"), field("rate", "double"), field("day", "date"), field("at", "datetime"), field("open", "boolean"),
        field("name", "text"), field("place", "geo_point_2d"), field("shape", "geo_shape"), field("photo", "file"),
        field("year", "date", annotations={"timeserie_precision": "year"}),
    ],
}  # fmt: skip
RECORDS: list[dict[str, Any]] = [
    {"n": 1, "rate": 0.1, "day": "2024-01-31", "at": "2024-01-31T10:30:00+00:00", "open": True, "name": 'é\n"x"', "year": "2024",
     "place": {"lon": -76.61, "lat": 39.29}, "shape": {"type": "Feature", "geometry": None}, "photo": {"id": "a"}},
    {"n": None, "rate": 2, "day": None, "at": None, "open": None, "name": "", "year": None, "place": None, "shape": None, "photo": None},
    {"n": 2**62},
]  # fmt: skip
LANDED = [
    {"n": 1, "rate": Decimal("0.1"), "day": date(2024, 1, 31), "at": datetime(2024, 1, 31, 10, 30), "open": True, "name": 'é\n"x"',
     "place": '{"lon":-76.61,"lat":39.29}', "shape": '{"type":"Feature","geometry":null}', "photo": '{"id":"a"}', "year": "2024"},
    {"n": None, "rate": Decimal(2), "day": None, "at": None, "open": None, "name": "", "place": None, "shape": None, "photo": None, "year": None},
    {"n": 2**62, "rate": None, "day": None, "at": None, "open": None, "name": None, "place": None, "shape": None, "photo": None, "year": None},
]  # fmt: skip
JSONL = "".join(json.dumps(record) + "\n" for record in RECORDS)
ARRAY = json.dumps(RECORDS, indent=1)

Answer = tuple[int, str] | tuple[int, str, dict[str, str]]


class Portal(BaseAdapter):
    """A portal in memory: by path an answer, or a list of them for one request after the other, the last for ever."""

    def __init__(self, answers: dict[str, Answer | list[Answer]]) -> None:
        super().__init__()
        self.answers, self.asked = answers, list[str]()

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        parts = urlsplit(str(request.url))
        self.asked.append(parts.path.removeprefix(PAGE) + (f"?{parts.query}" if parts.query else ""))
        given = self.answers[parts.path.removeprefix(PAGE)]
        if isinstance(given, list):
            given = given.pop(0) if len(given) > 1 else given[0]
        response = requests.Response()
        response.status_code, response.raw, response.url = given[0], io.BytesIO(given[1].encode()), str(request.url)
        response.headers.update(given[2] if len(given) == 3 else {})
        return response

    def close(self) -> None: ...


def portal(**exports: Answer | list[Answer]) -> tuple[OpendatasoftDataset, Portal]:
    answers: dict[str, Answer | list[Answer]] = {
        "": (200, json.dumps(DATASET)),
        "/records": (200, '{"total_count": 3, "results": []}'),
    }
    return on(answers | {f"/exports/{form}": answer for form, answer in exports.items()})


def on(answers: dict[str, Answer | list[Answer]]) -> tuple[OpendatasoftDataset, Portal]:
    dataset, adapter = OpendatasoftDataset(SOURCE, Access()), Portal(answers)
    dataset._client._session.mount("https://", adapter)
    return dataset, adapter


def read(dataset: OpendatasoftDataset, spool: Path, careful: bool = False) -> pa.Table:
    description = dataset.describe()
    return pa.concat_tables([description.schema.empty_table(), *dataset.read(description, 3, spool, careful)])


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    waited: list[float] = []
    monkeypatch.setattr(http, "pause", waited.append)
    return waited


def test_a_dataset_is_described_by_its_page() -> None:
    dataset, _ = portal()
    described = dataset.describe()
    assert described.url == f"https://data.town.gov{PAGE}"
    assert described.about == About("Stops", "<p>Where buses stop.</p>", "The town", "CC0", "daily")
    assert described.published == {f["name"]: f["type"] for f in DATASET["fields"]}
    assert [column.title for column in described.columns][:2] == ["N", "Rate"]
    assert (described.row_id, described.edited) == (None, None)
    assert dataset.count() == 3
    assert list(dataset.read_edited()) == []
    assert dataset.reused_ids() == 0


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"modified": "m", "data_processed": "d"}, Freshness("d", "metas.default.data_processed")),
        ({"modified": "m", "data_processed": None}, Freshness("m", "metas.default.modified")),
        ({"metadata_processed": "x"}, Freshness(None, "none")),
    ],
)
def test_the_age_of_the_data_is_the_first_that_is_told(told: dict[str, Any], expected: Freshness) -> None:
    dataset, _ = on({"": (200, json.dumps({**DATASET, "metas": {"default": told}}))})
    described = dataset.describe()
    assert described.freshness == expected
    assert described.about == About("stops")


@pytest.mark.parametrize("careful", [False, True])
def test_every_value_lands_in_its_type_by_both_routes(tmp_path: Path, careful: bool) -> None:
    dataset, asked = portal(jsonl=(200, JSONL), json=(200, ARRAY))
    assert read(dataset, tmp_path, careful).to_pylist() == LANDED
    # One request, without offset and limit: with them the rule of 10,000 holds for exports too.
    assert asked.asked == ["", "/exports/json" if careful else "/exports/jsonl"]


INTERRUPTED = "Streaming interrupted due to the following error: Query timed out"


@pytest.mark.parametrize(
    ("export", "told"),
    [
        (JSONL + INTERRUPTED, "the export broke off after .* bytes: Streaming interrupted .*timed out"),
        (INTERRUPTED, "Streaming interrupted"),
        ("<!DOCTYPE html><title>Open Data</title>", "an HTML page"),
        (JSONL + "<html>", "text that begins"),
        (JSONL[:-9], "text that begins"),
        (JSONL[: JSONL.index("}") + 1] + "\n", "broken JSON"),
        ("", "an empty body"),
        ('{"n": 1}\n[1]}', "broken JSON"),
        ("[]", "text that begins"),
    ],
)
def test_an_export_that_is_not_whole_asks_for_the_other_route(tmp_path: Path, export: str, told: str) -> None:
    dataset, asked = portal(jsonl=(200, export))
    with pytest.raises(PagingBroken, match=told):
        read(dataset, tmp_path)
    assert asked.asked[1:] in (["/exports/jsonl"] * TRIES, ["/exports/jsonl"])


@pytest.mark.parametrize(
    ("export", "error"),
    [
        (ARRAY[:-1] + INTERRUPTED, PortalOverloaded),
        ("<html>", AnswerUnreadable),
        (ARRAY[:-2], AnswerUnreadable),
        (ARRAY[:-3] + ",]", AnswerUnreadable),
        ("", AnswerUnreadable),
        (JSONL, AnswerUnreadable),
    ],
)
def test_a_careful_export_that_is_never_whole_is_an_error(tmp_path: Path, export: str, error: type[CivicError]) -> None:
    dataset, asked = portal(json=(200, export))
    with pytest.raises(error, match="exports/json"):
        read(dataset, tmp_path, careful=True)
    assert len(asked.asked) <= 1 + TRIES


@pytest.mark.parametrize("damaged", [JSONL + INTERRUPTED, "<html>", "", JSONL[:-9]])
def test_what_may_pass_is_asked_for_again(tmp_path: Path, damaged: str, pauses: list[float]) -> None:
    dataset, _ = portal(jsonl=[(200, damaged), (200, JSONL)])
    assert read(dataset, tmp_path).to_pylist() == LANDED
    assert dataset.traffic.retries == len(pauses) == 1


def test_a_single_field_does_not_make_a_row_of_whatever_comes(tmp_path: Path) -> None:
    page = json.dumps({**DATASET, "fields": [field("name", "text")]})
    dataset, _ = on({"": (200, page), "/exports/jsonl": (200, '{"name": "x"}\n["y"]\n{"name": "z"}\n')})
    with pytest.raises(PagingBroken, match="broken JSON"):
        read(dataset, tmp_path)


def test_words_within_a_value_do_not_interrupt_an_export(tmp_path: Path) -> None:
    text = json.dumps({"name": "Streaming interrupted, said the mayor"}) + "\n"
    dataset, _ = portal(jsonl=(200, text + JSONL))
    assert read(dataset, tmp_path).num_rows == 4


@given(
    text=st.text(st.sampled_from('{}[]",:n1e \n\\Streaming interrupted'), max_size=40).map(lambda t: '{"n":1}\n' + t)
)
def test_whatever_an_export_holds_its_rows_land_or_an_error_of_ours_does(tmp_path: Path, text: str) -> None:
    dataset, _ = portal(jsonl=(200, text))
    try:
        found = read(dataset, tmp_path)
    except (PagingBroken, ValueUnreadable):
        return
    assert found.num_rows == sum(1 for line in text.split("\n") if line.strip())


def test_a_value_of_another_type_is_named(tmp_path: Path) -> None:
    for name, value in {"n": "x", "day": "2024", "open": "maybe", "at": "2024-01-31T10:30:00+02:00"}.items():
        dataset, _ = portal(jsonl=(200, json.dumps({name: value}) + "\n"))
        with pytest.raises(ValueUnreadable, match=f"Column '{name}'"):
            read(dataset, tmp_path)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((404, '{"error_code": "UnknownDataset", "message": "Unknown dataset: stops"}'), SourceNotFound),
        ((200, json.dumps({**DATASET, "has_records": False, "fields": []})), SourceNotFound),
        ((200, "<html>"), AnswerUnreadable),
        ((200, "[]"), AnswerUnreadable),
        ((200, '{"fields": [{}], "metas": {"default": {}}}'), AnswerUnreadable),
        ((200, '{"fields": [], "metas": {}}'), AnswerUnreadable),
        ((503, ""), PortalUnreachable),
    ],
)
def test_a_page_that_describes_no_dataset_is_an_error(answer: Answer, error: type[CivicError]) -> None:
    with pytest.raises(error, match=r"data\.town\.gov"):
        on({"": answer})[0].describe()


def test_a_count_that_is_none_is_an_error() -> None:
    for answer in ("{}", "[]", '{"total_count": null}'):
        with pytest.raises(AnswerUnreadable, match="a row count"):
            on({"/records": (200, answer)})[0].count()


def test_a_used_up_quota_says_when_to_return(pauses: list[float]) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=40)
    answers: list[Answer] = [
        (429, "", {"X-RateLimit-Reset": f"{soon:%Y-%m-%dT%H:%M:%SZ}"}),
        (200, '{"total_count": 3}'),
    ]
    assert on({"/records": answers})[0].count() == 3
    assert 30 < pauses[0] <= 40
    pauses.clear()
    for reset, waits in (("2999-01-01T00:00:00Z", 0), ("tomorrow", TRIES - 1)):
        with pytest.raises(PortalUnreachable):
            on({"/records": (429, "", {"X-RateLimit-Reset": reset})})[0].count()
        assert len(pauses) == waits


@pytest.mark.parametrize("wrong", [{"domain": "https://x.gov"}, {"id": "a/b"}, {"id": "a?b"}, {"item": "x"}])
def test_a_source_is_a_domain_and_an_id(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        OpendatasoftSource.model_validate(SOURCE.model_dump() | wrong)
