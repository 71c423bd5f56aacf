"""The tables of schema `meta`: provenance that analysts can join to. Their columns are described only here.

`marts.mart_changes` and `marts.mart_changed_figures` are among them, because what a release changes is known only when it is made.
Marts about the warehouse itself (subject `certification`) read `meta` in their SQL; the night builds them after all other tables.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb

from civic_pipeline.sql_text import literal


@dataclass(frozen=True)
class MetaColumn:
    name: str
    type: str
    description: str


@dataclass(frozen=True)
class MetaTable:
    """`each_row_is` finishes the sentence "each row is ..."."""

    name: str
    each_row_is: str
    columns: tuple[MetaColumn, ...]
    schema: str = "meta"

    @property
    def full_name(self) -> str:
        return f"{self.schema}.{self.name}"


def _columns(*rows: tuple[str, str, str]) -> tuple[MetaColumn, ...]:
    return tuple(MetaColumn(*row) for row in rows)


CAPTURES = MetaTable(
    "captures",
    "one file fetched from one portal: a capture, or one yearly edition of it",
    _columns(
        (
            "capture_id",
            "VARCHAR",
            "City, dataset and time of the fetch; names the folder in the lake. Null if the source was never captured.",
        ),
        ("dataset", "VARCHAR", "City and dataset, such as baltimore/spending."),
        ("edition", "VARCHAR", "Year of the edition; null where the dataset is a single source."),
        ("captured_at", "TIMESTAMP", "When it was fetched, UTC."),
        (
            "attempted_at",
            "TIMESTAMP",
            "When the portal was last asked, UTC; later than captured_at if the source was unchanged or failed.",
        ),
        (
            "status",
            "VARCHAR",
            "Outcome of the last attempt: captured, unchanged or failed; retired if the source is not asked any more.",
        ),
        ("problem", "VARCHAR", "Why the last attempt failed; null if it did not."),
        ("title", "VARCHAR", "Title on the portal."),
        ("publisher", "VARCHAR", "Who publishes it."),
        ("licence", "VARCHAR", "Licence the publisher states."),
        ("url", "VARCHAR", "Address the rows came from."),
        ("profile", "VARCHAR", "live, or demo for the embedded portals."),
        ("counted_rows", "BIGINT", "Rows by the portal's own count, the same before and after the read."),
        ("landed_rows", "BIGINT", "Rows that were received."),
        (
            "distinct_rows",
            "BIGINT",
            "Distinct row ids: landed_rows minus reused_ids; null if the portal has no row ids.",
        ),
        ("reused_ids", "BIGINT", "Rows with an id that the portal also gave to another row; all of them are kept."),
        (
            "full_read_at",
            "TIMESTAMP",
            "When all rows were last read, UTC; earlier than captured_at if only changed rows were read since.",
        ),
        ("requests", "BIGINT", "Requests the fetch took, retries included."),
        ("retries", "BIGINT", "Requests that were sent again."),
        (
            "pages_halved",
            "BIGINT",
            "Pages that were requested again with half the rows, because the portal failed to answer.",
        ),
        ("received_bytes", "BIGINT", "Size of all answers, uncompressed."),
        ("bytes", "BIGINT", "Size of the Parquet file."),
        ("sha256", "VARCHAR", "Hash of the Parquet file."),
        ("freshness_token", "VARCHAR", "The portal's own mark of the last change of the data."),
        ("freshness_link", "VARCHAR", "Field of the portal that the token was read from."),
        (
            "accepted_by",
            "VARCHAR",
            "Who accepted the drift of this capture; null if nobody had to.",
        ),
        ("accepted_at", "TIMESTAMP", "When they accepted it, UTC; null if nobody had to."),
        ("accepted_because", "VARCHAR", "Why, in that person's own words; null if nobody had to."),
    ),
)
DATASETS = MetaTable(
    "datasets",
    "one dataset as its defs.yaml declares it",
    _columns(
        ("dataset", "VARCHAR", "City and dataset, such as baltimore/spending."),
        ("table_name", "VARCHAR", "Schema and name of its clean table."),
        ("title", "VARCHAR", "Title on the portal."),
        ("subject", "VARCHAR", "Subject: the folder of the marts that use it."),
        ("publisher", "VARCHAR", "Who publishes it."),
        ("licence", "VARCHAR", "Licence the publisher states, or not stated."),
        ("description", "VARCHAR", "What it holds and what it leaves out."),
        (
            "cadence",
            "VARCHAR",
            "How often the publisher says it updates: daily, weekly, monthly, quarterly, annually, irregular or closed.",
        ),
        ("dated_by", "VARCHAR", "Column of the clean table with the date of the data; null if there is none."),
        ("portal", "VARCHAR", "Kind of portal: socrata, arcgis, opendatasoft or file."),
        (
            "has_stable_id",
            "BOOLEAN",
            "Whether its source is named by an id of the portal; false for a file and for a layer without an item.",
        ),
        ("owners", "VARCHAR[]", "Teams or persons who answer for it here."),
        ("recorded_on", "DATE", "Day on which the reference was last confirmed in a public source."),
        ("is_retired", "BOOLEAN", "Whether the source is gone: it is not asked any more."),
    ),
)
TABLES = MetaTable(
    "tables",
    "one table of the warehouse, with its current status",
    _columns(
        ("table_name", "VARCHAR", "Schema and table."),
        ("subject", "VARCHAR", "Subject: the folder of a mart, or the subject of the dataset."),
        ("each_row_is", "VARCHAR", "The grain."),
        ("cannot_say", "VARCHAR", "What the table must not be used to claim; null if nothing is stated."),
        (
            "status",
            "VARCHAR",
            "current; held_back: the last accepted version is kept; never_captured: empty, because none of its sources was captured yet.",
        ),
        ("held_back_since", "TIMESTAMP", "Start of the first run that held it back, UTC; null if current."),
        ("held_back_because", "VARCHAR", "Why it is held back; null if current."),
        ("built_at", "TIMESTAMP", "When this version was accepted, UTC; null if there is none."),
        ("row_count", "BIGINT", "Rows of this version."),
        ("source_rows", "BIGINT", "Rows expected from the source; clean tables only."),
        ("quarantined_rows", "BIGINT", "Rows rejected by row rules, kept in quarantine; clean tables only."),
        ("repeated_rows", "BIGINT", "Rows the source published twice, kept once; clean tables only."),
        (
            "data_date",
            "DATE",
            "Newest date in the column that the dataset declares as `dated_by`, in this table or in its inputs; null if none is declared.",
        ),
        ("key_columns", "VARCHAR[]", "Columns that identify a row."),
        (
            "personal_columns",
            "VARCHAR[]",
            "Columns about persons, of the table and of its quarantine. They are left out of releases.",
        ),
        ("inputs", "VARCHAR[]", "Tables its SQL reads."),
        (
            "missing_parts",
            "VARCHAR[]",
            "Places left out because their source was never captured, or no version of their clean table was accepted yet.",
        ),
        ("content_hash", "VARCHAR", "Hash of the rows in any order, and of the names and types of the columns."),
        (
            "quarantine_hash",
            "VARCHAR",
            "content_hash of its quarantine table, without capture ids; null if it has none.",
        ),
        (
            "fingerprint",
            "VARCHAR",
            "Hash of its files, its inputs and the pipeline's version. The table is rebuilt when it changes.",
        ),
    ),
)
CHECKS = MetaTable(
    "checks",
    "the last result of one check of one table",
    _columns(
        (
            "table_name",
            "VARCHAR",
            "Schema and table that was checked; for a rule across tables, the table that it holds back.",
        ),
        ("check_name", "VARCHAR", "Name of the expectation, such as amount__between."),
        ("layer", "VARCHAR", "portal, row, table, across, time or drift."),
        ("severity", "VARCHAR", "critical holds the table back; warning and info do not."),
        ("is_passed", "BOOLEAN", "Whether the check passed; null if it did not run."),
        ("description", "VARCHAR", "What was expected."),
        ("evaluated", "BIGINT", "Rows checked."),
        ("unexpected", "DOUBLE", "Rows that failed, or the difference of a sum."),
        ("examples", "VARCHAR[]", "Up to five values that failed."),
        (
            "failed_rows_sql",
            "VARCHAR",
            "Query that selects the rows that failed, with their key; null if the check passed or is not about single rows.",
        ),
        ("not_run", "VARCHAR", "Why the check did not run; null if it did."),
        ("run_id", "VARCHAR", "Run that checked it."),
        ("checked_at", "TIMESTAMP", "When, UTC."),
    ),
)
COLUMNS = MetaTable(
    "columns",
    "one column of one table: the data dictionary",
    _columns(
        ("table_name", "VARCHAR", "Schema and table."),
        ("position", "INTEGER", "1 for the first column."),
        ("column_name", "VARCHAR", "Column of the table."),
        ("column_type", "VARCHAR", "DuckDB type."),
        ("unit", "VARCHAR", "Unit of the value; null if it has none."),
        ("description", "VARCHAR", "Meaning."),
        (
            "is_required",
            "BOOLEAN",
            "Whether it is part of the key or a check says that it is never null; null outside of clean and marts.",
        ),
        ("null_count", "BIGINT", "Rows of the accepted version in which it is null; null outside of clean and marts."),
        ("references_table", "VARCHAR", "Table in whose key the value must exist."),
        ("made_from", "VARCHAR[]", "Columns it is computed from, read from the SQL, as schema.table.column."),
    ),
)
RELEASES = MetaTable(
    "releases",
    "one release: this one or an earlier one",
    _columns(
        ("release_id", "VARCHAR", "When it was released, UTC; names the file in data/releases."),
        ("released_at", "TIMESTAMP", "The same as a timestamp, UTC."),
        ("pipeline_version", "VARCHAR", "Version of civic_pipeline that wrote it."),
        (
            "git_commit",
            "VARCHAR",
            "Commit of the checkout, with -dirty if files differed from it; null outside of git.",
        ),
        ("capture_ids", "VARCHAR[]", "Captures it was built from."),
        ("held_back", "VARCHAR[]", "Tables that were held back."),
        ("content_hashes", "MAP(VARCHAR, VARCHAR)", "content_hash of each table, as in meta.tables."),
        (
            "digest",
            "VARCHAR",
            "Hash of the whole release without the times of runs. A new release is made only when it changes.",
        ),
    ),
)
COMPARISONS = MetaTable(
    "comparisons",
    "one accepted capture of a dataset with a declared key, and how it differs from the one before",
    _columns(
        ("dataset", "VARCHAR", "City and dataset."),
        ("capture_id", "VARCHAR", "The capture."),
        ("captured_at", "TIMESTAMP", "When it was taken, UTC; for a backfilled file, the day it was published."),
        ("previous_capture_id", "VARCHAR", "The accepted capture before it; null for the first."),
        (
            "is_comparable",
            "BOOLEAN",
            "Whether both captures have the same key columns, written alike. If not, nothing is compared; null for the first.",
        ),
        (
            "compared_columns",
            "VARCHAR[]",
            "Columns whose values were compared: those that the clean table reads and both captures write alike, without key and row ids.",
        ),
        ("records", "BIGINT", "Distinct records by the declared key."),
        ("keyless_rows", "BIGINT", "Rows with an empty key; they are in no revision."),
        ("repeated_rows", "BIGINT", "Rows equal to another row with the same key; not counted as records."),
        ("conflicting_records", "BIGINT", "Keys whose rows differ; they are in meta.conflicts and in no revision."),
        ("added", "BIGINT", "Revisions of kind added."),
        ("removed", "BIGINT", "Revisions of kind removed."),
        ("changed", "BIGINT", "Revisions of kind changed."),
        ("rekeyed", "BIGINT", "Revisions of kind rekeyed."),
        (
            "definition",
            "VARCHAR",
            "Hash of the key, the shapes and the columns. The history is rebuilt when it changes.",
        ),
    ),
)
REVISIONS = MetaTable(
    "revisions",
    "one record that differs between two consecutive captures",
    _columns(
        ("dataset", "VARCHAR", "City and dataset."),
        (
            "record_key",
            "VARCHAR",
            "Values of the declared key, as a JSON array of texts; after the revision, if it changed.",
        ),
        (
            "kind",
            "VARCHAR",
            "added, removed, changed, or rekeyed: the only record with these values now has another key.",
        ),
        ("previous_key", "VARCHAR", "Key before the revision; null unless rekeyed."),
        ("changed_columns", "VARCHAR[]", "Columns whose values differ; null unless changed."),
        ("before", "JSON", "Values before, as text: of the changed columns, or of the whole removed record."),
        ("after", "JSON", "Values after, as text: of the changed columns, or of the whole added record."),
        ("previous_capture_id", "VARCHAR", "Last capture with the values before."),
        ("previous_captured_at", "TIMESTAMP", "When that was taken, UTC."),
        ("capture_id", "VARCHAR", "First capture with the values after."),
        ("captured_at", "TIMESTAMP", "When that was taken, UTC."),
    ),
)
RECORD_VERSIONS = MetaTable(
    "record_versions",
    "one version of one record: its values did not change between two captures. The values are in the captures",
    _columns(
        ("dataset", "VARCHAR", "City and dataset."),
        ("record_key", "VARCHAR", "Values of the declared key, as a JSON array of texts."),
        (
            "row_hash",
            "VARCHAR",
            "md5 of the compared values, in the first capture of the version.",
        ),
        ("capture_id", "VARCHAR", "First capture with this version."),
        ("system_from", "TIMESTAMP", "When that was taken, UTC."),
        (
            "system_to",
            "TIMESTAMP",
            "When the first capture without this version was taken, UTC; null if the newest capture still has it.",
        ),
        (
            "valid_from",
            "DATE",
            "Day from which the record is valid, by its own column; null if the dataset declares no such column.",
        ),
        (
            "valid_to",
            "DATE",
            "Day until which the record is valid, by its own column; null if the dataset declares no such column.",
        ),
    ),
)
CONFLICTS = MetaTable(
    "conflicts",
    "one key of the newest accepted capture whose rows differ",
    _columns(
        ("dataset", "VARCHAR", "City and dataset."),
        ("record_key", "VARCHAR", "Values of the declared key, as a JSON array of texts."),
        ("row_count", "BIGINT", "Rows with that key."),
        ("version_count", "BIGINT", "Different rows among them."),
        ("differing_columns", "VARCHAR[]", "Columns in which they differ."),
        ("differing_values", "JSON", "Values of those columns, as text."),
        ("capture_id", "VARCHAR", "The capture."),
        ("captured_at", "TIMESTAMP", "When it was taken, UTC."),
    ),
)
PLACES = MetaTable(
    "places",
    "one place that publishes data",
    _columns(
        ("place", "VARCHAR", "Name, as in the names of its datasets and tables."),
        ("kind", "VARCHAR", "city, county, state or nation."),
        ("title", "VARCHAR", "Name to show."),
        ("state", "VARCHAR", "Postal code of the state; null for a nation."),
        ("time_zone", "VARCHAR", "IANA time zone of its local dates."),
        ("fiscal_year_first_month", "INTEGER", "First month of its fiscal year; January is 1."),
        ("fiscal_year_named_by", "VARCHAR", "the year it ends, or the year it starts."),
        ("owners", "VARCHAR[]", "Teams or persons responsible for its datasets."),
    ),
)
CHANGES = MetaTable(
    "mart_changes",
    "one table that changed with one release: rows and dollars added, removed and revised against the release before",
    _columns(
        ("release_id", "VARCHAR", "The release, as in meta.releases."),
        ("released_at", "TIMESTAMP", "When it was released, UTC."),
        ("table_name", "VARCHAR", "Schema and table. A table that did not change has no row."),
        ("change", "VARCHAR", "new, removed or changed."),
        ("rows_before", "BIGINT", "Rows in the release before; null if new."),
        (
            "rows_added",
            "BIGINT",
            "Rows whose key the release before does not have; null if the key has other columns than before.",
        ),
        ("rows_removed", "BIGINT", "Rows of the release before whose key is gone; null in the same case."),
        (
            "rows_revised",
            "BIGINT",
            "Rows of the same key with another value in a column of both; null in the same case.",
        ),
        ("rows_after", "BIGINT", "rows_before + rows_added - rows_removed; null if the table was removed."),
        (
            "amount_column",
            "VARCHAR",
            "Column whose dollars are counted: the first column of dollars; null if there is none.",
        ),
        ("amount_before", "DECIMAL(38,2)", "Its sum in the release before, USD."),
        ("amount_added", "DECIMAL(38,2)", "Its sum over the rows added, USD."),
        ("amount_removed", "DECIMAL(38,2)", "Its sum over the rows removed, USD."),
        ("amount_revised", "DECIMAL(38,2)", "What the rows revised add to the sum, USD; negative if they lower it."),
        ("amount_after", "DECIMAL(38,2)", "amount_before + amount_added - amount_removed + amount_revised, USD."),
        ("summary", "VARCHAR", "The same in a sentence."),
    ),
    schema="marts",
)
CHANGED_FIGURES = MetaTable(
    "mart_changed_figures",
    "the last change of one figure of a mart: since which release it is another number, from what and to what",
    _columns(
        ("release_id", "VARCHAR", "The release that changed it, as in meta.releases."),
        ("released_at", "TIMESTAMP", "When it was released, UTC."),
        (
            "table_name",
            "VARCHAR",
            "Schema and table. At most 100 figures of a table in one release: those that changed most.",
        ),
        ("row_key", "VARCHAR", "The key of its row as a JSON list of texts."),
        ("row_name", "VARCHAR[]", "The row in words: its city and year, its key without ids, and its names."),
        ("column_name", "VARCHAR", "The first column that changed: of those with dollars, then of others with a unit."),
        ("unit", "VARCHAR", "Unit of the column."),
        ("value_before", "DOUBLE", "Its value in the release before."),
        ("value_after", "DOUBLE", "Its value since then, which is the one in this release."),
    ),
    schema="marts",
)
HISTORY = (COMPARISONS, REVISIONS, RECORD_VERSIONS, CONFLICTS)
META_TABLES = (CAPTURES, DATASETS, TABLES, CHECKS, COLUMNS, PLACES, RELEASES, CHANGES, CHANGED_FIGURES, *HISTORY)


def create(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the tables and columns that do not exist, and write the comments and dictionary entries, unless they are there."""
    if not _is_described(connection):
        _describe(connection)
    # Values as written until 0.1.
    connection.execute("update meta.tables set status = 'held_back' where status = 'held back'")
    connection.execute("update meta.revisions set kind = 'rekeyed' where kind = 're-keyed'")


def _is_described(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether every table has its columns, types and comments; the entries of the dictionary were written with them."""
    described = connection.execute(
        "select concat_ws('.', schema_name, table_name), column_name, data_type, comment from duckdb_columns()"
        " where database_name = current_database() union all"
        " select concat_ws('.', schema_name, table_name), '', '', comment from duckdb_tables()"
        " where database_name = current_database()"
    ).fetchall()
    wanted = [(table.full_name, "", "", _grain(table)) for table in META_TABLES]
    wanted += [(table.full_name, c.name, c.type, c.description) for table in META_TABLES for c in table.columns]
    return set(wanted) <= set(described)


def _grain(table: MetaTable) -> str:
    return f"Each row is {table.each_row_is}."


def _describe(connection: duckdb.DuckDBPyConnection) -> None:
    for schema in {table.schema for table in META_TABLES}:
        connection.execute(f"create schema if not exists {schema}")
    for table in META_TABLES:
        columns = ", ".join(f"{column.name} {column.type}" for column in table.columns)
        connection.execute(f"create table if not exists {table.full_name} ({columns})")
        for column in table.columns:  # columns that an older version did not have
            connection.execute(f"alter table {table.full_name} add column if not exists {column.name} {column.type}")
        connection.execute(f"comment on table {table.full_name} is {literal(_grain(table))}")
        for column in table.columns:
            connection.execute(f"comment on column {table.full_name}.{column.name} is {literal(column.description)}")
    for table in META_TABLES:
        name = table.full_name
        rows: list[dict[str, object]] = [
            {
                "table_name": name,
                "position": n,
                "column_name": c.name,
                "column_type": c.type,
                "description": c.description,
                "made_from": [],
            }
            for n, c in enumerate(table.columns, 1)
        ]
        put(connection, COLUMNS, "table_name", name, rows)


def put_places(connection: duckdb.DuckDBPyConnection) -> None:
    """Copy every place from `seeds.places`."""
    connection.execute("delete from meta.places; insert into meta.places by name from seeds.places")


def put(
    connection: duckdb.DuckDBPyConnection, table: MetaTable, where: str, value: str, rows: list[dict[str, object]]
) -> None:
    """Replace the rows of `table` whose column `where` equals `value`."""
    names = [column.name for column in table.columns]
    connection.execute(f"delete from {table.full_name} where {where} = ?", [value])
    if rows:
        marks = f"({', '.join('?' for _ in names)})"
        connection.execute(
            f"insert into {table.full_name} ({', '.join(names)}) values {', '.join([marks] * len(rows))}",
            [row.get(name) for row in rows for name in names],
        )


def naive(moment: datetime) -> datetime:
    """UTC without its mark: `meta` holds plain UTC timestamps."""
    return moment.astimezone(UTC).replace(tzinfo=None)
