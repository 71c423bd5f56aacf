"""The figures that releases changed, row by row: since when, from what and to what (`marts.mart_changed_figures`)."""

from collections.abc import Collection, Mapping
from datetime import datetime

import duckdb

from civic_pipeline.releases.contents import types_of
from civic_pipeline.sql_text import quoted
from civic_pipeline.warehouse.changes import is_in_before

LIMIT = 100  # figures of one table in one release, those that changed most
_FIGURES = "marts.mart_changed_figures"
_DIMENSIONS = ("city", "fiscal_year")
_NAMED_IN = {
    "agency_id": "marts.dim_agencies",
    "fund_id": "marts.dim_funds",
    "geography_id": "marts.dim_geographies",
    "service_id": "marts.dim_services",
    "vendor_id": "marts.dim_vendors",
}
_TIMES = ("year", "fiscal year", "calendar year", "month", "month of fiscal year", "quarter of fiscal year", "week")


def record_changed_figures(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    released_at: datetime,
    contents: Mapping[str, str],
    before: Mapping[str, str],
) -> None:
    """Write the last change of each figure, as far as release `name` still has the value that it was changed to.

    Each mart has one figure in a row: of its columns of dollars, and then of its other columns with a unit, the first that changed.
    `contents` and `before` are the content hashes of its tables and of those of the release before, which is attached as `before`.
    Only marts whose hashes differ are read. Those about groups of persons are left out: the difference of two totals is a person.
    """
    connection.execute(f"delete from {_FIGURES}")
    has_earlier = is_in_before(connection, _FIGURES)
    for table in _marts(connection):
        if table not in contents or table not in before:
            continue
        is_changed = contents[table] != before[table]
        if is_changed:
            _record(connection, table, name, released_at)
        if has_earlier:
            _carry_over(connection, table, is_changed=is_changed)


def _marts(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Marts with a key that neither have columns about persons nor read a table that has."""
    rows = connection.execute(
        "select table_name from meta.tables where starts_with(table_name, 'marts.') and len(key_columns) > 0"
        " and not list_has_any(list_append(inputs, table_name), coalesce("
        "(select list(table_name) from meta.tables where len(personal_columns) > 0), [])) order by table_name"
    )
    return [table for (table,) in rows.fetchall()]


def _record(connection: duckdb.DuckDBPyConnection, table: str, name: str, released_at: datetime) -> None:
    key, columns = _key(connection, table), types_of(connection, table)
    earlier = types_of(connection, f"before.{table}")
    if not key or not set(key) <= set(earlier):
        return
    candidates = [
        (column, unit)
        for column, unit in _with_units(connection, table)
        if column in columns and column in earlier and column not in key
    ]
    joined = f"from before.{table} as a inner join {table} as b using ({', '.join(map(quoted, key))})"
    if not candidates:
        return
    tests = ", ".join(f"bool_or({_differs(column)})" for column, _ in candidates)
    changed = connection.execute(f"select {tests} {joined}").fetchall()[0]
    for (column, unit), is_changed in zip(candidates, changed, strict=True):
        if is_changed:
            figure = quoted(column)
            named = _row_name(connection, key, columns)
            connection.execute(
                f"insert into {_FIGURES} select ?, ?, ?, {_row_key(key)}, {named}, ?, ?, a.{figure}, b.{figure}"
                f" {joined} where {_differs(column)} order by abs(b.{figure} - a.{figure}) desc, 4 limit {LIMIT}",
                [name, released_at, table, column, unit],
            )
            return


def _carry_over(connection: duckdb.DuckDBPyConnection, table: str, *, is_changed: bool) -> None:
    """Add earlier changes of figures that did not change again. If the table changed, the figure must still be what it became."""
    earlier = (
        f"from before.{_FIGURES} as earlier where table_name = ?"
        f" and not exists (from {_FIGURES} as own where own.table_name = earlier.table_name and own.row_key = earlier.row_key)"
    )
    if not is_changed:
        connection.execute(f"insert into {_FIGURES} by name {earlier}", [table])
        return
    key, columns = _key(connection, table), types_of(connection, table)
    for (column,) in connection.execute(f"select distinct column_name {earlier}", [table]).fetchall():
        if column in columns:
            connection.execute(
                f"insert into {_FIGURES} by name select earlier.* replace ({_row_name(connection, key, columns)} as row_name)"
                f" from (select * {earlier} and column_name = ?) as earlier inner join {table} as b"
                f" on {_row_key(key)} = earlier.row_key and cast(b.{quoted(column)} as double) = earlier.value_after",
                [table, column],
            )


def _differs(column: str) -> str:
    """Whether a figure is another number: beyond the last digits of a float, and not from or to null."""
    a, b = f"a.{quoted(column)}", f"b.{quoted(column)}"
    return f"abs({b} - {a}) > 1e-9 * greatest(abs({a}), abs({b}))"


def _row_key(key: list[str]) -> str:
    return f"cast(to_json([{', '.join(f'cast(b.{quoted(name)} as varchar)' for name in key)}]) as varchar)"


def _row_name(connection: duckdb.DuckDBPyConnection, key: list[str], columns: Collection[str]) -> str:
    """The row in words: its city and year, its names and those of its ids, and the rest of its key."""
    words = [
        f"cast(b.{quoted(name)} as varchar)"
        for name in columns
        if name in _DIMENSIONS or name.endswith("_name") or (name in key and not name.endswith("_id"))
    ]
    for name in (name for name in key if name in _NAMED_IN and name.replace("_id", "_name") not in columns):
        dimension, title = _NAMED_IN[name], name.replace("_id", "_name")
        if {name, title} <= set(_columns_if_there(connection, dimension)):
            words.append(f"(select any_value({title}) from {dimension} as named where named.{name} = b.{name})")
    words = words or [f"cast(b.{quoted(name)} as varchar)" for name in key]
    return f"[word for word in [{', '.join(words)}] if word is not null]"


def _key(connection: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    [(key,)] = connection.execute("select key_columns from meta.tables where table_name = ?", [table]).fetchall()
    return list(key)


def _with_units(connection: duckdb.DuckDBPyConnection, table: str) -> list[tuple[str, str]]:
    """The numbers of a table that have a unit, but for years and the like: dollars first."""
    return connection.execute(
        "select column_name, unit from meta.columns where table_name = ? and unit is not null"
        f" and unit not in ({', '.join('?' for _ in _TIMES)})"
        " and regexp_matches(column_type, '^(DECIMAL|DOUBLE|FLOAT|U?(TINY|SMALL|BIG|HUGE)?INT)')"
        " order by unit <> 'USD', position",
        [table, *_TIMES],
    ).fetchall()


def _columns_if_there(connection: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    rows = connection.execute(
        "select column_name from duckdb_columns() where database_name = current_database() and concat_ws('.', schema_name, table_name) = ?",
        [table],
    )
    return [name for (name,) in rows.fetchall()]
