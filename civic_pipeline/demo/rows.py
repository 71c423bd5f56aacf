"""The rows of one served file in DuckDB: read in pages, in any order, and edited between two responses."""

import threading
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import duckdb

from civic_pipeline.demo.columns import DATED, NUMERIC, Column
from civic_pipeline.errors import CivicError
from civic_pipeline.sql_text import quoted

EVERYTHING = "true"

# The columns of a table besides the file's own columns and `place`, the position of the row from 0. `number` never changes.
_KEPT = ("number", "row_id", "row_version", "created_at", "updated_at", "geometry", "esri")


class DemoEditInvalid(CivicError):
    """An edit of served rows has an unknown column or a value that does not fit."""

    exit_code = 2


class Rows:
    """One table in file order, and copies sorted in the orders that clients requested.

    `table` must have the columns `number`, `geometry`, `esri` and those of `columns`. The `:id`s are computed from `salt`:
    the same file has the same ids on every machine, a changed file has completely different ids.
    """

    def __init__(
        self, con: duckdb.DuckDBPyConnection, table: str, columns: Sequence[Column], salt: str, updated_at: int
    ) -> None:
        self.table, self.columns = table, tuple(columns)
        self.published_at = self.updated_at = updated_at  # epoch seconds; every edit increases `updated_at`
        self._con, self._salt = con, salt
        self._condition = threading.Condition()
        self._readers = 0
        self._sorting = threading.Lock()
        self._copies: dict[str, str] = {}
        at = _instant(updated_at)
        with con.cursor() as cursor:
            cursor.execute(
                f"create or replace table {table} as select {self._id_sql('number')}, {at} as created_at,"
                f" {at} as updated_at, number - 1 as place, * from {table}"
            )
            self.count = _number(cursor, f"select count(*) from {table}")
        self._next = self.count + 1

    @contextmanager
    def reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Yield a connection for one response. The rows do not change before the block ends."""
        with self._condition:
            self._readers += 1
        try:
            with self._con.cursor() as cursor:
                yield cursor
        finally:
            with self._condition:
                self._readers -= 1
                self._condition.notify_all()

    def page(self, where: str, order: Sequence[str], offset: int, limit: int, *, unique: bool) -> str:
        """Return the SQL of at most `limit` rows, in order. Run it inside `reading`.

        Without a `unique` order the sequence differs between requests, as on real portals, so pages overlap.
        """
        if unique:
            table = self._sorted(", ".join(order))
            if where == EVERYTHING:
                return f"select * from {table} where place >= {offset} and place < {offset + limit}"
            return f"select * from {table} where {where} limit {limit} offset {offset}"
        if where == EVERYTHING and not order:
            return self._rotated(offset, limit)
        shuffled = ", ".join([*order, f"hash(number, {offset})"])
        return f"select * from {self.table} where {where} order by {shuffled} limit {limit} offset {offset}"

    def _rotated(self, offset: int, limit: int) -> str:
        """Return the SQL of a scan with another start for each offset. Fast at any offset; correct for the whole table at once."""
        size = max(0, min(limit, self.count - offset))
        start = offset + zlib.crc32(b"%d" % offset) % (1 + self.count // 10) if offset + size < self.count else offset
        return f"select * from {self.table} where place >= {start} and place < {start + size}" + (
            f" or place < {start + size - self.count}" if start + size > self.count else ""
        )

    def _sorted(self, order: str) -> str:
        """Return the name of a copy in this order. It is sorted only once, so that late pages are as fast as the first."""
        if order == "number":
            return self.table
        with self._sorting:
            if order not in self._copies:
                copy = f"{self.table}_sorted_{len(self._copies)}"
                with self._con.cursor() as cursor:
                    cursor.execute(
                        f"create table {copy} as select *, row_number() over () - 1 as place"
                        f" from (select * exclude (place) from {self.table} order by {order})"
                    )
                self._copies[order] = copy
            return self._copies[order]

    # Edits

    def insert(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add rows. Each maps column names of the file to values as written in the file.

        A missing OBJECTID becomes the next free one. Raises DemoEditInvalid.
        """
        with self._editing() as (cursor, at):
            for row in rows:
                values = self._values(row)
                for key in (c.sql for c in self.columns if is_object_id(c) and c.sql not in values):
                    values[key] = _number(cursor, f"select coalesce(max({key}), 0) + 1 from {self.table}")
                self._add(cursor, at, ", ".join(f"{_cast(self._column(c))} as {c}" for c in values), [*values.values()])

    def update(self, where: str, values: Mapping[str, Any]) -> None:
        """Change the rows for which `where` holds (DuckDB SQL with the column names of the file). Raises DemoEditInvalid."""
        with self._editing() as (cursor, at):
            given = self._values(values)
            changes = "".join(f", {name} = {_cast(self._column(name))}" for name in given)
            cursor.execute(
                f"update {self.table} set {self._touch_sql(at)}{changes} where {self._matching_sql(where)}",
                [*given.values()],
            )

    def delete(self, where: str) -> None:
        """Remove the rows for which `where` holds (DuckDB SQL with the column names of the file). Raises DemoEditInvalid."""
        with self._editing() as (cursor, _):
            cursor.execute(f"delete from {self.table} where {self._matching_sql(where)}")

    def replace(self) -> None:
        """Publish the same rows again, as a full replace on a portal does: every row gets a new `:id`."""
        with self._editing() as (cursor, at):
            self._salt += "again"
            cursor.execute(f"update {self.table} set (row_id, row_version) = ({self._id_sql('number', bare=True)})")
            cursor.execute(f"update {self.table} set created_at = {at}, updated_at = {at}")

    def edit_rows(self, how: str, rows: int) -> None:
        """Insert `rows` copies of the last row, or update or delete the first `rows` rows of the file."""
        first = f"number in (select number from {self.table} order by number limit {rows})"
        with self._editing() as (cursor, at):
            if how == "delete":
                cursor.execute(f"delete from {self.table} where {first}")
            elif how == "update":
                changed = [f", {c.sql} = {_altered(c)}" for c in self.columns if _altered(c) and not is_object_id(c)]
                cursor.execute(f"update {self.table} set {self._touch_sql(at)}{''.join(changed[:1])} where {first}")
            else:
                for _ in range(rows):
                    copied = ", ".join(
                        f"(select max({c.sql}) + 1 from {self.table}) as {c.sql}" if is_object_id(c) else c.sql
                        for c in self.columns
                    )
                    last = f"from {self.table} order by number desc limit 1"
                    self._add(cursor, at, f"geometry, esri, {copied}", [], last)

    @contextmanager
    def _editing(self) -> Iterator[tuple[duckdb.DuckDBPyConnection, str]]:
        """Wait for all readers, then yield a cursor and the time of the edit as SQL. A failed edit changes nothing."""
        with self._condition, self._con.cursor() as cursor:
            self._condition.wait_for(lambda: not self._readers)
            cursor.begin()
            try:
                yield cursor, _instant(self.updated_at + 1)
            except duckdb.Error as error:
                cursor.rollback()
                raise DemoEditInvalid(f"The edit of the served rows failed: {error}. Correct the edit.") from None
            for copy in self._copies.values():
                cursor.execute(f"drop table {copy}")
            self._copies.clear()
            self._renumber(cursor)
            cursor.commit()
            self.updated_at += 1

    def _renumber(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Sort the rows by `number` and set `place` and the count."""
        names = ", ".join([*_KEPT, *(column.sql for column in self.columns)])
        cursor.execute(
            f"create or replace table {self.table} as select *, row_number() over () - 1 as place"
            f" from (select {names} from {self.table} order by number)"
        )
        self.count = _number(cursor, f"select count(*) from {self.table}")

    def _add(
        self, cursor: duckdb.DuckDBPyConnection, at: str, values: str, given: Sequence[Any], source: str = ""
    ) -> None:
        number = f"{self._next}::bigint"
        cursor.execute(
            f"insert into {self.table} by name select {number} as number, {self._id_sql(number)}, {at} as created_at,"
            f" {at} as updated_at{', ' + values if values else ''} {source}",
            given,
        )
        self._next += 1

    def _id_sql(self, number: str, *, bare: bool = False) -> str:
        """Return the SQL of `:id` and `:version` in the form of Socrata."""
        digest = f"md5('{self._salt}' || {number})"
        keys = {
            "row_id": f"'row-' || {digest}[1:4] || '-' || {digest}[5:8] || '-' || {digest}[9:12]",
            "row_version": f"'rv-' || {digest}[13:16] || '-' || {digest}[17:20] || '-' || {digest}[21:24]",
        }
        return ", ".join(sql if bare else f"{sql} as {name}" for name, sql in keys.items())

    def _touch_sql(self, at: str) -> str:
        digest = f"md5(row_version || '{self.updated_at}')"
        version = f"'rv-' || {digest}[1:4] || '-' || {digest}[5:8] || '-' || {digest}[9:12]"
        return f"updated_at = {at}, row_version = {version}"

    def _matching_sql(self, where: str) -> str:
        named = ", ".join(f"{column.sql} as {quoted(column.name)}" for column in self.columns)
        source = f"(select number as {quoted('demo:number')}, {named} from {self.table})"
        return f"number in (select {quoted('demo:number')} from {source} where {where})"

    def _values(self, given: Mapping[str, Any]) -> dict[str, Any]:
        by_name = {column.name: column.sql for column in self.columns}
        if unknown := [name for name in given if name not in by_name]:
            raise DemoEditInvalid(f"There is no column {unknown[0]} to edit. Choose one of {', '.join(by_name)}.")
        return {by_name[name]: value for name, value in given.items()}

    def _column(self, sql: str) -> Column:
        return next(column for column in self.columns if column.sql == sql)


def is_object_id(column: Column) -> bool:
    """Return whether ArcGIS uses this column as the object id."""
    return column.integral and (column.kind == "oid" or column.name.upper() == "OBJECTID")


def _cast(column: Column) -> str:
    return f"cast(? as {'TIMESTAMP' if column.stored == 'EPOCH' else column.stored})"


def _altered(column: Column) -> str:
    """Return the SQL of another value of the same type."""
    if column.kind in NUMERIC:
        return f"coalesce({column.sql}, 0) + 1"
    if column.kind in DATED:
        return f"{column.sql} + interval 1 day"
    return f"coalesce({column.sql}, '') || '*'" if column.stored == "VARCHAR" else f"not {column.sql}"


def _instant(seconds: int) -> str:
    return f"make_timestamp({seconds}000000)"


def _number(cursor: duckdb.DuckDBPyConnection, sql: str) -> int:
    return int(cursor.execute(sql).fetchall()[0][0])
