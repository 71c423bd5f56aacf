"""The formulas of the vacant building notices, each on a few rows made by hand."""

from collections.abc import Sequence
from datetime import date

import duckdb
import pytest
from formulas import build, empty_warehouse


@pytest.fixture
def warehouse() -> duckdb.DuckDBPyConnection:
    return empty_warehouse()


Notice = tuple[str | None, str, str]


def flows(warehouse: duckdb.DuckDBPyConnection, *lists: Sequence[Notice]) -> list[tuple[object, ...]]:
    """(entered, returned, left, re-noticed, matched by) of every list after the first; notices are (number, property, day)."""
    warehouse.execute(
        "create or replace table history.baltimore_vacant_building_notices"
        " (noticenum varchar, blocklot varchar, datenotice varchar, _capture_id varchar, _captured_at timestamp)"
    )
    for year, listed in enumerate(lists, 2020):
        for notice in listed:
            warehouse.execute(
                "insert into history.baltimore_vacant_building_notices values (?, ?, ?, ?, ?)",
                [*notice, f"c{year}", date(year, 1, 1)],
            )
    build(warehouse, "marts.mart_vacant_notice_flows")
    return warehouse.execute(
        "select entered_count, returned_count, left_count, renoticed_count, matched_by"
        " from marts.mart_vacant_notice_flows order by listed_at"
    ).fetchall()


def test_a_property_enters_once_and_returns_later(warehouse: duckdb.DuckDBPyConnection) -> None:
    stays, goes = ("1A", "0001 001", "2019-05-01"), ("2A", "0001 002", "2019-05-02")
    back, new = ("3A", "0001 002", "2021-06-01"), ("4A", "0001 003", "2021-06-02")
    assert flows(warehouse, [stays, goes], [stays], [stays, back, new], [stays, back, new]) == [
        (0, 0, 1, 0, "notice number"),
        (1, 1, 0, 0, "notice number"),
        (0, 0, 0, 0, "notice number"),
    ]


def test_a_new_notice_for_a_property_of_the_list_is_a_renotice_however_often(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    before = [("1A", "0001 001", "2019-05-01"), ("2A", "0001 002", "2019-05-01")]
    after = [("7A", "0001001", "2019-05-01"), ("8A", "0001 001", "2020-05-01"), ("2A", "0001 002", "2020-05-01")]
    assert flows(warehouse, before, after) == [(0, 0, 0, 1, "notice number")]


def test_without_numbers_a_notice_is_matched_by_its_day_give_or_take_one(warehouse: duckdb.DuckDBPyConnection) -> None:
    before = [(None, f"0001 00{lot}", "05/10/2019") for lot in range(1, 5)]
    after = [
        ("1A", "0001 001", "May 10, 2019"),
        ("2A", "0001 002", "May 9, 2019"),
        ("3A", "0001 003", "May 12, 2019"),
        ("4A", "0001 004", "2019/05/11 08:00:00+00"),
    ]
    assert flows(warehouse, before, after) == [(0, 0, 0, 1, "notice date")]


def test_a_property_that_cannot_be_read_is_counted_apart(warehouse: duckdb.DuckDBPyConnection) -> None:
    one = ("1A", "0001 001", "2019-05-01")
    assert flows(warehouse, [one], [one, ("2A", "6E54 016", "2019-05-01")]) == [(0, 0, 0, 0, "notice number")]
    query = "select notice_count, previous_unreadable_count, unreadable_count, property_count from marts.mart_vacant_notice_flows"
    assert warehouse.execute(query).fetchall() == [(2, 0, 1, 1)]
    assert flows(warehouse, [one, ("2A", "6E54 016", "2019-05-01")], [one]) == [(0, 0, 0, 0, "notice number")]
    assert warehouse.execute(query).fetchall() == [(1, 1, 0, 1)]


def test_notices_of_every_copy_are_read_and_those_of_one_day_and_property_distinguished(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    warehouse.execute(
        "create table raw.baltimore_vacant_building_notices as select * from (values"
        " (null, '01/01/21507', '0411 032', '715 N Fremont', '11'), (null, '01/01/21507', '0411 032', '717 N Fremont', '11'),"
        " ('9A', '2025/05/15 10:00:00+00', '4511H077', ' x ', '9'), ('8A', 'soon', '6E54 016', 'y', '-426651064'))"
        " as t (noticenum, datenotice, blocklot, address, council_district)"
        " cross join (select 'J' as housingmarkettypology2023, null::varchar as owner_abbr, 'Upton' as neighborhood, 'c' as _capture_id)"
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
