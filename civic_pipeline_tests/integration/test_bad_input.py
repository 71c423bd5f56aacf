"""Errors in data, files and the environment: one message names the culprit, and the previous release stays."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from terminal import SAMPLE, Place, digest, edit, files_of

from civic_pipeline.catalog import load_datasets
from civic_pipeline.errors import (
    LockHeld,
)
from civic_pipeline.lock import only_writer
from civic_pipeline.releases import connect
from civic_pipeline.settings import CHECKOUT

CATALOG = load_datasets(CHECKOUT)
SOCRATA, ARCGIS = "maryland/mbe_directory", "baltimore/spending"


def line_of(path: Path, text: str) -> int:
    return next(number for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1) if text in line)


def content(place: Place, table: str) -> list[tuple[object, ...]]:
    return place.rows(f"select count(*), bit_xor(hash(t)) from {table} as t")


# Data and models that fail, through the nightly job


def spending(place: Place, changes: dict[str, dict[int, str]]) -> None:
    """Change cells of the served checkbook: column -> line -> new value."""
    file = place.served / "spending.csv"
    lines = pd.read_csv(file, dtype="str")
    for column, cells in changes.items():
        lines.loc[list(cells), column] = list(cells.values())
    lines.to_csv(file, index=False)


@pytest.mark.slow
def test_unreadable_rows_below_the_tolerance_go_to_quarantine(place: Place) -> None:
    before = place.rows("select count(*) from quarantine.baltimore_spending")[0][0]
    spending(
        place,
        {"Payment_Amount_split": {100: ""}, "Payment_Date": {200: ""}, "Unique_ID": {100: "A", 200: "B"}},
    )
    ended = place.run()
    assert ended.code == 0, ended.err
    assert place.rows(
        "select source_row_id, _rules from quarantine.baltimore_spending where source_row_id in ('A', 'B') order by 1"
    ) == [("A", ["amount_is_readable"]), ("B", ["payment_is_dated"])]
    assert place.rows(
        "select row_count, quarantined_rows, source_rows from meta.tables where table_name = 'clean.baltimore_spending'"
    ) == [(600 - before - 2, before + 2, 600)]


def every_tenth_amount_unreadable(place: Place) -> None:
    spending(place, {"Payment_Amount_split": dict.fromkeys(range(0, 600, 10), "")})


def reversals_beyond_payments(place: Place) -> None:
    spending(place, {"Payment_Amount_split": {100: "-450000000"}})


def sql_that_does_not_run(place: Place) -> None:
    edit(
        place.root / "sql/clean/baltimore/spending.sql",
        "cast(payment_date as varchar) as _published_date",
        "error('cannot be') as _published_date",
    )


def drifted_source(place: Place) -> None:
    edit(place.served / "spending.csv", "Payment_Amount_split", "Payment_Amount_part", 1)


HELD_BACK: dict[Callable[[Place], None], str] = {
    every_tenth_amount_unreadable: r"baltimore_spending failed its contract .*quarantine_tolerated .*amount_is_readable: 6\d rows",
    reversals_beyond_payments: r"baltimore_spending failed its contract .*: amount__sum_between",
    sql_that_does_not_run: r"sql/clean/baltimore/spending\.sql failed: .*cannot be",
    drifted_source: r"raw\.baltimore_spending: .*missing columns: Payment_Amount_split",
}


@pytest.mark.slow
@pytest.mark.parametrize("harm", HELD_BACK, ids=lambda harm: harm.__name__)
def test_a_failing_table_keeps_its_rows_and_the_others_are_released(
    place: Place, harm: Callable[[Place], None]
) -> None:
    before, built = (
        content(place, "clean.baltimore_spending"),
        dict(place.rows("select table_name, built_at from meta.tables")),
    )
    harm(place)
    edit(place.root / "sql/clean/maryland/mbe_directory.sql", "select", "select -- to be built again\n", 1)
    ended = place.run()
    assert (ended.code, ended.is_plain) == (3, True), ended.err
    assert re.search(HELD_BACK[harm], ended.message), ended.message
    assert content(place, "clean.baltimore_spending") == before
    assert place.rows("select table_name, status from meta.tables order by 1") == [
        ("clean.baltimore_spending", "held_back"),
        ("clean.maryland_mbe_directory", "current"),
    ]
    after = dict(place.rows("select table_name, built_at from meta.tables"))
    assert after["clean.maryland_mbe_directory"] > built["clean.maryland_mbe_directory"]
    assert after["clean.baltimore_spending"] == built["clean.baltimore_spending"]


# Mistakes in files: the error names the line before anything runs


def typo_in_defs(place: Place) -> tuple[Path, str]:
    return (
        place.root / "civic_pipeline/defs/maryland/mbe_directory/defs.yaml",
        "  cadence: irregular|  cadense: irregular",
    )


def contract_names_no_column(place: Place) -> tuple[Path, str]:
    return place.root / "sql/clean/maryland/mbe_directory.yml", "{name: firm_name,|{name: firm_nam,"


def expectation_on_no_column(place: Place) -> tuple[Path, str]:
    return (
        place.root / "sql/clean/baltimore/spending.yml",
        "{column: vendor_name, mostly: 0.99}|{column: vendor_nam, mostly: 0.99}",
    )


def sql_that_does_not_parse(place: Place) -> tuple[Path, str]:
    return (
        place.root / "sql/clean/baltimore/spending.sql",
        "clean_text(fund_description) as fund_name,|clean_text(fund_description)) as fund_name,",
    )


MISTAKES = [typo_in_defs, contract_names_no_column, expectation_on_no_column, sql_that_does_not_parse]


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.__name__)
def test_the_error_names_the_line_of_a_mistake_and_nothing_runs(
    place: Place, mistake: Callable[[Place], tuple[Path, str]]
) -> None:
    path, change = mistake(place)
    right, wrong = change.split("|")
    edit(path, right, wrong)
    line = line_of(path, wrong.strip())
    before = digest(place.warehouse)
    ended = place.run()
    assert (ended.code, ended.is_plain) == (2, True), ended.err
    assert f"{path}:{line}: " in ended.message
    assert digest(place.warehouse) == before
    assert not list((place.data / "dagster_home").glob("history/runs/[0-9a-f]*.db"))


@pytest.mark.slow
def test_dg_check_reports_a_typo_in_defs(place: Place) -> None:
    path = place.root / "civic_pipeline/defs/maryland/mbe_directory/defs.yaml"
    edit(path, "  cadence: irregular", "  cadense: irregular")
    checked = subprocess.run(
        [Path(sys.executable).parent / "dg", "check", "defs", "--no-check-yaml"],
        cwd=place.root, env=place.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert checked.returncode == 1
    assert "attributes.cadense" in checked.stdout + checked.stderr
    assert f"{path}:{line_of(path, 'cadense')}" in checked.stdout + checked.stderr


# The machine


@pytest.mark.slow
def test_a_full_disk(place: Place) -> None:
    """The lake is on a separate disk, too small for a capture and visible only to this run."""
    lake = place.data / "lake"
    small_disk = (
        "unshare",
        "--map-root-user",
        "--mount",
        "sh",
        "-c",
        f'mount -t tmpfs -o size=16k tmpfs {lake} && exec "$@"',
        "sh",
    )
    if (
        not shutil.which("unshare")
        or subprocess.run([*small_disk, "true"], capture_output=True, check=False).returncode
    ):
        pytest.skip("this machine lets nobody mount a small disk (unshare --map-root-user --mount)")
    before, captures = digest(place.warehouse), files_of(lake)
    ended = replace(place, under=small_disk).run("raw/baltimore_spending", "clean/baltimore_spending", "warehouse")
    assert (ended.code, ended.is_plain) == (3, True), ended.err
    assert re.search(rf"The disk of {lake}\S* is full: no space", ended.message), ended.message
    assert files_of(lake) == captures
    assert digest(place.warehouse) != before  # a new release with the previous rows
    assert place.rows("select count(*) from clean.baltimore_spending") != [(0,)]


def test_a_folder_without_write_permission(place: Place, tmp_path: Path) -> None:
    """A superuser can write everywhere, so the process drops this right first."""
    without_rights = ("setpriv", "--bounding-set=-all", "--inh-caps=-all") if os.getuid() == 0 else ()
    if without_rights and not shutil.which("setpriv"):
        pytest.skip("a superuser without `setpriv` cannot give up the right to write everywhere")
    before = digest(place.warehouse)
    folders = [place.data, *(path for path in place.data.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    try:
        limited = replace(place, under=without_rights)
        ended = limited.run()
        assert (ended.code, ended.is_plain) == (1, True), ended.err
        assert f"{place.data / 'dagster_home'} cannot be written: " in ended.message
        assert "set CIVIC_DATA to another folder" in ended.message
        assert digest(place.warehouse) == before
        assert limited.civic("sql", "select 1 as one").code == 0
    finally:
        for folder in folders:
            folder.chmod(0o755)


_HOLD = """
import sys
from pathlib import Path
import duckdb
from civic_pipeline.lock import only_writer
with {what}:
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_process(what: str) -> Iterator[int]:
    """A process that holds the context managers `what` until the block ends. Yields its pid."""
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLD.format(what=what)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process.pid
    finally:
        process.communicate()


def test_a_warehouse_opened_for_writing_is_not_replaced(place: Place) -> None:
    place.warehouse.chmod(0o644)
    before = digest(place.warehouse)
    with another_process(f"duckdb.connect({str(place.warehouse)!r})") as pid:
        ended = place.run("warehouse")
        assert (ended.code, ended.is_plain) == (3, True), ended.err
        assert f"{place.warehouse} is open for writing in another program" in ended.message
        assert f"PID {pid}" in ended.message
        asked = place.civic("sql", "select 1 as one")
        assert (asked.code, asked.is_plain) == (1, True), asked.err
        assert "is open for writing in another program" in asked.message
    assert digest(place.warehouse) == before
    assert place.run("warehouse").code == 0


def test_an_open_reader_keeps_the_release_that_it_opened(place: Place) -> None:
    built = "select built_at from meta.tables where table_name = 'clean.baltimore_spending'"
    with connect(place.warehouse) as reader:
        before = reader.execute(built).fetchall()
        edit(place.root / "sql/clean/baltimore/spending.sql", "select", "select -- to be built again\n", 1)
        assert place.run("clean/baltimore_spending", "warehouse").code == 0
        assert reader.execute(built).fetchall() == before
        assert place.rows(built) > before


@pytest.mark.slow
def test_a_second_run_waits_for_the_first(place: Place) -> None:
    """The first run has the build file open: without waiting, the second one would fail because of DuckDB's lock."""
    build = place.data / "build" / "build.duckdb"
    with another_process(f"only_writer(Path({str(build)!r})), duckdb.connect({str(build)!r})") as pid:
        process = place.start("run", "--select", "raw/maryland_mbe_directory", "--select", "warehouse")
        assert process.stderr is not None
        assert any(f"waiting for process {pid} on ".encode() in line for line in process.stderr)
        with (
            pytest.raises(LockHeld, match=f"is being written by process {pid} on .* since "),
            only_writer(build, wait_seconds=0),
        ):
            pass
    _, err = process.communicate(timeout=300)
    assert process.returncode == 0, err.decode()


# The terminal


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("sql", "selec 1"), 'syntax error at or near "selec"'),
        (("sql", "from clean.baltimore_spendin"), "baltimore_spendin does not exist.*baltimore_spending"),
        (("sql", "select vendor from clean.baltimore_spending"), '"vendor" not found.*vendor_name'),
        (("sql", "delete from clean.baltimore_spending"), "only reads"),
        (("sql", "drop table clean.baltimore_spending"), "only reads"),
        (
            ("run", "--select", "clean/baltimore_spendin"),
            r"There is no asset, dataset, subject or place 'clean/baltimore_spendin'\. Choose one of: .*clean/baltimore_spending",
        ),
        (("doctor", "baltimore/spendin"), "There is no dataset 'baltimore/spendin'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_the_error_for_wrong_input_names_valid_input(place: Place, arguments: tuple[str, ...], message: str) -> None:
    before = digest(place.warehouse)
    ended = place.civic(*arguments)
    assert (ended.code, ended.is_plain) == (2, True), ended.err
    assert re.search(message, ended.message, re.DOTALL), ended.message
    assert digest(place.warehouse) == before


def test_an_unknown_profile(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Place, "environment", place.environment | {"CIVIC_PROFILE": "production"})
    ended = place.civic("status")
    assert (ended.code, ended.is_plain) == (2, True)
    assert "'production' is not a valid CIVIC_PROFILE. Set CIVIC_PROFILE to demo or live" in ended.message


def test_no_warehouse_yet(tmp_path: Path) -> None:
    ended = Place(tmp_path / "data").civic("status")
    assert (ended.code, ended.is_plain) == (1, True)
    assert f"{tmp_path / 'data' / 'warehouse.duckdb'} does not exist yet. Run `civic run`" in ended.message


def test_a_folder_that_cannot_be_served(place: Place) -> None:
    (place.served / "mbe_directory.csv").unlink()
    before = digest(place.warehouse)
    for command, code in (("run", 3), ("doctor", 2)):
        ended = place.civic(command)
        assert (ended.code, ended.is_plain) == (code, True), ended.err
        assert f"portal.yml lists mbe_directory.csv, which is not in {place.served}" in ended.message
    assert digest(place.warehouse) == before


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    ended = Place(tmp_path / "data", SAMPLE).civic("--debug", "status")
    assert ended.code == 1
    assert "Traceback" in ended.err
    assert "WarehouseMissing" in ended.err
