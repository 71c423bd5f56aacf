"""Certifications of the City's two registers: the layer of 2023, and the exports of the current register, once there are any."""

from datetime import date

import duckdb
import pytest
from formulas import build, empty_warehouse

LAYER = [
    ("Ace LLC", "MBE", "CERTIFY", "1 Main St", "2010-01-01"),
    ("Bee Inc", "MBE", "CERTIFY", "2 Main St", "2012-01-01"),
    ("Cee Co", "WBE", "EXPIRED", "3 Main St", "2001-01-01"),
]
# Exported on two days: Dee lost its certification between them, Cee won it back.
EXPORTS = [
    ("2026-06-01", "ACE, LLC", "MBE", "1 Main Street", "Black American", "Paving"),
    ("2026-06-01", "Dee LLC", "MBE/WBE", "4 Main St", "Hispanic American", "Printing"),
    ("2026-09-01", "ACE, LLC", "MBE", "1 Main Street", "Black American", "Paving"),
    ("2026-09-01", "Cee Co", "WBE", "3 Main St", "Caucasian", "Signs"),
    ("2026-09-01", "Gee LLC", "DBE", "5 Main St", "Caucasian", "Signs"),
]


def warehouse_of(exports: list[tuple[str, ...]]) -> duckdb.DuckDBPyConnection:
    warehouse = empty_warehouse()
    warehouse.execute(
        "create table clean.baltimore_mwbe (listing_id varchar, firm_name varchar, certification_type varchar, certification_status varchar,"
        " street_address varchar, first_certified_date date, city_name varchar, zip_code varchar, trade_category varchar)"
    )
    for n, (name, kind, status, street, since) in enumerate(LAYER):
        warehouse.execute(
            "insert into clean.baltimore_mwbe values (?, ?, ?, ?, ?, ?, 'Baltimore', '21218', 'SERVICES')",
            [str(n), name, kind, status, street, since],
        )
    warehouse.execute("create schema if not exists clean_history")
    warehouse.execute(
        "create table clean_history.baltimore_mwbe_register (_captured_at timestamp, firm_name varchar, certification_type varchar,"
        " street_address varchar, owner_group varchar, services varchar, city_name varchar default 'Baltimore', zip_code varchar default '21218')"
    )
    for export in exports:
        warehouse.execute(
            "insert into clean_history.baltimore_mwbe_register (_captured_at, firm_name, certification_type, street_address, owner_group, services)"
            " values (?, ?, ?, ?, ?, ?)", export
        )  # fmt: skip
    build(warehouse, "marts.dim_certified_firms")
    return warehouse


def periods(warehouse: duckdb.DuckDBPyConnection) -> list[tuple[object, ...]]:
    query = (
        "select register, firm_name, certification_type, valid_from, valid_to from marts.dim_certified_firms where is_valid_period"
        " and authority = 'baltimore' order by register, firm_name, certification_type"
    )
    return warehouse.execute(query).fetchall()


def test_before_an_export_the_layer_alone_says_who_is_certified() -> None:
    assert periods(warehouse_of([])) == [
        ("baltimore/mwbe", "Ace LLC", "MBE", date(2010, 1, 1), None),
        ("baltimore/mwbe", "Bee Inc", "MBE", date(2012, 1, 1), None),
    ]


def test_an_export_ends_what_it_does_not_list_and_certifies_from_its_day() -> None:
    warehouse = warehouse_of(EXPORTS)
    assert periods(warehouse) == [
        ("baltimore/mwbe", "Ace LLC", "MBE", date(2010, 1, 1), None),
        ("baltimore/mwbe", "Bee Inc", "MBE", date(2012, 1, 1), date(2026, 6, 1)),
        ("baltimore/mwbe_register", "ACE, LLC", "MBE", date(2026, 6, 1), None),
        ("baltimore/mwbe_register", "Cee Co", "WBE", date(2026, 9, 1), None),
        ("baltimore/mwbe_register", "Dee LLC", "MBE", date(2026, 6, 1), date(2026, 6, 1)),
        ("baltimore/mwbe_register", "Dee LLC", "WBE", date(2026, 6, 1), date(2026, 6, 1)),
    ]
    groups = warehouse.execute(
        "select distinct firm_name, owner_group, trades from marts.dim_certified_firms where owner_group is not null order by 1"
    )
    assert groups.fetchall() == [
        ("ACE, LLC", "Black American", "Paving"), ("Cee Co", "Caucasian", "Signs"), ("Dee LLC", "Hispanic American", "Printing"),
    ]  # fmt: skip
    ids = warehouse.execute(
        "select count(*), count(distinct certification_id) from marts.dim_certified_firms"
    ).fetchone()
    assert ids == (7, 7)


@pytest.mark.parametrize(("exports", "certified", "ended", "unpublished"), [
    ([], True, None, "baltimore/mwbe: group"),
    (EXPORTS, False, date(2026, 6, 1), "baltimore/mwbe: group"),
], ids=["before", "after"])  # fmt: skip
def test_the_finder_shows_whether_a_firm_is_certified_and_what_is_not_published(
    exports: list[tuple[str, ...]], certified: bool, ended: date | None, unpublished: str
) -> None:
    warehouse = warehouse_of(exports)
    warehouse.execute("""
        create table marts.bridge_certified_firms as
        select certification_id, authority, split_part(upper(firm_name), ' ', 1) as firm_id, firm_name from marts.dim_certified_firms;
        create table seeds.certifying_registers as from (values
            ('baltimore/mwbe', 'group'), ('baltimore/mwbe_register', 'expiration')) as t(register, not_published);
        create table marts.fct_vendor_certification_matches (firm_id varchar, vendor_id varchar, vendor_name varchar, match_probability double, is_assigned boolean);
        create table marts.dim_vendors (vendor_id varchar, paid_amount decimal(38, 2), last_paid_date date);
        create table marts.fct_payments (vendor_id varchar, agency_id varchar, payment_date date, paid_amount decimal(18, 2));
        create table marts.dim_agencies (agency_id varchar, agency_name varchar);
        insert into marts.fct_vendor_certification_matches values ('BEE', 'v', 'Bee', 0.9, true);
        insert into marts.dim_vendors values ('v', 17, date '2026-07-01');
        insert into marts.dim_agencies values ('a', 'Police');
        insert into marts.fct_payments values ('v', 'a', date '2026-06-01', 10), ('v', 'a', date '2026-07-01', 7);
    """)
    build(warehouse, "marts.mart_mwbe_finder")
    query = "select is_certified, valid_to, paid_after_end_amount, paid_amount, not_published from marts.mart_mwbe_finder where firm_name = 'Bee Inc'"
    assert warehouse.execute(query).fetchall() == [(certified, ended, ended and 7, 17, unpublished)]
