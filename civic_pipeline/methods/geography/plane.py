"""Shapes of our tables in a plane of meters."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

# NAD83 / Maryland, meters: a conformal projection whose scale is within 0.0001 of 1 in the city, so areas are within 0.02%.
PLANE = "EPSG:26985"


def in_plane(geometries: Iterable[bytes]) -> "np.ndarray[Any, np.dtype[np.object_]]":
    """Shapes of WKB in degrees (EPSG:4326), in meters. One that crosses itself is repaired."""
    import numpy as np
    import shapely
    from pyproj import Transformer

    transform = Transformer.from_crs("EPSG:4326", PLANE, always_xy=True).transform
    shapes = np.array([shapely.from_wkb(geometry) for geometry in geometries], dtype=object)
    return shapely.make_valid(shapely.transform(shapes, transform, interleaved=False))  # type: ignore[no-any-return]
