"""Merge the rows of a register into firms: a firm certified twice, or listed in two spellings, is one firm."""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from civic_pipeline.methods.linkage.names import add_names

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_SPELLING = "similar name at the same address"
_SAME_NAME = "same name at the same address"
_SAME_PLACE = "same name in the same ZIP code"
_ALONE = "listed once"


def merge_listings(listings: "pa.Table") -> "pa.Table":
    """One row per listing: listing_id, firm_id, firm_name (the most frequent spelling of the firm), merged_by.

    `listings` has listing_id, register, name, street, zip_code as text. Two listings of one register are one firm if they have
    the same name and the same street or, where one has no street, the same ZIP code; or a similar name and the same street.
    Same names at different addresses stay apart: they may be two firms.
    """
    import duckdb
    import pyarrow as pa

    with duckdb.connect() as connection:
        connection.register("given", listings)
        connection.execute(
            "create temp table listings as select listing_id as party_id, * exclude (listing_id) from given"
        )
        add_names(connection, "listings")
        firm_of: dict[str, str] = {row["listing_id"]: row["listing_id"] for row in listings.to_pylist()}
        reasons: dict[str, str] = {}
        for first, second, reason in _same_firm(connection):
            for listing in (first, second):
                reasons[listing] = min(
                    reason, reasons.get(listing, reason), key=(_SAME_NAME, _SAME_PLACE, _SPELLING).index
                )
            low, high = sorted((_root(firm_of, first), _root(firm_of, second)))
            firm_of[high] = low
    members: dict[str, list[dict[str, str | None]]] = defaultdict(list)
    for row in listings.to_pylist():
        members[_root(firm_of, row["listing_id"])].append(row)
    merged: list[dict[str, str | None]] = []
    for firm in members.values():
        spellings = Counter(str(row["name"]) for row in firm)
        name = min(spellings, key=lambda spelling: (-spellings[spelling], spelling))
        first_listing = min(str(row["listing_id"]) for row in firm)
        for row in firm:
            listing = str(row["listing_id"])
            merged.append({
                "listing_id": listing, "firm_id": hash_id(str(row["register"]), first_listing), "firm_name": name,
                "merged_by": reasons.get(listing, _ALONE),
            })  # fmt: skip
    merged.sort(key=lambda row: str(row["listing_id"]))
    return pa.Table.from_pylist(
        merged, schema=pa.schema([(key, pa.string()) for key in ("listing_id", "firm_id", "firm_name", "merged_by")])
    )


def _same_firm(connection: "duckdb.DuckDBPyConnection") -> Iterator[tuple[str, str, str]]:
    """Pairs of listings of one firm, and why."""
    connection.execute("""
        create temp table named as
        select
            party_id, register, name_key, zip_code,
            nullif(trim(regexp_replace(upper(street), '[^A-Z0-9]+', ' ', 'g')), '') as street_key
        from listings
        inner join listings_names using (party_id)
    """)
    for condition, extra, reason in (
        ("name_key", "a.street_key = b.street_key", _SAME_NAME),
        ("name_key", "(a.street_key is null or b.street_key is null) and a.zip_code = b.zip_code", _SAME_PLACE),
        (
            "street_key",
            (
                "a.zip_code is not distinct from b.zip_code and a.name_key <> b.name_key"
                " and jaro_winkler_similarity(a.name_key, b.name_key) >= 0.92"
                " and damerau_levenshtein(a.name_key, b.name_key) <= 3"
            ),
            _SPELLING,
        ),
    ):
        pairs = connection.execute(
            f"select a.party_id, b.party_id from named as a inner join named as b using (register, {condition})"
            f" where a.party_id < b.party_id and {extra} order by 1, 2"
        ).fetchall()
        yield from ((first, second, reason) for first, second in pairs)


def _root(parents: dict[str, str], item: str) -> str:
    while parents[item] != item:
        item = parents[item]
    return item


def hash_id(*parts: str | None) -> str:
    """The same id as the macro `hash_id`."""
    return hashlib.md5(
        json.dumps(parts, ensure_ascii=False, separators=(",", ":")).encode(), usedforsecurity=False
    ).hexdigest()
