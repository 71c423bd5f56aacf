"""Responses of OpenDataSoft portals and what is read from them. No sockets: an adapter sends responses from memory."""

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
    """A portal in memory: path -> answer, or a list of answers for successive requests, of which the last is repeated."""

    def __init__(self, answers: dict[str, Answer | list[Answer]]) -> None:
        super().__init__()
        self.answers, self.requests = answers, list[str]()

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        parts = urlsplit(str(request.url))
        self.requests.append(parts.path.removeprefix(PAGE) + (f"?{parts.query}" if parts.query else ""))
        answer = self.answers[parts.path.removeprefix(PAGE)]
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        response = requests.Response()
        response.status_code, response.raw, response.url = answer[0], io.BytesIO(answer[1].encode()), str(request.url)
        response.headers.update(answer[2] if len(answer) == 3 else {})
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


def read(dataset: OpendatasoftDataset, spool: Path, sequential: bool = False) -> pa.Table:
    description = dataset.describe()
    return pa.concat_tables([description.schema.empty_table(), *dataset.read(description, 3, spool, sequential)])


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    seconds: list[float] = []
    monkeypatch.setattr(http, "pause", seconds.append)
    return seconds


def test_a_dataset_is_described_by_its_metadata() -> None:
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
    ("metas", "expected"),
    [
        ({"modified": "m", "data_processed": "d"}, Freshness("d", "metas.default.data_processed")),
        ({"modified": "m", "data_processed": None}, Freshness("m", "metas.default.modified")),
        ({"metadata_processed": "x"}, Freshness(None, "none")),
    ],
)
def test_freshness_is_the_first_date_that_is_present(metas: dict[str, Any], expected: Freshness) -> None:
    dataset, _ = on({"": (200, json.dumps({**DATASET, "metas": {"default": metas}}))})
    described = dataset.describe()
    assert described.freshness == expected
    assert described.about == About("stops")


@pytest.mark.parametrize("sequential", [False, True])
def test_every_value_has_its_type_in_both_exports(tmp_path: Path, sequential: bool) -> None:
    dataset, adapter = portal(jsonl=(200, JSONL), json=(200, ARRAY))
    assert read(dataset, tmp_path, sequential).to_pylist() == LANDED
    # One request without offset and limit: with them the limit of 10,000 applies to exports too.
    assert adapter.requests == ["", "/exports/json" if sequential else "/exports/jsonl"]


INTERRUPTED = "Streaming interrupted due to the following error: Query timed out"


@pytest.mark.parametrize(
    ("export", "message"),
    [
        (JSONL + INTERRUPTED, "the export was interrupted after .* bytes: Streaming interrupted .*timed out"),
        (INTERRUPTED, "Streaming interrupted"),
        ("<!DOCTYPE html><title>Open Data</title>", "an HTML page"),
        (JSONL + "<html>", "text that begins with"),
        (JSONL[:-9], "text that begins with"),
        (JSONL[: JSONL.index("}") + 1] + "\n", "broken JSON"),
        ("", "an empty body"),
        ('{"n": 1}\n[1]}', "broken JSON"),
        ("[]", "text that begins with"),
    ],
)
def test_an_incomplete_export_raises_paging_broken(tmp_path: Path, export: str, message: str) -> None:
    dataset, adapter = portal(jsonl=(200, export))
    with pytest.raises(PagingBroken, match=message):
        read(dataset, tmp_path)
    assert adapter.requests[1:] in (["/exports/jsonl"] * TRIES, ["/exports/jsonl"])


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
def test_an_incomplete_sequential_export_is_an_error(tmp_path: Path, export: str, error: type[CivicError]) -> None:
    dataset, adapter = portal(json=(200, export))
    with pytest.raises(error, match="exports/json"):
        read(dataset, tmp_path, sequential=True)
    assert len(adapter.requests) <= 1 + TRIES


@pytest.mark.parametrize("damaged", [JSONL + INTERRUPTED, "<html>", "", JSONL[:-9]])
def test_a_temporary_failure_is_retried(tmp_path: Path, damaged: str, pauses: list[float]) -> None:
    dataset, _ = portal(jsonl=[(200, damaged), (200, JSONL)])
    assert read(dataset, tmp_path).to_pylist() == LANDED
    assert dataset.traffic.retries == len(pauses) == 1


def test_a_dataset_with_one_field_accepts_only_objects_as_rows(tmp_path: Path) -> None:
    page = json.dumps({**DATASET, "fields": [field("name", "text")]})
    dataset, _ = on({"": (200, page), "/exports/jsonl": (200, '{"name": "x"}\n["y"]\n{"name": "z"}\n')})
    with pytest.raises(PagingBroken, match="broken JSON"):
        read(dataset, tmp_path)


def test_the_interruption_message_within_a_value_is_data(tmp_path: Path) -> None:
    text = json.dumps({"name": "Streaming interrupted by the mayor"}) + "\n"
    dataset, _ = portal(jsonl=(200, text + JSONL))
    assert read(dataset, tmp_path).num_rows == 4


@given(
    text=st.text(st.sampled_from('{}[]",:n1e \n\\Streaming interrupted'), max_size=40).map(lambda t: '{"n":1}\n' + t)
)
def test_any_export_gives_all_its_rows_or_an_error(tmp_path: Path, text: str) -> None:
    dataset, _ = portal(jsonl=(200, text))
    try:
        table = read(dataset, tmp_path)
    except (PagingBroken, ValueUnreadable):
        return
    assert table.num_rows == sum(1 for line in text.split("\n") if line.strip())


def test_the_error_for_a_value_of_another_type_names_the_column(tmp_path: Path) -> None:
    for name, value in {"n": "x", "day": "2024", "open": "maybe", "at": "2024-01-31T10:30:00+02:00"}.items():
        dataset, _ = portal(jsonl=(200, json.dumps({name: value}) + "\n"))
        with pytest.raises(ValueUnreadable, match=f"column '{name}'"):
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
def test_metadata_that_describe_no_dataset_are_an_error(answer: Answer, error: type[CivicError]) -> None:
    with pytest.raises(error, match=r"data\.town\.gov"):
        on({"": answer})[0].describe()


def test_a_missing_count_is_an_error() -> None:
    for answer in ("{}", "[]", '{"total_count": null}'):
        with pytest.raises(AnswerUnreadable, match="a row count"):
            on({"/records": (200, answer)})[0].count()


def test_the_client_waits_until_the_quota_is_reset(pauses: list[float]) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=40)
    answers: list[Answer] = [
        (429, "", {"X-RateLimit-Reset": f"{soon:%Y-%m-%dT%H:%M:%SZ}"}),
        (200, '{"total_count": 3}'),
    ]
    assert on({"/records": answers})[0].count() == 3
    assert 30 < pauses[0] <= 40
    pauses.clear()
    for reset, expected in (("2999-01-01T00:00:00Z", 0), ("tomorrow", TRIES - 1)):
        with pytest.raises(PortalUnreachable):
            on({"/records": (429, "", {"X-RateLimit-Reset": reset})})[0].count()
        assert len(pauses) == expected


@pytest.mark.parametrize("wrong", [{"domain": "https://x.gov"}, {"id": "a/b"}, {"id": "a?b"}, {"item": "x"}])
def test_a_source_is_a_domain_and_an_id(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        OpendatasoftSource.model_validate(SOURCE.model_dump() | wrong)
