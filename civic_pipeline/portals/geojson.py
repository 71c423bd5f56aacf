"""Reads a GeoJSON file: properties of its features as text, geometries as WKB, in bounded memory.

First the file is rewritten with one feature per line; this counts the features and collects the JSON types of each
property. Then DuckDB reads the rows. The capture is verified if both give the same number of rows.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import pyarrow as pa

from civic_pipeline.errors import FileUnreadable
from civic_pipeline.portals.columns import NUMBER
from civic_pipeline.portals.json_rows import MAX_ROW_BYTES, json_rows
from civic_pipeline.portals.projection import geojson_system, refuse_feature
from civic_pipeline.portals.source import PortalColumn, refuse_too_wide
from civic_pipeline.portals.table import GEOMETRY, column_names
from civic_pipeline.sql_text import quoted

ARROW_TYPES: dict[str, pa.DataType] = {"integer": pa.int64(), "number": NUMBER, "boolean": pa.bool_()}
_CHUNK_CHARACTERS = 1 << 20


class _NotGeojson(ValueError):
    """The text is not valid GeoJSON."""


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
    kinds: dict[str, set[str]] = defaultdict(set)
    members: dict[str, Any] = {}
    rows = known = 0
    try:
        with path.open(encoding="utf-8-sig") as file, lines.open("w", encoding="utf-8") as to:
            for feature, text in _features(_Text(file), members):
                rows += 1
                to.write(re.sub(r"[\r\n]", " ", text) + "\n")
                properties = feature.get("properties")
                if not isinstance(properties, dict | None) or not isinstance(feature.get("geometry"), dict | None):
                    raise _NotGeojson(f"`properties` and `geometry` of feature {rows} are not objects")
                refuse_feature(url, feature.get("crs"))
                for name, value in (properties or {}).items():
                    kinds[name].update(_json_type(value))
                if len(kinds) > known:
                    refuse_too_wide(url, kinds)
                    known = len(kinds)
    except UnicodeError as error:
        raise FileUnreadable(url, f"its text is not UTF-8 ({error})") from error
    except (ValueError, RecursionError) as error:
        raise FileUnreadable(url, f"it is not complete GeoJSON: {error}") from error
    if invalid := [name for name in kinds if not _is_valid_name(name)]:
        raise FileUnreadable(url, f"these property names cannot be column names: {', '.join(map(ascii, invalid))}")
    if len({name.lower() for name in kinds}) < len(kinds):
        raise FileUnreadable(url, f"some of its properties differ only in case: {', '.join(kinds)}")
    columns = [
        PortalColumn(column, kind, ARROW_TYPES.get(kind, pa.string()), name)
        for (name, types), column in zip(kinds.items(), column_names(kinds), strict=True)
        for kind in [_column_type(types)]
    ]
    return FeatureFile(url, lines, tuple(kinds), (*columns, GEOMETRY), rows, geojson_system(url, members.get("crs")))


def _is_valid_name(name: str) -> bool:
    """Whether SQL accepts the name: it is not empty and contains no NUL and no surrogates."""
    return bool(name.strip()) and "\0" not in name and not re.search("[\ud800-\udfff]", name)


def _json_type(value: Any) -> set[str]:
    """The JSON type of a value; empty for null, which every type allows."""
    match value:
        case None:
            return set()
        case bool():
            return {"boolean"}
        case int():
            return {"integer"} if -(2**63) <= value < 2**63 else {"number"}
        case float():
            return {"number"}
        case str():
            return {"text"}
        case _:
            return {"json"}


def _column_type(kinds: set[str]) -> str:
    """The type of a column whose values have these JSON types."""
    if len(kinds) == 1:
        return next(iter(kinds))
    return "number" if kinds == {"integer", "number"} else "text"


def _features(text: "_Text", members: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
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
                raise _NotGeojson(f"a feature is {json_text[:60]!r}")
            yield feature, json_text
    if text.next_character():
        raise _NotGeojson("there is text after the end of the object")
    if "features" not in members:
        raise _NotGeojson(f"it is an object with {', '.join(members) or 'no members'}, without features")
    nested = members.get("properties")
    flags = (members, nested if isinstance(nested, dict) else {})
    if any(flag.get("exceededTransferLimit") for flag in flags):
        raise _NotGeojson(
            "features are missing, as its exceededTransferLimit says; use the layer as an arcgis source instead"
        )


class _Text:
    """Reads JSON from a file through a window that moves over its text."""

    def __init__(self, file: TextIO) -> None:
        self._file, self._window, self._at = file, "", 0
        self._decoder = json.JSONDecoder(parse_constant=_refuse)

    def members(self) -> Iterator[str]:
        """The names of an object's members. The caller must read each value before the next name."""
        self._expect("{")
        while self.next_character() != "}":
            name, _ = self.value()
            if not isinstance(name, str):
                raise _NotGeojson(f"expected a name, got {name!r}")
            self._expect(":")
            yield name
            if self.next_character() != "}":
                self._expect(",")
        self._expect("}")

    def elements(self) -> Iterator[tuple[Any, str]]:
        """The values of an array, each with its JSON text."""
        self._expect("[")
        while self.next_character() != "]":
            yield self.value()
            if self.next_character() != "]":
                self._expect(",")
        self._expect("]")

    def value(self) -> tuple[Any, str]:
        """The next value and its JSON text."""
        self.next_character()
        more = _CHUNK_CHARACTERS
        while True:
            try:
                value, end = self._decoder.raw_decode(self._window, self._at)
            except json.JSONDecodeError as error:
                if not self._read_on(more):
                    raise _NotGeojson(f"{error.msg} at {self._window[self._at : self._at + 60]!r}") from error
            else:
                if end < len(self._window) or not self._read_on(more):
                    text = self._window[self._at : end]
                    self._at = end
                    return value, text
            if len(self._window) - self._at > MAX_ROW_BYTES // 4:
                raise _NotGeojson(
                    f"the value {self._window[self._at : self._at + 60]!r} ... is too long for a feature, or has no end"
                )
            more *= 2

    def next_character(self) -> str:
        """The next character that is not blank, without moving past it; empty at the end."""
        while True:
            while self._at < len(self._window):
                if self._window[self._at] not in " \t\r\n":
                    return self._window[self._at]
                self._at += 1
            if not self._read_on(_CHUNK_CHARACTERS):
                return ""

    def _expect(self, character: str) -> None:
        actual = self.next_character()
        if actual != character:
            raise _NotGeojson(f"expected {character!r}, got {actual!r}" if actual else "it is truncated")
        self._at += 1

    def _read_on(self, characters: int) -> bool:
        """Read more of the file into the window. False at the end of the file."""
        text = self._file.read(characters)
        self._window, self._at = self._window[self._at :] + text, 0
        return bool(text)


def _refuse(constant: str) -> None:
    raise _NotGeojson(f"{constant} is not a JSON number")
