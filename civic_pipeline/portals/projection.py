"""Reference systems of coordinates. Only WGS 84 in degrees is read, because every reader of our geometries expects it."""

import re
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from civic_pipeline.errors import ProjectionUnexpected

_DEGREES = re.compile(r"(.*:)?(4326|CRS84|CRS:84|OGC:CRS84)", re.IGNORECASE)
# A number above 180, as the first coordinate of a pair or as x, or above 90, as the second or as y.
_ABOVE_180 = r"-?(18[1-9]|19\d|[2-9]\d\d|\d{4,}|180\.0*[1-9]|[\d.]+[eE]\+?0*[3-9])"
_ABOVE_90 = r"-?(9[1-9]|[1-9]\d\d|\d{4,}|90\.0*[1-9]|[\d.]+[eE]\+?0*[2-9])"
_NO_DEGREES = (
    rf'"x"\s*:\s*{_ABOVE_180}|"y"\s*:\s*{_ABOVE_90}|\[\s*{_ABOVE_180}|\[\s*-?[\d.eE+-]+\s*,\s*{_ABOVE_90}[\d.]*\s*[,\]]'
)


def refuse_esri(url: str, system: Mapping[str, Any] | None) -> None:
    """Raise ProjectionUnexpected if the `spatialReference` of a page is another one."""
    if not system:
        return
    codes = [system[name] for name in ("latestWkid", "wkid") if system.get(name)]
    if codes and 4326 not in codes:
        raise ProjectionUnexpected(url, f"EPSG:{codes[0]}")
    text = str(system.get("wkt") or system.get("wkt2") or "")
    if text and not codes and not re.match(r'GEOGCS\["(GCS_)?WGS[_ ]?(19)?84"', text):
        name = re.match(r'\w+\["([^"]*)"', text)
        raise ProjectionUnexpected(url, name[1] if name else text[:60])


def refuse_geojson(url: str, system: Any) -> None:
    """Raise ProjectionUnexpected if the member `crs` of a GeoJSON object names another one. One without a name says nothing."""
    properties = system.get("properties") if isinstance(system, dict) else None
    name = (properties.get("name") or properties.get("href")) if isinstance(properties, dict) else None
    if name and not _DEGREES.fullmatch(str(name)):
        raise ProjectionUnexpected(url, str(name)[:100])


def refuse_beyond_degrees(url: str, geometries: pa.Array) -> None:
    """Raise ProjectionUnexpected if a geometry (JSON text) has coordinates beyond 180 or 90, whatever the source says."""
    beyond = pc.filter(geometries, pc.fill_null(pc.match_substring_regex(geometries, _NO_DEGREES), False))
    if len(beyond):
        raise ProjectionUnexpected(url, f"another system, such as {str(beyond[0].as_py())[:80]}")
