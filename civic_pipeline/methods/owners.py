"""Portfolios of owners: names and addresses joined into components, shown so that no natural person is named."""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from difflib import SequenceMatcher
from itertools import combinations
from typing import Any, NamedTuple

import pyarrow as pa

# More owners than this at one address: an agent, a trustee or a mailbox, which joins nobody.
MOST_OWNERS_AT_AN_ADDRESS = 20
# An edge of less weight is cut where it alone holds two parts together.
LEAST_BRIDGE = 2.0
# Persons with fewer properties are shown together only.
FEWEST_OF_PERSONS = 3

_INSTITUTION = re.compile(
    r"\b(MAYOR (AND )?CITY COUNCIL|CITY OF|STATE OF|UNITED STATES|HOUSING AUTHORITY|HABC|HUD|SECRETARY OF|BANK (NA|N A|OF)|MORTGAGE"
    r"|FEDERAL (NATIONAL|HOME|HOUSING)|TITLE (CO|COMPANY)|TRUSTEES? FOR|TRANSIT ADMINISTRATION|UNIVERSITY|SCHOOL BOARD)\b|. BANK$"
)
# Legal forms, and words that are no surnames: a name with CHURCH, HOMES or TRUST may be a person's.
_ORGANISATION = re.compile(
    r". (LLC|L L C|INC|INCORPORATED|CORP|CORPORATION|CO|COMPANY|LTD|LIMITED|LP|LLP)$"
    r"|\b(LLC|INCORPORATED|PARTNERSHIP|HOLDINGS|PROPERTIES|REALTY|INVESTMENTS|ASSOCIATES|ASSOCIATION|MINISTRIES|FOUNDATION|ENTERPRISES)\b"
)

SCHEMA = pa.schema([
    ("portfolio_id", pa.string()), ("city", pa.string()), ("owner_kind", pa.string()), ("organisation_names", pa.string()),
    ("owner_count", pa.int64()), ("property_count", pa.int64()), ("vacant_count", pa.int64()), ("vacant_rate", pa.float64()),
    ("largest_edge_weight", pa.float64()), ("evidence", pa.string()), ("publication_status", pa.string()),
    ("not_published_reason", pa.string()),
])  # fmt: skip
_NOT_PUBLISHED = "No layer whose columns were seen has the owner of a parcel."


class Owner(NamedTuple):
    """A name at a mailing address, both as keys."""

    name: str
    address: str
    zip_code: str


class Edge(NamedTuple):
    """Two owners that appear to be one."""

    one: Owner
    other: Owner
    weight: float
    evidence: str


def name_key(text: str | None) -> str:
    """Upper case, signs as blanks, one blank between words: 'Able & Sons, L.L.C.' -> 'ABLE SONS LLC'."""
    letters = re.sub(r"[^A-Z0-9]+", " ", (text or "").upper().replace(".", "").replace("'", ""))
    return letters.strip()


def is_institution(name: str) -> bool:
    """Whether a name key is of a public body or a lender, through which nobody is joined."""
    return bool(_INSTITUTION.search(name))


def is_organisation(name: str) -> bool:
    """Whether a name key is of an organisation; anything else is taken for a natural person and not shown."""
    return bool(_ORGANISATION.search(name)) or is_institution(name)


def owner_portfolios(tables: Mapping[str, pa.Table]) -> pa.Table:
    """`marts.mart_owner_portfolios` of owners of parcels. A parcel with several owners counts in the portfolio of each."""
    parcels = tables["marts.fct_owner_parcels"].to_pylist()
    rows: list[dict[str, Any]] = []
    for city in sorted(tables["marts.dim_cities"]["city"].to_pylist()):
        own = [parcel for parcel in parcels if parcel["city"] == city and name_key(parcel["owner_name"])]
        rows += _of_city(city, own) if own else [_not_published(city)]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def _not_published(city: str) -> dict[str, Any]:
    return {
        "portfolio_id": _identity([city, "not published"]), "city": city, "publication_status": "not_published",
        "not_published_reason": _NOT_PUBLISHED,
    }  # fmt: skip


def _of_city(city: str, parcels: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    held: dict[Owner, set[str]] = defaultdict(set)
    spelled: dict[Owner, str] = {}
    vacant = {parcel["block_lot"] for parcel in parcels if parcel["is_vacant"]}
    for parcel in parcels:
        owner = Owner(
            name_key(parcel["owner_name"]), name_key(parcel["mailing_address"]), parcel["mailing_zip_code"] or ""
        )
        held[owner].add(parcel["block_lot"])
        spelled[owner] = min(parcel["owner_name"].strip(), spelled.get(owner, parcel["owner_name"].strip()))
    edges = _without_weak_bridges(edges_of(held, spelled))
    groups = components(held, edges)
    group_of = {owner: number for number, members in enumerate(groups) for owner in members}
    edges_within = defaultdict[int, list[Edge]](list)
    for edge in edges:
        edges_within[group_of[edge.one]].append(edge)
    shown, small = [], set[str]()
    small_owners = 0
    for number, members in enumerate(groups):
        properties = set().union(*(held[owner] for owner in members))
        named = sorted({spelled[owner] for owner in members if is_organisation(owner.name)})
        persons = sum(not is_organisation(owner.name) for owner in members)
        if not named and len(properties) < FEWEST_OF_PERSONS:
            small |= properties
            small_owners += len(members)
            continue
        kind = "organisations" if not persons else "organisations and persons" if named else "persons"
        if any(is_institution(owner.name) for owner in members):
            kind = "institution"
        shown.append(_row(city, kind, sorted(members), properties, vacant, named, edges_within[number]))
    if small:
        title = "persons with fewer than three properties"
        row = _row(city, title, [], small, vacant, [], []) | {"owner_count": small_owners, "evidence": None}
        shown.append(row | {"portfolio_id": _identity([city, title])})
    return sorted(shown, key=lambda row: row["portfolio_id"])


def _row(
    city: str, kind: str, members: Sequence[Owner], properties: set[str], vacant: set[str], named: Sequence[str], edges: Sequence[Edge]
) -> dict[str, Any]:  # fmt: skip
    return {
        "portfolio_id": _identity([city, *map("|".join, members)]),
        "city": city,
        "owner_kind": kind,
        "organisation_names": "; ".join(named) or None,
        "owner_count": len(members),
        "property_count": len(properties),
        "vacant_count": len(properties & vacant),
        "vacant_rate": round(len(properties & vacant) / len(properties), 6),
        "largest_edge_weight": max((edge.weight for edge in edges), default=None),
        "evidence": " and ".join(sorted({edge.evidence for edge in edges}, reverse=True)) or "one owner",
        "publication_status": "published",
    }


def _identity(parts: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def edges_of(owners: Iterable[Owner], spelled: Mapping[Owner, str]) -> list[Edge]:
    """The edges between owners that are no institutions: of one name, and of one address that few have."""
    by_name, by_address = defaultdict[str, list[Owner]](list), defaultdict[str, list[Owner]](list)
    for owner in sorted(owners):
        if not is_institution(owner.name):
            by_name[owner.name].append(owner)
            if owner.address:
                by_address[f"{owner.address} {owner.zip_code}"].append(owner)
    edges = [
        Edge(one, other, 1 + _similarity(spelled[one], spelled[other]) + _nearness(one, other), "same name")
        for same in by_name.values()
        for one, other in combinations(same, 2)
    ]  # fmt: skip
    return edges + [
        Edge(one, other, 2 + _similarity(spelled[one], spelled[other]), "same address")
        for same in by_address.values()
        if len({owner.name for owner in same}) <= MOST_OWNERS_AT_AN_ADDRESS
        for one, other in combinations(same, 2)
    ]


def _nearness(one: Owner, other: Owner) -> float:
    """0.5 for two addresses in one ZIP code."""
    return 0.5 if one.zip_code and one.zip_code == other.zip_code else 0.0


def _similarity(one: str, other: str) -> float:
    """Of two spellings, 0 to 1 (Ratcliff and Obershelp)."""
    return round(SequenceMatcher(None, one.upper(), other.upper(), autojunk=False).ratio(), 6)


def components(owners: Iterable[Owner], edges: Iterable[Edge]) -> list[list[Owner]]:
    """The owners in groups that edges connect."""
    parent = {owner: owner for owner in owners}

    def root(owner: Owner) -> Owner:
        while parent[owner] != owner:
            parent[owner] = parent[parent[owner]]
            owner = parent[owner]
        return owner

    for edge in edges:
        parent[root(edge.one)] = root(edge.other)
    groups = defaultdict[Owner, list[Owner]](list)
    for owner in parent:
        groups[root(owner)].append(owner)
    return list(groups.values())


def _without_weak_bridges(edges: Sequence[Edge]) -> list[Edge]:
    """Edges without those below LEAST_BRIDGE that alone hold two parts together."""
    bridges = bridges_of(edges)
    return [edge for place, edge in enumerate(edges) if edge.weight >= LEAST_BRIDGE or place not in bridges]


def bridges_of(edges: Sequence[Edge]) -> set[int]:
    """The positions of the edges whose removal separates their ends, found in one walk (Tarjan 1974)."""
    near = defaultdict[Owner, list[tuple[Owner, int]]](list)
    for place, edge in enumerate(edges):
        near[edge.one].append((edge.other, place))
        near[edge.other].append((edge.one, place))
    reached: dict[Owner, int] = {}  # owner -> when the walk came to it
    earliest: dict[
        Owner, int
    ] = {}  # owner -> the first that can be reached from what lies behind it, not by the way it was reached
    bridges = set[int]()
    for start in near:
        if start in reached:
            continue
        reached[start] = earliest[start] = len(reached)
        walk = [(start, -1, iter(near[start]))]
        while walk:
            owner, came_by, rest = walk[-1]
            for other, place in rest:
                if other not in reached:
                    reached[other] = earliest[other] = len(reached)
                    walk.append((other, place, iter(near[other])))
                    break
                if place != came_by:
                    earliest[owner] = min(earliest[owner], reached[other])
            else:
                walk.pop()
                if walk:
                    before = walk[-1][0]
                    earliest[before] = min(earliest[before], earliest[owner])
                    if earliest[owner] > reached[before]:
                        bridges.add(came_by)
    return bridges
