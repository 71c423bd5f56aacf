"""Text of a portal cannot control a terminal, look like a message of ours, or hold a run."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from civic_pipeline import errors
from civic_pipeline.cli.commands import cli
from civic_pipeline.cli.difference_text import as_text
from civic_pipeline.errors import CivicError, FileInvalid, PortalRefused, SchemaDrifted
from civic_pipeline.foreign_text import in_one_line, printable
from civic_pipeline.portals.http import describe_body
from civic_pipeline.releases.compare import Difference, TableDifference
from civic_pipeline.warehouse import CheckResult

HOSTILE = "\x1b[2J\x1b]0;owned\x07\rgone\nError: all is well\t\x9b31m\u202eevil\u2028"


def test_control_characters_are_shown_and_other_text_stays() -> None:
    assert printable("\u200eA\u061cB\U000e0041") == r"\u200eA\u061cB\U000e0041"
    assert printable("é ü 漢 \u200d — 'x'\n\t") == "é ü 漢 \u200d — 'x'\n\t"
    assert printable("\ufffe\uffff") == r"\ufffe\uffff", "no XML has these"
    assert in_one_line("a\nb\tc") == r"a\nb\tc"
    assert printable(HOSTILE) == ("\\x1b[2J\\x1b]0;owned\\x07\\rgone\nError: all is well\t\\x9b31m\\u202eevil\\u2028")


@pytest.mark.parametrize(
    "message",
    [
        str(PortalRefused("https://a.example", HOSTILE)),
        str(SchemaDrifted("town/x", [HOSTILE], [HOSTILE], [HOSTILE])),
        CheckResult("clean.x", HOSTILE, "table", "warning", False, "is a number", 9, 1, (HOSTILE,)).failure,
    ],
)
def test_foreign_text_cannot_begin_a_line(message: str) -> None:
    assert "\\nError: all is well" in message
    assert message.isprintable()


def test_a_list_of_mistakes_keeps_its_lines() -> None:
    shown = str(CivicError(f"two:\n  {HOSTILE}"))
    assert shown.startswith("two:\n  \\x1b")
    assert "\x1b" not in shown


def test_names_of_columns_cannot_control_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a\x1b[2J,b\x1b]0;t\x07\n1,2\n")
    shown = CliRunner().invoke(cli, ["capture", str(tmp_path / "x.csv"), "--out", str(tmp_path / "out")], color=True)
    assert shown.exit_code == 0
    assert r"a\x1b[2J" in shown.output
    assert "\x1b" not in shown.output
    table = TableDifference("marts.x", 1, 1, [], [], [], 0, 0, 1, ["changed \x1b[2J\nError: it failed"], [])
    text = as_text(Difference("one", "two", [], [], [table]))
    assert text.splitlines()[-1] == r"      changed \x1b[2J\nError: it failed"


def test_a_message_without_end_is_cut_after_its_secrets_are_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOCRATA_APP_TOKEN", "0123456789")
    shown = str(errors.PortalRefused("https://a.example", "x" * 4_930 + "0123456789" * 1_000_000))
    assert len(shown) == 5_000
    assert "012" not in shown


def test_every_error_about_a_portal_or_a_capture_is_one_line() -> None:
    kinds = [getattr(errors, name) for name in errors.__all__]
    foreign = [
        kind for kind in kinds if kind.__module__ in {"civic_pipeline.errors.portals", "civic_pipeline.errors.lake"}
    ]
    assert len(foreign) > 20
    assert all(issubclass(kind, errors.base.OneLineError) for kind in foreign)
    assert not issubclass(FileInvalid, errors.base.OneLineError)


@pytest.mark.parametrize("body", [b"<title" * 2_000_000, b"<title>" + b"<" * 10_000_000, b"<title>\x1b" * 1_000_000])
def test_a_large_error_page_is_described_by_its_beginning(body: bytes) -> None:
    assert (
        describe_body(b"<html><title>  Down for repairs\n</title>" + body) == "an HTML page titled 'Down for repairs'"
    )
    # In a process of its own: a pattern that backtracks would take days.
    script = (
        f"from civic_pipeline.portals.http import describe_body; print(describe_body({body[:7]!r} * 1_500_000)[:40])"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert ended.stdout.startswith(("an HTML page titled", "10,500,000 bytes"))
