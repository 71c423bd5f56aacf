"""Publish the audited build as one read-only file, replaced atomically: readers see the old release or the new one."""

import hashlib
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

import duckdb

from civic_pipeline.errors import writing
from civic_pipeline.releases.contents import content_hash, types_of
from civic_pipeline.releases.kept import (
    ID_FORMAT,
    Release,
    live_release,
    made_at,
    make_live,
    read_release,
    refuse_damaged,
    refuse_if_opened,
    release_files,
    remove_old,
    sync,
)
from civic_pipeline.settings import Settings, waits
from civic_pipeline.sql_text import literal, quoted
from civic_pipeline.warehouse import meta
from civic_pipeline.warehouse.build import Build
from civic_pipeline.warehouse.changed_figures import record_changed_figures
from civic_pipeline.warehouse.changes import record_changes
from civic_pipeline.warehouse.ledger import transaction
from civic_pipeline.warehouse.personal import without

RELEASED_SCHEMAS = ("clean", "marts", "quarantine", "meta")

# DuckDB 1.1 and later can open this storage format. BI tools often use an older DuckDB, which cannot open newer formats.
_STORAGE_VERSION = "v1.0.0"

# The contents of a release, without times and examples: two releases with the same contents are the same release.
# A failure counts, its words do not: they may name a port or the id of a request, and would be another release every night.
_CONTENTS = (
    "select * exclude (built_at) from meta.tables",
    "select * from meta.columns",
    "select * exclude (run_id, checked_at, examples) from meta.checks",
    "select dataset, capture_id, edition, problem is null from meta.captures",
    "select * from meta.comparisons",
)


def release(build: Build) -> Release | None:
    """Release everything but captures, seeds and staging, and make it live; None if nothing changed since the last release.

    Raises WarehouseOpened, ReleaseDamaged, DiskFull, NotWritable.
    """
    settings, now = build.settings, datetime.now(UTC)
    with writing(settings.releases):
        settings.releases.mkdir(parents=True, exist_ok=True)
        for leftover in settings.releases.glob(".[0-9]*"):
            leftover.unlink()
        refuse_if_opened(settings.warehouse)
        _keep_live(settings)
        before = read_release(files[-1]) if (files := release_files(settings)) else None
        digest = _digest(build.connection)
        if before and before.digest == digest:
            return None
        # Also after the clock was set back: the ids are the order of the releases.
        at = max(now, made_at(files[-1]) + timedelta(microseconds=1)) if files else now
        name = at.strftime(ID_FORMAT)
        draft = settings.releases / f".{name}"
        try:
            try:
                _enter(build, name, at, digest, before)
            except duckdb.IOException:
                if before:
                    refuse_damaged(settings, before)
                raise
            _copy(build, draft)
            if Path(f"{draft}.wal").exists():
                raise RuntimeError(f"{draft} kept a write-ahead log after its checkpoint; not publishing")
            draft.chmod(0o444)
            sync(draft)
            # Replace the live file first: if the process is killed after that, the next run adds it to the kept releases.
            make_live(draft, settings.warehouse)
            file = draft.rename(settings.releases / f"{name}.duckdb")
            sync(settings.releases)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
        remove_old(settings, now)
    return read_release(file)


def _keep_live(settings: Settings) -> None:
    """Add the live release to the kept ones if a killed run did not."""
    live = live_release(settings)
    if live and not (kept := settings.releases / f"{live.id}.duckdb").exists():
        os.link(live.file, kept)


def _digest(connection: duckdb.DuckDBPyConnection) -> str:
    hashes = [content_hash(connection, f"({query})") for query in _CONTENTS]
    return hashlib.sha256(" ".join(hashes).encode()).hexdigest()


def _enter(build: Build, name: str, now: datetime, digest: str, before: Release | None) -> None:
    """Fill meta.releases and what changed, marts.mart_changes and mart_changed_figures: of the last release, and of this one."""
    connection, at = build.connection, now.replace(tzinfo=None)
    connection.execute("delete from meta.releases")
    contents = dict(connection.execute(
        "select table_name, content_hash from meta.tables where content_hash is not null"
        " union all select replace(table_name, 'clean.', 'quarantine.'), quarantine_hash from meta.tables where quarantine_hash is not null"
        " order by all"
    ).fetchall())  # fmt: skip
    if before:
        with _attached(connection, before.file, "before", "read_only"):
            connection.execute("insert into meta.releases by name from before.meta.releases")
            record_changes(connection, name, at, contents, before.contents)
            record_changed_figures(connection, name, at, contents, before.contents)
    else:
        record_changes(connection, name, at, contents, {})
    captures = connection.execute(
        "select distinct capture_id from meta.captures where capture_id is not null order by 1"
    )
    row: dict[str, object] = {
        "release_id": name, "released_at": at, "pipeline_version": version("civic-pipeline"),
        "git_commit": _git_commit(build.settings.root), "capture_ids": [capture for (capture,) in captures.fetchall()],
        "held_back": sorted(build.ledger.held_back()), "content_hashes": contents, "digest": digest,
    }  # fmt: skip
    meta.put(connection, "meta.releases", "release_id", name, [row])


def _git_commit(root: Path) -> str | None:
    """The commit of the checkout, with -dirty if files differ from it; None outside of git."""
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"],
            check=False,  # git fails and prints nothing outside of a checkout
            cwd=root,
            capture_output=True,
            text=True,
            timeout=waits().process_seconds,
        )
    except (FileNotFoundError, subprocess.TimeoutExpired):  # no git, or a checkout on a disk that hangs
        return None
    return described.stdout.strip() or None


def _copy(build: Build, draft: Path) -> None:
    connection = build.connection
    with _attached(connection, draft, "released", f"storage_version '{_STORAGE_VERSION}'"):
        for schema in RELEASED_SCHEMAS:
            connection.execute(f"create schema released.{schema}")
        tables = connection.execute(
            "select schema_name, table_name, comment from duckdb_tables() where database_name = current_database()"
            " and schema_name in (select unnest(?)) order by all",
            [list(RELEASED_SCHEMAS)],
        ).fetchall()
        hidden = _personal(connection)
        for schema, table, _ in tables:
            name = f"{schema}.{table}"
            shown = without(name, types_of(connection, name), hidden.get((schema, table), ()))
            connection.execute(f"create table released.{name} as from {shown}")
        columns_with_comments = connection.execute(
            "select schema_name, table_name, column_name, comment from duckdb_columns() where database_name = current_database()"
            " and schema_name in (select unnest(?)) and comment is not null",
            [list(RELEASED_SCHEMAS)],
        ).fetchall()
        with transaction(connection):  # one commit instead of thousands
            for schema, table, comment in tables:
                if comment:
                    connection.execute(f"comment on table released.{schema}.{table} is {literal(comment)}")
            for schema, table, column, comment in columns_with_comments:
                if column not in hidden.get((schema, table), ()):
                    name = f"released.{schema}.{table}.{quoted(column)}"
                    connection.execute(f"comment on column {name} is {literal(comment)}")
        connection.execute("checkpoint released")


def _personal(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], list[str]]:
    """(Schema, table) -> its columns about persons; a quarantine table has those of its clean table."""
    hidden: dict[tuple[str, str], list[str]] = {}
    rows = connection.execute(
        "select table_name, personal_columns from meta.tables where len(personal_columns) > 0"
    ).fetchall()
    for name, columns in rows:
        schema, _, table = name.partition(".")
        hidden[schema, table] = columns
        if schema == "clean":
            hidden["quarantine", table] = columns
    return hidden


@contextmanager
def _attached(connection: duckdb.DuckDBPyConnection, file: Path, name: str, options: str) -> Iterator[None]:
    connection.execute(f"attach {literal(str(file))} as {name} ({options})")
    try:
        yield
    finally:
        connection.execute(f"detach {name}")
