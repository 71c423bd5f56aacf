"""The time line and the profile of a property, on rows made by hand."""

import duckdb
import pytest
from formulas import build, create, empty_warehouse, put, put_on_the_map

HISTORIES = (
    "vacant_building_notices", "code_notices", "demolitions", "rehabs", "receiverships", "receiverships_settled", "rental_licences",
    "open_bid_list", "environmental_citations",
)  # fmt: skip
CLEAN = (
    "building_permits", "real_property", "rental_licences", "demolitions", "rehabs", "receiverships", "open_bid_list",
)  # fmt: skip
FIRST, SECOND = {"_capture_id": "c1", "_captured_at": "2024-01-01", "_sequence": 1}, {
    "_capture_id": "c2", "_captured_at": "2025-01-01", "_sequence": 2,
}  # fmt: skip
PLACE = "0001|001"


@pytest.fixture
def warehouse() -> duckdb.DuckDBPyConnection:
    """The tables that the marts read, empty."""
    warehouse = empty_warehouse()
    create(warehouse, *(f"clean_history.baltimore_{dataset}" for dataset in HISTORIES))
    create(warehouse, *(f"clean.baltimore_{dataset}" for dataset in CLEAN))
    create(
        warehouse,
        "marts.fct_vacancy_lists",
        "marts.fct_vacancy_changes",
        "marts.fct_vacancy_spells",
        "marts.dim_geographies",
    )
    warehouse.execute("create table history.baltimore_building_permits (_capture_id varchar, _captured_at timestamp)")
    warehouse.execute(
        "insert into history.baltimore_building_permits values ('p1', '2024-01-01'), ('p2', '2025-01-01')"
    )
    return warehouse


def events(warehouse: duckdb.DuckDBPyConnection, columns: str) -> list[tuple[object, ...]]:
    build(warehouse, "marts.fct_property_events")
    return warehouse.execute(
        f"select {columns} from marts.fct_property_events order by event_date, event_type"
    ).fetchall()


def test_a_record_that_is_gone_stays_on_the_time_line_with_its_captures(warehouse: duckdb.DuckDBPyConnection) -> None:
    notices = "clean_history.baltimore_code_notices"
    put(warehouse, notices, notice_id="a", block_lot=PLACE, notice_type="Exterior", issued_date="2023-05-01", **FIRST)
    put(warehouse, notices, notice_id="b", block_lot=PLACE, notice_type="Interior", issued_date="2023-06-01", **FIRST)
    put(warehouse, notices, notice_id="b", block_lot=PLACE, notice_type="Interior", issued_date="2023-06-01", **SECOND)
    put(warehouse, notices, notice_id="v", block_lot=PLACE, notice_type="Vacant", issued_date="2023-06-01", **SECOND)
    assert events(warehouse, "event_date::varchar, event_type, detail, capture_id, last_capture_id, is_listed") == [
        ("2023-05-01", "code_notice", "Exterior", "c1", "c1", False),
        ("2023-06-01", "code_notice", "Interior", "c1", "c2", True),
    ]


def test_a_vacant_building_notice_is_one_event_on_lists_with_and_without_numbers(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    notices = "clean_history.baltimore_vacant_building_notices"
    put(warehouse, notices, notice_id="x", block_lot=PLACE, notice_date="2019-05-01", **FIRST)
    put(warehouse, notices, notice_id="y", notice_number="7A", block_lot=PLACE, notice_date="2019-05-01", **SECOND)
    assert events(warehouse, "detail, capture_id, last_capture_id") == [("Vacant building notice 7A", "c1", "c2")]


def test_every_source_is_on_the_time_line(warehouse: duckdb.DuckDBPyConnection) -> None:
    history = "clean_history.baltimore_"
    put(warehouse, f"{history}demolitions", demolition_id="d", block_lot=PLACE, finished_date="2024-06-01", **FIRST)
    put(
        warehouse,
        f"{history}rehabs",
        rehab_id="r",
        permit_number="USE1",
        block_lot=PLACE,
        issued_date="2024-05-01",
        **FIRST,
    )
    put(warehouse, f"{history}receiverships", receivership_id="s", block_lot=PLACE, filed_date="2021-01-01",
        appointed_date="2021-03-01", sold_date="2022-01-01", **FIRST)  # fmt: skip
    put(
        warehouse,
        f"{history}receiverships_settled",
        receivership_id="t",
        block_lot=PLACE,
        appointed_date="2020-03-01",
        **FIRST,
    )
    put(warehouse, f"{history}rental_licences", licence_id="l", block_lot=PLACE, record_kind="licence", record_number="MF1",
        issued_date="2023-01-01", **FIRST)  # fmt: skip
    put(warehouse, f"{history}rental_licences", licence_id="m", block_lot=PLACE, record_kind="registration", **FIRST)
    put(warehouse, f"{history}open_bid_list", bid_list_id="o", block_lot=PLACE, status="Available", **SECOND)
    put(warehouse, "clean.baltimore_building_permits", permit_id="p", case_number="DEM1", block_lot=PLACE, issued_date="2024-04-01",
        is_demolition=True, is_use_permit=False, plausible_cost=500, description="RAZE")  # fmt: skip
    for change, day in (("first_listed", "2016-01-01"), ("left", "2024-07-01"), ("renoticed", "2023-01-01")):
        put(warehouse, "marts.fct_vacancy_changes", change_id=change, city="baltimore", block_lot=PLACE, change=change,
            listed_on=day, capture_id="v1")  # fmt: skip
    assert events(warehouse, "event_date::varchar, event_type, detail, amount::double, capture_id") == [
        ("2020-03-01", "receiver_appointed", "Case of receivership", None, "c1"),
        ("2021-01-01", "receivership_filed", "Case of receivership", None, "c1"),
        ("2021-03-01", "receiver_appointed", "Case of receivership", None, "c1"),
        ("2022-01-01", "receivership_sale", "Case of receivership", None, "c1"),
        ("2023-01-01", "rental_licence", "MF1", None, "c1"),
        ("2024-04-01", "demolition_permit", "DEM1: RAZE", 500.0, "p2"),
        ("2024-05-01", "rehabbed", "Use and occupancy permit USE1", None, "c1"),
        ("2024-06-01", "demolished", "Demolition by the City finished", None, "c1"),
        ("2024-07-01", "left_the_vacant_list", "Seen on the list of this day", None, "v1"),
        ("2025-01-01", "offered_for_bids", "Available", None, "c2"),
    ]


def test_a_citation_belongs_to_the_one_property_of_its_address(warehouse: duckdb.DuckDBPyConnection) -> None:
    """7 Mill Ave is one property, 9 Mill Ave are two, and nobody knows 11 Mill Ave."""
    for number, (lot, address) in enumerate(
        (("001", "7 MILL AVE"), ("001", "7 MILL AVE"), ("002", "9 MILL AVE"), ("003", "9 MILL AVE"))
    ):
        put(warehouse, "clean.baltimore_real_property", parcel_id=str(number), block_lot=f"0001|{lot}", address=address)
    for number, address in enumerate(("7 Mill Ave", "9 MILL AVE", "11 MILL AVE", None)):
        put(warehouse, "clean_history.baltimore_environmental_citations", citation_id=str(number), violation_address=address,
            description="TRASH", violation_date="2024-05-01", **FIRST)  # fmt: skip
    assert events(warehouse, "block_lot, event_type, detail") == [(PLACE, "citation", "TRASH, found by its address")]


def test_a_permit_keeps_its_id_when_the_layer_gives_object_ids_anew(warehouse: duckdb.DuckDBPyConnection) -> None:
    """Two amendments of one case on one day, and one of another day; the layer is made again in another order."""
    raw = "raw.baltimore_building_permits"
    others = (
        "address",
        "neighborhood",
        "council_district",
        "expirationdate",
        "existinguse",
        "proposeduse",
        "_capture_id",
    )
    names = (*others, "casenumber", "blocklot", "issueddate", "description")
    warehouse.execute(f"create table {raw} (objectid bigint, cost double, {' varchar, '.join(names)} varchar)")
    permits = [("2024-05-01", "RAZE"), ("2024-05-01", "FENCE"), ("2024-06-01", "RAZE")]
    ids = []
    for order in (permits, permits[::-1]):
        warehouse.execute(f"delete from {raw}")
        for number, (day, description) in enumerate(order):
            put(
                warehouse,
                raw,
                objectid=number,
                casenumber="DEM1",
                blocklot="0001 001",
                issueddate=day,
                description=description,
            )
        build(warehouse, "clean.baltimore_building_permits")
        query = "select permit_id from clean.baltimore_building_permits order by issued_date, description"
        ids.append([permit for (permit,) in warehouse.execute(query).fetchall()])
    assert ids[0] == ids[1]
    assert len({*ids[0]}) == 3


def test_a_profile_has_both_ages_and_the_share_of_its_block(warehouse: duckdb.DuckDBPyConnection) -> None:
    """Four properties in block 0001, of which one is vacant; 0001|002 has two parcels; 0009|001 is known from an event only."""
    put_on_the_map(warehouse, "Upton")
    put(warehouse, "clean.baltimore_rehabs", rehab_id="r", block_lot=PLACE, longitude=-76.6, latitude=39.3)
    put(warehouse, "clean.baltimore_rehabs", rehab_id="s", block_lot="0001|003", longitude=-76.61, latitude=39.31)
    put(warehouse, "clean.baltimore_rehabs", rehab_id="t", block_lot="0001|003")
    for number, lot in enumerate(("001", "002", "002", "003", "004")):
        put(warehouse, "clean.baltimore_real_property", parcel_id=str(number), block_lot=f"0001|{lot}", address=f"{lot} MILL AVE",
            neighborhood="UPTON" if number % 2 else "Upton ", dwelling_count=2)  # fmt: skip
    put(warehouse, "marts.fct_vacancy_lists", city="baltimore", listed_on="2025-01-01")
    spell = {"city": "baltimore", "block_lot": PLACE, "renoticed_count": 1, "observed_continuity": 0.5,
             "longitude": -76.62, "latitude": 39.32}  # fmt: skip
    put(warehouse, "marts.fct_vacancy_spells", spell_number=1, first_notice_date="2010-01-01", start_date="2010-01-01",
        newest_notice_date="2010-01-01", is_open=False, **spell)  # fmt: skip
    put(warehouse, "marts.fct_vacancy_spells", spell_number=2, first_notice_date="2010-01-01", start_date="2018-01-01",
        newest_notice_date="2022-01-01", is_open=True, **spell)  # fmt: skip
    put(
        warehouse,
        "clean.baltimore_rental_licences",
        licence_id="l",
        block_lot=PLACE,
        record_kind="licence",
        expires_date="2026-01-01",
    )
    put(
        warehouse,
        "clean_history.baltimore_demolitions",
        demolition_id="d",
        block_lot="0009|001",
        finished_date="2024-06-01",
        **FIRST,
    )
    build(warehouse, "marts.fct_property_events", "marts.mart_property_profiles")
    columns = (
        "block_lot, parcel_count, is_vacant, published_age, true_age, spell_start_date::varchar, spell_count, renoticed_count,"
        " licensed_until::varchar, event_count, block_property_count, block_vacant_count, block_vacant_share"
    )
    rows = warehouse.execute(f"select {columns} from marts.mart_property_profiles order by block_lot").fetchall()
    ages = (round(1096 / 365.25, 4), round(5479 / 365.25, 4))
    assert rows == [
        (PLACE, 1, True, *ages, "2018-01-01", 2, 2, "2026-01-01", 0, 4, 1, 0.25),
        ("0001|002", 2, False, None, None, None, 0, 0, None, 0, 4, 1, 0.25),
        ("0001|003", 1, False, None, None, None, 0, 0, None, 0, 4, 1, 0.25),
        ("0001|004", 1, False, None, None, None, 0, 0, None, 0, 4, 1, 0.25),
        ("0009|001", 0, False, None, None, None, 0, 0, None, 1, 0, 0, None),
    ]
    [(dwellings,)] = warehouse.execute("select sum(dwelling_count) from marts.mart_property_profiles").fetchall()
    assert dwellings == 10
    places = "select block_lot, neighborhood, longitude, latitude from marts.mart_property_profiles order by block_lot limit 3"
    assert warehouse.execute(places).fetchall() == [
        (PLACE, "Upton", -76.62, 39.32), ("0001|002", "Upton", None, None), ("0001|003", "Upton", -76.61, 39.31),
    ]  # fmt: skip
