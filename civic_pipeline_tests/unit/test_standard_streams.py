"""Standard output that is full, closed, read no more, or in an encoding without the letter that is printed."""

import io
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest

from civic_pipeline import cli
from civic_pipeline.errors import OutputClosed, OutputNotWritable, RunFailed
from civic_pipeline.settings import Settings

Ends = Callable[..., object]


@pytest.fixture
def ends_with(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ends]:
    """`civic` with these arguments, whose standard output is the open file of this number, or closed; returns its exit code."""
    kept = os.dup(1)

    def call(output: int | None, *arguments: str, encoding: str = "utf-8") -> object:
        if output is None:
            os.close(1)
            monkeypatch.setattr(sys, "stdout", None)
        else:
            os.dup2(output, 1)
            os.close(output)
            stream = io.TextIOWrapper(io.FileIO(1, "w", closefd=False), encoding, write_through=True)
            monkeypatch.setattr(sys, "stdout", stream)
        monkeypatch.setattr(sys, "argv", ["civic", *arguments])
        with pytest.raises(SystemExit) as end:
            cli.main()
        sys.stdout.flush()  # as Python does at its end
        return end.value.code

    yield call
    os.dup2(kept, 1)
    os.close(kept)


def full() -> int:
    return os.open("/dev/full", os.O_WRONLY)


def unread() -> int:
    reader, writer = os.pipe()
    os.close(reader)
    return writer


def test_a_full_output_is_one_sentence_that_blames_no_disk_of_ours(
    ends_with: Ends, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ends_with(full(), "--help") == OutputNotWritable.exit_code
    assert capsys.readouterr().err == (
        "Error: The standard output cannot be written: No space left on device. Send it to another file.\n"
    )


def test_an_output_that_nobody_reads_is_silence(ends_with: Ends, capsys: pytest.CaptureFixture[str]) -> None:
    assert ends_with(unread(), "--help") == OutputClosed.exit_code
    assert capsys.readouterr().err == ""


def test_a_failed_run_says_so_also_when_nobody_reads_its_output(
    ends_with: Ends, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse = Settings.from_environment().warehouse
    warehouse.parent.mkdir(parents=True)
    warehouse.touch()
    monkeypatch.setattr("civic_pipeline.cli.status_text.describe_status", lambda *_, **__: "whole")
    monkeypatch.setattr("civic_pipeline.cli.run._run", lambda *_: RunFailed(["1 held back"]))
    assert ends_with(unread(), "run") == RunFailed.exit_code
    assert capsys.readouterr().err == "Error: The run failed:\n1 held back\n"


def test_no_file_gets_the_number_of_a_closed_stream(
    ends_with: Ends, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def opens(*_: object, **__: object) -> str:
        with (tmp_path / "file").open("w") as file:
            assert file.fileno() > 2
        return "whole"

    monkeypatch.setattr("civic_pipeline.cli.status_text.describe_status", opens)
    assert ends_with(None, "status") == 0


def test_a_letter_that_the_encoding_lacks_is_printed_as_its_number(
    ends_with: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("civic_pipeline.cli.status_text.describe_status", lambda *_, **__: "✓")
    reader, writer = os.pipe()
    assert ends_with(writer, "status", encoding="latin-1") == 0
    assert os.read(reader, 100) == b"\\u2713\n"
    os.close(reader)


def test_an_argument_that_is_no_text_is_named(ends_with: Ends, capsys: pytest.CaptureFixture[str]) -> None:
    assert ends_with(os.open(os.devnull, os.O_WRONLY), "sql", "select '\udce9'") == click.UsageError.exit_code
    assert "is not text in utf-8, the encoding of this locale" in capsys.readouterr().err
