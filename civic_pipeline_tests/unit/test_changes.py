"""`marts.mart_changes`: rows and dollars that a release adds, removes and revises, by table, against sums made here."""

from datetime import datetime
from decimal import Decimal

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_project import TinyProject

from civic_pipeline.releases import connect
from civic_pipeline.warehouse import meta, release
from civic_pipeline.warehouse.changes import record_changes

Rows = list[tuple[str, str, str]]
CHANGES = (
    "select change, rows_before, rows_added, rows_removed, rows_revised, rows_after, amount_before, amount_added, amount_removed,"
    " amount_revised, amount_after, summary from mart_changes where release_id = (select max(release_id) from mart_changes)"
)


def publish(tiny: TinyProject, rows: Rows, day: int) -> None:
    tiny.capture(rows, at=f"2026-01-{day:02}T030405.000000Z")
    tiny.attempt()
    with tiny.build() as build:
        for model in tiny.models().values():
            build.swap(build.stage(model), [], None)
        release(build)


def changes(tiny: TinyProject, table: str) -> list[tuple[object, ...]]:
    with connect(tiny.settings.warehouse) as warehouse:
        return warehouse.execute(f"{CHANGES} and table_name = ?", [table]).fetchall()


FIRST: Rows = [("1", "2024-01-05", "10.00"), ("2", "2024-02-06", "0.10"), ("3", "2024-02-07", "5.00")]
SECOND: Rows = [
    ("1", "2024-01-05", "12.50"),
    ("3", "2024-02-07", "5.00"),
    ("4", "2024-03-01", "100.00"),
    ("5", "2024-03-01", "1.00"),
]


def test_a_first_release_has_a_row_for_every_table(tiny: TinyProject) -> None:
    publish(tiny, FIRST, 2)
    assert changes(tiny, "clean.town_payments") == [
        ("new", None, 3, None, None, 3, None, Decimal("15.10"), None, None, Decimal("15.10"), "New table: 3 rows with $15.10.")
    ]  # fmt: skip
    assert len(changes(tiny, "marts.mart_months")) == 1


def test_rows_and_dollars_are_counted_by_key(tiny: TinyProject) -> None:
    publish(tiny, FIRST, 2)
    publish(tiny, SECOND, 3)
    d = Decimal
    assert changes(tiny, "clean.town_payments") == [
        ("changed", 3, 2, 1, 1, 4, d("15.10"), d("101.00"), d("0.10"), d("2.50"), d("118.50"),
         "2 rows added with $101.00, 1 row removed with $0.10, 1 row revised, which raises amount by $2.50.")
    ]  # fmt: skip
    with connect(tiny.settings.warehouse) as warehouse:
        counted = "select count(*), count(distinct release_id) from mart_changes"
        assert warehouse.execute(counted).fetchall() == [(4, 2)]  # two tables in each release


def test_a_table_that_did_not_change_has_no_row(tiny: TinyProject) -> None:
    publish(tiny, FIRST, 2)
    publish(tiny, [FIRST[0], FIRST[1], ("3", "2024-02-08", "5.00")], 3)  # another day of the same month
    assert changes(tiny, "marts.mart_months") == []
    [row] = changes(tiny, "clean.town_payments")
    assert row[1:6] == (3, 0, 0, 1, 3)
    assert row[-1] == "1 row revised."


def test_a_removed_table_and_a_new_column_are_said_in_words(tiny: TinyProject) -> None:
    publish(tiny, FIRST, 2)
    contract = "sql/marts/spending/mart_months.yml"
    tiny.edit(
        "sql/marts/spending/mart_months.sql", "    cast(sum(amount)", "    count(*) as payments,\n    cast(sum(amount)"
    )
    tiny.edit(
        contract, "  - {name: amount", '  - {name: payments, type: BIGINT, description: "Payments."}\n  - {name: amount'
    )
    publish(tiny, FIRST, 3)
    assert [row[-1] for row in changes(tiny, "marts.mart_months")] == ["Only columns changed, no rows."]
    for file in (contract, "sql/marts/spending/mart_months.sql"):
        (tiny.settings.root / file).unlink()
    publish(tiny, FIRST, 4)
    with tiny.build() as build:
        build.forget_all_but(tiny.models())
        release(build)
    assert [row[-1] for row in changes(tiny, "marts.mart_months")] == ["The table was removed; it had 2 rows."]


def test_another_key_matches_no_row(tiny: TinyProject) -> None:
    publish(tiny, FIRST, 2)
    contract = "sql/marts/spending/mart_months.yml"
    tiny.edit(
        "sql/marts/spending/mart_months.sql", "    cast(sum(amount)", "    count(*) as payments,\n    cast(sum(amount)"
    )
    tiny.edit(
        contract, "  - {name: amount", '  - {name: payments, type: BIGINT, description: "Payments."}\n  - {name: amount'
    )
    tiny.edit(contract, "key: [month]", "key: [month, payments]")
    publish(tiny, FIRST, 3)
    [row] = changes(tiny, "marts.mart_months")
    assert row[2:5] == (None, None, None)
    assert row[-1] == "The key has other columns than before: 2 rows before, 2 rows now."


AMOUNTS = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(-500, 500), max_size=8)


@pytest.fixture(scope="module")
def build() -> duckdb.DuckDBPyConnection:
    """A build with the table clean.t and an empty release before it."""
    connection = duckdb.connect()
    meta.create(connection)
    meta.put(connection, "meta.tables", "table_name", "clean.t", [{"table_name": "clean.t", "key_columns": ["id"]}])
    column = {
        "table_name": "clean.t",
        "position": 2,
        "column_name": "amount",
        "column_type": "DECIMAL(18,2)",
        "unit": "USD",
    }
    meta.put(connection, "meta.columns", "table_name", "clean.t", [column])
    connection.execute("attach ':memory:' as before; create schema clean; create schema before.clean")
    return connection


@given(AMOUNTS, AMOUNTS)
def test_what_was_and_what_moved_is_what_is(
    build: duckdb.DuckDBPyConnection, before: dict[str, int], after: dict[str, int]
) -> None:
    for table, amounts in (("before.clean.t", before), ("clean.t", after)):
        build.execute(
            f"create or replace table {table} as select unnest(?::varchar[]) as id, unnest(?::decimal(18, 2)[]) as amount",
            [list(amounts), list(amounts.values())],
        )
    record_changes(build, "r", datetime(2026, 1, 1), {"clean.t": "new"}, {"clean.t": "old"})
    names = (
        "rows_before, rows_added, rows_removed, rows_revised, rows_after,"
        " coalesce(amount_before, 0), amount_added, amount_removed, amount_revised, coalesce(amount_after, 0)"
    )
    [(was, added, removed, revised, now, was_amount, plus, minus, moved, now_amount)] = build.execute(
        f"select {names} from marts.mart_changes"
    ).fetchall()
    assert (was, now, was + added - removed) == (len(before), len(after), len(after))
    assert added == len(after.keys() - before.keys())
    assert revised == sum(before[key] != after[key] for key in before.keys() & after.keys())
    assert plus == sum(after[key] for key in after.keys() - before.keys())
    assert was_amount + plus - minus + moved == now_amount == sum(after.values())
