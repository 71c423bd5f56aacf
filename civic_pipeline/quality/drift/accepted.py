"""What was accepted before: per slice of a clean table the contents that it had, and which capture they came from.

In the build only: `drift.accepted_slices`. A slice that returns to contents it once had, such as after a mistake was
corrected, is no news.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

from civic_pipeline.quality.drift.profile import WHOLE, Profile

_STAGED = "temp.drift_staged_slices"


@dataclass(frozen=True)
class Memory:
    """`capture_id` of the version that stands, None where none is known; per slice the contents it ever had."""

    capture_id: str | None
    contents: Mapping[str, frozenset[str]]


def recall(connection: duckdb.DuckDBPyConnection, table: str) -> Memory:
    _create(connection)
    rows = connection.execute(
        "select slice, contents, capture_id from drift.accepted_slices where table_name = ? order by accepted_at",
        [table],
    ).fetchall()
    contents: dict[str, set[str]] = {}
    for name, value_hash, _ in rows:
        contents.setdefault(name, set()).add(value_hash)
    whole = [capture_id for name, _, capture_id in rows if name == WHOLE]
    return Memory(whole[-1] if whole else None, {name: frozenset(hashes) for name, hashes in contents.items()})


def note_staged(connection: duckdb.DuckDBPyConnection, profile: Profile, capture_id: str) -> None:
    """Keep what a staged table holds until it is known whether it is accepted."""
    connection.execute(
        f"create or replace temp table {_STAGED.partition('.')[2]} as select unnest(?::varchar[]) as slice,"
        " unnest(?::varchar[]) as contents, ? as capture_id",
        [list(profile), [part.contents for part in profile.values()], capture_id],
    )


def remember_staged(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """The staged table was accepted: what it holds is what later versions are compared with."""
    _create(connection)
    connection.execute(
        "delete from drift.accepted_slices as known where table_name = ?"
        f" and exists (from {_STAGED} as now where now.slice = known.slice and now.contents = known.contents)",
        [table],
    )
    connection.execute(
        "insert into drift.accepted_slices"
        f" select ?, slice, contents, capture_id, current_localtimestamp() from {_STAGED}",
        [table],
    )
    connection.execute(f"drop table {_STAGED}")


def _create(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(
        "create schema if not exists drift;"
        " create table if not exists drift.accepted_slices"
        " (table_name varchar, slice varchar, contents varchar, capture_id varchar, accepted_at timestamp)"
    )
