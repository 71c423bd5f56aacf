"""Declared columns: names that may stand for a family, portal types or classes of them, and what is about persons."""

import re
from collections.abc import Callable, Iterable
from typing import Any, Literal

from pydantic import Field, ValidationError, WithJsonSchema

from civic_pipeline.catalog.yaml_file import Strict, mistake

_INTEGERS = {"OID", "SmallInteger", "Integer", "BigInteger", "int", "integer", "number"}
# Class -> the portal types it matches, of every kind of portal. Socrata has one type for all numbers, and calls it number.
TYPE_CLASSES: dict[str, frozenset[str]] = {
    "integer": frozenset(_INTEGERS),
    "number": frozenset({*_INTEGERS, "Single", "Double", "double", "money", "percent"}),
    "text": frozenset({"String", "GUID", "GlobalID", "XML", "text", "url", "email", "phone", "html"}),
    "date": frozenset({"Date", "DateOnly", "calendar_date", "date", "datetime"}),
}


class PersonalColumn(Strict):
    """A column about persons, as it is written in `columns`."""

    type: str = Field(min_length=1, description="The portal type.")
    personal: Literal[True]


def columns_schema(at_least: int) -> WithJsonSchema:
    """The JSON schema of `columns` as it is written."""
    kinds = [{"type": "string"}, PersonalColumn.model_json_schema()]
    return WithJsonSchema({"type": "object", "minProperties": at_least, "additionalProperties": {"anyOf": kinds}})


def split_personal(values: Any) -> Any:
    """Split `columns`, as written, into name and type, and into `personal`, the names of those about persons."""
    columns = values.get("columns") if isinstance(values, dict) else None
    if not isinstance(columns, dict) or not any(isinstance(kind, dict) for kind in columns.values()):
        return values
    if "personal" in values:
        raise mistake("write personal: true beside the column's type")
    types, personal = dict(columns), set()
    for name, kind in columns.items():
        if isinstance(kind, dict):
            try:
                types[name] = PersonalColumn.model_validate(kind).type
            except ValidationError:
                message = "write the column's type, or {type: text, personal: true} for a column about persons"
                raise mistake(message, "columns", name) from None
            personal.add(name)
    return values | {"columns": types, "personal": frozenset(personal)}


def stands_for(pattern: str, column: str) -> bool:
    """Whether a name in `columns` matches `column`, whatever their case; * matches any characters."""
    return _matcher(pattern)(column)


def members(pattern: str, columns: Iterable[str]) -> list[str]:
    """Those of `columns` that `pattern` stands for."""
    return list(filter(_matcher(pattern), columns))


def finder(columns: Iterable[str]) -> Callable[[str], list[str]]:
    """`members` of many patterns in the same columns: some sources have thousands of both."""
    listed, by_name = list(columns), dict[str, list[str]]()
    for column in listed:
        by_name.setdefault(column.lower(), []).append(column)
    return lambda pattern: members(pattern, listed) if "*" in pattern else by_name.get(pattern.lower(), [])


def _matcher(pattern: str) -> Callable[[str], bool]:
    """The rule for one pattern, prepared once."""
    name = pattern.lower()
    if "*" not in name:
        return lambda column: column.lower() == name
    parts = re.compile(".*".join(map(re.escape, name.split("*"))), re.DOTALL)
    return lambda column: parts.fullmatch(column.lower()) is not None


def spelled(column: str, declared: Iterable[str]) -> str:
    """`column` as `declared` spells it; what * stands for keeps its case."""
    for pattern in declared:
        words = pattern.split("*")
        parts = re.fullmatch("(.*)".join(map(re.escape, words)), column, re.DOTALL | re.IGNORECASE)
        if parts:
            return "".join(word + kept for word, kept in zip(words, [*parts.groups(), ""], strict=True))
    return column


def is_of_type(portal_type: str, declared: str, portal: str) -> bool:
    """Whether a column of `portal_type` is as `declared`: of that type, or of that class of types.

    A CSV file or a workbook has no types: its text is of every class.
    """
    is_untyped = portal == "file" and portal_type == "text" and declared in TYPE_CLASSES
    return portal_type == declared or portal_type in TYPE_CLASSES.get(declared, ()) or is_untyped


def is_dated(portal_type: str, declared: str | None) -> bool:
    """Whether a column that is `declared` as a date is one at the portal; `time_zones` says nothing of text."""
    return declared is not None and portal_type in TYPE_CLASSES["date"] and is_of_type(portal_type, declared, "")
