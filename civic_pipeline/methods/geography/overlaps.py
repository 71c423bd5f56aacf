"""How much of each area of one kind lies in each area of another."""

from collections.abc import Mapping
from itertools import groupby
from typing import Any

import pyarrow as pa

from civic_pipeline.methods.geography.plane import in_plane

# Boundaries of two kinds are drawn apart, so that neighbors touch by slivers: less than 0.5% of the smaller area is none.
SLIVER = 0.005

SCHEMA = pa.schema([
    ("city", pa.string()), ("from_geography_id", pa.string()), ("to_geography_id", pa.string()), ("from_kind", pa.string()),
    ("to_kind", pa.string()), ("overlap_square_meters", pa.float64()), ("from_square_meters", pa.float64()),
    ("area_share", pa.float64()),
])  # fmt: skip


def overlaps(tables: Mapping[str, pa.Table]) -> pa.Table:
    """`marts.fct_geography_overlaps` of `marts.dim_geographies`: pairs of areas of one city and of different kinds that overlap.

    Areas are rounded to whole square meters. `area_share` = overlap / area of the first, at most 1.
    """
    rows = sorted(
        tables["marts.dim_geographies"].to_pylist(), key=lambda row: (row["city"], row["kind"], row["geography_id"])
    )
    pairs = [pair for _, areas in groupby(rows, lambda row: row["city"]) for pair in _pairs(list(areas))]
    return pa.Table.from_pylist(pairs, schema=SCHEMA)


def _pairs(areas: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The pairs of the areas of one city."""
    import shapely

    shapes = in_plane(row["geometry"] for row in areas)
    sizes = shapely.area(shapes)
    first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    shared = shapely.area(shapely.intersection(shapes[first], shapes[second]))
    return [
        {
            "city": areas[a]["city"],
            "from_geography_id": areas[a]["geography_id"],
            "to_geography_id": areas[b]["geography_id"],
            "from_kind": areas[a]["kind"],
            "to_kind": areas[b]["kind"],
            "overlap_square_meters": float(round(size)),
            "from_square_meters": float(round(sizes[a])),
            "area_share": round(min(float(size / sizes[a]), 1.0), 6),
        }
        for a, b, size in zip(first, second, shared, strict=True)
        if areas[a]["kind"] != areas[b]["kind"] and size > SLIVER * min(sizes[a], sizes[b])
    ]
