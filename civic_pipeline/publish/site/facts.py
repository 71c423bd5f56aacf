"""What a release says of itself: its tables with their checks, columns and captures. Everything a page states about trust."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any, TypeVar

import duckdb

from civic_pipeline.catalog import accepted_as
from civic_pipeline.foreign_text import in_one_line
from civic_pipeline.sql_text import quoted

T = TypeVar("T")

CURRENT = "current"
_WRITTEN = {
    "mwbe": "M/WBE", "mbe": "MBE", "covid": "COVID-19", "zip": "ZIP", "us": "US", "kpi": "KPI", "wwc": "What Works Cities",
}  # fmt: skip
_KINDS = {"fct", "mart", "dim", "bridge"}
# They give names and days to rows of every subject. What feeds only them is not the source of a page's figures.
_SHARED = frozenset(
    f"marts.{name}"
    for name in (
        "bridge_agency_aliases", "dim_agencies", "dim_cities", "dim_coverage", "dim_dates", "dim_fiscal_dates", "dim_fiscal_years",
        "dim_funds", "dim_objects", "dim_services",
    )
)  # fmt: skip


_PORTAL_WORDS = ("title", "publisher", "licence")  # also in files without markup, such as a README


def title_of(name: str) -> str:
    """The name of a table in words: `marts.fct_payments` is Payments."""
    words = name.rpartition(".")[2].split("_")
    words = words[1:] if words[0] in _KINDS else words
    first, *others = (_WRITTEN.get(word, word) for word in words)
    return " ".join([first[:1].upper() + first[1:], *others])


def in_words(text: str) -> str:
    """A text without names that are for programs: a table has its title, a column is in quotes, with blanks."""
    text = re.sub(
        rf"\b(?:(?:marts|clean|meta)\.\w+|(?:{'|'.join(sorted(_KINDS))})_\w+)", lambda name: title_of(name[0]), text
    )
    return re.sub(r"\b[a-z0-9]+(?:_[a-z0-9]+)+\b(?!\.\w)", lambda name: f"“{name[0].replace('_', ' ')}”", text)


@dataclass(frozen=True)
class Column:
    """One column of a released table. `made_from` are columns as schema.table.column."""

    name: str
    type: str
    unit: str | None
    description: str | None
    made_from: tuple[str, ...]


@dataclass(frozen=True)
class Check:
    """The last result of one check; `is_passed` is None if it did not run."""

    name: str
    severity: str
    is_passed: bool | None
    description: str | None
    examples: tuple[str, ...]
    not_run: str | None
    checked_at: datetime


@dataclass(frozen=True)
class Capture:
    """One capture of a dataset, or one edition of it: the bytes that a portal sent, by their sha256."""

    dataset: str
    edition: str | None
    capture_id: str
    captured_at: datetime
    attempted_at: datetime | None
    status: str | None
    problem: str | None
    title: str | None
    publisher: str | None
    licence: str | None
    url: str | None
    profile: str | None
    counted_rows: int | None
    landed_rows: int | None
    bytes: int | None
    sha256: str | None


@dataclass(frozen=True)
class Change:
    """What one release changed in one table: a row of `marts.mart_changes`."""

    release_id: str
    released_at: datetime
    table_name: str
    change: str
    rows_before: int | None
    rows_after: int | None
    amount_column: str | None
    amount_before: Decimal | None
    amount_after: Decimal | None
    summary: str


@dataclass(frozen=True)
class ChangedFigure:
    """The last change of one figure of a mart: a row of `marts.mart_changed_figures`. `row_name` is its row in words.

    `place` is the place among these words, which has its title there.
    """

    release_id: str
    released_at: datetime
    table_name: str
    row_name: tuple[str, ...]
    place: str | None
    column_name: str
    unit: str
    value_before: float
    value_after: float


@dataclass(frozen=True)
class Revision:
    """How one dataset differed between two captures, from the ledger: a row of `meta.comparisons`."""

    dataset: str
    captured_at: datetime
    added: int
    removed: int
    changed: int
    rekeyed: int


@dataclass(frozen=True)
class Table:
    """One table of the release. `rows` is None if no version of it was ever accepted."""

    name: str
    each_row_is: str
    cannot_say: str | None
    status: str
    held_back_since: datetime | None
    held_back_because: str | None
    built_at: datetime | None
    rows: int | None
    data_date: date | None
    key: tuple[str, ...]
    inputs: tuple[str, ...]
    content_hash: str | None
    missing_parts: tuple[str, ...]
    quarantined_rows: int | None
    repeated_rows: int | None
    columns: tuple[Column, ...] = ()
    checks: tuple[Check, ...] = ()
    captures: tuple[Capture, ...] = ()
    sources: tuple[Capture, ...] = ()  # without those that only feed shared dimensions
    changes: tuple[Change, ...] = ()
    changed_figures: tuple[ChangedFigure, ...] = ()
    revisions: tuple[Revision, ...] = ()

    @property
    def changed(self) -> Change | None:
        """The last release that changed what an earlier one already had."""
        return next((change for change in self.changes if change.change == "changed"), None)

    @property
    def schema(self) -> str:
        return self.name.partition(".")[0]

    @property
    def title(self) -> str:
        return title_of(self.name)

    @property
    def passed(self) -> int:
        return sum(check.is_passed is True for check in self.checks)

    @property
    def failed(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if check.is_passed is False)

    @property
    def is_held_back(self) -> bool:
        return self.held_back_because is not None

    @property
    def absence(self) -> str | None:
        """Why there are no rows to show; None if there are."""
        if self.rows:
            return None
        if self.held_back_because:
            return f"It is held back: {self.held_back_because}"
        if self.status not in {CURRENT, "held_back"}:
            return "It is empty: the portal has sent none of its sources yet."
        return "The sources hold no rows for it yet."

    def has(self, *columns: str) -> bool:
        return {column.name for column in self.columns}.issuperset(columns)


@dataclass(frozen=True)
class Place:
    """A place that publishes data. `owners` are teams or e-mail addresses."""

    name: str
    title: str
    kind: str
    state: str | None
    owners: tuple[str, ...]
    fiscal_year_first_month: int
    is_named_by_start: bool

    def first_day(self, fiscal_year: int, period: int) -> date:
        """The first day of a month of a fiscal year; `period` is 1 to 12."""
        month = self.fiscal_year_first_month + period - 2
        starts_before = self.fiscal_year_first_month > 1 and not self.is_named_by_start
        return date(fiscal_year - starts_before + month // 12, month % 12 + 1, 1)


@dataclass(frozen=True)
class Facts:
    """A release: its id, its tables by name, and its places by name."""

    release_id: str
    released_at: datetime
    pipeline_version: str
    git_commit: str | None
    tables: Mapping[str, Table]
    places: Mapping[str, Place]
    release_ids: tuple[str, ...] = field(default=())

    @cached_property
    def captures(self) -> tuple[Capture, ...]:
        seen = {
            capture.capture_id + (capture.edition or ""): capture
            for t in self.tables.values()
            for capture in t.captures
        }
        return tuple(seen[key] for key in sorted(seen))

    @cached_property
    def dataset_titles(self) -> Mapping[str, str]:
        """Dataset, such as baltimore/spending -> what its publisher calls it."""
        return {capture.dataset: capture.title or capture.dataset for capture in self.captures}

    @property
    def is_demo(self) -> bool:
        """Whether any capture comes from the demo portals, whose rows are invented."""
        return any(capture.profile == "demo" for capture in self.captures)

    @property
    def asked_at(self) -> datetime:
        """When the portals were last asked, UTC, as far as this release knows."""
        return max((c.attempted_at or c.captured_at for c in self.captures), default=self.released_at)

    @property
    def report_address(self) -> str | None:
        """E-mail address for data issues: the first that an owner of a place has."""
        owners = [owner for place in self.places.values() for owner in place.owners]
        return next((owner for owner in owners if "@" in owner), None)

    @property
    def held_back(self) -> list[Table]:
        return [table for table in self.tables.values() if table.is_held_back]

    def table(self, name: str) -> Table | None:
        return self.tables.get(name)

    def version_of(self, table: Table) -> tuple[str, datetime]:
        """The release that last changed the table, and its time; this release if that is not known."""
        newest = next(iter(table.changes), None)
        return (newest.release_id, newest.released_at) if newest else (self.release_id, self.released_at)


def read_facts(connection: duckdb.DuckDBPyConnection) -> Facts:
    """The facts of the release that `connection` reads."""
    release = _rows(connection, "from meta.releases order by released_at desc")
    newest = release[0]
    places = _places(connection)
    return Facts(
        newest["release_id"],
        newest["released_at"],
        newest["pipeline_version"],
        newest["git_commit"],
        _tables(connection, places, newest["released_at"]),
        places,
        tuple(row["release_id"] for row in release),
    )


def _places(connection: duckdb.DuckDBPyConnection) -> dict[str, Place]:
    return {
        row["place"]: Place(
            row["place"],
            row["title"],
            row["kind"],
            row["state"],
            tuple(row["owners"] or ()),
            row["fiscal_year_first_month"] or 1,
            row["fiscal_year_named_by"] == "the year it starts",
        )
        for row in _rows(connection, "from meta.places order by place")
    }


def _captures(connection: duckdb.DuckDBPyConnection) -> dict[str, list[Capture]]:
    """The captures of each dataset, by edition and time."""
    names = ", ".join(Capture.__dataclass_fields__)
    captures: dict[str, list[Capture]] = {}
    for row in _rows(
        connection,
        f"select {names} from meta.captures where capture_id is not null order by dataset, edition, captured_at",
    ):
        row |= {name: in_one_line(row[name]) for name in _PORTAL_WORDS if row[name]}
        captures.setdefault(row["dataset"], []).append(Capture(**row))
    return captures


def _tables(
    connection: duckdb.DuckDBPyConnection, places: Mapping[str, Place], released_at: datetime
) -> dict[str, Table]:
    released, captures = _released_columns(connection), _captures(connection)
    columns, checks = _by_table(connection, "columns", "position"), _by_table(connection, "checks", "check_name")
    changes, figures = _changes(connection), _changed_figures(connection, places)
    revisions = _revisions(connection)
    rows = {row["table_name"]: row for row in _rows(connection, "from meta.tables order by table_name")}
    inputs = {name: tuple(row["inputs"] or ()) for name, row in rows.items()}
    datasets = {name: _datasets(name, inputs) for name in rows}
    return {
        name: Table(
            name=name,
            each_row_is=row["each_row_is"],
            cannot_say=row["cannot_say"],
            status=row["status"],
            held_back_since=row["held_back_since"],
            held_back_because=row["held_back_because"],
            built_at=row["built_at"],
            rows=row["row_count"],
            data_date=_not_after(released_at, row["data_date"]),
            key=tuple(row["key_columns"] or ()),
            inputs=inputs[name],
            content_hash=row["content_hash"],
            missing_parts=tuple(row.get("missing_parts") or ()),  # not in releases made until 0.1
            quarantined_rows=row["quarantined_rows"],
            repeated_rows=row["repeated_rows"],
            columns=_columns(released.get(name, set()), columns.get(name, [])),
            checks=tuple(_check(check) for source in (*_raw(inputs[name]), name) for check in checks.get(source, [])),
            captures=_of(captures, datasets[name]),
            sources=_of(captures, _datasets(name, inputs, _SHARED)),
            changes=tuple(changes.get(name, ())),
            changed_figures=tuple(figures.get(name, ())),
            revisions=_of(revisions, datasets[name]),
        )
        for name, row in rows.items()
    }


def _of(entries: Mapping[str, Sequence[T]], datasets: Iterable[str]) -> tuple[T, ...]:
    """The entries of these datasets, in their order."""
    return tuple(entry for dataset in datasets for entry in entries.get(dataset, ()))


def _not_after(released_at: datetime, newest: date | None) -> date | None:
    """The newest date of a table; None if it is to come: an error of the source is no sign of fresh data."""
    return None if newest is None or newest > released_at.date() else newest


def _changes(connection: duckdb.DuckDBPyConnection) -> dict[str, list[Change]]:
    """Changes of each table, the newest first; none in releases that were made before the table was."""
    changes: dict[str, list[Change]] = {}
    if _has(connection, "mart_changes"):
        names = ", ".join(Change.__dataclass_fields__)
        for row in _rows(
            connection, f"select {names} from marts.mart_changes order by released_at desc, release_id, table_name"
        ):
            changes.setdefault(row["table_name"], []).append(Change(**row))
    return changes


def _changed_figures(
    connection: duckdb.DuckDBPyConnection, places: Mapping[str, Place]
) -> dict[str, list[ChangedFigure]]:
    """Changed figures of each table, the newest and largest first; none in releases that were made before the table was."""
    figures: dict[str, list[ChangedFigure]] = {}
    if _has(connection, "mart_changed_figures"):
        for row in _rows(
            connection,
            "select * exclude (row_key) from marts.mart_changed_figures"
            " order by table_name, released_at desc, abs(value_after - value_before) desc, row_key",
        ):
            words = row.pop("row_name")
            place = next((word for word in words if word in places), None)
            titles = tuple(places[word].title if word in places else word for word in words)
            figures.setdefault(row["table_name"], []).append(ChangedFigure(**row, row_name=titles, place=place))
    return figures


def _has(connection: duckdb.DuckDBPyConnection, mart: str) -> bool:
    known = "from duckdb_tables() where database_name = 'warehouse' and schema_name = 'marts' and table_name = ?"
    return connection.execute(known, [mart]).fetchone() is not None


def _revisions(connection: duckdb.DuckDBPyConnection) -> dict[str, list[Revision]]:
    """Captures of each dataset that differ from the one before, the newest first."""
    names = ", ".join(Revision.__dataclass_fields__)
    revisions: dict[str, list[Revision]] = {}
    for row in _rows(
        connection,
        f"select {names} from meta.comparisons where is_comparable and added + removed + changed + rekeyed > 0"
        " order by dataset, captured_at desc",
    ):
        revisions.setdefault(row["dataset"], []).append(Revision(**row))
    return revisions


def _raw(inputs: tuple[str, ...]) -> list[str]:
    """The captures among the inputs: they are not released, and their checks are shown with the table that reads them."""
    return [name for name in inputs if name.startswith("raw.")]


def _datasets(name: str, inputs: Mapping[str, tuple[str, ...]], but: Collection[str] = ()) -> list[str]:
    """The datasets, such as baltimore/spending, that a table is built from, directly or through other tables, `but` these."""
    seen, todo, datasets = {name}, [name], set[str]()
    while todo:
        for other in inputs.get(todo.pop(), ()):
            schema, _, rest = other.partition(".")
            if schema in {"raw", "history"}:
                datasets.add(rest.replace("_", "/", 1))
            elif (other := accepted_as(other)) not in seen and other not in but:
                seen.add(other)
                todo.append(other)
    return sorted(datasets)


def _columns(released: set[str], described: list[dict[str, Any]]) -> tuple[Column, ...]:
    """The columns that the released table really has: those about persons are not in the release."""
    return tuple(
        Column(row["column_name"], row["column_type"], row["unit"], row["description"], tuple(row["made_from"] or ()))
        for row in described
        if row["column_name"] in released
    )


def _released_columns(connection: duckdb.DuckDBPyConnection) -> dict[str, set[str]]:
    rows = connection.execute(
        "select schema_name || '.' || table_name, list(column_name) from duckdb_columns()"
        " where database_name = 'warehouse' group by all"
    )
    return {name: set(columns) for name, columns in rows.fetchall()}


def _check(row: Mapping[str, Any]) -> Check:
    return Check(
        row["check_name"],
        row["severity"],
        row["is_passed"],
        row["description"],
        tuple(row["examples"] or ()),
        row["not_run"],
        row["checked_at"],
    )


def _by_table(connection: duckdb.DuckDBPyConnection, table: str, order: str) -> dict[str, list[dict[str, Any]]]:
    grouped: dict[str, list[dict[str, Any]]] = {}
    for row in _rows(connection, f"from meta.{quoted(table)} order by table_name, {quoted(order)}"):
        grouped.setdefault(row["table_name"], []).append(row)
    return grouped


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    result = connection.execute(query)
    names = [name for name, *_ in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
