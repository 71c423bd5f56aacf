"""The formulas of 311 requests, each on a few rows made by hand, and on the real rows of October 2019."""

from collections.abc import Mapping
from datetime import datetime
from math import sqrt
from typing import Any

import duckdb
import pandas as pd
import pytest
from formulas import build, create, empty_warehouse, put_on_the_map
from real_files import REAL, needs_real_files

COLUMNS = (
    "SRRecordID", "ServiceRequestNum", "SRType", "MethodReceived", "CreatedDate", "SRStatus", "StatusDate", "DueDate", "CloseDate",
    "Agency", "Outcome", "Address", "ZipCode", "Neighborhood", "CouncilDistrict", "PoliceDistrict", "Latitude", "Longitude", "_edition",
)  # fmt: skip
MARTS = ("marts.dim_dates", "marts.fct_service_requests", "marts.mart_service_requests_on_time")

# Number, edition, created, due, status, since, closed.
REQUESTS = [
    ("1", "2025", "2025-01-02 10:00:00", "2025-01-09 10:00:00", "Closed", "2025-01-08 00:00:00", "2025-01-08 00:00:00"),
    ("2", "2025", "2025-01-03 10:00:00", "2025-01-10 10:00:00", "Closed", "2025-02-03 00:00:00", "2025-02-03 00:00:00"),
    ("3", "2025", "2025-01-05 10:00:00", "2025-01-12 10:00:00", "Open", "2025-01-05 10:00:30", None),
    ("4", "2025", "2025-01-06 10:00:00", None, "Open", "2025-01-06 10:00:30", None),
    ("5", "2025", "2025-01-31 10:00:00", "2025-02-07 10:00:00", "Closed (Duplicate)", "2025-02-07 10:00:00", "2025-02-07 10:00:00"),
    ("6", "2025", "2025-02-10 10:00:00", "2025-03-20 10:00:00", "Open", "2025-02-10 10:00:30", None),
    ("7", "2024", "2024-12-20 10:00:00", None, "Closed", "2024-12-22 00:00:00", "2024-12-22 00:00:00"),
]  # fmt: skip


def warehouse_of(*requests: Mapping[str, Any]) -> duckdb.DuckDBPyConnection:
    warehouse = empty_warehouse()
    create(warehouse, "marts.dim_geographies")
    put_on_the_map(warehouse, "Upton")
    warehouse.execute(
        f"create table raw.baltimore_service_requests ({', '.join(f'{name} varchar' for name in COLUMNS)}, _capture_id varchar)"
    )
    for request in requests:
        values = [request.get(name) for name in COLUMNS]
        warehouse.execute(
            f"insert into raw.baltimore_service_requests values ({', '.join('?' * len(COLUMNS))}, 'c')", values
        )
    build(warehouse, "clean.baltimore_service_requests")
    return warehouse


def worked_by_hand(place: str = "Upton") -> list[dict[str, Any]]:
    names = ("SRRecordID", "_edition", "CreatedDate", "DueDate", "SRStatus", "StatusDate", "CloseDate")
    fixed = {"Agency": "Solid Waste       ", "SRType": "SW-Dirty Alley", "Neighborhood": place, "CouncilDistrict": "11"}
    return [dict(zip(names, request, strict=True)) | fixed for request in REQUESTS]


@pytest.fixture(scope="module")
def warehouse() -> duckdb.DuckDBPyConnection:
    connection = warehouse_of(*worked_by_hand())
    build(connection, *MARTS)
    return connection


def test_what_is_on_time_late_or_undecided(warehouse: duckdb.DuckDBPyConnection) -> None:
    """Closed in the same second as due is on time; what is due after the data's end (2025-02-11) is not decided."""
    query = (
        "select record_number, is_on_time, is_open, is_duplicate, no_due_date_reason from marts.fct_service_requests"
        " inner join clean.baltimore_service_requests using (request_id) order by 1"
    )
    assert warehouse.execute(query).fetchall() == [
        ("1", True, False, False, None),
        ("2", False, False, False, None),
        ("3", False, True, False, None),
        ("4", None, True, False, "The request has no due date."),
        ("5", True, False, True, None),
        ("6", None, True, False, None),
        ("7", None, False, False, "The table of its year publishes no due dates."),
    ]


def rates(warehouse: duckdb.DuckDBPyConnection, kind: str) -> list[tuple[Any, ...]]:
    return warehouse.execute(
        "select month, created_count, due_count, closed_on_time_count, on_time_rate, as_of, open_count, open_with_due_date_count,"
        " overdue_count, overdue_rate, no_on_time_rate_reason, no_overdue_rate_reason"
        " from marts.mart_service_requests_on_time where group_kind = ? order by month",
        [kind],
    ).fetchall()


def test_the_rates_of_a_month_are_those_worked_by_hand(warehouse: duckdb.DuckDBPyConnection) -> None:
    """Due in January: 1, 2, 3, of which 1 in time. Open on 1 February: 2 (closed later), 3, 4, 5; overdue: 2 and 3.

    Due in February before its 11th: 5, in time. Open then: 3, 4, 6; overdue: 3.
    """
    everything = rates(warehouse, "all")
    assert [row[1:] for row in everything] == [
        (1, 0, 0, None, datetime(2025, 1, 1), 0, 0, 0, None, "The table of these requests publishes no due dates.", "No request of the group was open."),
        (5, 3, 1, round(1 / 3, 6), datetime(2025, 2, 1), 4, 3, 2, 0.5, None, None),
        (1, 1, 1, 1.0, datetime(2025, 2, 11), 3, 2, 1, round(1 / 3, 6), None, None),
    ]  # fmt: skip
    for kind in ("agency", "request type", "neighborhood", "council district"):
        assert rates(warehouse, kind) == everything, kind


def test_a_group_whose_open_requests_have_no_due_date_has_no_overdue_rate() -> None:
    connection = warehouse_of(*(request for request in worked_by_hand() if request["SRRecordID"] == "4"))
    build(connection, *MARTS)
    [(*_, overdue_rate, _, reason)] = rates(connection, "all")
    assert (overdue_rate, reason) == (None, "No open request of the group has a due date.")


def test_a_request_in_two_tables_counts_once_with_its_newest_status() -> None:
    """In January the table of the current year is exchanged; for some days a request may be in both."""
    (request,) = [request for request in worked_by_hand() if request["SRRecordID"] == "3"]
    newer = request | {"_edition": "current", "SRStatus": "Closed", "StatusDate": "2025-03-01 00:00:00"}
    for both in ([request, newer], [newer, request]):
        connection = warehouse_of(*both)
        assert connection.execute(
            "select status, source_layer, agency_name from clean.baltimore_service_requests"
        ).fetchall() == [("Closed", "current", "Solid Waste")]
    assert warehouse_of(request, request | {"_edition": "current"}).execute(
        "select source_layer from clean.baltimore_service_requests"
    ).fetchall() == [("2025",)]


# The real rows


@pytest.fixture(scope="module")
def published() -> pd.DataFrame:
    return pd.read_csv(
        REAL / "baltimore" / "311" / "311_Customer_Service_Requests_2019-10.csv.gz", dtype=str, keep_default_na=False
    )


@pytest.fixture(scope="module")
def october(published: pd.DataFrame) -> duckdb.DuckDBPyConnection:
    connection = empty_warehouse()
    create(connection, "marts.dim_geographies")
    columns = ", ".join(f'nullif("{name}", \'\') as "{name}"' for name in COLUMNS if name in published.columns)
    connection.execute(
        f"create table raw.baltimore_service_requests as select {columns}, '2019' as _edition, 'c' as _capture_id from published"
    )
    build(connection, "clean.baltimore_service_requests", *MARTS)
    return connection


@needs_real_files
def test_every_real_request_is_read(october: duckdb.DuckDBPyConnection, published: pd.DataFrame) -> None:
    assert october.execute(
        "select count(*), count(distinct request_id), count(created_at), count(due_at), count(closed_at), count(latitude),"
        " count(council_district), count(zip_code), count(distinct agency_name) from clean.baltimore_service_requests"
    ).fetchall() == [(3000, 3000, 3000, 2935, 1404, 2870, 2845, 2867, 13)]
    assert (published["Latitude"] == "NA").sum() == 130


@needs_real_files
def test_the_rates_of_the_real_requests_equal_those_of_pandas(
    october: duckdb.DuckDBPyConnection, published: pd.DataFrame
) -> None:
    """The file ends on 2019-10-21, so the moment of the rates is 2019-10-22 00:00. Of the 3,000 requests, 1,404 are closed."""
    created, since, due, closed = (
        pd.to_datetime(published[name], format="%m/%d/%Y %I:%M:%S %p", errors="coerce")
        for name in ("CreatedDate", "StatusDate", "DueDate", "CloseDate")
    )
    end = pd.Timestamp("2019-10-22")
    was_due = due < end
    is_open = (created < end) & (~published["SRStatus"].str.startswith("Closed") | (since > end))
    on_time = int((was_due & (closed <= due)).sum())
    expected = (int(was_due.sum()), on_time, int(is_open.sum()), int((is_open & was_due).sum()))
    assert october.execute(
        "select due_count, closed_on_time_count, open_count, overdue_count from marts.mart_service_requests_on_time"
        " where group_kind = 'all'"
    ).fetchall() == [expected]
    n, p, z = expected[0], on_time / expected[0], 1.959964
    middle, half = (
        (p + z * z / 2 / n) / (1 + z * z / n),
        z * sqrt(p * (1 - p) / n + z * z / 4 / n / n) / (1 + z * z / n),
    )
    [(low, high)] = october.execute(
        "select on_time_rate_low, on_time_rate_high from marts.mart_service_requests_on_time where group_kind = 'all'"
    ).fetchall()
    assert (low, high) == (pytest.approx(middle - half, abs=2e-6), pytest.approx(middle + half, abs=2e-6))
