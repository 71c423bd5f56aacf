"""Counts and sums of a clean table per slice, measured by DuckDB in one pass: a few hundred rows."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb

from civic_pipeline.quality.drift.watched import Watched
from civic_pipeline.sql_text import quoted


@dataclass(frozen=True)
class Amount:
    """One control total in a slice: its sum, the sum of its absolute values, and the numbers of rows below 0 and not 0.

    `logarithms` is the sum of the natural logarithms of the absolute values: one large payment hardly changes their mean.
    """

    total: float
    gross: float
    negative: int
    nonzero: int
    logarithms: float

    @property
    def typical(self) -> float:
        """Mean natural logarithm of the amounts."""
        return self.logarithms / self.nonzero if self.nonzero else 0.0


@dataclass(frozen=True)
class Slice:
    """Rows of one fiscal year, or of one month or one value of a category within it.

    `kind` is the column, empty for the whole table; `parent` is the name of the slice that contains it. `contents` is
    a hash of the rows in any order, `twice` counts the rows that occur exactly twice, `filled` the non-null values per column,
    `zeros` those that are 0 per measure.
    """

    kind: str
    name: str
    parent: str
    is_null: bool
    rows: int
    contents: str
    twice: int
    newest: date | None
    filled: dict[str, int]
    amounts: dict[str, Amount]
    zeros: dict[str, int]
    equal_amounts: dict[tuple[str, str], int]
    payees: int | None


Profile = dict[str, Slice]
WHOLE = ""


def pairs_of(amounts: Sequence[str]) -> list[tuple[str, str]]:
    return [(one, other) for i, one in enumerate(amounts) for other in amounts[i + 1 :]]


def profile(connection: duckdb.DuckDBPyConnection, relation: str, watched: Watched) -> Profile:
    """The slices of `relation` by name; the whole table is the slice named by the empty text."""
    by = _Dimensions(watched)
    measures = _measures(watched)
    rows = connection.execute(f"""
        with hashed as (
            select *, {row_hash(watched.columns)} as _row{by.month_column} from {relation}
        ),
        twice as (select _row from hashed group by _row having count(*) = 2),
        fine as (
            select {by.select}, {", ".join(f"{sql} as {name}" for name, sql, _ in measures)}
            from hashed left join twice using (_row) group by {by.group}
        )
        select {by.grouping}, {by.select}, {", ".join(f"{again}({name})" for name, _, again in measures)}
        from fine group by grouping sets ({by.sets})
    """).fetchall()
    payees = _payees(connection, relation, watched, by)
    slices = {}
    for mask, *values in rows:
        where, values_of_slice = values[: by.width], values[by.width :]
        part = _slice(by, watched, mask, where, values_of_slice, payees)
        slices[part.name] = part
    return slices


def row_hash(columns: Collection[str]) -> str:
    """SQL of a hash of some columns. DuckDB's own hash is enough: it is compared within one DuckDB version only."""
    return f"hash({', '.join(map(quoted, columns))})"


class _Dimensions:
    """The columns that define slices, and their grouping sets: the whole table, years, months and categories."""

    def __init__(self, watched: Watched) -> None:
        self.year, self.dated_by = watched.year, watched.dated_by
        year = [quoted(watched.year)] if watched.year else []
        month = ["_month"] if watched.dated_by else []
        categories = [quoted(name) for name in watched.categories]
        self.names = year + month + categories
        self.kinds = [name.strip('"') for name in self.names]
        parts = [f"({', '.join([*year, one])})" for one in [*month, *categories]]
        self.sets = ", ".join(["()", *([f"({year[0]})"] if year else []), *parts])
        self.select = ", ".join(self.names) or "null as _nothing"
        self.width = max(1, len(self.names))
        self.group = ", ".join(self.names) or "all"
        self.grouping = f"grouping({', '.join(self.names)})" if self.names else "0"
        self.month_column = (
            f", cast(date_trunc('month', {quoted(watched.dated_by)}) as date) as _month" if watched.dated_by else ""
        )

    def key(self, mask: int, values: Sequence[Any]) -> tuple[str, str, str, bool]:
        """Kind, name, parent, and whether the value is null, for the grouping set that `mask` marks."""
        used = [
            (kind, value)
            for position, (kind, value) in enumerate(zip(self.kinds, values, strict=False))
            if not mask >> (len(self.kinds) - 1 - position) & 1
        ]
        if not used:
            return WHOLE, WHOLE, WHOLE, False
        kind, value = used[-1]
        text = f"{value:%Y-%m}" if kind == "_month" and value else str(value)
        parent = f"{self.year} {used[0][1]}" if len(used) > 1 else WHOLE
        name = f"{kind} {text}" if kind != "_month" else text
        return kind, f"{name} in {parent}" if parent else name, parent, value is None


def _measures(watched: Watched) -> list[tuple[str, str, str]]:
    """Name, SQL over rows, and the function that adds up the values."""
    dated = quoted(watched.dated_by) if watched.dated_by else "cast(null as date)"
    measures = [
        ("_rows", "count(*)", "sum"),
        ("_contents", "sum(cast(_row as hugeint))", "sum"),
        ("_twice", "count(twice._row)", "sum"),
        ("_newest", f"max({dated})", "max"),
    ]
    measures += [(f"_filled_{i}", f"count({quoted(name)})", "sum") for i, name in enumerate(watched.columns)]
    for i, name in enumerate(watched.amounts):
        amount = quoted(name)
        measures += [
            (f"_total_{i}", f"sum({amount})", "sum"),
            (f"_gross_{i}", f"sum(abs({amount}))", "sum"),
            (f"_negative_{i}", f"count_if({amount} < 0)", "sum"),
            (f"_nonzero_{i}", f"count_if({amount} <> 0)", "sum"),
            (f"_logarithms_{i}", f"sum(ln(nullif(abs(cast({amount} as double)), 0)))", "sum"),
        ]
    measures += [(f"_zeros_{i}", f"count_if({quoted(name)} = 0)", "sum") for i, name in enumerate(watched.measures)]
    measures += [
        (f"_equal_{i}", f"count_if({quoted(one)} = {quoted(other)})", "sum")
        for i, (one, other) in enumerate(pairs_of(watched.amounts))
    ]
    return measures


def _payees(connection: duckdb.DuckDBPyConnection, relation: str, watched: Watched, by: _Dimensions) -> dict[str, int]:
    """Distinct payees per slice name. They need their own query, because distinct counts cannot be added up."""
    if not watched.payee:
        return {}
    rows = connection.execute(f"""
        with paid as (
            select distinct {by.select}, {quoted(watched.payee)} as _payee from (select *{by.month_column} from {relation})
        )
        select {by.grouping}, {by.select}, count(distinct _payee) from paid group by grouping sets ({by.sets})
    """).fetchall()
    return {by.key(mask, values[: by.width])[1]: values[-1] for mask, *values in rows}


def _slice(
    by: _Dimensions, watched: Watched, mask: int, where: Sequence[Any], values: Sequence[Any], payees: dict[str, int]
) -> Slice:
    kind, name, parent, is_null = by.key(mask, where)
    rest = iter(values)
    rows, contents, twice, newest = next(rest), next(rest), next(rest), next(rest)
    filled = {column: int(next(rest) or 0) for column in watched.columns}
    amounts = {
        column: Amount(
            total=float(next(rest) or 0), gross=float(next(rest) or 0), negative=int(next(rest) or 0),
            nonzero=int(next(rest) or 0), logarithms=float(next(rest) or 0),
        )
        for column in watched.amounts
    }  # fmt: skip
    zeros = {column: int(next(rest) or 0) for column in watched.measures}
    equal = {pair: int(next(rest) or 0) for pair in pairs_of(watched.amounts)}
    return Slice(
        kind, name, parent, is_null, int(rows or 0), str(contents), int(twice or 0), newest, filled, amounts, zeros, equal,
        payees.get(name) if watched.payee else None,
    )  # fmt: skip
