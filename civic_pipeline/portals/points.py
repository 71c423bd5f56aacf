"""A file whose rows have points in two columns: the columns stay as they are, and the points become its geometry."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from civic_pipeline.catalog import Points
from civic_pipeline.portals.source import Description, PortalSource, Traffic
from civic_pipeline.portals.table import GEOMETRY


class WithPoints:
    """A source of text columns, with `_geometry` made of two of them."""

    def __init__(self, source: PortalSource, points: Points) -> None:
        self._source = source
        self._points = points

    @property
    def traffic(self) -> Traffic:
        return self._source.traffic

    def describe(self) -> Description:
        description = self._source.describe()
        return replace(description, columns=(*description.columns, GEOMETRY))

    def count(self) -> int:
        return self._source.count()

    def read(self, description: Description, counted: int, spool: Path, sequential: bool) -> Iterator[pa.Table]:
        from civic_pipeline.portals.geometry import points_to_wkb  # files without points need neither library

        own = replace(description, columns=description.columns[:-1])
        names = {name.lower(): name for name in own.schema.names}
        x, y = names[self._points.x.lower()], names[self._points.y.lower()]
        for page in self._source.read(own, counted, spool, sequential):
            shapes = points_to_wkb(description.url, page[x], page[y], self._points.system)
            yield page.append_column(GEOMETRY.name, shapes).cast(description.schema)

    def read_edited(self, description: Description, since: datetime, spool: Path) -> Iterator[pa.Table]:
        return self._source.read_edited(description, since, spool)

    def reused_ids(self) -> int:
        return self._source.reused_ids()


def with_points(source: PortalSource, points: Points | None) -> PortalSource:
    """`source` with the geometry of its points, if it has both columns and no geometry yet."""
    if points is None:
        return source
    names = {column.name.lower() for column in source.describe().columns}
    has_points = {points.x.lower(), points.y.lower()} <= names and GEOMETRY.name not in names
    return WithPoints(source, points) if has_points else source
