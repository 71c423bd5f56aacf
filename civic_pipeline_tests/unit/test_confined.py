"""What a query of `civic sql`, `civic as-of` and `connect()` cannot do: read or write other files, or change settings."""

import errno
import os
from pathlib import Path

import click
import duckdb
import pytest
from click.testing import CliRunner

from civic_pipeline.cli.commands import cli
from civic_pipeline.errors import QueryRefused
from civic_pipeline.releases import connect, read, refresh

OUTSIDE = [
    "from read_text('{other}')",
    "from read_csv('{other}')",
    "from '{other}'",
    "from read_blob('{other}')",
    "from glob('{folder}/*')",
    "attach '{folder}/other.duckdb' as other",
    "copy (select 1) to '{folder}/copy.csv'",
    "export database '{folder}/export'",
    "install httpfs",
    "load httpfs",
    "set enable_external_access = true",
    "set autoinstall_known_extensions = true",
    "set temp_directory = '{folder}'",
    "reset lock_configuration",
]


@pytest.fixture
def released(tmp_path: Path) -> Path:
    file = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute(
            "create schema marts; create table marts.mart_years as from range(2020, 2030) as years(year)"
        )
    (tmp_path / "other.csv").write_text("secret\n1\n")
    return file


@pytest.mark.parametrize("query", OUTSIDE)
def test_a_query_stays_inside_the_release(query: str, released: Path) -> None:
    folder = released.parent
    before = {path.name for path in folder.iterdir()}
    with connect(released) as connection, pytest.raises(duckdb.Error, match=r"disabled|locked"):
        connection.execute(query.format(other=folder / "other.csv", folder=folder))
    assert {path.name for path in folder.iterdir()} == before


def test_a_confined_connection_reads_spills_and_takes_frames(released: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(released.parent)
    opened = duckdb.connect
    monkeypatch.setattr("duckdb.connect", lambda: opened(config={"memory_limit": "40MB", "threads": 1}))
    with connect(released) as connection:
        connection.register("frame", connection.execute("select 2021 as year").to_arrow_table())
        assert connection.execute("select count(*) from mart_years join frame using (year)").fetchall() == [(1,)]
        connection.execute("create temporary table kept as from mart_years")
        ordered = "select max(place) from (select row_number() over (order by hash(n)) as place from range(6_000_000) as r(n))"
        assert connection.execute(ordered).fetchall() == [(6_000_000,)]  # about 100 MB


@pytest.fixture
def shown(released: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("CIVIC_DATA", str(released.parent))
    return CliRunner()


# DuckDB itself would do each of them: the paths of an attached file are always allowed.
WRITES = [
    "copy (select 1) to '{file}' (use_tmp_file false)",
    "copy (select 1) to '{file}.wal' (use_tmp_file false)",
    "copy (select 1 as a) to '{file}' (format parquet, per_thread_output, overwrite)",
    "select 1; copy (select 1) to '{file}' (use_tmp_file false)",
    "explain analyze copy (select 1) to '{file}.wal' (use_tmp_file false)",
    "prepare q as copy (select 1) to '{file}' (use_tmp_file false)",
    "use memory; detach warehouse; attach '{file}' as warehouse",
    "execute q",
    "delete from mart_years",
]


@pytest.mark.parametrize("query", WRITES)
def test_a_query_cannot_write_to_the_file_it_reads(query: str, shown: CliRunner, released: Path) -> None:
    before = released.read_bytes()
    refused = shown.invoke(cli, ["sql", query.format(file=released)])
    assert isinstance(refused.exception, QueryRefused)
    assert "is not allowed, because a query only reads" in str(refused.exception)
    assert released.read_bytes() == before
    with pytest.raises(QueryRefused):
        read("marts.mart_years", f"true; {query.format(file=released)}", path=released)
    assert [path.name for path in released.parent.iterdir() if path.name.startswith("warehouse")] == [released.name]
    assert released.read_bytes() == before


@pytest.mark.parametrize("query", WRITES)
def test_nor_can_sql_on_a_connection_even_after_a_refresh(query: str, released: Path) -> None:
    folder, before = released.parent, released.read_bytes()
    names = sorted(folder.iterdir())
    with connect(released) as connection:
        for _ in range(2):
            paths = [
                path
                for (path,) in connection.execute("select path from duckdb_databases() where path <> ''").fetchall()
            ]
            for path in [str(released), *paths]:
                with pytest.raises((duckdb.Error, QueryRefused)):
                    connection.execute(query.format(file=path))
                    connection.execute("execute q")
                connection.execute("use memory; use memory")
            assert sorted(folder.iterdir()) == names
            assert released.read_bytes() == before
            released.with_name("new").write_bytes(before)
            released.with_name("new").replace(released)  # a new release
            assert refresh(connection)
            assert connection.execute("select count(*) from warehouse.marts.mart_years").fetchall() == [(10,)]


def test_a_folder_where_no_link_can_be_made_is_read_as_it_is(released: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr(os, "link", refuse)
    with connect(released) as connection:
        assert connection.execute("select count(*) from mart_years").fetchall() == [(10,)]
        released.with_name("new").write_bytes(released.read_bytes())
        released.with_name("new").replace(released)
        assert refresh(connection)
    assert sorted(path.name for path in released.parent.iterdir()) == ["other.csv", released.name]


@pytest.mark.parametrize(
    "query",
    [
        "from mart_years",
        "use warehouse.marts; show tables",
        "describe mart_years",
        "summarize mart_years",
        "explain analyze from mart_years",
        "pivot (select year, year % 2 as odd from mart_years) on odd",
        "pragma table_info('mart_years')",
        "with a as (select max(year) as y from mart_years) select * from a",
    ],
)
def test_what_reads_is_answered(query: str, shown: CliRunner) -> None:
    result = shown.invoke(cli, ["sql", query])
    assert result.exit_code == 0, result.exception


def test_a_failed_query_keeps_the_earlier_output(shown: CliRunner, tmp_path: Path) -> None:
    output = tmp_path / "report.csv"
    arguments = ["--format", "csv", "--output", str(output)]
    assert shown.invoke(cli, ["sql", "select year from mart_years", *arguments]).exit_code == 0
    before = output.read_bytes()
    # The error comes after the first batches of rows.
    late = "select case when n = 900000 then error('late') else n end as n from range(1000000) as r(n)"
    refused = shown.invoke(cli, ["sql", late, *arguments])
    assert isinstance(refused.exception, QueryRefused)
    assert output.read_bytes() == before
    assert [path.name for path in tmp_path.glob(".report*")] == []


def test_an_output_folder_that_does_not_exist_is_named(shown: CliRunner, tmp_path: Path) -> None:
    result = shown.invoke(cli, ["sql", "select 1", "--format", "csv", "--output", str(tmp_path / "gone" / "x.csv")])
    assert result.exit_code == click.UsageError.exit_code
    assert "gone is not a folder" in result.output
