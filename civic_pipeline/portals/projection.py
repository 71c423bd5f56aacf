"""Reference systems of coordinates, as portals name them. Our geometries are in WGS 84 in degrees (EPSG:4326)."""

import re
from collections.abc import Mapping
from typing import Any

from civic_pipeline.errors import ProjectionUnexpected

_DEGREES = re.compile(r"(.*:)?(4326|CRS84|CRS:84|OGC:CRS84)", re.IGNORECASE)


def esri_system(url: str, system: Mapping[str, Any] | None) -> str | None:
    """The code of the `spatialReference` of a page; None for degrees or if it says nothing. Raises ProjectionUnexpected."""
    if not system:
        return None
    codes = [system[name] for name in ("latestWkid", "wkid") if system.get(name)]
    text = str(system.get("wkt") or system.get("wkt2") or "")
    if 4326 in codes or (not codes and (not text or re.match(r'GEOGCS\["(GCS_)?WGS[_ ]?(19)?84"', text))):
        return None
    return _known(
        url, *(f"{authority}:{code}" for code in codes for authority in ("EPSG", "ESRI")), *([text] if text else [])
    )


def geojson_system(url: str, system: Any) -> str | None:
    """The code that the member `crs` of a GeoJSON object names; None for degrees or if it says nothing. Raises ProjectionUnexpected."""
    # Some writers give the name alone, and those before 2008 a code of EPSG.
    written = system.get("properties") if isinstance(system, dict) else {"name": system}
    if not isinstance(written, dict):
        return None
    name = written.get("name") or written.get("href") or (written.get("code") and f"EPSG:{written['code']}")
    return None if not name or _DEGREES.fullmatch(str(name)) else _known(url, str(name))


def refuse_own(url: str, *systems: Any) -> None:
    """Raise ProjectionUnexpected if one feature of a collection, or its geometry, has a system of its own that is not degrees."""
    for system in systems:
        if named := geojson_system(url, system):
            raise ProjectionUnexpected(url, named)


def _known(url: str, *names: str) -> str:
    for name in names:
        if code := _code(name):
            return code
    written = re.match(r'\w+\["([^"]*)"', names[0])
    raise ProjectionUnexpected(url, written[1] if written else names[0][:100])


def _code(name: str) -> str | None:
    """`name`, such as EPSG:2248, an URN or WKT, as a code that PROJ knows, or None.

    WKT counts only where it is, in all its parameters, the system of a code: a text without them would give wrong degrees.
    """
    from pyproj import CRS  # most sources need no projections
    from pyproj.exceptions import CRSError

    try:
        code = CRS.from_user_input(name).to_authority(min_confidence=100)
    except CRSError:
        return None
    return ":".join(code) if code else None
