"""The columns of tables, and hashes of their contents: the same rows give the same hash."""

import hashlib

import duckdb

# Rows of quarantine have a capture id, which contains a time. It is excluded: the same rows captured twice are equal.
_TIME_DEPENDENT = "_capture_id"


def types_of(connection: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    """The columns of a table, a view or a subquery in parentheses, in order -> their DuckDB types."""
    return {name: kind for name, kind, *_ in connection.execute(f"describe from {relation}").fetchall()}


def content_hash(connection: duckdb.DuckDBPyConnection, relation: str) -> str:
    """Hash of the column names and types of `relation` and of its rows, independent of their order; duplicates count.

    Sums 64 bits of the MD5 of each row. DuckDB's `hash` function is seven times as fast, but may differ between versions.
    """
    description = connection.execute(f"from {relation} limit 0").description
    columns = [(name, str(kind)) for name, kind, *_ in description if name != _TIME_DEPENDENT]
    exclude = f" exclude ({_TIME_DEPENDENT})" if len(columns) < len(description) else ""
    rows = connection.execute(
        f"select count(*), sum(md5_number_lower(to_json(hashed)::varchar)) from (select *{exclude} from {relation}) as hashed"
    ).fetchone()
    return hash_of(columns, rows)


def hash_of(*parts: object) -> str:
    """32 hex digits of the SHA-256 of `repr(parts)`."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]
