"""Portfolios of invented owners: who is joined and who is not, and that no natural person is named."""

from random import Random
from typing import Any

import pyarrow as pa
import pytest
from formulas import build, empty_warehouse

from civic_pipeline.methods.owners import (
    SCHEMA,
    Edge,
    Owner,
    bridges_of,
    components,
    is_institution,
    is_organisation,
    name_key,
    owner_portfolios,
)
from civic_pipeline.settings import CHECKOUT
from civic_pipeline.warehouse.seeds import create_seeds

Parcel = tuple[str, str, str, str] | tuple[str, str, str, str, bool]


def portfolios(*parcels: Parcel) -> list[dict[str, Any]]:
    """Of (block and lot, owner, mailing address, ZIP code, is vacant)."""
    columns = ("block_lot", "owner_name", "mailing_address", "mailing_zip_code", "is_vacant")
    rows = [dict(zip(columns, (*parcel, False)[:5], strict=True)) | {"city": "here"} for parcel in parcels]
    empty = pa.schema(
        [("city", pa.string()), *((name, pa.string()) for name in columns[:-1]), ("is_vacant", pa.bool_())]
    )
    tables = {
        "marts.fct_owner_parcels": pa.Table.from_pylist(rows, schema=empty),
        "marts.dim_cities": pa.table({"city": ["here"]}),
    }
    return owner_portfolios(tables).to_pylist()


def test_one_name_and_one_address_join_and_the_evidence_says_so() -> None:
    """Able LLC has two addresses in one ZIP code; Baker LLC shares the second: one portfolio of four, of which one is vacant."""
    [row] = portfolios(
        ("1", "Able Invented LLC", "1 Main St", "21201", True),
        ("2", "ABLE INVENTED, L.L.C.", "2 Side St Apt 3", "21201"),
        ("3", "Baker Made Up LLC", "2 Side St, Apt 3", "21201"),
        ("4", "Baker Made Up LLC", "2 Side St Apt 3", "21201"),
    )
    assert row | {"portfolio_id": "", "largest_edge_weight": 0} == {
        "portfolio_id": "", "city": "here", "owner_kind": "organisations", "organisation_names": "ABLE INVENTED, L.L.C.; Able Invented LLC; Baker Made Up LLC",
        "owner_count": 3, "property_count": 4, "vacant_count": 1, "vacant_rate": 0.25, "largest_edge_weight": 0,
        "evidence": "same name and same address", "publication_status": "published", "not_published_reason": None,
    }  # fmt: skip
    assert 2 <= row["largest_edge_weight"] <= 3


def test_another_unit_of_a_building_is_another_address() -> None:
    rows = portfolios(("1", "Able LLC", "2 Side St Apt 3", "21201"), ("2", "Baker LLC", "2 Side St Apt 4", "21201"))
    assert sorted(row["organisation_names"] for row in rows) == ["Able LLC", "Baker LLC"]


def test_no_natural_person_is_named_and_small_portfolios_are_shown_together_only() -> None:
    rows = portfolios(
        *((str(lot), "Doe, Jane Invented", "5 Oak St", "21202") for lot in range(3)),
        ("7", "Roe, Richard Invented", "6 Elm St", "21202", True),
        ("8", "Poe, Paula Invented", "7 Fir St", "21202"),
        ("9", "Poe, Paula Invented", "7 Fir St", "21202"),
        ("10", "Church, Charlotte", "8 Ash St", "21202"),
        ("11", "The Jane Doe Family Trust", "9 Yew St", "21202"),
    )
    by_kind = {row["owner_kind"]: row for row in rows}
    assert by_kind.keys() == {"persons", "persons with fewer than three properties"}
    assert by_kind["persons"]["property_count"] == 3
    together = by_kind["persons with fewer than three properties"]
    assert (together["owner_count"], together["property_count"], together["vacant_count"]) == (4, 5, 1)
    shown = str(rows).upper()
    assert not [name for name in ("DOE", "ROE", "POE", "CHURCH", "JANE", "OAK ST", "TRUST") if name in shown]


def test_a_person_in_a_portfolio_with_an_organisation_is_counted_and_not_named() -> None:
    [row] = portfolios(
        ("1", "Able Invented LLC", "1 Main St", "21201"), ("2", "Doe, Jane Invented", "1 Main St", "21201")
    )
    assert (row["owner_kind"], row["organisation_names"], row["owner_count"]) == (
        "organisations and persons",
        "Able Invented LLC",
        2,
    )


def test_nobody_is_joined_through_an_institution_or_a_crowded_address() -> None:
    rows = portfolios(
        ("1", "Mayor & City Council", "100 Holliday St", "21202"),
        ("2", "Able Invented LLC", "100 Holliday St", "21202"),
        ("3", "Mayor and City Council", "200 Other St", "21202"),
        *((f"a{n}", f"Agent {n} Invented LLC", "1 Mailbox Plaza", "21203") for n in range(21)),
    )
    assert len(rows) == 24
    assert sorted(row["owner_kind"] for row in rows)[:2] == ["institution", "institution"]
    twenty = portfolios(*((f"a{n}", f"Agent {n} Invented LLC", "1 Mailbox Plaza", "21203") for n in range(20)))
    assert [row["owner_count"] for row in twenty] == [20]


def test_a_weak_edge_that_alone_holds_two_parts_together_is_cut() -> None:
    """One key in two spellings: 'A B INVENTED' and 'A. B.  Invented' differ in signs, so 1 + similarity is below 2 in two ZIP codes."""
    apart = portfolios(
        ("1", "A-B Invented LLC", "1 Main St", "21201"), ("2", "A B  Invented, L.L.C.", "9 Far St", "21299")
    )
    assert len(apart) == 2
    near = portfolios(
        ("1", "A-B Invented LLC", "1 Main St", "21201"), ("2", "A B  Invented, L.L.C.", "9 Far St", "21201")
    )
    assert len(near) == 1
    same = portfolios(("1", "AB Invented LLC", "1 Main St", "21201"), ("2", "AB Invented LLC", "9 Far St", "21299"))
    assert [row["largest_edge_weight"] for row in same] == [2.0]


def test_bridges_are_the_edges_whose_removal_separates_their_ends() -> None:
    """On 60 small graphs with repeated edges, each edge is removed in turn."""
    rng = Random(14)
    for size in range(2, 62):
        owners = [Owner(str(number), "", "") for number in range(size % 12 + 2)]
        edges = [Edge(*rng.sample(owners, 2), 1.0, "same name") for _ in range(rng.randrange(1, 2 * len(owners)))]
        expected = set()
        for place, edge in enumerate(edges):
            groups = components(owners, [*edges[:place], *edges[place + 1 :]])
            if not any(edge.one in group and edge.other in group for group in groups):
                expected.add(place)
        assert bridges_of(edges) == expected


@pytest.mark.parametrize(
    ("name", "organisation", "institution"),
    [
        ("Able & Sons, L.L.C.", True, False), ("Doe, Jane", False, False), ("HOMES, SHERLOCK", False, False), ("Bank, Ann", False, False),
        ("First Invented Bank", True, True), ("Mayor & City Council", True, True), ("Co, Amy", False, False), ("Invented Co.", True, False),
    ],
)  # fmt: skip
def test_what_is_taken_for_an_organisation(name: str, organisation: bool, institution: bool) -> None:
    assert (is_organisation(name_key(name)), is_institution(name_key(name))) == (organisation, institution)


def test_without_a_column_of_owners_a_city_is_not_published() -> None:
    """As on the live portal: no layer that was seen has an owner."""
    warehouse = empty_warehouse()
    warehouse.execute("create table clean.baltimore_real_property as select '0001|001' as block_lot")
    build(warehouse, "marts.fct_owner_parcels", "marts.dim_cities")
    tables = {name: warehouse.table(name).to_arrow_table() for name in ("marts.fct_owner_parcels", "marts.dim_cities")}
    table = owner_portfolios(tables)
    assert table.schema == SCHEMA
    rows = {row["city"]: row for row in table.to_pylist()}
    assert rows["baltimore"]["publication_status"] == "not_published"
    assert rows["baltimore"]["not_published_reason"]
    assert rows["baltimore"]["property_count"] is None


def test_what_the_city_stated_of_rent_support() -> None:
    """$23.2 million for 4,653 households are $4,986.03 a household."""
    warehouse = empty_warehouse()
    create_seeds(warehouse, CHECKOUT)
    build(warehouse, "marts.mart_rent_support")
    rows = warehouse.execute(
        "select year(period_end), household_count, paid_amount, prevented_eviction_count, round(amount_per_household, 2), is_rounded"
        " from marts.mart_rent_support where city = 'baltimore' order by period_end"
    ).fetchall()
    assert [(year, evictions) for year, _, _, evictions, *_ in rows] == [
        (2021, 1068),
        (2023, 153),
        (2024, 190),
        (2025, 184),
    ]
    assert (rows[0][1], float(rows[0][2]), rows[0][4], rows[0][5]) == (4653, 23_200_000.0, 4986.03, True)
    assert rows[1][1:3] == (None, None)
