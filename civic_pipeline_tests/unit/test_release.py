"""The released file: complete, read-only, replaced atomically; and the functions that read it."""

import stat
import sys
from dataclasses import replace
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from tiny_project import TinyProject

import civic_pipeline
from civic_pipeline.errors import QueryRefused, ReleaseDamaged, WarehouseMissing, WarehouseOpened, WarehouseUnreadable
from civic_pipeline.releases import connect, kept_releases, live_release, read, refresh, roll_back
from civic_pipeline.warehouse import meta, release

ROWS = [("1", "2024-01-05", "10.00"), ("2", "2024-02-06", "0.10"), ("3", "never", "x")]


def publish(tiny: TinyProject, rows: list[tuple[str, str, str]], at: str = "2026-01-02T030405.000000Z") -> Path:
    tiny.capture(rows, at=at)
    with tiny.build() as build:
        for model in tiny.models().values():
            build.swap(build.stage(model), [], None)
        release(build)
    return tiny.settings.warehouse


def count(connection: duckdb.DuckDBPyConnection) -> int:
    return connection.sql("select count(*) from warehouse.clean.town_payments").fetchall()[0][0]


def test_an_open_reader_keeps_its_release_and_a_new_reader_gets_the_next(tiny: TinyProject) -> None:
    file = publish(tiny, ROWS)
    with connect(file) as before:
        assert count(before) == 2
        publish(tiny, [*ROWS, ("4", "2024-03-01", "1")], at="2026-01-03T030405.000000Z")
        assert count(before) == 2
        with connect(file) as after:
            assert count(after) == 3
        assert count(before) == 2


def test_a_release_follows_the_one_before_also_when_the_clock_was_set_back(
    tiny: TinyProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Yesterday(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime.now(tz) - timedelta(days=1)

    tiny = replace(tiny, settings=replace(tiny.settings, keep_releases=1))
    publish(tiny, ROWS)
    [first] = kept_releases(tiny.settings)
    monkeypatch.setattr(sys.modules["civic_pipeline.warehouse.release"], "datetime", Yesterday)
    publish(tiny, [*ROWS, ("4", "2024-03-01", "1")], at="2026-01-03T030405.000000Z")
    [second] = kept_releases(tiny.settings)
    assert second.id > first.id
    assert live_release(tiny.settings).id == second.id == second.file.stem
    with tiny.build() as build:
        assert release(build) is None  # nothing changed since the second


# `refresh` takes effect between statements, never within one


def publish_total(tiny: TinyProject, number: int) -> Path:
    """Release `number`: its only payment, and so its only month, has this amount in dollars."""
    return publish(tiny, [("1", "2024-01-05", str(number))], at=f"2026-01-{number:02}T030405.000000Z")


IN_CLEAN, IN_MARTS = "select sum(amount) from warehouse.clean.town_payments", "select sum(amount) from mart_months"


def ask(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    return int(connection.execute(query).fetchall()[0][0])


def test_a_release_with_a_damaged_block_does_not_go_live_and_stops_one_night(tiny: TinyProject) -> None:
    publish_total(tiny, 1)
    file = publish_total(tiny, 2)
    with connect(file) as connection:
        connection.execute("use warehouse.clean")
        block = ask(connection, "select max(block_id) from pragma_storage_info('town_payments')")
    first, second = kept_releases(tiny.settings)
    second.file.chmod(0o600)
    with second.file.open("rb+") as damaged:
        damaged.seek(3 * 4096 + block * 262_144)  # after three headers
        damaged.write(b"damage")
    with pytest.raises(ReleaseDamaged, match=r"clean\.town_payments cannot be read: IO Error: Corrupt"):
        roll_back(tiny.settings, second.id)
    with pytest.raises(ReleaseDamaged, match=second.id):
        publish_total(tiny, 3)
    assert live_release(tiny.settings).id == first.id
    publish_total(tiny, 4)
    assert len(kept_releases(tiny.settings)) == 2
    with connect(file) as connection:
        assert ask(connection, IN_MARTS) == 4


def test_refresh_moves_a_connection_to_the_newest_release(tiny: TinyProject) -> None:
    with connect(publish_total(tiny, 1)) as warehouse:
        assert not refresh(warehouse)
        publish_total(tiny, 2)
        publish_total(tiny, 3)
        assert ask(warehouse, IN_MARTS) == 1
        assert refresh(warehouse)
        assert [ask(warehouse, query) for query in (IN_CLEAN, IN_MARTS)] == [3, 3]
        assert not refresh(warehouse)


def test_an_open_transaction_keeps_its_release_in_every_table(tiny: TinyProject) -> None:
    with connect(publish_total(tiny, 1)) as warehouse:
        warehouse.execute("begin")
        assert ask(warehouse, IN_CLEAN) == 1
        for newer in (2, 3):
            publish_total(tiny, newer)
            assert refresh(warehouse)
            assert [ask(warehouse, query) for query in (IN_CLEAN, IN_MARTS)] == [1, 1]
        warehouse.execute("commit")
        assert [ask(warehouse, query) for query in (IN_CLEAN, IN_MARTS)] == [3, 3]


def test_an_open_result_is_read_to_its_end_from_one_release(tiny: TinyProject) -> None:
    with connect(publish_total(tiny, 1)) as warehouse:
        # More than the about 1 million rows that DuckDB reads ahead of the client.
        rows = warehouse.execute("select amount from mart_months, range(3_000_000)").to_arrow_reader(100_000)
        seen = set(map(int, rows.read_next_batch().column(0).unique().to_pylist()))
        publish_total(tiny, 2)
        assert refresh(warehouse)
        left = [batch.column(0) for batch in rows]
        assert sum(map(len, left)) == 2_900_000
        assert seen.union(*(map(int, column.unique().to_pylist()) for column in left)) == {1}
        assert ask(warehouse, IN_MARTS) == 2


def test_temporary_tables_views_and_prepared_statements_survive_refresh(tiny: TinyProject) -> None:
    with connect(publish_total(tiny, 1)) as warehouse:
        warehouse.execute("create temp table mine as from mart_months")
        warehouse.execute("create temp view months as from mart_months")
        warehouse.execute("prepare total as select sum(amount) from mart_months")
        lazy, cursor = warehouse.sql("select sum(amount) from mart_months"), warehouse.cursor()
        publish_total(tiny, 2)
        assert refresh(warehouse)
        assert ask(warehouse, "select sum(amount) from mine") == 1
        assert [ask(warehouse, query) for query in ("select sum(amount) from months", "execute total")] == [2, 2]
        assert [lazy.fetchall(), cursor.execute(IN_CLEAN).fetchall()] == [[(2,)], [(2,)]]


def test_refresh_works_again_after_a_failed_refresh(tiny: TinyProject, tmp_path: Path) -> None:
    file, first = publish_total(tiny, 1), tmp_path / "first"
    first.hardlink_to(file)
    with connect(file) as warehouse:
        (tmp_path / "broken").write_bytes(b"not a database, but long enough to look at" * 500)
        (tmp_path / "broken").replace(file)
        with pytest.raises(WarehouseUnreadable):
            refresh(warehouse)
        file.unlink()
        with pytest.raises(WarehouseMissing):
            refresh(warehouse)
        first.replace(file)  # the same file as before
        assert refresh(warehouse)
        assert ask(warehouse, IN_MARTS) == 1
        publish_total(tiny, 2)
        assert refresh(warehouse)
        assert ask(warehouse, IN_MARTS) == 2


def test_refresh_needs_a_connection_from_connect(tiny: TinyProject) -> None:
    with connect(publish_total(tiny, 1)) as warehouse, duckdb.connect() as other:
        for unknown in (warehouse.cursor(), other):
            with pytest.raises(ValueError, match=r"needs a connection returned by connect\(\)"):
                refresh(unknown)


def test_a_release_is_read_only_and_has_only_the_published_schemas(tiny: TinyProject) -> None:
    file = publish(tiny, ROWS)
    assert stat.S_IMODE(file.stat().st_mode) == 0o444
    assert [path.name for path in file.parent.glob("warehouse*")] == ["warehouse.duckdb"]
    with connect(file) as connection:
        tables = connection.sql(
            "select schema_name || '.' || table_name, comment from duckdb_tables() where database_name = 'warehouse'"
        ).fetchall()
        assert {name for name, _ in tables} == {
            "clean.town_payments", "marts.mart_months", "quarantine.town_payments",
            *meta.recorded_tables(),
        }  # fmt: skip
        assert all(comment for _, comment in tables)
        assert (
            connection.sql(
                "select column_name from duckdb_columns() where database_name = 'warehouse' and comment is null"
            ).fetchall()
            == []
        )
        schemas = connection.sql(
            "select distinct schema_name from duckdb_schemas() where database_name = 'warehouse' and not internal"
        ).fetchall()
        assert {name for (name,) in schemas} == {"clean", "marts", "quarantine", "meta"}
        assert connection.sql("select name from (show tables)").fetchall() == [
            ("mart_changed_figures",), ("mart_changes",), ("mart_months",),
        ]  # connect() selects the schema marts  # fmt: skip
        with pytest.raises(duckdb.Error, match="read-only"):
            connection.execute("create table marts.mine as select 1")


def test_leftovers_of_a_killed_release_are_removed(tiny: TinyProject) -> None:
    tiny.settings.releases.mkdir()
    for leftover in (
        "warehouse.duckdb.new",
        "releases/.2026-01-01T000000.000000Z",
        "releases/.2026-01-01T000000.000000Z.wal",
    ):
        (tiny.settings.data / leftover).write_bytes(b"half a file")
    with connect(publish(tiny, ROWS)) as connection:
        assert count(connection) == 2
    assert [path.name for path in tiny.settings.data.glob("warehouse*")] == ["warehouse.duckdb"]
    assert [path.suffix for path in tiny.settings.releases.iterdir()] == [".duckdb"]


def test_a_failed_release_leaves_the_old_one_and_no_draft(tiny: TinyProject, monkeypatch: pytest.MonkeyPatch) -> None:
    file = publish(tiny, ROWS)
    before = file.read_bytes()
    # Through sys.modules: the package's `release` is the function.
    monkeypatch.setattr(
        sys.modules["civic_pipeline.warehouse.release"], "RELEASED_SCHEMAS", ("clean", "no such schema")
    )
    tiny.edit("sql/clean/town/payments.yml", "Dollars paid.", "Dollars paid to others.")
    with pytest.raises(duckdb.ParserException, match="no such schema"):
        publish(tiny, [*ROWS, ("4", "2024-03-01", "1")], at="2026-01-03T030405.000000Z")
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.glob("warehouse*")] == ["warehouse.duckdb"]
    assert len(list(tiny.settings.releases.iterdir())) == 1


def test_a_release_is_refused_if_the_live_file_has_a_write_ahead_log(tiny: TinyProject) -> None:
    file = publish(tiny, ROWS)
    before = file.read_bytes()
    Path(f"{file}.wal").write_bytes(b"")
    with pytest.raises(WarehouseOpened, match=r"warehouse\.duckdb\.wal exists.*Close it there"):
        publish(tiny, [*ROWS, ("4", "2024-03-01", "1")], at="2026-01-03T030405.000000Z")
    assert file.read_bytes() == before


# Reading


@pytest.fixture
def kinds(tmp_path: Path) -> Path:
    """A warehouse with a value of every type, and a row of nulls."""
    file = tmp_path / "kinds.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.kinds as select 1::integer as whole, 9007199254740993::bigint as big, true as flag, 0.1::decimal(18, 2) as money,"
            " 'a' as name, 1.5::double as rate, date '2024-02-29' as day, timestamp '2024-02-29 12:30:00' as moment, ['a', 'b'] as names"
            " union all select null, null, null, null, null, null, null, null, null"
        )
    return file


def test_missing_values_do_not_change_types(kinds: Path) -> None:
    frame = read("marts.kinds", path=kinds)
    assert [str(frame[name].dtype) for name in ("whole", "big", "flag", "name", "rate")] == [
        "Int32",
        "Int64",
        "boolean",
        "string",
        "Float64",
    ]
    assert frame["big"][0] == 9007199254740993
    assert frame["money"][0] == Decimal("0.10")
    assert str(frame["money"].dtype) == "decimal128(18, 2)[pyarrow]"
    assert frame["money"].sum() == Decimal("0.10")
    assert frame["day"].dtype.kind == frame["moment"].dtype.kind == "M"
    assert frame["day"][0] == pd.Timestamp("2024-02-29")
    assert list(frame["names"][0]) == ["a", "b"]
    assert frame.loc[1].drop("names").isna().all()


def test_rows_are_filtered_by_a_condition_with_parameters(kinds: Path) -> None:
    assert len(read("marts.kinds", "day = ? and name = ?", [date(2024, 2, 29), "a"], path=kinds)) == 1
    assert len(read("marts.kinds", "name = ?", ["' or true --"], path=kinds)) == 0
    assert len(read("kinds", path=kinds)) == 2


@pytest.mark.parametrize(
    ("table", "where", "message"),
    [
        ("marts.kind", None, "marts.kind does not exist"),
        ("marts.kinds", "nam = 'a'", '"name"'),
        ("marts.kinds", "name = ?", "parameter"),
    ],
    ids=["unknown table", "unknown column", "missing parameter"],
)
def test_the_error_for_an_invalid_query_contains_duckdbs_hint(
    kinds: Path, table: str, where: str | None, message: str
) -> None:
    with pytest.raises(QueryRefused, match=message):
        read(table, where, path=kinds)


def test_the_error_for_a_missing_warehouse_says_how_to_build_it(tmp_path: Path) -> None:
    with pytest.raises(WarehouseMissing, match=r"nothing\.duckdb does not exist yet\. Run `civic run`"):
        connect(tmp_path / "nothing.duckdb")
    with pytest.raises(WarehouseMissing, match="civic_data"):  # CIVIC_DATA of this test
        civic_pipeline.read("marts.kinds")


def test_reading_creates_no_files(tiny: TinyProject) -> None:
    file = publish(tiny, ROWS)
    before = (sorted(path.name for path in file.parent.iterdir()), file.stat().st_mtime_ns)
    read("clean.town_payments", "amount > ?", [0], path=file)
    with connect(file) as connection:
        connection.sql("create temp table mine as from marts.mart_months")
    assert (sorted(path.name for path in file.parent.iterdir()), file.stat().st_mtime_ns) == before


def test_the_public_names_are_these() -> None:
    assert civic_pipeline.__all__ == ["connect", "read", "refresh"]


def test_a_file_that_is_not_a_database_has_its_own_error(tmp_path: Path) -> None:
    file = tmp_path / "warehouse.duckdb"
    file.write_bytes(b"not a database, but long enough to look at" * 500)
    with pytest.raises(WarehouseUnreadable, match=r"warehouse\.duckdb cannot be opened"):
        connect(file)
