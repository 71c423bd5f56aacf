"""The CLI without a portal: exit codes, error messages, and the formats of query results."""

import io
import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from civic_pipeline import interruption
from civic_pipeline.cli import main
from civic_pipeline.cli.commands import cli
from civic_pipeline.errors import CivicError, DiskFull, QueryRefused, RunFailed, UnknownName, WarehouseMissing
from civic_pipeline.settings import Settings


def civic(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


def ends_with(monkeypatch: pytest.MonkeyPatch, arguments: Sequence[str]) -> object:
    """The exit code of the entry point `civic`."""
    monkeypatch.setattr(sys, "argv", ["civic", *arguments])
    with pytest.raises(SystemExit) as end:
        main()
    return end.value.code


@pytest.fixture
def warehouse() -> Path:
    file = Settings.from_environment().warehouse
    file.parent.mkdir(parents=True)
    with duckdb.connect(str(file)) as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.kinds as select 1 as whole, 0.10::decimal(18, 2) as money, 'é' as name, null::date as day"
        )
    return file


def test_a_civic_error_ends_with_its_message_and_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ends_with(monkeypatch, ["status"]) == WarehouseMissing.exit_code
    assert ends_with(monkeypatch, ["doctor", "town/nowhere"]) == UnknownName.exit_code
    err = capsys.readouterr().err
    assert "Error: There is no dataset 'town/nowhere'. Choose one of: baltimore/" in err
    assert " others.\n" in err
    assert ends_with(monkeypatch, ["doctor", "baltimore/spendin"]) == UnknownName.exit_code
    assert "Choose one of: baltimore/spending, " in capsys.readouterr().err
    assert "Traceback" not in err
    assert ends_with(monkeypatch, ["nothing"]) == 2


def test_debug_shows_the_traceback_of_a_civic_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["civic", "--debug", "status"])
    with pytest.raises(WarehouseMissing):
        main()


def test_an_unexpected_error_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("civic_pipeline.cli.status_text.describe_status", lambda *_, **__: 1 / 0)
    monkeypatch.setattr(sys, "argv", ["civic", "status"])
    with pytest.raises(ZeroDivisionError):
        main()


def test_a_traceback_cannot_control_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> str:
        raise ValueError("\x1b[2J in a name")

    monkeypatch.setattr("civic_pipeline.cli.status_text.describe_status", fail)
    monkeypatch.setattr(sys, "argv", ["civic", "status"])
    with pytest.raises(ValueError, match="in a name") as raised:
        main()
    sys.excepthook(raised.type, raised.value, raised.tb)
    assert "\\x1b[2J in a name" in capsys.readouterr().err


def test_a_signal_that_a_library_made_another_exception_of_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, **__: object) -> str:
        monkeypatch.setattr(interruption, "_received", signal.SIGTERM)
        raise RuntimeError("Query interrupted")  # as DuckDB does

    monkeypatch.setattr("civic_pipeline.cli.status_text.describe_status", interrupted)
    assert ends_with(monkeypatch, ["status"]) == 128 + signal.SIGTERM
    assert capsys.readouterr().err == "Error: interrupted\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_while_the_commands_are_imported_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], number: signal.Signals
) -> None:
    class Importing:
        """Gets the signal when the module of the commands is looked for."""

        def find_spec(self, name: str, *_: object) -> None:
            if name == "civic_pipeline.cli.commands":
                signal.raise_signal(number)

    monkeypatch.setattr(interruption, "_received", None)  # again after this test
    monkeypatch.delitem(sys.modules, "civic_pipeline.cli.commands")
    monkeypatch.setattr(sys, "meta_path", [Importing(), *sys.meta_path])
    assert ends_with(monkeypatch, ["status"]) == 128 + number
    assert capsys.readouterr().err == "Error: interrupted\n"


def test_a_failed_run_lists_the_error_of_each_step() -> None:
    import dagster as dg

    from civic_pipeline.dagster_private import without_stack_trace
    from civic_pipeline.runs import failure_of

    @dg.op
    def build_warehouse() -> None:
        raise without_stack_trace(CivicError("1 held back: no response"))

    @dg.job
    def nightly() -> None:
        build_warehouse()

    failure = failure_of(nightly.execute_in_process(raise_on_error=False))
    assert isinstance(failure, RunFailed)
    assert str(failure) == "The run failed:\n1 held back: no response"
    assert failure.exit_code == 3


@pytest.mark.parametrize("form", ["csv", "json", "parquet"])
def test_a_query_result_is_written_in_the_given_format(warehouse: Path, tmp_path: Path, form: str) -> None:
    output = tmp_path / f"answer.{form}"
    assert civic("sql", "from kinds", "--format", form, "--output", str(output)).exit_code == 0
    match form:
        case "csv":
            assert output.read_text(encoding="utf-8").replace('"', "") == "whole,money,name,day\n1,0.10,é,\n"
        case "json":
            answer = json.loads(output.read_text(encoding="utf-8"))
            assert (answer["whole"], float(answer["money"]), answer["name"], answer["day"]) == (1, 0.1, "é", None)
        case _:
            assert pq.read_table(io.BytesIO(output.read_bytes())).schema.names == ["whole", "money", "name", "day"]


def test_a_query_that_fails_or_writes_is_an_error(warehouse: Path) -> None:
    for query in ("from kindz", "create table marts.mine as select 1", "delete from kinds"):
        assert isinstance(civic("sql", query).exception, QueryRefused), query


@pytest.mark.parametrize("message", ["database or disk is full", "disk I/O error", "IO Error: No space left on device"])
def test_a_full_disk_below_other_libraries_is_one_sentence(
    message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(_: Settings) -> str:
        try:
            raise RuntimeError(message)
        except RuntimeError as error:
            raise ValueError("in Dagster") from error

    monkeypatch.setattr("civic_pipeline.cli.status_text.describe_status", lambda settings, every_table: fails(settings))
    assert ends_with(monkeypatch, ["status"]) == DiskFull.exit_code
    err = capsys.readouterr().err
    assert err.startswith(f"Error: The disk of {Settings.from_environment().data} is full: ")
    assert err.count("\n") == 1
