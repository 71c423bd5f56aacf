"""JSON pages as columns of text: complete and exact, or an error, for any bytes."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from civic_pipeline.errors import AnswerUnreadable
from civic_pipeline.portals.decode import Decoder, FeaturePage
from civic_pipeline.portals.http import Body

NAMES = ("id", "a b'\"c")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.sampled_from(NAMES), inner, max_size=3),
    max_leaves=12,
)


@contextmanager
def page(decoder: Decoder, body: bytes) -> Iterator[Body]:
    with decoder.page_file() as path:
        path.write_bytes(body)
        yield Body("https://data.town.gov/x", path, {})


@pytest.fixture(scope="module")
def decoder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Decoder]:
    spool = tmp_path_factory.mktemp("spool")
    yield Decoder(spool)
    assert list(spool.iterdir()) == []


def rows(decoder: Decoder, body: str | bytes) -> list[dict[str, str | None]]:
    with page(decoder, body if isinstance(body, bytes) else body.encode()) as sent:
        columns = decoder.rows(sent, NAMES)
    assert list(columns) == list(NAMES)
    return [dict(zip(NAMES, row, strict=True)) for row in zip(*(c.to_pylist() for c in columns.values()), strict=True)]


def features(decoder: Decoder, value: Any) -> list[tuple[str | None, str | None]]:
    actual = feature_page(decoder, value if isinstance(value, bytes) else json.dumps(value).encode())
    return list(zip(actual.attributes["id"].to_pylist(), actual.geometries.to_pylist(), strict=True))


def feature_page(decoder: Decoder, body: bytes) -> FeaturePage:
    with page(decoder, body) as sent:
        return decoder.features(sent, ["id"])


def test_values_are_text_exactly_as_sent(decoder: Decoder) -> None:
    sent = [{"id": "01", NAMES[1]: 0.1}, {"id": 2**63 - 1}, {"id": {"x": [1, "é"]}, "new": 1}, {"id": ""}, {"id": None}]
    actual = rows(decoder, "[" + "\n,".join(json.dumps(row) for row in sent) + "]")
    assert [row["id"] for row in actual] == ["01", "9223372036854775807", '{"x":[1,"é"]}', "", None]
    assert actual[0][NAMES[1]] == "0.1"
    for empty in ("[]", "[ ]", "[\n]\n\n"):
        assert rows(decoder, empty) == []


@pytest.mark.parametrize(
    "body",
    ["", "{}", "null", "<html></html>", '[{"id":"1"},', '[{"id":"1"}', '[{"id":"1"},{"id":"]', '[{"id":"1"}]x', "[1]]", '[{"id":1}][{"id":2}]'],
)  # fmt: skip
def test_a_truncated_or_other_page_is_an_error(decoder: Decoder, body: str) -> None:
    with pytest.raises(AnswerUnreadable):
        rows(decoder, body)


def test_features_have_their_geometry_and_the_flag_for_more_rows(decoder: Decoder) -> None:
    sent = {"features": [{"attributes": {"id": 1.5}, "geometry": {"x": 1.25}}, {"attributes": {"id": None}}]}
    assert features(decoder, sent) == [("1.5", '{"x":1.25}'), (None, None)]
    flagged = feature_page(decoder, b'{"fields":[{"name":"id"}],"features":[],"exceededTransferLimit":true}')
    assert (flagged.is_flagged, flagged.absent, len(flagged.attributes["id"])) == (True, (), 0)
    assert feature_page(decoder, b'{"features":[{"attributes":{"no":1}}]}').absent == ("id",)
    assert not feature_page(decoder, b'{"features":[]}').is_flagged


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b"null", b'{"features":null}', b'{"features":[]}{"features":[]}', b'{"features":[{"attributes":{"id":1}}', b"<html>"],
)  # fmt: skip
def test_a_page_without_a_list_of_features_is_an_error(decoder: Decoder, body: bytes) -> None:
    with pytest.raises(AnswerUnreadable):
        features(decoder, body)


@given(body=st.binary() | st.text().map(str.encode) | JSON.map(json.dumps).map(str.encode))
@example(b"[" * 5000)
@example(b"[" + b'{"id":' * 3000)
def test_arbitrary_bytes_are_rows_or_an_error(decoder: Decoder, body: bytes) -> None:
    for read in (rows, features):
        with suppress(AnswerUnreadable):
            read(decoder, body)


@given(sent=st.lists(st.dictionaries(st.sampled_from(NAMES), JSON, max_size=2), max_size=5), cut=st.integers(1, 40))
def test_a_page_is_complete_or_an_error_never_short(decoder: Decoder, sent: list[dict[str, Any]], cut: int) -> None:
    body = json.dumps(sent).encode()
    try:
        actual = rows(decoder, body)
    except AnswerUnreadable:  # for example, half of a surrogate pair
        actual = []
    else:
        assert [row["id"] is None for row in actual] == [row.get("id") is None for row in sent]
    with pytest.raises(AnswerUnreadable):
        rows(decoder, body[: max(0, len(body) - cut)])
