"""Columns from the members of JSON objects, and a JSON file whose rows are an array of such objects."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from civic_pipeline.errors import FileUnreadable
from civic_pipeline.portals.columns import NUMBER
from civic_pipeline.portals.json_rows import json_rows
from civic_pipeline.portals.json_text import InvalidJson, JsonText
from civic_pipeline.portals.source import PortalColumn, refuse_too_wide
from civic_pipeline.portals.table import column_names
from civic_pipeline.sql_text import quoted

ARROW_TYPES: dict[str, pa.DataType] = {"integer": pa.int64(), "number": NUMBER, "boolean": pa.bool_()}


@dataclass
class Members:
    """The members of the objects read so far, each with the JSON types of its values. `url`: origin of the file, for errors."""

    url: str
    types: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def add(self, values: Mapping[str, Any]) -> None:
        """Raises FileUnreadable for more members, or longer names, than a table has."""
        known = len(self.types)
        for name, value in values.items():
            self.types[name].update(_json_type(value))
        if len(self.types) > known:
            refuse_too_wide(self.url, self.types)

    def columns(self) -> tuple[PortalColumn, ...]:
        """A column for each member. Raises FileUnreadable for names that cannot be names of columns."""
        if invalid := [name for name in self.types if not _is_valid_name(name)]:
            listed = ", ".join(map(ascii, invalid))
            raise FileUnreadable(self.url, f"these property names cannot be column names: {listed}")
        if len({name.lower() for name in self.types}) < len(self.types):
            raise FileUnreadable(self.url, f"some of its properties differ only in case: {', '.join(self.types)}")
        return tuple(
            PortalColumn(column, kind, ARROW_TYPES.get(kind, pa.string()), name)
            for (name, types), column in zip(self.types.items(), column_names(self.types), strict=True)
            for kind in [_column_type(types)]
        )


@dataclass(frozen=True)
class ObjectFile:
    """Objects at `path`, one per line. `members`: the names of `columns` in the file."""

    url: str
    path: Path
    members: tuple[str, ...]
    columns: tuple[PortalColumn, ...]
    rows: int
    kind: str = "JSON"

    def read(self, spool: Path, _careful: bool, /) -> Iterator[pa.Table]:
        fields = dict.fromkeys(self.members, "varchar")
        select = ", ".join(map(quoted, self.members))
        for page in json_rows(self.url, self.path, "newline_delimited", fields, select, spool):
            yield page.rename_columns([column.name for column in self.columns])


def open_objects(url: str, path: Path, lines: Path, member: str) -> ObjectFile:
    """Check the JSON object at `path`, and write the objects in its array `member` to `lines`, one per line.

    The other members of the object are not read. Raises FileUnreadable.
    """
    members, rows = Members(url), 0
    try:
        with path.open(encoding="utf-8-sig") as file, lines.open("w", encoding="utf-8") as to:
            for element, text in _elements(JsonText(file), member):
                rows += 1
                to.write(on_one_line(text))
                members.add(element)
    except UnicodeError as error:
        raise FileUnreadable(url, f"its text is not UTF-8 ({error})") from error
    except (ValueError, RecursionError) as error:
        raise FileUnreadable(url, f"it is not complete JSON: {error}") from error
    if not rows:
        raise FileUnreadable(url, f"its array {member!r} is empty, so it has no columns")
    return ObjectFile(url, lines, tuple(members.types), members.columns(), rows)


def on_one_line(json_text: str) -> str:
    """A JSON value as a line: outside of strings a line break is a blank, and inside of them there is none."""
    return re.sub(r"[\r\n]", " ", json_text) + "\n"


def _elements(text: JsonText, member: str) -> Iterator[tuple[dict[str, Any], str]]:
    others = []
    for name in text.members():
        if name != member:
            others.append(name)
            text.value()
            continue
        for element, json_text in text.elements():
            if not isinstance(element, dict):
                raise InvalidJson(f"an element of {member!r} is {json_text[:60]!r} and no object")
            yield element, json_text
        others = [*others, member]
    if text.next_character():
        raise InvalidJson("there is text after the end of the object")
    if member not in others:
        raise InvalidJson(f"it is an object with {', '.join(others) or 'no members'}, without {member!r}")


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
