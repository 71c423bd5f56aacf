"""Geometries of portals as WKB in degrees of longitude and latitude (EPSG:4326), two coordinates a point.

Esri JSON and GeoJSON are read here, and what is in another reference system is transformed by PROJ (pyproj).
"""

import json
import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import shapely
from pyproj import Transformer
from shapely.geometry.base import BaseGeometry

from civic_pipeline.errors import AnswerUnreadable, FileUnreadable, ProjectionUnexpected
from civic_pipeline.portals.projection import esri_system

DEGREES = "EPSG:4326"

Reader = Callable[[dict[str, Any]], BaseGeometry | None]


def to_wkb(url: str, texts: pa.Array | pa.ChunkedArray, read: Reader, system: str | None) -> pa.Array:
    """The geometries of a page as little-endian WKB; null where a geometry is null or has no points.

    `texts`: JSON; `read`: `esri` or `geojson`; `system`: their reference system, such as EPSG:2248, or None for degrees.
    Raises AnswerUnreadable, and ProjectionUnexpected if the result is beyond 180 or 90, or if a geometry names another system.
    """
    return _in_degrees(
        url, np.array([_shape(url, text, read, system) for text in texts.to_pylist()], dtype=object), system
    )


def points_to_wkb(url: str, xs: pa.ChunkedArray, ys: pa.ChunkedArray, system: str) -> pa.Array:
    """The points of two columns of text in `system`, as `to_wkb`; null where either is blank. Raises FileUnreadable for other text."""
    try:
        x, y = (
            np.array([float(text) if text and text.strip() else math.nan for text in texts.to_pylist()])
            for texts in (xs, ys)
        )
    except ValueError as error:
        raise FileUnreadable(url, f"a coordinate is no number: {error}") from error
    shapes = np.array(shapely.points(x, y), dtype=object, ndmin=1)
    shapes[np.isnan(x) | np.isnan(y)] = None
    return _in_degrees(url, shapes, system)


def _in_degrees(url: str, shapes: "np.ndarray[Any, np.dtype[np.object_]]", system: str | None) -> pa.Array:
    if system is not None and (known := ~shapely.is_missing(shapes)).any():
        shapes[known] = shapely.transform(shapes[known], _to_degrees(system), interleaved=False)
    points, places = shapely.get_coordinates(shapes, return_index=True)
    beyond = ~((np.abs(points[:, 0]) <= 180) & (np.abs(points[:, 1]) <= 90))
    if beyond.any():
        x, y = points[beyond][0]
        where = system or "another system"
        raise ProjectionUnexpected(url, f"{where}, such as {x}, {y} in row {places[beyond][0] + 1} of a page")
    return pa.array(shapely.to_wkb(shapes, output_dimension=2, byte_order=1), pa.binary())


@cache
def _to_degrees(system: str) -> Callable[..., tuple[Any, Any]]:
    return Transformer.from_crs(system, DEGREES, always_xy=True).transform


def _shape(url: str, text: str | None, read: Reader, system: str | None) -> BaseGeometry | None:
    if text is None:
        return None
    try:
        value = json.loads(text)
        if (own := value.get("spatialReference")) and (named := esri_system(url, own)) != system:
            raise ProjectionUnexpected(url, f"{named or DEGREES}, as a geometry says against its page")
        shape = read(value)
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, shapely.errors.ShapelyError) as error:
        raise AnswerUnreadable(url, "a geometry", f"{text[:80]} ({error})") from error
    return None if shape is None or shape.is_empty else shape


def geojson(value: dict[str, Any]) -> BaseGeometry | None:
    """The shape of a GeoJSON geometry."""
    return shapely.force_2d(shapely.from_geojson(json.dumps(value)))


def esri(value: dict[str, Any]) -> BaseGeometry | None:
    """The shape of a geometry in Esri JSON; None if it is empty or at NaN. Raises ValueError for curves."""
    if "points" in value:
        return shapely.MultiPoint([point[:2] for point in value["points"]])
    if "paths" in value:
        lines = [shapely.LineString([point[:2] for point in path]) for path in value["paths"] if len(path) > 1]
        return lines[0] if len(lines) == 1 else shapely.MultiLineString(lines)
    if "rings" in value:
        # A ring of fewer than four points encloses nothing.
        return _area([[point[:2] for point in ring] for ring in value["rings"] if len(ring) > 3])
    if not value or "x" in value:
        x, y = (float(math.nan if value.get(axis) is None else value[axis]) for axis in ("x", "y"))
        return None if math.isnan(x) or math.isnan(y) else shapely.Point(x, y)
    raise ValueError("neither a point, points, paths nor rings")


def _area(rings: Sequence[Sequence[Sequence[float]]]) -> BaseGeometry:
    """Polygons of rings in any order and direction: a ring inside an odd number of others is a hole of the smallest of them."""
    shells = [shapely.Polygon(ring) for ring in rings]
    if len(shells) == 1:
        return shells[0]
    shells.sort(key=lambda shell: -shell.area)
    parents = [
        [outer for outer in range(inner) if shells[outer].contains(shells[inner].representative_point())]
        for inner in range(len(shells))
    ]
    polygons = [
        shapely.Polygon(
            shell.exterior,
            [
                shells[inner].exterior
                for inner in range(len(shells))
                if len(parents[inner]) % 2 and parents[inner][-1] == outer
            ],
        )
        for outer, shell in enumerate(shells)
        if len(parents[outer]) % 2 == 0
    ]
    return polygons[0] if len(polygons) == 1 else shapely.MultiPolygon(polygons)
