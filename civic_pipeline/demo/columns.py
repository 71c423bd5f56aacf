"""Infers the portal type of each column of a file, and gives the SQL that reads its text as that type.

Independent of protocols: `socrata.py` and `arcgis.py` define the names of the types and the form of the values.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import duckdb

from civic_pipeline.sql_text import quoted

Kind = Literal[
    "text",
    "number",
    "money",
    "percent",
    "calendar_date",
    "date",
    "checkbox",
    "url",
    "email",
    "phone",
    "point",
    "integer",
    "double",
    # ArcGIS types for some widths of numbers and kinds of text.
    "small_integer",
    "big_integer",
    "single",
    "date_only",
    "time_only",
    "timestamp_offset",
    "guid",
    "global_id",
    "oid",
]
KINDS: tuple[Kind, ...] = get_args(Kind)

NUMERIC: frozenset[Kind] = frozenset(
    {"number", "money", "percent", "integer", "double", "small_integer", "big_integer", "single", "oid"}
)
DATED: frozenset[Kind] = frozenset({"calendar_date", "date"})

# A number in a file. With a leading zero it is an identifier and stays text.
_NUMBER = r"[-+]?(0|[1-9][0-9]*)(\.[0-9]+)?|[-+]?\.[0-9]+"
_DATE = r"[0-9]{4}[-/][0-9]{2}[-/][0-9]{2}([ T][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?)?"
_INSTANT = _DATE + r" ?(Z|[+-][0-9]{2}(:?[0-9]{2})?)"

_PATTERNS: tuple[tuple[Kind, str], ...] = (
    ("number", _NUMBER),
    ("calendar_date", _DATE),
    ("date", f"{_DATE}|{_INSTANT}"),
)

# The number of rows that are read first, to exclude columns that are clearly text.
_FIRST_ROWS = 500


@dataclass(frozen=True)
class Column:
    """One column of a served file. `sql` is its name in the table of the demo, `name` its name in the file."""

    name: str
    field_name: str
    kind: Kind
    sql: str
    stored: str = "VARCHAR"
    longest: int = 0
    fits_32_bits: bool = True

    @property
    def integral(self) -> bool:
        return self.stored == "BIGINT"


def infer_kinds(con: duckdb.DuckDBPyConnection, table: str, names: Sequence[str]) -> dict[str, Kind]:
    """Return for each column the first of `number`, `calendar_date`, `date` that fits all non-empty values, else `text`."""
    kinds: dict[str, Kind] = dict.fromkeys(names, "text")
    first_rows = f"(select * from {table} limit {_FIRST_ROWS})"
    for kind, pattern in _PATTERNS:
        candidates = _matching(con, first_rows, pattern, [name for name in names if kinds[name] == "text"])
        kinds.update(dict.fromkeys(_matching(con, table, pattern, candidates), kind))
    return kinds


def _matching(con: duckdb.DuckDBPyConnection, source: str, pattern: str, names: Sequence[str]) -> list[str]:
    """Return the columns whose non-empty values all match. An empty column does not match, because its type is unknown."""
    if not names:
        return []
    matches = ", ".join(f"bool_and(regexp_full_match({quoted(name)}, '{pattern}'))" for name in names)
    return [
        name
        for name, holds in zip(names, con.execute(f"select {matches} from {source}").fetchone() or (), strict=True)
        if holds
    ]


def fit(con: duckdb.DuckDBPyConnection, table: str, columns: Sequence[Column]) -> list[Column]:
    """Return the columns with the DuckDB type that fits all values (`stored`), the longest text and the range of numbers."""
    numeric = [column for column in columns if column.kind in NUMERIC]
    dated = [column for column in columns if column.kind in DATED]
    texts = [column for column in columns if column.kind not in NUMERIC | DATED]
    aggregates = [
        *(
            f"max(length(split_part({_plain(c)}, '.', 2))), bool_or(contains(lower({_plain(c)}), 'e')),"
            f" max(abs(try_cast({_plain(c)} as double))),"
            f" bool_and(cast(try_cast({_plain(c)} as double) as varchar) = {_plain(c)})"
            for c in numeric
        ),
        *(f"bool_and(regexp_full_match({quoted(c.name)}, '-?[0-9]+'))" for c in dated),
        *(f"max(length({quoted(c.name)}))" for c in texts),
    ]
    answers = iter(con.execute(f"select {', '.join(aggregates)} from {table}").fetchone() or ())
    fitted: dict[str, Column] = {}
    for column in numeric:
        scale, exponent, largest, as_double = next(answers) or 0, next(answers), next(answers) or 0, next(answers)
        # Wide decimals are slow to read and write, so they are used only if nothing else fits.
        wide = scale and largest >= 10 ** (18 - scale)
        if column.kind in {"double", "single"} or exponent or scale > 18 or (wide and as_double):
            stored = "DOUBLE"
        elif scale or largest >= 2**63:
            stored = f"DECIMAL({38 if wide or not scale else 18},{scale})"
        else:
            stored = "BIGINT"
        fitted[column.sql] = replace(column, stored=stored, fits_32_bits=largest < 2**31)
    for column in dated:
        fitted[column.sql] = replace(column, stored="EPOCH" if next(answers) else "TIMESTAMP")
    for column in texts:
        stored = "BOOLEAN" if column.kind == "checkbox" else "VARCHAR"
        fitted[column.sql] = replace(column, stored=stored, longest=next(answers) or 0)
    return [fitted[column.sql] for column in columns]


def reading(column: Column) -> str:
    """Return the SQL that reads the text of a column as its `stored` type; null if that is not possible."""
    return _READING[column.stored.partition("(")[0]](column)


def _plain(column: Column) -> str:
    """Return the SQL of a number without the signs of money and percentages."""
    if column.kind in {"money", "percent"}:
        return f"regexp_replace({quoted(column.name)}, '[$,%\\s]', '', 'g')"
    return f"trim({quoted(column.name)})"


def _timestamp(column: Column) -> str:
    text = f"trim({quoted(column.name)})"
    american = "['%m/%d/%Y', '%m/%d/%Y %I:%M:%S %p', '%m/%d/%Y %H:%M:%S']"
    return f"coalesce(try_cast({text} as timestamp), try_strptime({text}, {american}))"


def _text(column: Column) -> str:
    text = quoted(column.name)
    if column.kind == "url":
        # Older downloads write a url as [address, label], and `[null, null]` if there is none.
        address = f"trim(split_part(trim({text}, '[]'), ',', 1), ' \"''')"
        return f"case when {text} like '[%]' then nullif({address}, 'null') else {text} end"
    return text


_READING: dict[str, Callable[[Column], str]] = {
    "VARCHAR": _text,
    "BOOLEAN": lambda column: f"try_cast({quoted(column.name)} as boolean)",
    "BIGINT": lambda column: f"try_cast({_plain(column)} as bigint)",
    "DOUBLE": lambda column: f"try_cast({_plain(column)} as double)",
    "DECIMAL": lambda column: f"try_cast({_plain(column)} as {column.stored})",
    "TIMESTAMP": _timestamp,
    # The legacy Socrata form of a `date`: seconds since 1970.
    "EPOCH": lambda column: f"make_timestamp(try_cast({quoted(column.name)} as bigint) * 1000000)",
}
