"""Reads a GeoJSON file: properties of its features as text, geometries as WKB, in bounded memory.

First the file is rewritten with one feature per line; this counts the features and collects the JSON types of each
property. Then DuckDB reads the rows. The capture is verified if both give the same number of rows.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from civic_pipeline.errors import FileUnreadable
from civic_pipeline.portals.json_objects import Members, on_one_line
from civic_pipeline.portals.json_rows import json_rows
from civic_pipeline.portals.json_text import InvalidJson, JsonText
from civic_pipeline.portals.projection import geojson_system, refuse_own
from civic_pipeline.portals.source import PortalColumn
from civic_pipeline.portals.table import GEOMETRY
from civic_pipeline.sql_text import quoted


@dataclass(frozen=True)
class FeatureFile:
    """A feature collection at `path`, one feature per line. `properties`: names of `columns` without the geometry.

    `system`: the reference system of its coordinates; None for degrees.
    """

    url: str
    path: Path
    properties: tuple[str, ...]
    columns: tuple[PortalColumn, ...]
    rows: int
    system: str | None
    kind: str = "GeoJSON"

    def read(self, spool: Path, _careful: bool, /) -> Iterator[pa.Table]:
        from civic_pipeline.portals.geometry import geojson, to_wkb  # other files need neither library

        struct = ", ".join(f"{quoted(name)} varchar" for name in self.properties)
        fields = {"geometry": "varchar"} | ({"properties": f"struct({struct})"} if struct else {})
        select = ", ".join([*(f"properties.{quoted(name)}" for name in self.properties), "geometry"])
        for page in json_rows(self.url, self.path, "newline_delimited", fields, select, spool):
            shapes = to_wkb(self.url, page["geometry"], geojson, self.system)
            yield page.set_column(len(self.properties), "geometry", shapes).rename_columns(
                [column.name for column in self.columns]
            )


def open_geojson(url: str, path: Path, lines: Path) -> FeatureFile:
    """Check the whole file at `path` and write its features to `lines`, one per line. Raises FileUnreadable."""
    columns = Members(url)
    members: dict[str, Any] = {}
    rows = 0
    try:
        with path.open(encoding="utf-8-sig") as file, lines.open("w", encoding="utf-8") as to:
            for feature, text in _features(JsonText(file), members):
                rows += 1
                to.write(on_one_line(text))
                properties = feature.get("properties")
                if not isinstance(properties, dict | None) or not isinstance(feature.get("geometry"), dict | None):
                    raise InvalidJson(f"`properties` and `geometry` of feature {rows} are not objects")
                refuse_own(url, feature.get("crs"), (feature.get("geometry") or {}).get("crs"))
                columns.add(properties or {})
    except UnicodeError as error:
        raise FileUnreadable(url, f"its text is not UTF-8 ({error})") from error
    except (ValueError, RecursionError) as error:
        raise FileUnreadable(url, f"it is not complete GeoJSON: {error}") from error
    system = geojson_system(url, members.get("crs"))
    return FeatureFile(url, lines, tuple(columns.types), (*columns.columns(), GEOMETRY), rows, system)


def _features(text: JsonText, members: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """The features of a collection, each with its JSON text; its other members are put into `members`.

    Raises ValueError if the collection is not complete.
    """
    for name in text.members():
        if name != "features":
            members[name], _ = text.value()
            continue
        members[name] = True
        for feature, json_text in text.elements():
            if not isinstance(feature, dict):
                raise InvalidJson(f"a feature is {json_text[:60]!r}")
            yield feature, json_text
    if text.next_character():
        raise InvalidJson("there is text after the end of the object")
    if "features" not in members:
        if refusal := members.get("errors") or members.get("error"):
            raise InvalidJson(f"it holds what a portal answered in place of data: {json.dumps(refusal)[:200]}")
        raise InvalidJson(f"it is an object with {', '.join(members) or 'no members'}, without features")
    nested = members.get("properties")
    flags = (members, nested if isinstance(nested, dict) else {})
    if any(flag.get("exceededTransferLimit") for flag in flags):
        raise InvalidJson(
            "features are missing, as its exceededTransferLimit says; use the layer as an arcgis source instead"
        )
