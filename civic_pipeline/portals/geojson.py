"""A GeoJSON file -> the properties of its features as text, and their geometries as GeoJSON text, in bounded memory.

The file is taken apart into one feature a line, which also counts them and tells what JSON types each property has; the
rows are then read by another reader, and must be as many.
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
from civic_pipeline.portals.json_rows import LARGEST_ROW_BYTES, json_rows
from civic_pipeline.portals.source import PortalColumn
from civic_pipeline.portals.table import GEOMETRY, column_names
from civic_pipeline.sql_text import quoted

ARROW_TYPES: dict[str, pa.DataType] = {"integer": pa.int64(), "number": NUMBER, "boolean": pa.bool_()}
_CHUNK_CHARACTERS = 1 << 20


class _Broken(ValueError):
    """Where the text stops being GeoJSON."""


@dataclass(frozen=True)
class FeatureFile:
    """A feature collection, one feature a line at `path`. `properties` are the names of `columns` without the geometry."""

    url: str
    path: Path
    properties: tuple[str, ...]
    columns: tuple[PortalColumn, ...]
    rows: int
    kind: str = "GeoJSON"

    def read(self, spool: Path, _careful: bool, /) -> Iterator[pa.Table]:
        struct = ", ".join(f"{quoted(name)} varchar" for name in self.properties)
        fields = {"geometry": "varchar"} | ({"properties": f"struct({struct})"} if struct else {})
        select = ", ".join([*(f"properties.{quoted(name)}" for name in self.properties), "geometry"])
        for page in json_rows(self.url, self.path, "newline_delimited", fields, select, spool):
            yield page.rename_columns([column.name for column in self.columns])


def open_geojson(url: str, path: Path, lines: Path) -> FeatureFile:
    """Look through the whole file at `path`, and write its features to `lines`. Raises FileUnreadable."""
    kinds: dict[str, set[str]] = defaultdict(set)
    rows = 0
    try:
        with path.open(encoding="utf-8-sig") as file, lines.open("w", encoding="utf-8") as to:
            for feature, text in _features(_Text(file)):
                rows += 1
                to.write(re.sub(r"[\r\n]", " ", text) + "\n")
                properties = feature.get("properties")
                if not isinstance(properties, dict | None) or not isinstance(feature.get("geometry"), dict | None):
                    raise _Broken(f"feature {rows} has no properties and geometry as GeoJSON has them")
                for name, value in (properties or {}).items():
                    kinds[name].update(_kind(value))
    except UnicodeError as error:
        raise FileUnreadable(url, f"its text is not UTF-8 ({error})") from error
    except (ValueError, RecursionError) as error:
        raise FileUnreadable(url, f"it is no whole GeoJSON: {error}") from error
    if unfit := [name for name in kinds if not _fits(name)]:
        raise FileUnreadable(url, f"it has properties whose names no table can have: {', '.join(map(ascii, unfit))}")
    if len({name.lower() for name in kinds}) < len(kinds):
        raise FileUnreadable(url, f"some of its properties differ in nothing but case: {', '.join(kinds)}")
    columns = [
        PortalColumn(column, kind, ARROW_TYPES.get(kind, pa.string()), name)
        for (name, found), column in zip(kinds.items(), column_names(kinds), strict=True)
        for kind in [_only(found)]
    ]
    return FeatureFile(url, lines, tuple(kinds), (*columns, GEOMETRY), rows)


def _fits(name: str) -> bool:
    """Whether a name can be one of SQL: not empty, without NUL and halves of characters."""
    return bool(name.strip()) and "\0" not in name and not re.search("[\ud800-\udfff]", name)


def _kind(value: Any) -> set[str]:
    """What JSON calls a value; nothing for null, which fits every type."""
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


def _only(kinds: set[str]) -> str:
    """The type of a column whose values have these."""
    if len(kinds) == 1:
        return next(iter(kinds))
    return "number" if kinds == {"integer", "number"} else "text"


def _features(text: "_Text") -> Iterator[tuple[dict[str, Any], str]]:
    """The features of a collection, each with its text. Raises ValueError for anything but a whole collection."""
    members: dict[str, Any] = {}
    for name in text.members():
        if name != "features":
            members[name], _ = text.value()
            continue
        members[name] = True
        for feature, written in text.elements():
            if not isinstance(feature, dict):
                raise _Broken(f"a feature is {written[:60]!r}")
            yield feature, written
    if text.next_character():
        raise _Broken("text follows its end")
    if "features" not in members:
        raise _Broken(f"it is an object of {', '.join(members) or 'nothing'}, without features")
    nested = members.get("properties")
    flags = (members, nested if isinstance(nested, dict) else {})
    if any(held.get("exceededTransferLimit") for held in flags):
        raise _Broken(
            "it says itself that features are missing (exceededTransferLimit); name the layer as an arcgis source"
        )


class _Text:
    """A window that moves over the text of a JSON file."""

    def __init__(self, file: TextIO) -> None:
        self._file, self._window, self._at = file, "", 0
        self._decoder = json.JSONDecoder(parse_constant=_refuse)

    def members(self) -> Iterator[str]:
        """The names of an object's members; the caller takes each value before the next name."""
        self._expect("{")
        while self.next_character() != "}":
            name, _ = self.value()
            if not isinstance(name, str):
                raise _Broken(f"{name!r} is where a name is due")
            self._expect(":")
            yield name
            if self.next_character() != "}":
                self._expect(",")
        self._expect("}")

    def elements(self) -> Iterator[tuple[Any, str]]:
        """The values of an array, each with its text."""
        self._expect("[")
        while self.next_character() != "]":
            yield self.value()
            if self.next_character() != "]":
                self._expect(",")
        self._expect("]")

    def value(self) -> tuple[Any, str]:
        """The next value and its text."""
        self.next_character()
        more = _CHUNK_CHARACTERS
        while True:
            try:
                value, end = self._decoder.raw_decode(self._window, self._at)
            except json.JSONDecodeError as error:
                if not self._read_on(more):
                    raise _Broken(f"{error.msg} at {self._window[self._at : self._at + 60]!r}") from error
            else:
                if end < len(self._window) or not self._read_on(more):
                    text = self._window[self._at : end]
                    self._at = end
                    return value, text
            if len(self._window) - self._at > LARGEST_ROW_BYTES // 4:
                raise _Broken(
                    f"what begins {self._window[self._at : self._at + 60]!r} is too large for a feature, or has no end"
                )
            more *= 2

    def next_character(self) -> str:
        """The next character that is not blank, which stays; empty at the end."""
        while True:
            while self._at < len(self._window):
                if self._window[self._at] not in " \t\r\n":
                    return self._window[self._at]
                self._at += 1
            if not self._read_on(_CHUNK_CHARACTERS):
                return ""

    def _expect(self, character: str) -> None:
        found = self.next_character()
        if found != character:
            raise _Broken(f"{found!r} is where {character!r} is due" if found else "it breaks off")
        self._at += 1

    def _read_on(self, characters: int) -> bool:
        """Move the window so that more of the file is in it; False at the end."""
        text = self._file.read(characters)
        self._window, self._at = self._window[self._at :] + text, 0
        return bool(text)


def _refuse(constant: str) -> None:
    raise _Broken(f"{constant} is no number of JSON")
