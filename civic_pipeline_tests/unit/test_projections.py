"""Coordinates that are not in degrees are refused; nothing calls them EPSG:4326. No sockets."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from reading import here
from test_answers import Answer, client

from civic_pipeline.catalog import ArcgisSource
from civic_pipeline.errors import ProjectionUnexpected
from civic_pipeline.lake.landing import Landing, land
from civic_pipeline.portals import Access
from civic_pipeline.portals.arcgis import ArcgisLayer
from civic_pipeline.portals.projection import refuse_beyond_degrees

SERVICE = "https://maps.town.gov/rest/services/Wells/MapServer"
LAYER = {
    "name": "Wells", "geometryType": "esriGeometryPoint", "advancedQueryCapabilities": {"supportsPagination": True},
    "fields": [{"name": "FID", "type": "esriFieldTypeOID"}],
}  # fmt: skip
FEET = 'PROJCS["Town_Feet",GEOGCS["GCS_North_American_1983",DATUM["D_North_American_1983"]]]'


def read(folder: Path, geometry: dict[str, Any], reference: object) -> list[dict[str, Any]]:
    """The rows of a layer with one well, whose pages have `reference` as their spatialReference."""
    source = ArcgisLayer(
        ArcgisSource(portal="arcgis", layer="Wells", fallbacks=(SERVICE,), recorded=date(2026, 1, 1)), Access()
    )

    def answer(url: str) -> Answer:
        if "/query" not in url:
            return 200, json.dumps(LAYER if "MapServer/0" in url else {"layers": [{"id": 0, "name": "Wells"}]})
        if "returnCountOnly" in url:
            return 200, '{"count": 1}'
        rows = [{"attributes": {"FID": 1}, "geometry": geometry}] if "resultOffset=0" in url else []
        return 200, json.dumps({"features": rows} | ({} if reference is None else {"spatialReference": reference}))

    source._client = client(answer)
    return list(pa.concat_tables(source.read(source.describe(), 1, folder, False)).to_pylist())


DEGREES = {"x": -76.5, "y": 39.25}


@pytest.mark.parametrize(
    "reference", [None, {"wkid": 4326, "latestWkid": 4326}, {"wkt": 'GEOGCS["GCS_WGS_1984",DATUM[]]'}]
)
def test_a_page_in_degrees_is_read(reference: object, tmp_path: Path) -> None:
    assert read(tmp_path, DEGREES, reference) == [{"FID": 1, "_geometry": '{"x":-76.5,"y":39.25}'}]


@pytest.mark.parametrize(
    ("geometry", "reference", "system"),
    [
        ({"x": -8.5e6, "y": 4.7e6}, {"wkid": 102100, "latestWkid": 3857}, "EPSG:3857"),
        (DEGREES, {"wkid": 4269}, "EPSG:4269"),
        (DEGREES, {"wkt": FEET}, "Town_Feet"),
        (DEGREES, {"wkt": 'GEOGCS["GCS_North_American_1927",DATUM[]]'}, "GCS_North_American_1927"),
        ({"x": 1420000.5, "y": 593000.25}, None, "another system, such as"),
        ({"x": 1420000.5, "y": 593000.25}, {"wkid": 4326}, "another system, such as"),
    ],
)
def test_a_page_in_another_projection_is_refused_by_its_name(
    geometry: dict[str, Any], reference: object, system: str, tmp_path: Path
) -> None:
    with pytest.raises(ProjectionUnexpected, match=f"has coordinates in {system}"):
        read(tmp_path, geometry, reference)


@pytest.mark.parametrize(
    ("geometry", "is_refused"),
    [
        ('{"x":180,"y":-90}', False),
        ('{"x":-76.61234567,"y":9.15e1}', False),
        ('{"x":181,"y":0}', True),
        ('{"x":-71.5,"y":90.5}', True),
        ('{"rings":[[[-76.5,39.25,5280.5],[-76.25,39.5,91]]]}', False),  # the third number is a height
        ('{"rings":[[[-76.5,39.25],[1420000.1,590000.2]]]}', True),
        ('{"type":"LineString","coordinates":[[-76.5, 39.25], [12.5, 91.5]]}', True),
        ('{"type":"Point","coordinates":[-8.5e+06,4.7e+06]}', True),
        ('{"type":"Point","coordinates":[1e-05,2.5E-03]}', False),
    ],
)
def test_coordinates_beyond_180_and_90_are_no_degrees(geometry: str, is_refused: bool) -> None:
    column = pa.array([None, geometry], pa.string())
    if is_refused:
        with pytest.raises(ProjectionUnexpected):
            refuse_beyond_degrees("https://town.gov", column)
    else:
        refuse_beyond_degrees("https://town.gov", column)


def collection(crs: object, coordinates: list[float], on_feature: bool = False) -> bytes:
    feature = {"type": "Feature", "properties": {"a": 1}, "geometry": {"type": "Point", "coordinates": coordinates}}
    whole: dict[str, Any] = {"type": "FeatureCollection", "features": [feature]}
    (feature if on_feature else whole)["crs"] = crs
    return json.dumps(whole).encode()


def named(name: str) -> dict[str, Any]:
    return {"type": "name", "properties": {"name": name}}


def test_the_manifest_names_the_reference_system(tmp_path: Path) -> None:
    source = here(tmp_path, collection(None, [-76.5, 39.25]), "wells.geojson")
    part = land(Landing("town/wells", None, tmp_path, lambda _: None), source, source.describe(), 1)
    assert part.reference_system == "EPSG:4326"


def capture(folder: Path, content: bytes) -> int:
    source = here(folder, content, "wells.geojson")
    description = source.describe()
    return sum(page.num_rows for page in source.read(description, 1, folder, False))


@pytest.mark.parametrize("name", ["urn:ogc:def:crs:OGC:1.3:CRS84", "EPSG:4326", "urn:ogc:def:crs:EPSG::4326", "CRS84"])
def test_geojson_in_degrees_is_read(name: str, tmp_path: Path) -> None:
    assert capture(tmp_path, collection(named(name), [-76.5, 39.25])) == 1


@pytest.mark.parametrize(
    ("content", "system"),
    [
        (collection(named("urn:ogc:def:crs:EPSG::2248"), [1420000.1, 590000.2]), "urn:ogc:def:crs:EPSG::2248"),
        (collection(named("EPSG:26918"), [5.5, 6.5]), "EPSG:26918"),
        (collection(named("EPSG:2248"), [5.5, 6.5], on_feature=True), "EPSG:2248"),
        (collection({"type": "link", "properties": {"href": "town.prj"}}, [5.5, 6.5]), "town.prj"),
        (collection(None, [1420000.1, 590000.2]), "another system, such as"),
    ],
)
def test_geojson_in_another_projection_is_refused(content: bytes, system: str, tmp_path: Path) -> None:
    with pytest.raises(ProjectionUnexpected, match=f"has coordinates in {system}"):
        capture(tmp_path, content)
