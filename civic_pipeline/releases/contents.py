"""What a table holds, as a hash: the same rows give the same."""

import hashlib

import duckdb

# A row of quarantine names its capture, whose id holds a time: the same bytes fetched twice are the same contents.
_TIME_DEPENDENT = "_capture_id"


def content_hash(connection: duckdb.DuckDBPyConnection, relation: str) -> str:
    """Hash of the rows of `relation` in any order, each with its multiplicity, and of its columns' names and types.

    The sum of 64 bits of every row's MD5: DuckDB's own `hash` is seven times as fast, but another version of it may differ.
    """
    found = connection.execute(f"from {relation} limit 0").description
    columns = [(name, str(kind)) for name, kind, *_ in found if name != _TIME_DEPENDENT]
    without = f" exclude ({_TIME_DEPENDENT})" if len(columns) < len(found) else ""
    rows = connection.execute(
        f"select count(*), sum(md5_number_lower(to_json(held)::varchar)) from (select *{without} from {relation}) as held"
    ).fetchone()
    return hash_of(columns, rows)


def hash_of(*parts: object) -> str:
    """32 hex digits of the parts as Python writes them."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]
