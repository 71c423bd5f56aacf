"""What is inferred from one capture, and the files it is written into."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
import yaml
from formulas import empty_warehouse
from hypothesis import given
from hypothesis import strategies as st

from civic_pipeline.catalog import ArcgisSource, Dataset
from civic_pipeline.errors import AlreadyThere
from civic_pipeline.portals import About, Description, Freshness, PortalColumn
from civic_pipeline.scaffold import refuse_existing, refuse_full
from civic_pipeline.scaffold.add import _write, files_of
from civic_pipeline.scaffold.profile import (
    DraftColumn,
    Key,
    clean_name,
    draft,
    key_of,
    newest_date,
    profile_columns,
    time_zones,
)
from civic_pipeline.scaffold.render import Draft, cadence_of, defs_yaml, scalar
from civic_pipeline.scaffold.trial import TrialCapture, dataset_of

RESERVED = {"desc", "group", "order"}


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with empty_warehouse() as columns:
        yield columns


def described(table: pa.Table, **kinds: str) -> Description:
    columns = tuple(
        PortalColumn(field.name, kinds.get(field.name, "text"), field.type, field.name) for field in table.schema
    )
    return Description("https://x", About("Wards"), columns, None, Freshness(None, "none"))  # fmt: skip


def drafted(connection: duckdb.DuckDBPyConnection, table: pa.Table, **kinds: str) -> dict[str, DraftColumn]:
    connection.register("landed", table)
    connection.execute("create or replace table raw.wards as from landed")
    columns = draft(connection, "wards", described(table, **kinds).columns)
    select = ", ".join(f"{column.sql} as {column.name}" for column in columns)
    connection.execute(f"create or replace temp view drafted as select {select} from raw.wards")
    return {column.name: column for column in columns}


def keyed(connection: duckdb.DuckDBPyConnection, columns: dict[str, Sequence[Any]], row_id: str | None = None) -> Any:
    drafts = list(drafted(connection, pa.table(columns)).values())
    return key_of(connection, "drafted", drafts, profile_columns(connection, drafts, "drafted"), row_id)


# Names and words


@pytest.mark.parametrize(
    ("published", "ours"),
    {
        "NoticeNum": "notice_num", "BLOCKLOT": "blocklot", "Payment Amount (Split)": "payment_amount_split", "_ordinance_amount_": "ordinance_amount",
        "desc": "desc_value", "2020": "column_2020", "Año": "ano", "姓名": "column", "taken": "taken_2", "FY23 TLS": "fy23_tls",
    }.items(),
)  # fmt: skip
def test_column_names_become_valid_sql_names(published: str, ours: str) -> None:
    assert clean_name(published, RESERVED, {"taken"}) == ours


@given(st.text(max_size=40))
def test_every_clean_name_is_allowed_in_a_contract(published: str) -> None:
    name = clean_name(published, RESERVED, ())
    assert name[0].isalpha()
    assert name.isascii()
    assert name.replace("_", "a").isalnum()
    assert name == name.lower()


# A portal's JSON may contain any character except surrogates.
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_yaml_reads_every_text_back_unchanged(text: str) -> None:
    assert yaml.safe_load(f"title: {scalar(text)}") == {"title": text}
    assert yaml.safe_load(f"{scalar(text)}: text") == {text: "text"}
    assert yaml.safe_load(f"key: [{scalar(text)}]") == {"key": [text]}


@pytest.mark.parametrize(
    ("words", "cadence"),
    {
        "Updated nightly": "daily", "Daily": "daily", "Weekly (Mondays)": "weekly", "Monthly": "monthly", "quarterly": "quarterly",
        "Annually": "annually", "Every year": "annually", "Never": "closed", "Historical Only": "closed", "": "irregular", "as needed": "irregular",
    }.items(),
)  # fmt: skip
def test_the_update_frequency_of_the_portal_becomes_a_cadence(words: str, cadence: str) -> None:
    assert cadence_of(words) == cadence


# Clocks


@pytest.mark.parametrize(
    ("times", "policy"),
    [
        ([], "utc"),
        ([time(0)], "date_only"),
        ([time(4), time(5)], "date_only"),
        ([time(0), time(4), time(5)], "date_only"),
        ([time(10)], "date_only"),
        ([time(22), time(23)], "utc"),  # a midnight east of Greenwich is on the day before
        ([time(4), time(4, 30)], "utc"),
        ([time(3), time(4), time(5), time(6)], "utc"),
    ],
)
def test_times_that_are_always_local_midnight_are_dates(tmp_path: Path, times: list[time], policy: str) -> None:
    values = [datetime.combine(date(2026, 1, 1 + day), moment) for day, moment in enumerate(times)]
    table = pa.table({"issued": pa.array([*values, None], pa.timestamp("ms"))})
    pq.write_table(table, tmp_path / "part.parquet")
    assert time_zones(described(table, issued="Date"), tmp_path / "part.parquet")["issued"][0] == policy


# Types


def test_types_are_inferred_from_portal_types_and_values(connection: duckdb.DuckDBPyConnection) -> None:
    number = pa.decimal128(38, 18)
    actual = drafted(
        connection,
        pa.table({
            "Year": pa.array([2025, 2026], number), "Rate": pa.array(["0.5", "1.25"]).cast(number), "Cost": pa.array([5, 6], number),
            "Spent": ["$1,200.00", "(3.50)"], "Issued": ["2026-01-02", "1/3/2026"], "Zip": ["02134", "21201"], "Paid": ["1", None],
            "Open": [True, False], "day": pa.array([datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)] * 2, pa.timestamp("us")),
            "seen": pa.array([datetime(2026, 1, 1, 9, tzinfo=UTC).replace(tzinfo=None)] * 2, pa.timestamp("us")),
        }),
        Cost="money",
    )  # fmt: skip
    assert {name: column.type for name, column in actual.items()} == {
        "year": "BIGINT", "rate": "DOUBLE", "cost": "DECIMAL(18,2)", "spent": "DECIMAL(18,2)", "issued": "DATE", "zip": "VARCHAR",
        "paid": "DECIMAL(18,2)", "open": "BOOLEAN", "day": "DATE", "seen": "TIMESTAMP",
    }  # fmt: skip
    kinds = {row[0]: row[1] for row in connection.execute("describe drafted").fetchall()}
    assert kinds == {name: column.type for name, column in actual.items()}
    assert [name for name, column in actual.items() if column.is_exact] == ["year", "cost", "spent", "paid"]
    assert [name for name, column in actual.items() if column.unit == "USD"] == ["cost", "spent", "paid"]


def test_few_unreadable_values_go_to_quarantine_and_many_give_a_note(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    days = [f"2026-01-{1 + n % 28:02}" for n in range(1000)]
    actual = drafted(connection, pa.table({"issued": ["TBD", *days[1:]], "closed": ["TBD"] * 50 + days[50:], "note": days[:500] + ["x"] * 500}))  # fmt: skip
    assert (actual["issued"].type, actual["issued"].unreadable) == ("DATE", 1)
    assert (actual["closed"].type, actual["note"].type) == ("VARCHAR", "VARCHAR")
    assert "950 of 1,000 values are dates" in (actual["closed"].note or "")
    assert actual["note"].note is None


def test_amounts_finer_than_cents_keep_their_decimals(connection: duckdb.DuckDBPyConnection) -> None:
    table = pa.table(
        {"fee": ["$1,000.5", "0.0375", "2.1250"], "cost": ["1.50", "2.5000", "3"], "price": ["(0.125)"] * 3}
    )
    columns = drafted(connection, table, fee="text", cost="text", price="text")
    assert [(c.type, c.is_exact) for c in columns.values()] == [
        ("DECIMAL(20,4)", True),
        ("DECIMAL(18,2)", True),
        ("DECIMAL(18,2)", True),
    ]
    assert connection.execute(f"select {columns['fee'].sql} from raw.wards").fetchall() == [
        (Decimal("1000.5"),),
        (Decimal("0.0375"),),
        (Decimal("2.125"),),
    ]


def test_points_become_coordinates_and_other_geometries_stay_wkb(connection: duckdb.DuckDBPyConnection) -> None:
    points = drafted(connection, pa.table({"_geometry": [shapely.Point(-76.6, 39.3).wkb, None]}), _geometry="WKB")
    assert list(points) == ["longitude", "latitude"]
    assert connection.execute("from drafted").fetchall() == [(-76.6, 39.3), (None, None)]
    shapes = drafted(connection, pa.table({"_geometry": [shapely.box(0, 0, 1, 1).wkb, None]}), _geometry="WKB")
    assert [(name, column.type, column.unit) for name, column in shapes.items()] == [
        ("geometry", "BLOB", "WKB, EPSG:4326")
    ]


# Keys


def test_a_column_named_like_an_id_is_preferred_as_key(connection: duckdb.DuckDBPyConnection) -> None:
    actual = keyed(connection, {"vendor": ["a", "b", "c"], "PermitNum": ["1", "2", "3"]})
    assert (actual.columns, actual.evidence) == (("permit_num",), "unique and never null in 3 rows")


def test_a_key_is_never_null_and_never_an_amount_or_a_description(connection: duckdb.DuckDBPyConnection) -> None:
    columns = {"id": ["1", "2", None], "amount": ["1.50", "2.50", "3.50"], "description": ["a", "b", "c"]}
    assert keyed(connection, columns).columns == ()


def test_two_columns_can_be_a_key(connection: duckdb.DuckDBPyConnection) -> None:
    actual = keyed(connection, {"ward": ["1", "1", "2", "2"], "lot": ["a", "b", "a", "b"], "same": ["x"] * 4})
    assert set(actual.columns) == {"ward", "lot"}


def test_the_portals_row_number_is_the_last_resort(connection: duckdb.DuckDBPyConnection) -> None:
    columns = {"OBJECTID": [1, 2], "name": ["a", "a"]}
    actual = keyed(connection, columns, row_id="OBJECTID")
    assert actual.columns == ("objectid",)
    assert "it may change when the layer is published again" in actual.evidence
    assert keyed(connection, {"OBJECTID": [1, 1], "name": ["a", "a"]}, row_id="OBJECTID").columns == ()


def test_the_date_of_the_data_is_not_in_the_future(connection: duckdb.DuckDBPyConnection) -> None:
    columns = {
        "ends": ["2030-01-01", "2026-05-01"],
        "issued": ["2026-01-01", "2026-05-01"],
        "born": ["1999-01-01", "1999-01-02"],
    }
    drafts = list(drafted(connection, pa.table(columns)).values())
    assert newest_date(drafts, profile_columns(connection, drafts, "drafted"), date(2026, 6, 1)) == "issued"


# Files


def test_existing_files_are_an_error_and_no_file_is_written(tmp_path: Path) -> None:
    defs, sql, yml = files_of(tmp_path, "town/wards")
    yml.parent.mkdir(parents=True)
    yml.write_text("mine", encoding="utf-8")
    with pytest.raises(AlreadyThere, match=r"wards\.yml already exists"):
        refuse_existing(tmp_path, "town/wards")
    with pytest.raises(AlreadyThere, match=r"wards\.yml"):
        _write(tmp_path, "town/wards", ("a", "b", "c"))
    assert (defs.exists(), sql.exists(), yml.read_text(encoding="utf-8")) == (False, False, "mine")


def test_a_folder_that_is_not_empty_is_an_error(tmp_path: Path) -> None:
    refuse_full(tmp_path / "absent")
    (tmp_path / "empty").mkdir()
    refuse_full(tmp_path / "empty")
    with pytest.raises(AlreadyThere, match="already exists"):
        refuse_full(tmp_path)


def drafted_defs(title: str) -> str:
    """The draft of a layer with columns of several widths."""
    kinds = {"OBJECTID": "OID", "AMOUNT": "Double", "NAME": "String", "PAID": "Date"}
    columns = tuple(PortalColumn(name, kind, pa.string(), name) for name, kind in kinds.items())
    description = Description("https://x", About(title), columns, None, Freshness(None, "none"))
    source = ArcgisSource(portal="arcgis", item="0" * 32, layer="Budget", recorded=date(2026, 1, 1))
    dataset = dataset_of(source, description)
    trial = TrialCapture(description, dataset, None, Path())
    policies = {"PAID": ("utc", "the times differ")}
    return defs_yaml(
        Draft("town/budget", "budget", trial, [], frozenset(), {}, Key((), "none"), None, policies, date(2026, 1, 1))
    )


def test_widths_of_numbers_are_drafted_as_classes() -> None:
    attributes = yaml.safe_load(drafted_defs("Budget"))["attributes"]
    assert attributes["columns"] == {"OBJECTID": "integer", "AMOUNT": "number", "NAME": "String", "PAID": "Date"}
    assert list(Dataset.model_validate(attributes).columns) == list(attributes["columns"])


@pytest.mark.parametrize(
    ("title", "is_remarked"),
    [("Budget 2024", True), ("FY24 Budget", True), ("Budget FY2024", True), ("Budget", False), ("Form 20240", False)],
)
def test_a_title_with_a_year_is_remarked_as_one_of_several_editions(title: str, is_remarked: bool) -> None:
    assert ("docs/add-a-dataset.md#editions" in drafted_defs(title)) is is_remarked
