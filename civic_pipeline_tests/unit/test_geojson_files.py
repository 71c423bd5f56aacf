"""GeoJSON files: every feature with the JSON types of its properties, or an error that says what is wrong."""

import gzip
import json
from contextlib import suppress
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from reading import broken, here, read, rows

from civic_pipeline.catalog import FileHere
from civic_pipeline.errors import AnswerUnreadable, FileUnreadable, ValueUnreadable
from civic_pipeline.portals import json_text
from civic_pipeline.scaffold.trial import dataset_of


def feature(properties: Any, geometry: Any = None) -> dict[str, Any]:
    return {"type": "Feature", "properties": properties, "geometry": geometry}


POINT = {"type": "Point", "coordinates": [-76.61, 39.29]}
COLLECTION = {
    "type": "FeatureCollection", "name": "wards", "crs": {"type": "name"}, "numberMatched": 123456789012,
    "features": [
        feature({"id": 1, "name": "é\n}", "share": 0.1, "open": True, "tags": ["a", {"b": None}], "mixed": 1}, POINT),
        feature({"id": -(2**62), "name": "", "share": 5, "open": None, "mixed": "x", "late": 2**63}),
        feature(None, POINT),
    ],
    "bbox": [0, 0, 1, 1],
}  # fmt: skip
WRITTEN = shapely.Point(-76.61, 39.29).wkb
FEATURES = [
    {"id": 1, "name": "é\n}", "share": Decimal("0.1"), "open": True, "tags": '["a",{"b":null}]', "mixed": "1", "late": None, "_geometry": WRITTEN},
    {"id": -(2**62), "name": "", "share": 5, "open": None, "tags": None, "mixed": "x", "late": 2**63, "_geometry": None},
    {"id": None, "name": None, "share": None, "open": None, "tags": None, "mixed": None, "late": None, "_geometry": WRITTEN},
]  # fmt: skip


@pytest.mark.parametrize("indent", [None, 2])
def test_features_are_read_with_their_json_types(tmp_path: Path, indent: int | None) -> None:
    file = here(tmp_path, json.dumps(COLLECTION, indent=indent, ensure_ascii=False).encode())
    assert rows(file, tmp_path) == FEATURES
    assert {column.name: column.portal_type for column in file.describe().columns} == {
        "id": "integer", "name": "text", "share": "number", "open": "boolean", "tags": "json", "mixed": "text", "late": "number",
        "_geometry": "WKB",
    }  # fmt: skip
    assert "_geometry" not in file.describe().published


def test_a_collection_is_read_through_a_window(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_text, "_CHUNK_CHARACTERS", 7)
    assert rows(here(tmp_path, json.dumps(COLLECTION).encode()), tmp_path) == FEATURES


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"type":"FeatureCollection","features":[{"properties":{"a":1},"geometry":null},{"prop', "not complete GeoJSON"),
        ('{"type":"FeatureCollection","features":[{"properties":{"a":1},"geometry":null}', "it is truncated"),
        ('{"type":"FeatureCollection","features":[]}{', "there is text after the end of the object"),
        ('{"type":"FeatureCollection","features":[]', "it is truncated"),
        ('{"error":{"code":500,"message":"failed"}}', "what a portal answered in place of data"),
        # As an export of a Hub was saved under the name of its file.
        ('{"errors":[{"status":403,"title":"Forbidden"}],"data":null}', "Forbidden"),
        ('{"type":"FeatureCollection","features":[],"exceededTransferLimit":true}', "features are missing, as its exceededTransferLimit says"),
        ('{"features":[],"properties":{"exceededTransferLimit":true}}', "features are missing, as its exceededTransferLimit says"),
        ('{"features":[{"properties":{"a":NaN}}]}', "NaN is not a JSON number"),
        ('{"features":[{"properties":[1]}]}', "`properties` and `geometry` of feature 1 are not objects"),
        ('{"features":[1]}', "a feature is '1'"),
        ('{"features":[{"properties":{"a":1,"A":2}}]}', "differ only in case"),
        ('{"features":[{"properties":{"\\ud800":1}}]}', "these property names cannot be column names"),
        ('[{"a":1}]', "expected '{', got '['"),
        ('{"features":' + "[" * 5000, "not complete GeoJSON"),
    ],
)  # fmt: skip
def test_an_incomplete_collection_is_an_error(tmp_path: Path, text: str, message: str) -> None:
    assert message in broken(tmp_path, text.encode())


def test_the_error_for_a_number_with_too_many_digits_names_the_column(tmp_path: Path) -> None:
    with pytest.raises(ValueUnreadable, match="big"):
        read(here(tmp_path, b'{"features":[{"properties":{"big":1e300}},{"properties":{"big":0.5}}]}'), tmp_path)


def test_geojson_in_another_encoding_is_an_error(tmp_path: Path) -> None:
    assert "its text is not UTF-8" in broken(tmp_path, '{"features":[{"properties":{"a":"é"}}]}'.encode("latin-1"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**65), 2**65) | st.floats(-1e6, 1e6).map(lambda f: round(f, 6)) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2), max_leaves=4,
)  # fmt: skip


@given(table=st.lists(st.dictionaries(st.sampled_from(["a", "b", 'q"x', "é", "_row"]), JSON, max_size=4), max_size=5))
def test_features_with_any_properties_are_all_read(tmp_path: Path, table: list[dict[str, Any]]) -> None:
    content = json.dumps(
        {"type": "FeatureCollection", "features": [feature(properties) for properties in table]}
    ).encode()
    with suppress(FileUnreadable, AnswerUnreadable):
        assert read(here(tmp_path, content), tmp_path).num_rows == len(table)


@given(content=st.text(st.sampled_from('{}[]":,\\ae1.- \n'), max_size=40).map(lambda t: ('{"features":' + t).encode()))
def test_any_json_gives_all_its_features_or_an_error(tmp_path: Path, content: bytes) -> None:
    with suppress(FileUnreadable, AnswerUnreadable):
        assert read(here(tmp_path, content), tmp_path).num_rows == len(json.loads(content)["features"])


def test_a_gzip_collection_is_detected_by_its_content(tmp_path: Path) -> None:
    assert rows(here(tmp_path, gzip.compress(json.dumps(COLLECTION).encode())), tmp_path) == FEATURES


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        ([f"k{n}" for n in range(5_001)], "it has 5,001 columns, and more than 5,000 are no table"),
        (["x" * 1_001], "the name of a column has 1,001 characters of at most 1000"),
    ],
    ids=["columns", "name"],
)
def test_keys_that_are_values_are_refused_at_once(names: list[str], problem: str, tmp_path: Path) -> None:
    """A later feature is never read: it is not even JSON."""
    text = json.dumps({"type": "FeatureCollection", "features": [feature(dict.fromkeys(names, 1))]})
    file = here(tmp_path, text.replace("]}", ", nonsense]}").encode())
    with pytest.raises(FileUnreadable, match=problem):
        file.describe()


def test_a_file_without_columns_is_refused_in_words(tmp_path: Path) -> None:
    file = here(tmp_path, b'{"type": "FeatureCollection", "features": []}')
    with pytest.raises(FileUnreadable, match="it has no column besides the geometry"):
        dataset_of(FileHere(portal="file", url="/x.geojson", recorded=date(2026, 1, 1)), file.describe())
