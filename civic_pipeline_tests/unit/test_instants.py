"""Instants are named as UTC in the manifest and in the printed list; local times are not. No sockets."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from test_answers import Answer, client

from civic_pipeline.catalog import ArcgisSource, SocrataSource
from civic_pipeline.cli.scaffold_text import describe_capture
from civic_pipeline.lake import Manifest
from civic_pipeline.lake.landing import Landing, land
from civic_pipeline.lake.manifest import LandedColumn, Part
from civic_pipeline.portals import Access
from civic_pipeline.portals.arcgis import ArcgisLayer
from civic_pipeline.portals.opendatasoft import _column
from civic_pipeline.portals.socrata import SocrataDataset
from civic_pipeline.scaffold.trial import TrialCapture, dataset_of

TYPES = {"meter": "text", "read_local": "calendar_date", "read_at": "date"}
ROW = {":id": "row-1", "meter": "M7", "read_local": "2026-03-01T22:15:00.000", "read_at": "2026-03-02T03:15:00.000Z"}


def answer(url: str) -> Answer:
    if "/api/views/" in url:
        columns = [{"fieldName": name, "name": name, "dataTypeName": kind} for name, kind in TYPES.items()]
        return 200, json.dumps({"columns": columns, "rowsUpdatedAt": 1})
    if "count" in url:
        return 200, '[{"count": "1"}]'
    return 200, json.dumps([ROW] if "offset=0" in url else [])


def test_an_instant_beside_a_local_time_says_utc(tmp_path: Path) -> None:
    source = SocrataSource(portal="socrata", domain="data.town.gov", id="abcd-1234", recorded=date(2026, 1, 1))
    reader = SocrataDataset(source, Access())
    reader._client = client(answer)
    description = reader.describe()
    part = land(Landing("town/meters", None, tmp_path, lambda _: None), reader, description, 1)
    assert {column.name: column.time_zone for column in part.columns} == {
        "meter": None,
        "read_local": None,
        "read_at": "UTC",
    }
    (row,) = pq.read_table(tmp_path / part.file).to_pylist()
    assert (row["read_local"].hour, row["read_at"].hour) == (22, 3), "the values stay as they were sent"
    manifest = Manifest(
        capture_id="town/meters/1", dataset="town/meters", captured_at="2026-03-03T00:00:00+00:00", profile="live",
        pipeline_version="0", parts=(part,), held_back=None,
    )  # fmt: skip
    printed = list(describe_capture(TrialCapture(description, dataset_of(source, description), manifest, tmp_path)))
    (instant,) = [line for line in printed if line.startswith("  read_at ")]
    (local,) = [line for line in printed if line.startswith("  read_local ")]
    assert "TIMESTAMP, UTC" in instant
    assert "TIMESTAMP" in local
    assert "UTC" not in local


@pytest.mark.parametrize(("kind", "is_instant"), [("Date", True), ("DateOnly", False), ("TimestampOffset", False)])
def test_a_date_of_a_layer_is_an_instant(kind: str, is_instant: bool) -> None:
    layer: dict[str, Any] = {
        "name": "Wells", "geometryType": "esriGeometryPoint",
        "fields": [{"name": "FID", "type": "esriFieldTypeOID"}, {"name": "dug", "type": f"esriFieldType{kind}"}],
    }  # fmt: skip
    service = "https://maps.town.gov/rest/services/Wells/MapServer"
    source = ArcgisSource(portal="arcgis", layer="Wells", fallbacks=(service,), recorded=date(2026, 1, 1))
    reader = ArcgisLayer(source, Access())
    listing = {"layers": [{"id": 0, "name": "Wells"}]}
    reader._client = client(lambda url: (200, json.dumps(layer if "MapServer/0" in url else listing)))
    (dug,) = [column for column in reader.describe().columns if column.name == "dug"]
    assert dug.is_instant == is_instant


def test_a_datetime_of_opendatasoft_is_an_instant_and_a_date_is_a_day() -> None:
    assert [_column({"name": "a", "type": kind}).is_instant for kind in ("datetime", "date")] == [True, False]


def test_a_manifest_without_zones_and_reference_system_is_still_read() -> None:
    assert LandedColumn.model_validate({"name": "a", "portal_type": "date"}).time_zone is None
    assert Part.model_fields["reference_system"].default is None
