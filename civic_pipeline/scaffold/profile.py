"""Profiles the columns of one capture: how to parse them, what their times mean, which columns are a key.

All results are inferred from the data, so they are written as proposals together with their evidence.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, time
from itertools import combinations
from pathlib import Path

import duckdb
import pyarrow as pa

from civic_pipeline.portals import Description, PortalColumn
from civic_pipeline.scaffold.trial import dated_columns, plain
from civic_pipeline.sql_text import quoted

# Words in column names for money, and for numbers that are not money.
_MONEY = set(
    "amount amt cost price salary pay grosspay fine fines fee fees balance budget spent paid revenue expense payment tax".split()
)
_NO_MONEY = set(
    "code id no num number count type year date day month name desc description class category status method".split()
)
_NAMES_A_ROW = set("id no num number key code case pin ref reference record request permit citation ticket".split())
_NAMES_NO_ROW = set(
    "desc description comment comments note notes remarks narrative text address phone fax email website url".split()
)
# DuckDB accepts these words as names; sqlglot, which parses our models, does not.
_RESERVED_BY_PARSER = set(
    "alter drop force grant insert install map revoke rollback current_date current_time current_timestamp".split()
)

# Limits of the search for a key: more combinations rarely help, and with more rows each of them takes seconds.
_MAX_TRIES, _MAX_ROWS_TRIED = 60, 2_000_000
# Text becomes a date or money if at least this share of its values parses; the other rows go to quarantine. From the lower
# share on, a note proposes it.
_READABLE, _NEARLY_READABLE = 0.99, 0.9
_FEW_VALUES, _ROWS_PER_VALUE = 12, 20
_QUERIED_AT_ONCE = 20


@dataclass(frozen=True)
class DraftColumn:
    """A column of the clean table and the SQL that computes it from the raw column.

    `published`: SQL for the published text, if parsing may fail; `unreadable`: the number of rows where it failed.
    `is_exact`: its sum should be a control total. `note`: a remark for the reviewer.
    """

    name: str
    raw: PortalColumn
    sql: str
    type: str
    unit: str | None = None
    published: str | None = None
    unreadable: int = 0
    is_exact: bool = False
    note: str | None = None


@dataclass(frozen=True)
class ColumnProfile:
    """Counts of a clean column: rows, non-null values, distinct values; its range; and its values if there are few."""

    rows: int
    present: int
    distinct: int
    lowest: object
    highest: object
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Key:
    """The columns of a key, or none, and the evidence."""

    columns: tuple[str, ...]
    evidence: str


def time_zones(description: Description, file: Path) -> dict[str, tuple[str, str]]:
    """Column -> policy and reason for every column with a date and time, from the times of day in the capture."""
    policies = {}
    days = {column.name for column in description.columns if column.arrow_type == pa.date32()}
    with duckdb.connect() as connection:
        for name in dated_columns(description):
            if name in days:
                policies[name] = ("date_only", "its values are days without a time")
                continue
            times = connection.execute(
                f"select distinct cast({quoted(name)} as time) from read_parquet(?) where {quoted(name)} is not null limit 4",
                [str(file)],
            ).fetchall()
            policies[name] = _policy(sorted(moment for (moment,) in times))
    return policies


def _policy(times: Sequence[time]) -> tuple[str, str]:
    shown = " or ".join(f"{moment:%H:%M}" for moment in times)
    if not times:
        return "utc", "there is no value yet"
    whole = all((moment.minute, moment.second, moment.microsecond) == (0, 0, 0) for moment in times)
    # Local midnight west of Greenwich in summer and winter, such as 04:00 and 05:00 UTC for the US east coast. East of
    # Greenwich local midnight is in the evening of the day before, so times in the evening are not treated as dates.
    if whole and len(times) <= 3 and times[-1].hour <= 12:
        return "date_only", f"every value is at {shown}"
    return "utc", "values have times of day; compare one with the portal's page"


def draft(connection: duckdb.DuckDBPyConnection, table: str, columns: Iterable[PortalColumn]) -> list[DraftColumn]:
    """Draft the columns of the clean table for `columns` of raw.`table`. The connection must have our macros."""
    words = "select keyword_name from duckdb_keywords() where keyword_category <> 'unreserved'"
    reserved = _RESERVED_BY_PARSER | {word for (word,) in connection.execute(words).fetchall()}
    kinds = {row[0]: row[1] for row in connection.execute(f"describe raw.{table}").fetchall()}
    drafted: list[DraftColumn] = []
    for column in columns:
        taken = {other.name for other in drafted}
        sql_name = column.name.lower() if _is_plain(column.name, reserved) else quoted(column.name)
        if column.portal_type == "WKB":
            drafted += _draft_geometry(connection, table, column, taken)
            continue
        name = clean_name(column.name, reserved, taken)
        drafted.append(_draft(_RawColumn(connection, table, column, kinds[column.name], name, sql_name)))
    return drafted


@dataclass(frozen=True)
class _RawColumn:
    """A column of raw.`table`: its SQL there, its DuckDB type `kind`, and the `name` of the clean column."""

    connection: duckdb.DuckDBPyConnection
    table: str
    portal: PortalColumn
    kind: str
    name: str
    sql: str

    @property
    def is_money(self) -> bool:
        """Whether the portal says so, or its name."""
        words = set(self.name.split("_"))
        has_money_name = bool(words & _MONEY) or self.name.endswith(("amt", "amount", "cost"))
        return self.portal.portal_type == "money" or (has_money_name and not words & _NO_MONEY)

    def count(self, *conditions: str) -> list[int]:
        """The rows for which each of the conditions on the value `v` is true."""
        counts = ", ".join(f"count(*) filter ({condition})" for condition in conditions)
        row = self.connection.execute(f"select {counts} from (select {self.sql} as v from raw.{self.table})").fetchone()
        return [int(value) for value in row or ()]


def _draft(raw: _RawColumn) -> DraftColumn:
    if raw.kind == "VARCHAR":
        return _draft_text(raw)
    if raw.kind == "DOUBLE" or raw.kind.startswith("DECIMAL") or (raw.kind == "BIGINT" and raw.is_money):
        return _draft_number(raw)
    if raw.kind == "TIMESTAMP":
        (clocks,) = raw.count("cast(v as time) <> time '00:00:00'")
        if not clocks:
            return DraftColumn(raw.name, raw.portal, f"cast({raw.sql} as date)", "DATE")
        return DraftColumn(raw.name, raw.portal, raw.sql, raw.kind, "local time")
    if raw.kind == "TIMESTAMP WITH TIME ZONE":
        return DraftColumn(raw.name, raw.portal, f"{raw.sql} at time zone 'UTC'", "TIMESTAMP", "UTC")
    return DraftColumn(raw.name, raw.portal, raw.sql, raw.kind)


def _draft_text(raw: _RawColumn) -> DraftColumn:
    """Text as money or a date if nearly all values read as one, else as text."""
    name, text = raw.name, f"clean_text({raw.sql})"
    present, money, signs, days = raw.count(
        "clean_text(v) is not null", "parse_money(v) is not null", "v like '%$%'", "parse_date(v) is not null"
    )
    is_money = raw.is_money or signs > 0
    if is_money and money >= _READABLE * present > 0:
        sql, kind = f"parse_money({raw.sql})", "DECIMAL(18,2)"
        if finer := _decimals_beyond_cents(raw):
            kind = f"DECIMAL({16 + finer},{finer})"
            sql = f"try_cast(replace(replace({raw.sql}, '$', ''), ',', '') as {kind.lower()})"
        return DraftColumn(name, raw.portal, sql, kind, "USD", text, present - money, is_exact=True)
    if days >= _READABLE * present > 0:
        return DraftColumn(name, raw.portal, f"parse_date({raw.sql})", "DATE", None, text, present - days)
    note = None
    if days >= _NEARLY_READABLE * present > 0:
        note = f"{days:,} of {present:,} values are dates; parse_date and a row rule would make it a DATE"
    elif is_money and money >= _NEARLY_READABLE * present > 0:
        note = f"{money:,} of {present:,} values are money; parse_money and a row rule would make it a number"
    return DraftColumn(name, raw.portal, text, "VARCHAR", note=note)


def _draft_number(raw: _RawColumn) -> DraftColumn:
    """Money to the cent, a whole number, or a double."""
    present, cents, whole = raw.count(
        "v is not null", "v = round(v, 2) and abs(v) < 1e15", "v = trunc(v) and abs(v) < 9e15"
    )
    if present and raw.is_money and cents == present:
        return DraftColumn(raw.name, raw.portal, f"parse_money({raw.sql})", "DECIMAL(18,2)", "USD", is_exact=True)
    if not raw.kind.startswith("DECIMAL"):
        return DraftColumn(raw.name, raw.portal, raw.sql, raw.kind)
    if present and whole == present:
        return DraftColumn(raw.name, raw.portal, f"try_cast({raw.sql} as bigint)", "BIGINT", is_exact=True)
    return DraftColumn(raw.name, raw.portal, f"cast({raw.sql} as double)", "DOUBLE")


def _decimals_beyond_cents(raw: _RawColumn) -> int:
    """The most decimals of an amount in a text column, up to 12; 0 if cents are enough or some are in parentheses."""
    (decimals, parentheses) = raw.connection.execute(
        rf"select max(length(regexp_extract({raw.sql}, '\.(\d+?)0*\s*$', 1))), count(*) filter ({raw.sql} like '(%')"
        f" from raw.{raw.table} where parse_money({raw.sql}) is not null"
    ).fetchone() or (0, 0)
    return min(int(decimals or 0), 12) if (decimals or 0) > 2 and not parentheses else 0


def _draft_geometry(
    connection: duckdb.DuckDBPyConnection, table: str, column: PortalColumn, taken: Collection[str]
) -> list[DraftColumn]:
    """Longitude and latitude for points; the WKB for other geometries."""
    raw = quoted(column.name)
    shapes, points = connection.execute(
        f"select count({raw}), count({raw}) filter (st_astext(st_geomfromwkb({raw})) like 'POINT %') from raw.{table}"
    ).fetchone() or (0, 0)
    if shapes != points:
        return [DraftColumn(clean_name("geometry", (), taken), column, column.name, "BLOB", "WKB, EPSG:4326")]
    return [
        DraftColumn(clean_name(name, (), taken), column, f"wkb_{name}({column.name})", "DOUBLE", "degrees")
        for name in ("longitude", "latitude")
    ]


def profile_columns(
    connection: duckdb.DuckDBPyConnection, drafted: Sequence[DraftColumn], table: str
) -> dict[str, ColumnProfile]:
    """The profile of every drafted column."""
    shown: dict[str, ColumnProfile] = {}
    for start in range(0, len(drafted), _QUERIED_AT_ONCE):
        some = drafted[start : start + _QUERIED_AT_ONCE]
        select = ", ".join(f"count({d.name}), count(distinct {d.name}), min({d.name}), max({d.name})" for d in some)
        rows, *facts = connection.execute(f"select count(*), {select} from {table}").fetchone() or (0,)
        for number, column in enumerate(some):
            shown[column.name] = ColumnProfile(rows, *facts[4 * number : 4 * number + 4])
    for column in drafted:
        facts_of = shown[column.name]
        few = 1 < facts_of.distinct <= min(_FEW_VALUES, facts_of.present // _ROWS_PER_VALUE)
        if column.type == "VARCHAR" and few:
            values = connection.execute(
                f"select distinct {column.name} from {table} where {column.name} is not null order by 1"
            ).fetchall()
            shown[column.name] = ColumnProfile(
                facts_of.rows, facts_of.present, facts_of.distinct, facts_of.lowest, facts_of.highest,
                tuple(value for (value,) in values),
            )  # fmt: skip
    return shown


def key_of(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    drafted: Sequence[DraftColumn],
    shown: dict[str, ColumnProfile],
    row_id: str | None,
) -> Key:
    """The smallest set of columns that is unique and never null.

    Columns with a name such as `id` are tried first, the portal's own row number last.
    """
    rows = shown[drafted[0].name].rows
    candidates = [
        d.name for d in drafted
        if shown[d.name].present == rows and d.type in {"VARCHAR", "BIGINT", "DATE", "TIMESTAMP"}
        and d.raw.name != row_id and not d.raw.is_derived and d.unit != "USD"
        and not set(d.name.split("_")) & _NAMES_NO_ROW
    ]  # fmt: skip
    candidates.sort(key=lambda name: not set(name.split("_")) & _NAMES_A_ROW and not name.endswith(("num", "id", "no")))
    single = next((name for name in candidates if shown[name].distinct == rows), None)
    if single:
        return Key((single,), f"unique and never null in {rows:,} rows")
    if rows <= _MAX_ROWS_TRIED:
        varied = [name for name in candidates if shown[name].distinct > 1]
        for columns in _tries(varied, shown, rows):
            [(distinct,)] = connection.execute(
                f"select count(*) from (select distinct {', '.join(columns)} from {table})"
            ).fetchall()
            if distinct == rows:
                return Key(columns, f"together unique and never null in {rows:,} rows")
    numbered = next((d.name for d in drafted if d.raw.name == row_id), None)
    if numbered and shown[numbered].distinct == rows:
        return Key(
            (numbered,),
            f"the layer's own row number, unique in {rows:,} rows; no other columns are unique, and it may change when the"
            " layer is published again",
        )
    return Key((), f"no combination of up to three columns is unique and never null in {rows:,} rows")


def _tries(names: Sequence[str], shown: dict[str, ColumnProfile], rows: int) -> Iterable[tuple[str, ...]]:
    """Pairs, then triples of columns that have at least as many combinations of values as there are rows."""
    tried = 0
    for size in (2, 3):
        for columns in combinations(names[:12], size):
            possible = 1
            for name in columns:
                possible *= shown[name].distinct
            if possible >= rows and tried < _MAX_TRIES:
                tried += 1
                yield columns


def newest_date(drafted: Sequence[DraftColumn], shown: dict[str, ColumnProfile], today: date) -> str | None:
    """The date column with the newest value up to today, among those with a value in at least 95% of the rows; or None."""
    dates = [
        (highest, d.name) for d in drafted
        if d.type == "DATE" and isinstance(highest := shown[d.name].highest, date) and highest <= today
        and shown[d.name].present >= 0.95 * shown[d.name].rows
    ]  # fmt: skip
    return max(dates)[1] if dates else None


def clean_name(name: str, reserved: Collection[str], taken: Collection[str]) -> str:
    """`Payment Amount (Split)` -> `payment_amount_split`, `NoticeNum` -> `notice_num`; unique and never a reserved word."""
    ascii_only = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    parted = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", ascii_only)
    clean = re.sub(r"[^a-z0-9]+", "_", parted.lower()).strip("_")
    clean = clean if clean[:1].isalpha() else f"column_{clean}".rstrip("_")
    clean = f"{clean}_value" if clean in reserved else clean
    number = 2
    unique = clean
    while unique in taken:
        unique, number = f"{clean}_{number}", number + 1
    return unique


def title_of(column: DraftColumn) -> str:
    """The portal's title of a column, as a sentence."""
    title = plain(column.raw.title).rstrip(".")
    return f"{title}." if title not in {"", column.raw.name} else f"{column.raw.name}, as published."


def _is_plain(name: str, reserved: Collection[str]) -> bool:
    return bool(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name)) and name.lower() not in reserved
