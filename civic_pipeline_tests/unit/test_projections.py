"""Geometries land as WKB in degrees: what is in another known system is transformed, anything else is refused. No sockets."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import shapely
from formulas import empty_warehouse
from reading import here
from test_answers import Answer, client

from civic_pipeline.catalog import ArcgisSource
from civic_pipeline.errors import AnswerUnreadable, ProjectionUnexpected
from civic_pipeline.lake.landing import Landing, land
from civic_pipeline.portals import Access
from civic_pipeline.portals.arcgis import ArcgisLayer
from civic_pipeline.portals.geometry import Reader, esri, geojson, to_wkb

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
    assert read(tmp_path, DEGREES, reference) == [{"FID": 1, "_geometry": shapely.Point(-76.5, 39.25).wkb}]


@pytest.mark.parametrize(
    ("geometry", "reference", "expected"),
    [
        ({"x": -8528000.5, "y": 4763000.25}, {"wkid": 102100, "latestWkid": 3857}, (-76.608, 39.288)),
        ({"x": -8528000.5, "y": 4763000.25}, {"wkid": 102100}, (-76.608, 39.288)),
        ({"x": 1420000.5, "y": 593000.25}, {"wkid": 102685, "latestWkid": 2248}, (-76.6196, 39.2943)),
        (DEGREES, {"wkid": 4269}, (-76.5, 39.25)),
    ],
)
def test_a_page_in_a_known_projection_is_transformed(
    geometry: dict[str, Any], reference: object, expected: tuple[float, float], tmp_path: Path
) -> None:
    [row] = read(tmp_path, geometry, reference)
    assert shapely.get_coordinates(shapely.from_wkb(row["_geometry"]))[0] == pytest.approx(expected, abs=5e-4)


@pytest.mark.parametrize(
    ("geometry", "reference", "system"),
    [
        (DEGREES, {"wkt": FEET}, "Town_Feet"),
        (DEGREES, {"wkt": 'GEOGCS["GCS_North_American_1927",DATUM[]]'}, "GCS_North_American_1927"),
        (DEGREES, {"wkid": 999999}, "EPSG:999999"),
        ({"x": 1420000.5, "y": 593000.25}, None, "another system, such as 1420000.5, 593000.25"),
        ({"x": 1420000.5, "y": 593000.25}, {"wkid": 4326}, "another system, such as"),
        ({"x": 1, "y": 2, "spatialReference": {"wkid": 2248}}, None, "EPSG:2248, as a geometry says against its page"),
        (
            {**DEGREES, "spatialReference": {"wkid": 4326}},
            {"wkid": 102100},
            "EPSG:4326, as a geometry says against its page",
        ),
    ],
)
def test_a_page_in_an_unknown_projection_is_refused_by_its_name(
    geometry: dict[str, Any], reference: object, system: str, tmp_path: Path
) -> None:
    with pytest.raises(ProjectionUnexpected, match=f"has coordinates in {system}"):
        read(tmp_path, geometry, reference)


def test_a_wkt_without_its_parameters_is_not_guessed(tmp_path: Path) -> None:
    """PROJ reads it, with 0 for what is missing, and would give degrees of another place."""
    wkt = (
        'PROJCS["Invented_StatePlane_Feet",GEOGCS["GCS_North_American_1983",DATUM["D_North_American_1983",SPHEROID["GRS_1980",'
        '6378137.0,298.257222101]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],'
        'PROJECTION["Lambert_Conformal_Conic"],UNIT["Foot_US",0.3048006096012192]]'
    )
    with pytest.raises(ProjectionUnexpected, match="has coordinates in Invented_StatePlane_Feet"):
        read(tmp_path, {"x": 1420000.5, "y": 593000.25}, {"wkt": wkt})


@pytest.mark.parametrize(
    ("geometry", "read_as", "is_refused"),
    [
        ('{"x":180,"y":-90}', esri, False),
        ('{"x":-76.61234567,"y":8.95e1}', esri, False),
        ('{"x":180.0001,"y":0}', esri, True),
        ('{"x":-71.5,"y":90.5}', esri, True),
        (
            '{"rings":[[[-76.5,39.25,5280.5],[-76.25,39.5,91],[-76.25,39.25,91],[-76.5,39.25,91]]]}',
            esri,
            False,
        ),  # heights
        ('{"rings":[[[-76.5,39.25],[1420000.1,590000.2],[-76.25,39.25],[-76.5,39.25]]]}', esri, True),
        ('{"type":"LineString","coordinates":[[-76.5, 39.25], [12.5, 91.5]]}', geojson, True),
        ('{"type":"Point","coordinates":[-8.5e+06,4.7e+06]}', geojson, True),
        ('{"type":"Point","coordinates":[1e-05,2.5E-03]}', geojson, False),
    ],
)
def test_coordinates_beyond_180_and_90_are_no_degrees(geometry: str, read_as: Reader, is_refused: bool) -> None:
    column = pa.array([None, geometry], pa.string())
    if is_refused:
        with pytest.raises(ProjectionUnexpected, match="in row 2 of a page"):
            to_wkb("https://town.gov", column, read_as, None)
    else:
        assert [text is None for text in to_wkb("https://town.gov", column, read_as, None).to_pylist()] == [True, False]


def ring(x: float, y: float, side: float) -> list[list[float]]:
    """A square, clockwise."""
    return [[x, y], [x, y + side], [x + side, y + side], [x + side, y], [x, y]]


@pytest.mark.parametrize("is_reversed", [False, True])
def test_rings_become_polygons_with_holes_and_islands_in_them(is_reversed: bool) -> None:
    """A ring inside another is a hole, one inside a hole is an island, whatever their order and direction."""
    rings = [ring(4, 4, 1), ring(0, 0, 10)[::-1], ring(20, 20, 3), ring(2, 2, 6)]
    rings = [points[::-1] for points in rings] if is_reversed else rings
    [wkb] = to_wkb("https://town.gov", pa.array([json.dumps({"rings": rings})]), esri, None).to_pylist()
    island, mainland, second = shapely.box(4, 4, 5, 5), shapely.box(0, 0, 10, 10), shapely.box(20, 20, 23, 23)
    expected = shapely.union_all([mainland.difference(shapely.box(2, 2, 8, 8)), island, second])
    shape = shapely.from_wkb(wkb)
    assert (shape.is_valid, shape.area, shape.equals(expected)) == (True, 100 - 36 + 1 + 9, True)


def test_what_has_no_points_is_null_and_what_is_no_geometry_is_an_error() -> None:
    texts = ["{}", '{"x":"NaN","y":"NaN"}', '{"rings":[]}', '{"rings":[[[0,0],[1,1],[0,0]]]}', '{"paths":[]}']
    assert to_wkb("https://town.gov", pa.array(texts), esri, None).to_pylist() == [None] * 5
    for text, read_as in (('{"curveRings":[]}', esri), ('{"type":"Circle"}', geojson), ('{"x":"west","y":1}', esri)):
        with pytest.raises(AnswerUnreadable, match="a geometry"):
            to_wkb("https://town.gov", pa.array([text]), read_as, None)


def test_duckdb_reads_the_geometries_without_an_extension() -> None:
    texts = pa.array(['{"x":-76.5,"y":39.25}', json.dumps({"rings": [ring(0, 0, 1)]}), None])
    shapes = pa.table({"_geometry": to_wkb("https://town.gov", texts, esri, None)})
    connection = empty_warehouse()
    connection.register("shapes", shapes)
    assert connection.execute(
        "select st_astext(st_geomfromwkb(_geometry)), wkb_longitude(_geometry), wkb_latitude(_geometry) from shapes"
    ).fetchall() == [
        ("POINT (-76.5 39.25)", -76.5, 39.25),
        ("POLYGON ((0 0, 0 1, 1 1, 1 0, 0 0))", None, None),
        (None, None, None),
    ]
    assert connection.execute(
        "select count(*) from duckdb_extensions() where loaded and extension_name = 'spatial'"
    ).fetchall() == [(0,)]


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
    "crs",
    [
        named("urn:ogc:def:crs:EPSG::2248"), named("http://www.opengis.net/def/crs/EPSG/0/2248"), named("ESRI:102685"),
        {"type": "EPSG", "properties": {"code": 2248}}, "EPSG:2248",
    ],
    ids=str,
)  # fmt: skip
def test_geojson_in_feet_is_transformed_however_it_says_so(crs: object, tmp_path: Path) -> None:
    source = here(tmp_path, collection(crs, [1420000.1, 590000.2]), "wells.geojson")
    [page] = list(source.read(source.describe(), 1, tmp_path, False))
    point = shapely.from_wkb(page["_geometry"][0].as_py())
    assert (point.x, point.y) == pytest.approx((-76.61962, 39.28607), abs=1e-5)


@pytest.mark.parametrize(
    ("content", "system"),
    [
        (collection(named("EPSG:2248"), [5.5, 6.5], on_feature=True), "EPSG:2248"),
        # As PostGIS writes a geometry with its system.
        (
            collection(None, [5.5, 6.5]).replace(
                b'"Point"', b'"Point", "crs": {"type": "name", "properties": {"name": "EPSG:2248"}}'
            ),
            "EPSG:2248",
        ),
        (collection({"type": "link", "properties": {"href": "town.prj"}}, [5.5, 6.5]), "town.prj"),
        (collection(None, [1420000.1, 590000.2]), "another system, such as"),
    ],
)
def test_geojson_in_an_unknown_or_unnamed_projection_is_refused(content: bytes, system: str, tmp_path: Path) -> None:
    with pytest.raises(ProjectionUnexpected, match=f"has coordinates in {system}"):
        capture(tmp_path, content)
