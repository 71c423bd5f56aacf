"""JSON files whose rows are an array of objects in a member, such as the catalog of a portal (DCAT-US)."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import ValidationError
from reading import broken, here, rows

from civic_pipeline.catalog import FileSource
from civic_pipeline.portals import json_text

CATALOG = {
    "@context": "https://project-open-data.cio.gov/v1.1/schema/catalog.jsonld",
    "nested": {"dataset": [{"not": "a row"}]},
    "dataset": [
        {"title": "é {", "keyword": ["a", " b"], "publisher": {"name": 'City "of" Tests'}, "size": 1},
        {"title": None, "keyword": [], "issued": "2024-01-02\n", "size": 0.5},
    ],
    "conformsTo": {"version": 1.1},
}  # fmt: skip
ROWS = [
    {"title": "é {", "keyword": '["a"," b"]', "publisher": '{"name":"City \\"of\\" Tests"}', "size": 1, "issued": None},
    {"title": None, "keyword": "[]", "publisher": None, "size": Decimal("0.5"), "issued": "2024-01-02\n"},
]  # fmt: skip


@pytest.mark.parametrize("indent", [None, 2])
def test_rows_are_the_objects_of_the_member(tmp_path: Path, indent: int | None) -> None:
    file = here(tmp_path, json.dumps(CATALOG, indent=indent, ensure_ascii=False).encode(), member="dataset")
    assert rows(file, tmp_path) == ROWS
    types = {column.name: column.portal_type for column in file.describe().columns}
    assert types == {"title": "text", "keyword": "json", "publisher": "json", "size": "number", "issued": "text"}


def test_a_catalog_is_read_through_a_window(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_text, "_CHUNK_CHARACTERS", 5)
    assert rows(here(tmp_path, json.dumps(CATALOG).encode(), member="dataset"), tmp_path) == ROWS


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"dataset":[{"a":1},{"a":', "it is not complete JSON"),
        ('{"dataset":[{"a":1}]', "it is truncated"),
        ('{"dataset":[{"a":1}]}{', "there is text after the end of the object"),
        ('{"error":{"code":500}}', "it is an object with error, without 'dataset'"),
        ('{"dataset":{"a":1}}', "expected '[', got '{'"),
        ('{"dataset":[{"a":1},2]}', "an element of 'dataset' is '2' and no object"),
        ('{"dataset":[]}', "its array 'dataset' is empty, so it has no columns"),
        ('{"dataset":[{"a":NaN}]}', "NaN is not a JSON number"),
        ('{"dataset":[{"a":1,"A":2}]}', "differ only in case"),
        ('[{"a":1}]', "expected '{', got '['"),
        ("a,b\n1,2\n", "names the member 'dataset', but it is not JSON"),
    ],
)
def test_what_is_no_array_of_objects_is_an_error(tmp_path: Path, text: str, message: str) -> None:
    assert message in broken(tmp_path, text.encode(), member="dataset")


def test_without_a_member_json_is_geojson(tmp_path: Path) -> None:
    assert "without features" in broken(tmp_path, json.dumps(CATALOG).encode())


def test_an_empty_member_is_refused() -> None:
    with pytest.raises(ValidationError):
        FileSource(portal="file", url="data.json", member="", recorded="2026-01-01")
