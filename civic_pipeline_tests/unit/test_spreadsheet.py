"""`civic sql`: CSV in which a spreadsheet runs no formula, and exact Parquet and JSON."""

import csv
import json
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from civic_pipeline.cli.commands import cli

# Beginnings that make a spreadsheet run a cell (OWASP, CSV injection).
HOSTILE = [
    "=1+1",
    "+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    '=HYPERLINK("http://x","y")',
    "＝1",
    "＋1",
    "－1",
    "＠x",
]
HARMLESS = ["", "a=1", "1-2", " x", "'quoted", "é=", "O'Neill", "a,b", 'say "x"', "N/A"]
QUERY = 'select note as "=note", kind, amount, share, day, is_new from payments order by number'


@pytest.fixture
def warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """Write a released file and return its rows for QUERY."""
    monkeypatch.setenv("CIVIC_DATA", str(tmp_path))
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
        connection.execute("create schema marts; create type marts.kind as enum ('=cmd', 'plain')")
        connection.execute(
            "create table marts.payments as select row_number() over () as number, note, (['=cmd', 'plain'])[1 + (number % 2)::int]::marts.kind as kind,"
            " cast(-12.50 as decimal(18, 2)) as amount, -0.5 as share, date '2026-01-02' as day, true as is_new from unnest(?) as t(note)",
            [[*HOSTILE, *HARMLESS, None]],
        )
        return connection.execute(QUERY.replace("payments", "marts.payments")).fetchall()


def write_result(form: str, folder: Path) -> Path:
    file = folder / f"result.{form}"
    result = CliRunner().invoke(cli, ["sql", QUERY, "--format", form, "--output", str(file)], catch_exceptions=False)
    assert result.exit_code == 0
    return file


def test_csv_has_no_cell_that_a_spreadsheet_runs(warehouse: list[tuple[object, ...]], tmp_path: Path) -> None:
    with write_result("csv", tmp_path).open(newline="", encoding="utf-8") as file:
        header, *rows = list(csv.reader(file))
    assert header == ["'=note", "kind", "amount", "share", "day", "is_new"]
    assert [row[0] for row in rows] == [*(f"'{text}" for text in HOSTILE), *HARMLESS, ""]
    assert {row[1] for row in rows} == {"'=cmd", "plain"}
    assert {tuple(row[2:]) for row in rows} == {("-12.50", "-0.5", "2026-01-02", "true")}, "numbers stay numbers"
    assert len(rows) == len(warehouse)


def test_parquet_and_json_are_exact(warehouse: list[tuple[object, ...]], tmp_path: Path) -> None:
    table = pq.read_table(write_result("parquet", tmp_path))
    assert list(zip(*(column.to_pylist() for column in table.columns), strict=True)) == warehouse
    assert table.column_names[0] == "=note"
    lines = [json.loads(line) for line in write_result("json", tmp_path).read_text(encoding="utf-8").splitlines()]
    assert [line["=note"] for line in lines] == [row[0] for row in warehouse]
    assert {Decimal(str(line["amount"])) for line in lines} == {Decimal("-12.50")}


@pytest.mark.usefixtures("warehouse")
def test_a_table_in_a_file_is_a_csv_also_with_lists(tmp_path: Path) -> None:
    file = tmp_path / "result"
    query = "select ['a', 'b'] as words from payments limit 1"
    assert CliRunner().invoke(cli, ["sql", query, "--output", str(file)], catch_exceptions=False).exit_code == 0
    assert file.read_text(encoding="utf-8") == '"words"\n"[a, b]"\n'


@pytest.mark.usefixtures("warehouse")
@pytest.mark.parametrize(
    ("value", "text", "exact"),
    [
        ("'\\xAB\\x01'::blob", "ab01", b"\xab\x01"),
        ("interval 3 days", "3 days", None),
        ("[interval 3 days]", "[3 days]", None),
        ("340282366920938463463374607431768211455::uhugeint", "340282366920938463463374607431768211455", None),
        ("'101'::bit", "101", None),
        ("timetz '03:04:05+02'", "03:04:05+02", None),
    ],
)
def test_a_type_that_the_file_has_not_is_text(value: str, text: str, exact: bytes | None, tmp_path: Path) -> None:
    for form in ("csv", "parquet"):
        arguments = ["sql", f"select {value} as x", "--format", form, "--output", str(tmp_path / form)]
        assert CliRunner().invoke(cli, arguments, catch_exceptions=False).exit_code == 0
    with (tmp_path / "csv").open(newline="") as file:
        assert [row["x"] for row in csv.DictReader(file)] == [text]
    assert pq.read_table(tmp_path / "parquet").column("x").to_pylist() == [exact or text]


@pytest.mark.usefixtures("warehouse")
def test_columns_of_one_name_keep_their_values(tmp_path: Path) -> None:
    arguments = ["sql", "select 1 as x, [2] as x, 3 as x", "--format", "csv", "--output", str(tmp_path / "result")]
    assert CliRunner().invoke(cli, arguments, catch_exceptions=False).exit_code == 0
    assert (tmp_path / "result").read_text() == '"x","x","x"\n1,"[2]",3\n'
