"""The formulas of the vacant building notices, each on a few rows made by hand."""

from collections.abc import Sequence
from datetime import date

import duckdb
import pytest
from formulas import build, empty_warehouse, rows_of_check

NUMBERED, BY_DATE = "notice number", "notice date"
MARTS = (
    "marts.fct_vacancy_lists", "marts.fct_vacancy_changes", "marts.fct_vacancy_spells", "marts.mart_vacancy_flows_monthly",
)  # fmt: skip

# Number of the notice, property and day.
Notice = tuple[str | None, str, str]


@pytest.fixture
def warehouse() -> duckdb.DuckDBPyConnection:
    warehouse = empty_warehouse()
    warehouse.execute("create table clean.baltimore_demolitions (block_lot varchar, finished_date date)")
    warehouse.execute("create table clean.baltimore_rehabs (block_lot varchar, issued_date date)")
    return warehouse


def list_notices(
    warehouse: duckdb.DuckDBPyConnection, lists: Sequence[tuple[str, Sequence[Notice]]], unreadable: int = 0
) -> None:
    """Make the marts from lists of (day, notices), oldest first; the last list has `unreadable` rows that are not clean."""
    warehouse.execute(
        "create or replace table clean_history.baltimore_vacant_building_notices (notice_id varchar, notice_number varchar,"
        " notice_date date, block_lot varchar, address varchar, neighborhood varchar, council_district integer,"
        " market_typology varchar, public_owner varchar, _capture_id varchar, _captured_at timestamp, _sequence integer)"
    )
    warehouse.execute("create or replace table history.baltimore_vacant_building_notices (_capture_id varchar)")
    for sequence, (day, listed) in enumerate(lists, 1):
        for number, (name, place, notice_date) in enumerate(listed):
            neighborhood = "Upton" if place < "0002" else "OLIVER"
            warehouse.execute(
                "insert into clean_history.baltimore_vacant_building_notices values (?, ?, ?, ?, 'x', ?, 1, 'J', null, ?, ?, ?)",
                [f"{sequence} {number}", name, notice_date, place, neighborhood, f"c{day}", day, sequence],
            )
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
        warehouse.execute("insert into clean.baltimore_demolitions values ('0001|001', ?)", [finished])
    if issued:
        warehouse.execute("insert into clean.baltimore_rehabs values ('0001|001', ?)", [issued])
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
    warehouse.execute("insert into clean.baltimore_rehabs values ('0001|002', '2021-01-20')")
    list_notices(warehouse, [
        ("2021-01-01", [a, b, c]), ("2021-01-31", [a, c]), ("2021-03-01", [("7A", "0001|001", "2021-02-20"), d]),
    ])  # fmt: skip
    columns = (
        "neighborhood, month::varchar, list_count, opened_on::varchar, closed_on::varchar, opening_count, entered_count,"
        " returned_count, left_count, closing_count, renoticed_count, demolished_count, rehabbed_count, other_or_unknown_count"
    )
    rows = warehouse.execute(f"select {columns} from marts.mart_vacancy_flows_monthly order by all").fetchall()
    assert rows == [
        ("OLIVER", "2021-01-01", 2, "2021-01-01", "2021-01-31", 1, 0, 0, 0, 1, 0, 0, 0, 0),
        ("OLIVER", "2021-03-01", 1, "2021-01-31", "2021-03-01", 1, 1, 0, 1, 1, 0, 0, 0, 1),
        ("UPTON", "2021-01-01", 2, "2021-01-01", "2021-01-31", 2, 0, 0, 1, 1, 0, 0, 1, 0),
        ("UPTON", "2021-03-01", 1, "2021-01-31", "2021-03-01", 1, 0, 0, 0, 1, 1, 0, 0, 0),
    ]
    assert rows_of_check(warehouse, "vacancy_counts_add_up_to_the_list") == []
    warehouse.execute(
        "delete from marts.mart_vacancy_flows_monthly where neighborhood = 'OLIVER' and month = '2021-03-01'"
    )
    [(_, closed_on, counted, listed)] = rows_of_check(warehouse, "vacancy_counts_add_up_to_the_list")
    assert (closed_on, counted, listed) == (date(2021, 3, 1), 1, 2)


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
