"""The contents that each slice of a clean table had in accepted versions, and their captures.

Stored in the build only, as `drift.accepted_slices`. If a slice returns to earlier contents, for example after a mistake
was corrected, it has not drifted.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

from civic_pipeline.quality.drift.profile import WHOLE, Profile

_STAGED = "temp.drift_staged_slices"


@dataclass(frozen=True)
class Memory:
    """`capture_id` of the accepted version, None if unknown, and all accepted contents of each slice."""

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
    """Keep the contents of a staged table until it is accepted or held back."""
    connection.execute(
        f"create or replace temp table {_STAGED.partition('.')[2]} as select unnest(?::varchar[]) as slice,"
        " unnest(?::varchar[]) as contents, ? as capture_id",
        [list(profile), [part.contents for part in profile.values()], capture_id],
    )


def remember_staged(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Record that the staged table was accepted: later versions are compared with its contents."""
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
