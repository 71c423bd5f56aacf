"""Compares two releases: tables, columns, rows by key, and totals by column."""

from dataclasses import dataclass
from typing import Any

import duckdb

from civic_pipeline.releases.kept import Release, attached
from civic_pipeline.sql_text import literal, quoted

_EXAMPLES = 5
_ADDABLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL")


@dataclass(frozen=True)
class ColumnDifference:
    """A column of both releases that differs in rows with the same key or in its total (None: not a number)."""

    column: str
    rows_changed: int
    total_before: Any
    total_after: Any


@dataclass(frozen=True)
class TableDifference:
    """A table whose contents differ. Rows are matched by the key of its contract.

    `keys_added`, `keys_removed`, `keys_changed`: numbers of rows; None if the table has no key (quarantine). `examples`: a
    few keys of each kind, such as `added 2024-17`.
    """

    table: str
    rows_before: int
    rows_after: int
    columns_added: list[str]
    columns_removed: list[str]
    columns_retyped: list[str]
    keys_added: int | None
    keys_removed: int | None
    keys_changed: int | None
    examples: list[str]
    columns: list[ColumnDifference]


@dataclass(frozen=True)
class Difference:
    """The changes from one release to another. Tables in none of the lists are identical in both."""

    before: str
    after: str
    tables_added: list[str]
    tables_removed: list[str]
    tables: list[TableDifference]


def compare(before: Release, after: Release) -> Difference:
    """The changes from `before` to `after`. Raises WarehouseOpened, WarehouseUnreadable."""
    shared = sorted(before.contents.keys() & after.contents.keys())
    with attached(before.file, after.file) as connection:
        changed = [_compare(connection, table) for table in shared if before.contents[table] != after.contents[table]]
    return Difference(
        before.id,
        after.id,
        sorted(after.contents.keys() - before.contents.keys()),
        sorted(before.contents.keys() - after.contents.keys()),
        changed,
    )


def _compare(connection: duckdb.DuckDBPyConnection, table: str) -> TableDifference:
    old, new = f"release_1.{table}", f"release_2.{table}"
    before, after = _columns(connection, old), _columns(connection, new)
    shared = [name for name in after if name in before]
    key = _key(connection, table)
    is_matched = bool(key) and set(key) <= set(shared)
    counts: dict[str, int] = {}
    changed: dict[str, int] = {}
    if is_matched:
        _match(connection, old, new, key, [name for name in shared if name not in key])
        counts = dict(connection.execute("select _became, count(*) from matched group by _became").fetchall())
        changed = dict(connection.execute(
            "select name, count(*) from (select unnest(_differing) as name from matched where _became = 'changed') group by name"
        ).fetchall())  # fmt: skip
    totals_before, totals_after = _totals(connection, old, before), _totals(connection, new, after)
    return TableDifference(
        table=table,
        rows_before=_one(connection, f"select count(*) from {old}"),
        rows_after=_one(connection, f"select count(*) from {new}"),
        columns_added=[name for name in after if name not in before],
        columns_removed=[name for name in before if name not in after],
        columns_retyped=[f"{name} ({before[name]} -> {after[name]})" for name in shared if before[name] != after[name]],
        keys_added=counts.get("added", 0) if is_matched else None,
        keys_removed=counts.get("removed", 0) if is_matched else None,
        keys_changed=counts.get("changed", 0) if is_matched else None,
        examples=_examples(connection, key) if is_matched else [],
        columns=[
            ColumnDifference(name, changed.get(name, 0), totals_before.get(name), totals_after.get(name))
            for name in shared
            if name in changed or totals_before.get(name) != totals_after.get(name)
        ],
    )


def _match(connection: duckdb.DuckDBPyConnection, old: str, new: str, key: list[str], values: list[str]) -> None:
    """Create table `matched`: keys of added, removed and changed rows, with the names of the columns that differ."""
    differs = ", ".join(f"case when a.{quoted(v)} is distinct from b.{quoted(v)} then {literal(v)} end" for v in values)
    keys = ", ".join(quoted(name) for name in key)
    connection.execute(f"""
        create or replace temp table matched as
        with both_releases as (
            select {keys}, a._there as _before, b._there as _after, [name for name in [{differs}] if name is not null] as _differing
            from (select *, true as _there from {old}) as a
            full join (select *, true as _there from {new}) as b using ({keys})
        )
        select {keys}, _differing, case when _before is null then 'added' when _after is null then 'removed' else 'changed' end as _became
        from both_releases
        where _before is null or _after is null or len(_differing) > 0
    """)


def _examples(connection: duckdb.DuckDBPyConnection, key: list[str]) -> list[str]:
    """A few keys of each kind, such as `added 2024-17`."""
    keys = ", ".join(quoted(name) for name in key)
    rows = connection.execute(
        f"select concat_ws(' ', _became, {keys}) from matched"
        f" qualify row_number() over (partition by _became order by {keys}) <= {_EXAMPLES} order by _became, {keys}"
    ).fetchall()
    return [text for (text,) in rows]


def _columns(connection: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    return {name: str(kind) for name, kind, *_ in connection.execute(f"from {relation} limit 0").description}


def _key(connection: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    row = connection.execute("select key_columns from release_2.meta.tables where table_name = ?", [table]).fetchone()
    return row[0] if row else []


def _totals(connection: duckdb.DuckDBPyConnection, relation: str, kinds: dict[str, str]) -> dict[str, Any]:
    """The sums of all numeric columns, in one query."""
    names = [name for name, kind in kinds.items() if kind.startswith(_ADDABLE)]
    if not names:
        return {}
    sums = ", ".join(f"sum({quoted(name)})" for name in names)
    return dict(zip(names, connection.execute(f"select {sums} from {relation}").fetchall()[0], strict=True))


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> Any:
    row = connection.execute(query).fetchone()
    return row[0] if row else None
