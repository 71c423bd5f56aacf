"""`civic try`, `civic failed-rows` and `civic check`: one table judged, its rows shown, nothing kept."""

import hashlib
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tiny_project import DATASET, TinyProject

from civic_pipeline.cli.commands import cli
from civic_pipeline.errors import CivicError, DiskFull, LockHeld, NotBuilt, NotCaptured
from civic_pipeline.lock import only_writer
from civic_pipeline.quality import Suites, build_table
from civic_pipeline.quality.trial import try_table
from civic_pipeline.settings import CHECKOUT, Settings

CLEAN, CONTRACT, MART = (
    "sql/clean/town/payments.sql",
    "sql/clean/town/payments.yml",
    "sql/marts/spending/mart_months.sql",
)
ROWS = [("1", "2024-01-05", "10.00"), ("2", "2024-02-06", "1234.50"), ("3", "2024-02-07", "-5.00")]
REFUNDS = "\nexpectations:\n  - {expect_column_values_to_be_between: {column: amount, min_value: 0}, severity: critical, why: No refunds.}\ncolumns:"


@pytest.fixture
def built(tiny: TinyProject) -> TinyProject:
    """Captured, both tables accepted."""
    tiny.capture(ROWS)
    with tiny.build() as build:
        suites = Suites(build)
        for model in tiny.models().values():
            assert build_table(build, suites, model, {}).problem is None
    return tiny


@pytest.fixture
def checkout(tiny: TinyProject, monkeypatch: pytest.MonkeyPatch) -> TinyProject:
    """The tiny project as the one that `civic` works on."""
    attributes = textwrap.indent(DATASET.strip(), "  ")
    tiny.write(
        "civic_pipeline/defs/town/payments/defs.yaml",
        f"type: civic_pipeline.components.PortalDataset\nattributes:\n{attributes}\n",
    )
    place = (CHECKOUT / "civic_pipeline/defs/baltimore/place.yaml").read_text(encoding="utf-8")
    tiny.write("civic_pipeline/defs/town/place.yaml", place)
    monkeypatch.setattr(Settings, "from_environment", lambda: tiny.settings)
    return tiny


def civic(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


def tried(tiny: TinyProject, table: str) -> tuple[list[str], int]:
    """The failed checks and the rows of a trial."""
    with try_table(tiny.settings, {tiny.name: tiny.dataset}, tiny.models()[table]) as trial:
        return [result.name for result in trial.results if not result.passed], trial.staged.rows


def contents(folder: Path) -> dict[str, str]:
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def test_a_full_folder_for_temporary_files_is_named_and_not_the_data_folder(built: TinyProject) -> None:
    built.edit(
        CLEAN, "from raw.town_payments", "from raw.town_payments\nwhere error('No space left on device') is null"
    )
    with pytest.raises(DiskFull, match=f"^The disk of {tempfile.gettempdir()}/civic-"):
        tried(built, "clean.town_payments")


def test_a_table_is_tried_with_its_files_as_they_are_now_and_nothing_is_kept(built: TinyProject) -> None:
    before = contents(built.settings.data)
    assert tried(built, "clean.town_payments") == (["data_age"], 3)
    built.edit(CLEAN, "from raw.town_payments", "from raw.town_payments\nwhere Payment_No <> '3'")
    built.edit(CONTRACT, "\ncolumns:", REFUNDS.replace("min_value: 0", "max_value: 100"))
    failed, rows = tried(built, "clean.town_payments")
    assert (failed, rows) == (
        ["control_total__rows", "control_total__amount", "data_age", "amount__between"],
        2,
    )
    assert contents(built.settings.data) == before


def test_a_table_is_tried_on_the_accepted_versions_of_what_it_reads(built: TinyProject) -> None:
    built.edit(CLEAN, "parse_money(Amount)", "cast(0 as decimal(18, 2))")  # never built, so the mart does not see it
    built.edit(MART, "sum(amount)", "sum(amount) + 1")
    with try_table(built.settings, {built.name: built.dataset}, built.models()["marts.mart_months"]) as trial:
        [(total,)] = trial.connection.execute(f"select sum(amount)::varchar from {trial.staged.table}").fetchall()
    assert total == "1241.50"


def test_a_rule_across_tables_is_judged_too(built: TinyProject) -> None:
    header = "-- A month.\n-- severity: critical\n-- subject: spending\n-- holds back: marts.mart_months\n"
    query = "select m.month from marts.mart_months as m, clean.town_payments as p where p.paid_on = m.month or m.amount > {}\n"
    built.write("sql/checks/spending/dear.sql", header + query.format(1_000_000))
    assert tried(built, "marts.mart_months") == ([], 2)
    built.write("sql/checks/spending/dear.sql", header + query.format(1))
    assert tried(built, "marts.mart_months") == (["dear"], 2)


def test_a_table_can_be_tried_before_anything_was_built(tiny: TinyProject) -> None:
    tiny.capture(ROWS)
    assert tried(tiny, "clean.town_payments") == (["data_age"], 3)
    with pytest.raises(NotBuilt, match=r"clean\.town_payments has no accepted version yet"):
        tried(tiny, "marts.mart_months")
    with tiny.build():
        pass
    with pytest.raises(NotBuilt, match=r"clean\.town_payments has no accepted version yet"):
        tried(tiny, "marts.mart_months")


def test_a_table_without_a_readable_capture(tiny: TinyProject) -> None:
    with pytest.raises(NotCaptured):
        tried(tiny, "clean.town_payments")
    capture = tiny.capture(ROWS)
    (tiny.lake.files(capture)[0]).write_bytes(b"PAR1")
    with pytest.raises(CivicError, match="is damaged"):
        tried(tiny, "clean.town_payments")


def test_no_table_is_tried_while_a_run_writes(built: TinyProject) -> None:
    with only_writer(built.settings.build), pytest.raises(LockHeld):
        tried(built, "marts.mart_months")


def test_try_shows_the_rows_and_ends_with_1_for_a_critical_failure(built: TinyProject, checkout: TinyProject) -> None:
    good = civic("try", "clean.town_payments")
    assert (good.exit_code, good.output.splitlines()[0]) == (
        0,
        "clean.town_payments: 3 rows, 0 quarantined, 0 repeated",
    )
    assert good.output.splitlines()[-1].endswith("checks passed. The table would be accepted.")
    checkout.edit(CONTRACT, "\ncolumns:", REFUNDS)
    bad = civic("try", "clean.town_payments")
    assert bad.exit_code == 1
    assert "failed  critical: amount__between (No refunds., 1 unexpected, such as -5.00)" in bad.output
    assert "│ 3          │         -5.00 │" in bad.output
    assert bad.output.splitlines()[-1].endswith("1 critical failed: the table would be held back.")


def test_failed_rows_are_shown_as_the_build_left_them(built: TinyProject, checkout: TinyProject) -> None:
    assert (
        civic("failed-rows", "clean.town_payments").output
        == "No check of clean.town_payments left rows behind when it was last built.\n"
    )
    assert "There is no table 'clean.town_payment'" in str(civic("failed-rows", "clean.town_payment").exception)
    checkout.edit(CONTRACT, "\ncolumns:", REFUNDS)
    with checkout.build() as build:
        build_table(build, Suites(build), checkout.models()["clean.town_payments"], {})
    for arguments in (["clean.town_payments"], ["clean.town_payments", "amount__between"]):
        shown = civic("failed-rows", *arguments).output
        assert shown.startswith("clean.town_payments.amount__between: 1 rows in ")
        assert "│ 3          │         -5.00 │" in shown
    assert "There is no failed check with rows 'key_unique'" in str(
        civic("failed-rows", "clean.town_payments", "key_unique").exception
    )


def test_check_prints_each_mistake_and_ends_with_2(checkout: TinyProject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(checkout.settings.root)
    assert civic("check").output == "Columns and SQL are as declared.\n"
    checkout.edit(MART, "sum(amount)", "sum(dollars)")
    checkout.edit(CLEAN, "Payment_No as payment_id", "md5(Payment_No) as payment_id")
    shown = civic("check")
    assert shown.exit_code == 2
    lines = shown.output.splitlines()
    assert [line.split(": ")[0] for line in lines[:2]] == [f"{CLEAN}:3", f"{MART}:4"]
    assert lines[2] == "2 mistakes"


def test_the_library_is_loaded_without_what_only_charts_need() -> None:
    script = (
        "import sys\nfrom civic_pipeline.quality.library import load_library\nload_library()\n"
        "print(*(name in sys.modules for name in ('scipy.stats._stats_py', 'altair.vegalite', 'great_expectations')))\n"
        "from scipy import stats\nprint(stats.norm.cdf(0))"
    )
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert shown.stdout.split() == ["False", "False", "True", "0.5"]
