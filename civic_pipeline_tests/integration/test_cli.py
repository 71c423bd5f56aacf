"""`civic` at a terminal: every command, as a process."""

import io
import json
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
import requests
from terminal import IN_BACKGROUND, SAMPLE, Place

from civic_pipeline.cli.commands import cli

QUERY = (
    "select 'baltimore' as city, fiscal_year, fund_name, amount, amount < 0 as is_refund from clean.baltimore_spending"
    " order by all limit 7"
)


@pytest.fixture
def expected(small: Place) -> list[tuple[object, ...]]:
    rows = small.rows(QUERY)
    assert len(rows) == 7
    return rows


def test_help_names_every_command() -> None:
    shown = Place(Path("nowhere")).civic("--help")
    assert shown.code == 0
    for name, command in cli.commands.items():
        assert f"  {name} " in shown.out
        assert command.get_short_help_str(limit=40).rstrip(".") in " ".join(shown.out.split())


def test_sql_as_csv(small: Place, expected: list[tuple[object, ...]]) -> None:
    answer = small.civic("sql", QUERY, "--format", "csv")
    assert answer.code == 0, answer.err
    frame = pd.read_csv(io.StringIO(answer.out), dtype={"amount": "str"})
    assert list(frame.columns) == ["city", "fiscal_year", "fund_name", "amount", "is_refund"]
    assert [(c, y, p, Decimal(a), n) for c, y, p, a, n in frame.itertuples(index=False)] == expected


def test_sql_as_json_is_one_object_a_line(small: Place, expected: list[tuple[object, ...]]) -> None:
    answer = small.civic("sql", QUERY, "--format", "json")
    assert answer.code == 0, answer.err
    rows = [json.loads(line, parse_float=Decimal, parse_int=int) for line in answer.out.splitlines()]
    assert [tuple(row.values()) for row in rows] == expected


def test_sql_as_parquet_keeps_types(small: Place, expected: list[tuple[object, ...]], tmp_path: Path) -> None:
    file = tmp_path / "answer.parquet"
    assert small.civic("sql", QUERY, "--format", "parquet", "--output", str(file)).code == 0
    table = pq.read_table(file)
    assert [tuple(row.values()) for row in table.to_pylist()] == expected
    # The same bytes through a pipe.
    piped = subprocess.run(
        [sys.executable, "-m", "civic_pipeline.cli", "sql", QUERY, "--format", "parquet"],
        env=small.environment, capture_output=True, check=True,
    ).stdout  # fmt: skip
    assert pq.read_table(io.BytesIO(piped)).equals(table)


def test_sql_as_a_table_for_people(small: Place, expected: list[tuple[object, ...]]) -> None:
    answer = small.civic("sql", QUERY)
    assert answer.code == 0, answer.err
    for city, year, _, amount, _ in expected:
        assert any(str(city) in line and str(year) in line and str(amount) in line for line in answer.out.splitlines())


def test_sql_without_an_answer_writes_none(small: Place) -> None:
    assert small.civic("sql", "use warehouse.clean", "--format", "csv").out == ""


def test_status_names_every_table_and_its_rows(small: Place) -> None:
    shown = small.civic("status")
    assert shown.code == 0, shown.err
    for table, rows in small.rows("select table_name, row_count from meta.tables"):
        assert any(line.split()[:2] == [table, f"{rows:,}"] for line in shown.out.splitlines()), table
    assert "2 datasets, 800 rows captured" in shown.out
    assert "Held back" not in shown.out


def test_a_run_says_what_to_do_next(small: Place, tmp_path: Path) -> None:
    place = small.copy(tmp_path)
    shutil.rmtree(place.data / "build")  # so that there is something to build and to check
    ended = place.run()
    assert ended.code == 0, ended.err
    assert "What next" in ended.out
    (report,) = place.data.glob("quality/*/index.html")
    assert str(report) in ended.out


def test_doctor_says_which_source_failed_and_why(small: Place, tmp_path: Path) -> None:
    healthy = small.civic("doctor")
    assert healthy.code == 0, healthy.err
    assert "fy2022-: 600 rows" in healthy.out
    assert "2 of 2 sources respond as declared (demo portals)." in healthy.out

    broken = small.copy(tmp_path)
    file = broken.served / "spending.csv"
    file.write_text(file.read_text(encoding="utf-8").replace(",Agency,", ",Department,", 1), encoding="utf-8")
    report = broken.civic("doctor")
    assert report.code == 1
    assert "failed baltimore/spending" in report.out
    assert "missing Agency; new Department" in report.out
    assert "ok     maryland/mbe_directory" in report.out
    assert broken.civic("doctor", "maryland/mbe_directory").code == 0


def test_docs_check_fails_until_the_dictionary_is_written_again(small: Place, tmp_path: Path) -> None:
    place = small.copy(tmp_path)
    assert place.civic("docs").code == 0
    assert (place.root / "docs/dictionary/clean/maryland_mbe_directory.md").exists()
    assert place.civic("docs", "--check").code == 0
    contract = place.root / "sql/clean/maryland/mbe_directory.yml"
    contract.write_text(
        contract.read_text(encoding="utf-8").replace("Name of the firm", "The firm's name", 1), encoding="utf-8"
    )
    stale = place.civic("docs", "--check")
    assert (stale.code, stale.is_plain) == (2, True)
    assert "clean/maryland_mbe_directory.md is out of date: run `civic docs`" in stale.message
    assert "Name of the firm" in (place.root / "docs/dictionary/clean/maryland_mbe_directory.md").read_text(
        encoding="utf-8"
    )


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("under", [(), IN_BACKGROUND], ids=["foreground", "background"])
def test_demo_serve_serves_until_a_signal(small: Place, end: signal.Signals, under: tuple[str, ...]) -> None:
    place = replace(small, under=under)
    process = place.start("demo", "serve", "--folder", str(small.served), "--port", "0")
    try:
        assert process.stdout is not None
        url = ""
        for line in process.stdout:
            if line.startswith(b"Serving on "):
                url = line.split()[2].decode().rstrip(";")
                break
            if b"/resource/" in line:
                dataset = line.strip().decode()
        assert dataset.startswith(url)
        rows = requests.get(dataset, params={"$select": "count(*) as count"}, timeout=30).json()
        assert rows in ([{"count": "600"}], [{"count": "200"}])
    finally:
        process.send_signal(end)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, b"")


def test_a_taken_port_is_named(small: Place) -> None:
    first = small.start("demo", "serve", "--folder", str(small.served), "--port", "0")
    try:
        assert first.stdout is not None
        port = (
            next(line for line in first.stdout if line.startswith(b"Serving on "))
            .split(b":")[-1]
            .split(b";")[0]
            .decode()
        )
        second = Place(small.data, SAMPLE, small.root).civic(
            "demo", "serve", "--folder", str(small.served), "--port", port
        )
        assert second.code != 0
        assert second.is_plain
        assert port in second.message
    finally:
        first.send_signal(signal.SIGINT)
        first.communicate(timeout=60)
