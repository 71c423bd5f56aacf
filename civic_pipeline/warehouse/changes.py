"""What a release changes: for each table, rows and dollars against the release before (`marts.mart_changes`)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

import duckdb

from civic_pipeline.releases.contents import types_of
from civic_pipeline.sql_text import quoted
from civic_pipeline.warehouse import meta

_CHANGES = "marts.mart_changes"
_SCHEMAS = ("clean.", "marts.")

Counts = dict[str, int | Decimal | None]


def record_changes(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    released_at: datetime,
    contents: Mapping[str, str],
    before: Mapping[str, str],
) -> None:
    """Add the rows of release `name` to `marts.mart_changes`, which then has those of all releases.

    `contents` and `before` are the content hashes of its tables and of those of the release before, which is attached as
    `before`. Only tables whose hashes differ are read.
    """
    _continue(connection)
    changed = sorted(
        table
        for table in contents.keys() | before.keys()
        if table.startswith(_SCHEMAS) and contents.get(table) != before.get(table)
    )
    for table in changed:
        amount = _amount_column(connection, table)
        if table not in contents:
            change, counts = "removed", _whole(connection, f"before.{table}", None, "before")
        elif table not in before:
            change, counts = "new", _whole(connection, table, amount, "after")
        else:
            change, counts = "changed", _compared(connection, table, amount)
        row = {
            "release_id": name, "released_at": released_at, "table_name": table, "change": change, "amount_column": amount,
            "summary": _summary(change, amount, counts),
        }  # fmt: skip
        meta.add(connection, _CHANGES, [row | counts])


def _continue(connection: duckdb.DuckDBPyConnection) -> None:
    """Begin with the rows of the release before."""
    connection.execute(f"delete from {_CHANGES}")
    if is_in_before(connection, _CHANGES):
        connection.execute(f"insert into {_CHANGES} by name from before.{_CHANGES}")


def is_in_before(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    """Whether the release that is attached as `before` has `table`, `schema.table`."""
    known = (
        "select 1 from duckdb_tables() where database_name = 'before' and concat_ws('.', schema_name, table_name) = ?"
    )
    return connection.execute(known, [table]).fetchone() is not None


def _amount_column(connection: duckdb.DuckDBPyConnection, table: str) -> str | None:
    row = connection.execute(
        "select column_name from meta.columns where table_name = ? and unit = 'USD' and column_type like 'DECIMAL%'"
        " order by position limit 1",
        [table],
    ).fetchone()
    return row[0] if row else None


def _whole(connection: duckdb.DuckDBPyConnection, relation: str, amount: str | None, moment: str) -> Counts:
    total = f"sum({quoted(amount)})" if amount else "null"
    rows, dollars = connection.execute(f"select count(*), {total} from {relation}").fetchall()[0]
    moved = "added" if moment == "after" else "removed"
    return {f"rows_{moment}": rows, f"rows_{moved}": rows, f"amount_{moment}": dollars, f"amount_{moved}": dollars}


def _compared(connection: duckdb.DuckDBPyConnection, table: str, amount: str | None) -> Counts:
    key = connection.execute("select key_columns from meta.tables where table_name = ?", [table]).fetchall()[0][0]
    old, new = types_of(connection, f"before.{table}"), types_of(connection, table)
    was, now = (_whole(connection, relation, amount if amount in names else None, moment) for relation, names, moment in (
        (f"before.{table}", old, "before"), (table, new, "after"),
    ))  # fmt: skip
    counts = {name: count for name, count in (was | now).items() if name.endswith(("_before", "_after"))}
    if not set(key) <= set(old):
        return counts
    shared = [name for name in new if name in old and name not in key]
    differs = " or ".join(f"a.{quoted(name)} is distinct from b.{quoted(name)}" for name in shared) or "false"
    dollars = quoted(amount) if amount in old else None
    sums = (
        f"sum(b.{dollars}) filter (a._there is null), sum(a.{dollars}) filter (b._there is null),"
        f" sum(coalesce(b.{dollars}, 0) - coalesce(a.{dollars}, 0)) filter (a._there and b._there)"
        if dollars
        else "null, null, null"
    )
    row = connection.execute(
        "select count(*) filter (a._there is null), count(*) filter (b._there is null),"
        f" count(*) filter (a._there and b._there and ({differs})), {sums}"
        f" from (select *, true as _there from before.{table}) as a"
        f" full join (select *, true as _there from {table}) as b using ({', '.join(map(quoted, key))})"
    ).fetchall()[0]
    names = [f"{what}_{kind}" for what in ("rows", "amount") for kind in ("added", "removed", "revised")]
    moves = dict(zip(names, row, strict=True))
    if dollars:
        moves |= {name: moves[name] or Decimal(0) for name in names if name.startswith("amount")}
    return counts | moves


def _summary(change: str, amount: str | None, counts: Counts) -> str:
    def dollars(kind: str) -> str:
        value = counts.get(f"amount_{kind}")
        return f" with {_money(value)}" if amount and isinstance(value, Decimal) and value else ""

    if change == "new":
        return f"New table: {_rows(counts['rows_after'])}{dollars('after')}."
    if change == "removed":
        return f"The table was removed; it had {_rows(counts['rows_before'])}."
    if counts.get("rows_added") is None:
        return f"The key has other columns than before: {_rows(counts['rows_before'])} before, {_rows(counts['rows_after'])} now."
    parts: Sequence[str] = [
        f"{_rows(counts[f'rows_{kind}'])} {kind}{dollars(kind) if kind != 'revised' else ''}"
        for kind in ("added", "removed", "revised")
        if counts[f"rows_{kind}"]
    ]
    text = ", ".join(parts) or "Only columns changed, no rows"
    if amount and isinstance(revised := counts["amount_revised"], Decimal) and revised:
        text += f", which {'raises' if revised > 0 else 'lowers'} {amount} by {_money(abs(revised))}"
    return f"{text}."


def _rows(count: object) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def _money(value: Decimal | int | None) -> str:
    return f"{'-' if value and value < 0 else ''}${abs(value or 0):,.2f}"
