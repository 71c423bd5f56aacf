"""The formulas of `sql/`, each on a few rows made by hand."""

from datetime import date

import duckdb
import pytest
from formulas import build, empty_warehouse


@pytest.fixture
def warehouse() -> duckdb.DuckDBPyConnection:
    return empty_warehouse()


# Calendar


def test_the_calendars_agree_with_their_publishers(warehouse: duckdb.DuckDBPyConnection) -> None:
    build(warehouse, "marts.dim_dates")

    def on(day: str, columns: str) -> tuple[object, ...] | None:
        return warehouse.execute(f"select {columns} from marts.dim_dates where day = ?", [day]).fetchone()

    # CDC: 2020 has 53 MMWR weeks, the last ending Saturday 2 January 2021; 2022 begins on Sunday 2 January.
    assert on("2021-01-02", "mmwr_year, mmwr_week") == (2020, 53)
    assert on("2021-01-03", "mmwr_year, mmwr_week") == (2021, 1)
    assert on("2022-01-01", "mmwr_year, mmwr_week") == (2021, 52)
    assert on("2019-12-29", "mmwr_year, mmwr_week") == (2020, 1)
    assert on("2021-01-03", "iso_year, iso_week") == (2020, 53)
    observed = "select strftime(day, '%m-%d') from marts.dim_dates where is_federal_holiday and calendar_year = 2021 order by day"
    days = [day for (day,) in warehouse.execute(observed).fetchall()]
    assert " ".join(days) == "01-01 01-18 02-15 05-31 06-18 07-05 09-06 10-11 11-11 11-25 12-24 12-31"


def fiscal_date(warehouse: duckdb.DuckDBPyConnection, city: str, day: str) -> tuple[object, ...] | None:
    return warehouse.execute(
        "select fiscal_year, fiscal_period, fiscal_quarter, fiscal_year_start_date, is_fiscal_year_end_month,"
        " business_day_of_fiscal_year from marts.dim_fiscal_dates where city = ? and day = ?",
        [city, day],
    ).fetchone()


def test_each_city_has_its_own_fiscal_year(warehouse: duckdb.DuckDBPyConnection) -> None:
    """July in Baltimore, January in Chicago, and two invented cities whose year begins in October and in April."""
    warehouse.execute(
        "insert into seeds.places by name select place, 'city' as kind, month as fiscal_year_first_month, named as fiscal_year_named_by"
        " from (values ('octoberville', 10, 'the year it ends'), ('aprilton', 4, 'the year it starts')) as t(place, month, named)"
    )
    build(warehouse, "marts.dim_cities", "marts.dim_dates", "marts.dim_fiscal_dates")
    assert fiscal_date(warehouse, "baltimore", "2023-07-01") == (2024, 1, 1, date(2023, 7, 1), False, 0)
    assert fiscal_date(warehouse, "baltimore", "2023-07-05") == (2024, 1, 1, date(2023, 7, 1), False, 2)
    assert fiscal_date(warehouse, "baltimore", "2024-06-30") == (2024, 12, 4, date(2023, 7, 1), True, 249)
    assert fiscal_date(warehouse, "chicago", "2024-01-02") == (2024, 1, 1, date(2024, 1, 1), False, 1)
    assert fiscal_date(warehouse, "chicago", "2023-12-31") == (2023, 12, 4, date(2023, 1, 1), True, 249)
    assert fiscal_date(warehouse, "octoberville", "2023-09-30") == (2023, 12, 4, date(2022, 10, 1), True, 249)
    assert fiscal_date(warehouse, "octoberville", "2023-10-02") == (2024, 1, 1, date(2023, 10, 1), False, 1)
    assert fiscal_date(warehouse, "aprilton", "2024-03-31") == (2023, 12, 4, date(2023, 4, 1), True, 249)
    assert fiscal_date(warehouse, "aprilton", "2024-04-01") == (2024, 1, 1, date(2024, 4, 1), False, 1)
    # Of years that the calendar holds only in part, no day is there.
    assert fiscal_date(warehouse, "chicago", "2010-12-31") is None
    assert fiscal_date(warehouse, "chicago", "2011-01-01") == (2011, 1, 1, date(2011, 1, 1), False, 0)


# Certified firms


def test_a_certification_is_valid_from_its_first_grant_while_the_register_calls_it_certified(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    warehouse.execute(
        "create table raw.baltimore_mwbe as select *, 'NULL' as user_website, 'Baltimore' as user_city, 'Md' as user_state,"
        " 'SERVICES' as user_category, '21218-' as user_zipcode, 'c' as _capture_id from (values"
        " ('Ace LLC', '1 Elm St', 'MBE', 'CERTIFY', '2010-01-01T00:00:00'),"
        " ('Ace LLC', '1 Elm St', 'WBE', 'EXPIRED', '2010-01-01T00:00:00'),"
        " ('Bee Inc', '2 Elm St', 'MBE', 'CERTIFY', '1970-01-01T00:00:00'),"
        " ('Cog Co', 'NULL', 'MBE', 'CERTIFY', 'NULL')"
        ") as t(user_company, user_streetaddress, user_contracttype, user_contractstatus, user_origcert)"
    )
    warehouse.execute(
        "create table raw.maryland_mbe_directory as select '16-1' as certification_number, 'Ace, Inc.' as name, 'G' as minority_group, 'a' as address,"
        " 'c' as city, 'c' as county, 'MD' as state, '20743' as zip, '1' as naics_code, 'p' as products_services, date '2016-01-01' as certification_date,"
        " 'c' as _capture_id"
    )
    warehouse.execute(  # nobody has fed the register
        "create table clean_history.baltimore_mwbe_register (firm_name varchar, street_address varchar, certification_type varchar,"
        " city_name varchar, zip_code varchar, services varchar, owner_group varchar, _captured_at timestamp)"
    )
    build(warehouse, "clean.baltimore_mwbe", "clean.maryland_mbe_directory", "marts.dim_certified_firms")
    query = (
        "select authority, firm_name, street_address, certification_type, valid_from, valid_to, is_valid_period"
        " from marts.dim_certified_firms order by all"
    )
    assert warehouse.execute(query).fetchall() == [
        ("baltimore", "Ace LLC", "1 Elm St", "MBE", date(2010, 1, 1), None, True),
        ("baltimore", "Ace LLC", "1 Elm St", "WBE", None, None, False),
        ("baltimore", "Bee Inc", "2 Elm St", "MBE", None, None, False),
        ("baltimore", "Cog Co", None, "MBE", None, None, False),
        ("maryland", "Ace, Inc.", "a", "MBE", date(2016, 1, 1), None, True),
    ]


def test_the_current_register_is_read_without_contacts(warehouse: duckdb.DuckDBPyConnection) -> None:
    warehouse.execute(
        "create table raw.baltimore_mwbe_register as select ' Ace  LLC' as \"Company Name\", '1 Elm St' as \"Physical Address\", 'Baltimore' as City,"
        " 'Md' as State, '21218-1234' as Zip, '410' as Phone, 'a@b' as Email, '' as Website, 'mbe' as \"Certification Type\", 'Paint' as Capability,"
        " 'Black American' as Ethnicity, 'c' as _capture_id"
    )
    build(warehouse, "clean.baltimore_mwbe_register")
    assert warehouse.execute(
        "select * exclude (listing_id, _capture_id) from clean.baltimore_mwbe_register"
    ).fetchall() == [("Ace LLC", "MBE", "1 Elm St", "Baltimore", "MD", "21218", None, "Paint", "Black American")]
