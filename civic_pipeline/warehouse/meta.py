"""The tables of schema `meta`: provenance an analyst can join to. Their columns are described here and nowhere else."""

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


def _columns(*rows: tuple[str, str, str]) -> tuple[MetaColumn, ...]:
    return tuple(MetaColumn(*row) for row in rows)


CAPTURES = MetaTable(
    "captures",
    "one file fetched from one portal: a capture, or one yearly edition of it",
    _columns(
        ("capture_id", "VARCHAR", "City, dataset and time of the fetch; names the folder in the lake."),
        ("dataset", "VARCHAR", "City and dataset, such as baltimore/spending."),
        ("edition", "VARCHAR", "Year of the edition; null where the dataset is a single source."),
        ("captured_at", "TIMESTAMP", "When it was fetched, UTC."),
        (
            "attempted_at",
            "TIMESTAMP",
            "When the portal was last asked, UTC; later than captured_at if the source was unchanged or failed.",
        ),
        ("status", "VARCHAR", "What the last attempt led to: captured, unchanged or failed."),
        ("problem", "VARCHAR", "Why the last attempt failed; null if it did not."),
        ("title", "VARCHAR", "Title the portal gave."),
        ("publisher", "VARCHAR", "Who publishes it."),
        ("licence", "VARCHAR", "Licence the publisher states."),
        ("url", "VARCHAR", "Address the rows came from."),
        ("profile", "VARCHAR", "live, or demo for the embedded portals."),
        ("counted_rows", "BIGINT", "Rows the portal counted, before and after the read."),
        ("landed_rows", "BIGINT", "Rows that landed."),
        (
            "distinct_rows",
            "BIGINT",
            "Distinct row ids among them: as many, or fewer by reused_ids; null where a portal has no row ids.",
        ),
        ("reused_ids", "BIGINT", "Rows whose id the portal itself gives to another row too; all of them are kept."),
        (
            "full_read_at",
            "TIMESTAMP",
            "When all rows were last read, UTC; earlier than captured_at where only edits were read since.",
        ),
        ("requests", "BIGINT", "Requests the fetch took, retries included."),
        ("retries", "BIGINT", "Requests that were repeated."),
        (
            "pages_halved",
            "BIGINT",
            "Pages that were asked for again with half the rows, because the portal gave up on them.",
        ),
        ("received_bytes", "BIGINT", "Size of all answers, uncompressed."),
        ("bytes", "BIGINT", "Size of the Parquet file."),
        ("sha256", "VARCHAR", "Hash of the Parquet file."),
        ("freshness_token", "VARCHAR", "What the portal said of the data's last change."),
        ("freshness_link", "VARCHAR", "Which field of the portal the token came from."),
        (
            "accepted_by",
            "VARCHAR",
            "Who accepted that it differs so much from the capture before; null where nobody had to.",
        ),
        ("accepted_at", "TIMESTAMP", "When, UTC; null where nobody had to."),
        ("accepted_because", "VARCHAR", "Why, in the words of that person; null where nobody had to."),
    ),
)
TABLES = MetaTable(
    "tables",
    "one table of the warehouse, with where it stands",
    _columns(
        ("table_name", "VARCHAR", "Schema and table."),
        ("each_row_is", "VARCHAR", "The grain."),
        ("cannot_say", "VARCHAR", "What the table must not be used to claim; null if nothing is stated."),
        ("status", "VARCHAR", "current, or held_back at the last accepted version."),
        ("held_back_since", "TIMESTAMP", "Start of the first run that held it back, UTC; null if current."),
        ("held_back_because", "VARCHAR", "The failure in words; null if current."),
        ("built_at", "TIMESTAMP", "When this version was accepted, UTC; null if none ever was."),
        ("row_count", "BIGINT", "Rows of this version."),
        ("source_rows", "BIGINT", "Rows the source should become; clean tables only."),
        ("quarantined_rows", "BIGINT", "Rows rejected by row rules, whole in quarantine; clean tables only."),
        ("repeated_rows", "BIGINT", "Rows the source published twice, kept once; clean tables only."),
        (
            "data_date",
            "DATE",
            "Newest date of the city's own in the table, or in the tables it is made from; null where none is declared.",
        ),
        ("key_columns", "VARCHAR[]", "Columns that name a row."),
        (
            "personal_columns",
            "VARCHAR[]",
            "Columns about persons, of the table and of its quarantine: they stay in the build, and no release has them.",
        ),
        ("inputs", "VARCHAR[]", "Tables its SQL reads."),
        ("missing_parts", "VARCHAR[]", "Places left out because no version of their clean table was accepted yet."),
        ("content_hash", "VARCHAR", "Hash of the rows in any order and of the columns' names and types."),
        (
            "quarantine_hash",
            "VARCHAR",
            "The same of its table in quarantine, capture ids left out; null if it has none.",
        ),
        (
            "fingerprint",
            "VARCHAR",
            "Hash of its files, its inputs and our version: while it stays, nothing is rebuilt.",
        ),
    ),
)
CHECKS = MetaTable(
    "checks",
    "one check of one table, as it last ran",
    _columns(
        (
            "table_name",
            "VARCHAR",
            "Schema and table that was checked; of a rule across tables, the one that it holds back.",
        ),
        ("check_name", "VARCHAR", "Name of the expectation, such as amount__between."),
        ("layer", "VARCHAR", "portal, row, table, across, time or drift."),
        ("severity", "VARCHAR", "critical holds the table back; warning and info do not."),
        ("is_passed", "BOOLEAN", "Whether the check passed; null if it did not run."),
        ("description", "VARCHAR", "What was expected."),
        ("evaluated", "BIGINT", "Rows looked at."),
        ("unexpected", "DOUBLE", "Offending rows, or the amount by which a sum is off."),
        ("examples", "VARCHAR[]", "Up to five offending values."),
        (
            "failed_rows_sql",
            "VARCHAR",
            "Query of the table that gives the rows that failed, with their key; null if it passed, or no rows are to blame.",
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
        ("column_name", "VARCHAR", "Name."),
        ("column_type", "VARCHAR", "Type, as DuckDB prints it."),
        ("unit", "VARCHAR", "Unit of the value; null where there is none."),
        ("description", "VARCHAR", "Meaning."),
        ("references_table", "VARCHAR", "Table whose key the value must exist in."),
        ("made_from", "VARCHAR[]", "Columns it is computed from, read from the SQL, as schema.table.column."),
    ),
)
RELEASES = MetaTable(
    "releases",
    "one release, up to the one it is in",
    _columns(
        ("release_id", "VARCHAR", "When it was made, UTC; names the file in data/releases."),
        ("released_at", "TIMESTAMP", "The same as a timestamp, UTC."),
        ("pipeline_version", "VARCHAR", "Version of civic_pipeline that made it."),
        ("git_commit", "VARCHAR", "Commit of the checkout, with -dirty where files differed; null outside of git."),
        ("capture_ids", "VARCHAR[]", "Captures it was made from."),
        ("held_back", "VARCHAR[]", "Tables that stood at an older version."),
        ("content_hashes", "MAP(VARCHAR, VARCHAR)", "Hash of the contents of each table, as in meta.tables."),
        ("digest", "VARCHAR", "Hash of all it says but the times of the runs: while that stays, nothing is released."),
    ),
)
COMPARISONS = MetaTable(
    "comparisons",
    "one accepted capture of a dataset with a declared key, and how it differs from the one before",
    _columns(
        ("dataset", "VARCHAR", "City and dataset."),
        ("capture_id", "VARCHAR", "The capture."),
        ("captured_at", "TIMESTAMP", "When it was taken, UTC; of an older file, the day it is of."),
        ("previous_capture_id", "VARCHAR", "The accepted capture before; null for the first."),
        (
            "is_comparable",
            "BOOLEAN",
            "Whether both name their records by the same columns, written alike. If not, nothing is compared; null for the first.",
        ),
        (
            "compared_columns",
            "VARCHAR[]",
            "Columns whose values were compared: those the clean table is made from, without key and row ids, written alike in both.",
        ),
        ("records", "BIGINT", "Records, distinguished by the declared key."),
        ("keyless_rows", "BIGINT", "Rows without any part of the key: in no revision."),
        ("repeated_rows", "BIGINT", "Rows equal to another one of their key: not counted as records of their own."),
        ("conflicting_records", "BIGINT", "Keys under which rows differ: in meta.conflicts, in no revision."),
        ("added", "BIGINT", "Revisions of that kind."),
        ("removed", "BIGINT", "Revisions of that kind."),
        ("changed", "BIGINT", "Revisions of that kind."),
        ("rekeyed", "BIGINT", "Revisions of that kind."),
        ("definition", "VARCHAR", "Changes with the key, the shapes and the columns; the history is then made anew."),
    ),
)
REVISIONS = MetaTable(
    "revisions",
    "one record that two consecutive captures show differently",
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
            "added, removed, changed, or re-keyed: the only record with these values has another key now.",
        ),
        ("previous_key", "VARCHAR", "Key before the revision; null unless re-keyed."),
        ("changed_columns", "VARCHAR[]", "Columns whose values differ; null unless changed."),
        ("before", "JSON", "Values before, as text: of the changed columns, or of the whole removed record."),
        ("after", "JSON", "Values after, as text: of the changed columns, or of the whole added record."),
        ("previous_capture_id", "VARCHAR", "Last capture that shows it as before."),
        ("previous_captured_at", "TIMESTAMP", "When that was taken, UTC."),
        ("capture_id", "VARCHAR", "First capture that shows it as after."),
        ("captured_at", "TIMESTAMP", "When that was taken, UTC."),
    ),
)
RECORD_VERSIONS = MetaTable(
    "record_versions",
    "one version of one record: what the portal said of it from one capture to another. The values are in the captures",
    _columns(
        ("dataset", "VARCHAR", "City and dataset."),
        ("record_key", "VARCHAR", "Values of the declared key, as a JSON array of texts."),
        (
            "row_hash",
            "VARCHAR",
            "md5 of the values that can be compared, as the capture shows them that began the version.",
        ),
        ("capture_id", "VARCHAR", "First capture that shows the version."),
        ("system_from", "TIMESTAMP", "When that was taken, UTC."),
        (
            "system_to",
            "TIMESTAMP",
            "When the first capture was taken that no longer shows it, UTC; null if the newest shows it.",
        ),
        (
            "valid_from",
            "DATE",
            "Day from which the record says it holds; null where the dataset declares no such column.",
        ),
        (
            "valid_to",
            "DATE",
            "Day until which the record says it holds; null where the dataset declares no such column.",
        ),
    ),
)
CONFLICTS = MetaTable(
    "conflicts",
    "one key of the newest accepted capture under which the source lists rows that differ",
    _columns(
        ("dataset", "VARCHAR", "City and dataset."),
        ("record_key", "VARCHAR", "Values of the declared key, as a JSON array of texts."),
        ("row_count", "BIGINT", "Rows of that key."),
        ("version_count", "BIGINT", "How many of them differ."),
        ("differing_columns", "VARCHAR[]", "Columns in which they differ."),
        ("differing_values", "JSON", "The values of those columns, as text."),
        ("capture_id", "VARCHAR", "The capture."),
        ("captured_at", "TIMESTAMP", "When it was taken, UTC."),
    ),
)
PLACES = MetaTable(
    "places",
    "one place that publishes data",
    _columns(
        ("place", "VARCHAR", "Name in the names of its datasets and tables."),
        ("kind", "VARCHAR", "city, county, state or nation."),
        ("title", "VARCHAR", "Name for showing."),
        ("state", "VARCHAR", "Postal code of the state; null for a nation."),
        ("time_zone", "VARCHAR", "IANA name of the zone of its local dates."),
        ("fiscal_year_first_month", "INTEGER", "Month its fiscal year begins in; January is 1."),
        ("fiscal_year_named_by", "VARCHAR", "the year it ends, or the year it starts."),
        ("owners", "VARCHAR[]", "Teams or persons that look after its datasets."),
    ),
)
HISTORY = (COMPARISONS, REVISIONS, RECORD_VERSIONS, CONFLICTS)
META_TABLES = (CAPTURES, TABLES, CHECKS, COLUMNS, PLACES, RELEASES, *HISTORY)


def create(connection: duckdb.DuckDBPyConnection) -> None:
    """The tables with their comments, empty where they did not exist, and their own entries in the dictionary."""
    connection.execute("create schema if not exists meta")
    for table in META_TABLES:
        columns = ", ".join(f"{column.name} {column.type}" for column in table.columns)
        connection.execute(f"create table if not exists meta.{table.name} ({columns})")
        for column in table.columns:  # those that an older version of us did not have
            connection.execute(f"alter table meta.{table.name} add column if not exists {column.name} {column.type}")
        connection.execute(f"comment on table meta.{table.name} is {literal(f'Each row is {table.each_row_is}.')}")
        for column in table.columns:
            connection.execute(f"comment on column meta.{table.name}.{column.name} is {literal(column.description)}")
    connection.execute("update meta.tables set status = 'held_back' where status = 'held back'")  # as written until 0.1
    for table in META_TABLES:
        name = f"meta.{table.name}"
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
    """Every place, as `seeds.places` has them."""
    connection.execute("delete from meta.places; insert into meta.places by name from seeds.places")


def put(
    connection: duckdb.DuckDBPyConnection, table: MetaTable, where: str, value: str, rows: list[dict[str, object]]
) -> None:
    """Replace the rows of `table` whose column `where` equals `value`."""
    names = [column.name for column in table.columns]
    connection.execute(f"delete from meta.{table.name} where {where} = ?", [value])
    if rows:
        marks = ", ".join("?" for _ in names)
        connection.executemany(
            f"insert into meta.{table.name} ({', '.join(names)}) values ({marks})",
            [[row.get(name) for name in names] for row in rows],
        )


def naive(moment: datetime) -> datetime:
    """UTC without its mark: `meta` holds plain UTC timestamps."""
    return moment.astimezone(UTC).replace(tzinfo=None)
