"""The formulas of the vacant building notices, each on a few rows made by hand."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest
from formulas import build, committed_models, create, empty_warehouse, put, put_on_the_map, rows_of_check

from civic_pipeline.catalog import load_datasets
from civic_pipeline.lake import Lake, backfill
from civic_pipeline.methods.geography.rates import prior_of
from civic_pipeline.settings import CHECKOUT
from civic_pipeline.warehouse.captured import capture_sql

NUMBERED, BY_DATE = "notice number", "notice date"
MARTS = (
    "marts.fct_vacancy_lists", "marts.fct_vacancy_changes", "marts.fct_vacancy_spells", "marts.mart_vacancy_flows_monthly",
)  # fmt: skip

# Number of the notice, property and day.
Notice = tuple[str | None, str, str]


@pytest.fixture
def warehouse() -> duckdb.DuckDBPyConnection:
    warehouse = empty_warehouse()
    create(
        warehouse,
        "clean.baltimore_demolitions",
        "clean.baltimore_rehabs",
        "clean.baltimore_real_property",
        "marts.dim_geographies",
    )
    put_on_the_map(warehouse, "Upton", "Oliver")
    return warehouse


def list_notices(
    warehouse: duckdb.DuckDBPyConnection, lists: Sequence[tuple[str, Sequence[Notice]]], unreadable: int = 0
) -> None:
    """Make the marts from lists of (day, notices), oldest first; the last list has `unreadable` rows that are not clean."""
    warehouse.execute("drop table if exists clean_history.baltimore_vacant_building_notices")
    create(warehouse, "clean_history.baltimore_vacant_building_notices")
    warehouse.execute("create or replace table history.baltimore_vacant_building_notices (_capture_id varchar)")
    for sequence, (day, listed) in enumerate(lists, 1):
        for number, (name, place, notice_date) in enumerate(listed):
            neighborhood = "Upton" if place < "0002" else "OLIVER"
            put(warehouse, "clean_history.baltimore_vacant_building_notices", notice_id=f"{sequence} {number}", notice_number=name,
                notice_date=notice_date, block_lot=place, address="x", neighborhood=neighborhood, council_district=1, market_typology="J",
                _capture_id=f"c{day}", _captured_at=day, _sequence=sequence)  # fmt: skip
            warehouse.execute("insert into history.baltimore_vacant_building_notices values (?)", [f"c{day}"])
    for _ in range(unreadable):
        warehouse.execute("insert into history.baltimore_vacant_building_notices values (?)", [f"c{lists[-1][0]}"])
    build(warehouse, *MARTS)


def changes(warehouse: duckdb.DuckDBPyConnection) -> list[tuple[object, ...]]:
    return warehouse.execute(
        "select list_number, block_lot, change, matched_by from marts.fct_vacancy_changes where list_number > 1 order by all"
    ).fetchall()


def test_a_property_enters_once_and_returns_later(warehouse: duckdb.DuckDBPyConnection) -> None:
    stays, goes = ("1A", "0001|001", "2019-05-01"), ("2A", "0001|002", "2019-05-02")
    back, new = ("3A", "0001|002", "2021-06-01"), ("4A", "0001|003", "2021-06-02")
    lists = [("2020-01-01", [stays, goes]), ("2021-01-01", [stays]), ("2022-01-01", [stays, back, new])]
    list_notices(warehouse, lists)
    assert changes(warehouse) == [
        (2, "0001|002", "left", NUMBERED), (3, "0001|002", "returned", NUMBERED), (3, "0001|003", "entered", NUMBERED),
    ]  # fmt: skip


def test_a_new_notice_for_a_property_of_the_list_is_a_renotice_however_often(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    before = [("1A", "0001|001", "2019-05-01"), ("2A", "0001|002", "2019-05-01")]
    after = [("7A", "0001|001", "2019-05-01"), ("8A", "0001|001", "2020-05-01"), ("2A", "0001|002", "2020-05-01")]
    list_notices(warehouse, [("2020-01-01", before), ("2021-01-01", after)])
    assert changes(warehouse) == [(2, "0001|001", "renoticed", NUMBERED)]


def test_without_numbers_a_notice_is_matched_by_its_day_give_or_take_one(warehouse: duckdb.DuckDBPyConnection) -> None:
    before = [(None, f"0001|00{lot}", "2019-05-10") for lot in range(1, 5)]
    after = [
        ("1A", "0001|001", "2019-05-10"), ("2A", "0001|002", "2019-05-09"), ("3A", "0001|003", "2019-05-12"),
        ("4A", "0001|004", "2019-05-11"),
    ]  # fmt: skip
    list_notices(warehouse, [("2020-01-01", before), ("2021-01-01", after)])
    assert changes(warehouse) == [(2, "0001|003", "renoticed", BY_DATE)]


def test_rows_that_cannot_be_read_are_counted_with_the_list(warehouse: duckdb.DuckDBPyConnection) -> None:
    list_notices(warehouse, [("2020-01-01", [("1A", "0001|001", "2019-05-01")])], unreadable=2)
    query = "select row_count, unreadable_count, property_count, is_numbered from marts.fct_vacancy_lists"
    assert warehouse.execute(query).fetchall() == [(3, 2, 1, True)]


def spells(warehouse: duckdb.DuckDBPyConnection, columns: str) -> list[tuple[object, ...]]:
    return warehouse.execute(
        f"select {columns} from marts.fct_vacancy_spells order by block_lot, spell_number"
    ).fetchall()


def test_a_spell_begins_with_the_earliest_notice_and_goes_on_with_a_new_one(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    list_notices(warehouse, [
        ("2020-01-01", [("1A", "0001|001", "2012-05-01")]),
        ("2021-01-01", [("2A", "0001|001", "2020-05-01")]),
        ("2022-01-01", [("2A", "0001|001", "2020-05-01")]),
    ])  # fmt: skip
    columns = "start_date, newest_notice_date, first_listed_on, last_listed_on, absent_on, is_open, renoticed_count, list_count"
    assert spells(warehouse, columns) == [
        (date(2012, 5, 1), date(2020, 5, 1), date(2020, 1, 1), date(2022, 1, 1), None, True, 1, 3)
    ]


@pytest.mark.parametrize(("next_notice", "count"), [("2021-02-15", 1), ("2021-02-16", 2), ("2019-01-01", 1)])
def test_an_absence_ends_a_spell_if_the_next_notice_is_more_than_45_days_later(
    warehouse: duckdb.DuckDBPyConnection, next_notice: str, count: int
) -> None:
    """The property was last seen on 2021-01-01; 45 days later is 2021-02-15."""
    other = ("9A", "0001|009", "2019-05-01")
    list_notices(warehouse, [
        ("2021-01-01", [("1A", "0001|001", "2012-05-01"), other]),
        ("2021-02-01", [other]),
        ("2021-03-01", [("2A", "0001|001", next_notice), other]),
    ])  # fmt: skip
    rows = spells(
        warehouse, "block_lot, spell_number, start_date, first_notice_date, next_start_date, observed_continuity"
    )
    mine = [row[1:] for row in rows if row[0] == "0001|001"]
    assert len(mine) == count
    if count == 1:
        [(_, start, first, following, continuity)] = mine
        assert (start, first, following, continuity) == (date(2012, 5, 1), date(2012, 5, 1), None, 0.6667)
    else:
        later = date.fromisoformat(next_notice)
        assert mine == [(1, date(2012, 5, 1), date(2012, 5, 1), later, 1.0), (2, later, date(2012, 5, 1), None, 1.0)]


@pytest.mark.parametrize(
    ("finished", "issued", "exit_type", "evidence"),
    [
        ("2020-07-05", None, "demolished", "2020-07-05"),  # 180 days before 2021-01-01
        ("2020-07-04", None, "other_or_unknown", None),
        ("2021-09-28", "2021-03-01", "demolished", "2021-09-28"),  # 180 days after 2021-04-01; a demolition comes first
        ("2021-09-29", "2021-03-01", "rehabbed", "2021-03-01"),
        (None, None, "other_or_unknown", None),
    ],
)
def test_an_ending_is_classified_by_demolitions_and_permits_within_180_days(
    warehouse: duckdb.DuckDBPyConnection, finished: str | None, issued: str | None, exit_type: str, evidence: str | None
) -> None:
    """The spell ended between 2021-01-01 and 2021-04-01."""
    if finished:
        put(warehouse, "clean.baltimore_demolitions", block_lot="0001|001", finished_date=finished)
    if issued:
        put(warehouse, "clean.baltimore_rehabs", block_lot="0001|001", issued_date=issued)
    other = ("9A", "0001|009", "2019-05-01")
    list_notices(warehouse, [("2021-01-01", [("1A", "0001|001", "2012-05-01"), other]), ("2021-04-01", [other])])
    [ended, still_open] = spells(warehouse, "exit_type, exit_evidence_date::varchar, absent_on::varchar")
    assert ended == (exit_type, evidence, "2021-04-01")
    assert still_open == (None, None, None)


def test_the_months_of_every_neighborhood_add_up(warehouse: duckdb.DuckDBPyConnection) -> None:
    """Two lists in January, one in March. 0001 is in Upton, 0002 in Oliver, whatever the spelling."""
    a, b, c, d = (
        ("1A", "0001|001", "2019-05-01"), ("2A", "0001|002", "2019-05-01"), ("3A", "0002|001", "2019-05-01"),
        ("4A", "0002|002", "2021-02-01"),
    )  # fmt: skip
    put(warehouse, "clean.baltimore_rehabs", block_lot="0001|002", issued_date="2021-01-20")
    list_notices(warehouse, [
        ("2021-01-01", [a, b, c]), ("2021-01-31", [a, c]), ("2021-03-01", [("7A", "0001|001", "2021-02-20"), d]),
    ])  # fmt: skip
    columns = (
        "neighborhood, month::varchar, list_count, opened_on::varchar, closed_on::varchar, opening_count, entered_count,"
        " returned_count, left_count, closing_count, renoticed_count, demolished_count, rehabbed_count, other_or_unknown_count"
    )
    rows = warehouse.execute(f"select {columns} from marts.mart_vacancy_flows_monthly order by all").fetchall()
    assert rows == [
        ("Oliver", "2021-01-01", 2, "2021-01-01", "2021-01-31", 1, 0, 0, 0, 1, 0, 0, 0, 0),
        ("Oliver", "2021-03-01", 1, "2021-01-31", "2021-03-01", 1, 1, 0, 1, 1, 0, 0, 0, 1),
        ("Upton", "2021-01-01", 2, "2021-01-01", "2021-01-31", 2, 0, 0, 1, 1, 0, 0, 1, 0),
        ("Upton", "2021-03-01", 1, "2021-01-31", "2021-03-01", 1, 0, 0, 0, 1, 1, 0, 0, 0),
    ]
    assert rows_of_check(warehouse, "vacancy_counts_add_up_to_the_list") == []
    warehouse.execute(
        "delete from marts.mart_vacancy_flows_monthly where neighborhood = 'Oliver' and month = '2021-03-01'"
    )
    [(_, closed_on, counted, listed)] = rows_of_check(warehouse, "vacancy_counts_add_up_to_the_list")
    assert (closed_on, counted, listed) == (date(2021, 3, 1), 1, 2)


def test_rates_per_1000_parcels_are_shrunk_as_by_marshalls_moments(warehouse: duckdb.DuckDBPyConnection) -> None:
    """Upton: 2 of 100 parcels, Oliver: 30 of 300, and Canton, which no list names, 0 of 50. Without a map the name is in capitals."""
    warehouse.execute("delete from marts.dim_geographies where geography_name = 'Oliver'")
    for name, size in (("UPTON", 100), ("Upton ", 100), ("Oliver", 300), ("Canton", 50)):
        warehouse.execute(
            "insert into clean.baltimore_real_property (block_lot, neighborhood)"
            f" select '{name.strip().title()} ' || lot, '{name}' from range({size}) as t(lot)"
        )
    listed = [
        (f"{lot}A", f"{place}|{lot:03d}", "2019-05-01")
        for place, count in (("0001", 2), ("0002", 30))
        for lot in range(count)
    ]
    list_notices(warehouse, [("2021-01-01", listed)])
    prior = prior_of([2, 30, 0], [100, 300, 50])
    columns = "neighborhood, parcel_count, per_1000_parcels, per_1000_parcels_shrunk, own_weight, no_rate_reason"
    rows = warehouse.execute(f"select {columns} from marts.mart_vacancy_flows_monthly order by 1").fetchall()
    assert rows == [
        (name, n, 1000 * x / n, pytest.approx(1000 * (prior.alpha + x) / (prior.beta + n), abs=1e-6), pytest.approx(n / (prior.beta + n), abs=1e-6), None)
        for name, x, n in (("OLIVER", 30, 300), ("Upton", 2, 100))
    ]  # fmt: skip
    assert 20 < rows[1][3] < rows[0][3] < 100


def test_without_parcels_no_rate_is_published_and_the_reason_is_there(warehouse: duckdb.DuckDBPyConnection) -> None:
    list_notices(warehouse, [("2021-01-01", [("1A", "0001|001", "2019-05-01")])])
    columns = (
        "closing_count, per_1000_parcels, per_1000_parcels_shrunk, own_weight, no_rate_reason like 'Not published: %'"
    )
    assert warehouse.execute(f"select {columns} from marts.mart_vacancy_flows_monthly").fetchall() == [
        (1, None, None, None, True)
    ]


def test_a_spell_has_the_point_of_the_newest_list_that_has_points(warehouse: duckdb.DuckDBPyConnection) -> None:
    list_notices(warehouse, [(f"202{year}-01-01", [("1A", "0001|001", "2019-05-01")]) for year in range(3)])
    table = "clean_history.baltimore_vacant_building_notices"
    warehouse.execute(f"update {table} set longitude = 60 + _sequence, latitude = 39.3 where _sequence < 3")
    build(warehouse, "marts.fct_vacancy_spells")
    assert spells(warehouse, "longitude, latitude") == [(62.0, 39.3)]


def test_points_of_an_export_in_feet_are_degrees_and_null_island_and_swapped_axes_are_quarantined(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """A list of 2016 has no points; the export of 2025 has Maryland State Plane feet: in the city, none, 0 and 0, and exchanged."""
    name = "baltimore/vacant_building_notices"
    dataset, lake = load_datasets(CHECKOUT)[name], Lake(tmp_path / "lake")
    former = tmp_path / "former.csv"
    former.write_text(
        "ReferenceID,Block,Lot,BuildingAddress,NoticeDate,Neighborhood,PoliceDistrict,CouncilDistrict\n"
        "1,0411,032,715 N Fremont,02/15/2007,UPTON,WESTERN,11\n"
    )
    export = tmp_path / "export.csv"
    rest = ",2025/05/15 10:00:00+00,,,Vacant,,J,11,Upton,0411 032,715 N Fremont"
    points = ("1420000.5,593000.25", ",", "0,0", "593000.25,1420000.5")
    export.write_text(
        "X,Y,OBJECTID,NoticeNum,DateNotice,DateCancel,DateAbate,NT,OWNER_ABBR,HousingMarketTypology2023,Council_District,"
        "Neighborhood,BLOCKLOT,Address\n"
        + "".join(f"{point},{number},{number}A{rest}\n" for number, point in enumerate(points))
    )
    [rule] = [
        rule
        for rule in committed_models()[f"clean.{name.replace('/', '_')}"].contract.row_rules
        if rule.name == "point_is_in_the_city"
    ]
    seen = []
    for file, day in ((former, 2016), (export, 2025)):
        capture = backfill(name, dataset, lake, file, datetime(day, 6, 1, tzinfo=UTC), "demo")
        warehouse.execute(
            f"create or replace view raw.baltimore_vacant_building_notices as {capture_sql(lake, dataset, capture)}"
        )
        build(warehouse, "clean.baltimore_vacant_building_notices")
        query = f"select notice_number, round(longitude, 4), round(latitude, 4), {rule.keep_if} from clean.baltimore_vacant_building_notices"
        seen += warehouse.execute(f"{query} order by notice_number").fetchall()
    assert [row[0] for row in seen] == [None, "0A", "1A", "2A", "3A"]
    assert seen[:3] == [(None, None, None, True), ("0A", -76.6196, 39.2943, True), ("1A", None, None, True)]
    assert [row[3] for row in seen[3:]] == [False, False]


def test_notices_of_every_copy_are_read_and_those_of_one_day_and_property_distinguished(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    warehouse.execute(
        "create table raw.baltimore_vacant_building_notices as select * from (values"
        " (null, '01/01/21507', '0411 032', '715 N Fremont', '11'), (null, '01/01/21507', '0411 032', '717 N Fremont', '11'),"
        " ('9A', '2025/05/15 10:00:00+00', '4511H077', ' x ', '9'), ('8A', 'soon', '6E54 016', 'y', '-426651064'))"
        " as t (noticenum, datenotice, blocklot, address, council_district)"
        " cross join (select 'J' as housingmarkettypology2023, null::varchar as owner_abbr, 'Upton' as neighborhood, 'c' as _capture_id, null::blob as _geometry)"
    )
    build(warehouse, "clean.baltimore_vacant_building_notices")
    query = "select count(distinct notice_id), count(*) from clean.baltimore_vacant_building_notices"
    assert warehouse.execute(query).fetchall() == [(4, 4)]
    columns = "notice_number, notice_date, block_lot, address, council_district, _published_date"
    assert warehouse.execute(
        f"select {columns} from clean.baltimore_vacant_building_notices order by address"
    ).fetchall() == [
        (None, date(2007, 2, 15), "0411|032", "715 N Fremont", 11, "01/01/21507"),
        (None, date(2007, 2, 15), "0411|032", "717 N Fremont", 11, "01/01/21507"),
        ("9A", date(2025, 5, 15), "4511H|077", "x", 9, "2025/05/15 10:00:00+00"),
        ("8A", None, None, "y", -426651064, "soon"),
    ]
