"""One shape per area of a city."""

from collections.abc import Mapping
from itertools import groupby
from typing import Any

import pyarrow as pa

from civic_pipeline.methods.geography.plane import in_plane

SCHEMA = pa.schema([
    ("geography_id", pa.string()), ("city", pa.string()), ("kind", pa.string()), ("geography_name", pa.string()),
    ("geography_key", pa.string()), ("residents", pa.int32()), ("housing_units", pa.int32()), ("square_meters", pa.float64()),
    ("longitude", pa.float64()), ("latitude", pa.float64()), ("geometry", pa.binary()),
])  # fmt: skip


def areas(tables: Mapping[str, pa.Table]) -> pa.Table:
    """`marts.dim_geographies` of `marts.fct_boundaries`: boundaries of one city, kind and key become one area.

    `square_meters` is rounded to whole ones; the point is inside the area; residents and housing units are sums.
    """
    import shapely

    def key(row: dict[str, Any]) -> tuple[str, str, str, str]:
        return row["city"], row["kind"], row["geography_key"], row["boundary_id"]

    rows = []
    for (city, kind, name, _), same in groupby(
        sorted(tables["marts.fct_boundaries"].to_pylist(), key=key), lambda row: (*key(row)[:3], None)
    ):
        boundaries = list(same)
        shape = shapely.union_all(shapely.make_valid([shapely.from_wkb(row["geometry"]) for row in boundaries]))
        point = shape.representative_point()
        rows.append(
            boundaries[0] | {
                "geography_id": boundaries[0]["boundary_id"], "city": city, "kind": kind, "geography_key": name,
                "residents": _sum(boundaries, "residents"), "housing_units": _sum(boundaries, "housing_units"),
                "square_meters": float(round(shapely.area(in_plane([shape.wkb]))[0])),
                "longitude": round(point.x, 6), "latitude": round(point.y, 6),
                "geometry": shapely.to_wkb(shape, output_dimension=2, byte_order=1),
            }
        )  # fmt: skip
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def _sum(boundaries: list[dict[str, Any]], column: str) -> int | None:
    known = [row[column] for row in boundaries if row[column] is not None]
    return sum(known) if known else None
