"""The quality report: what failed first, a page per table that was checked, every value as text."""

import re
from pathlib import Path

import pytest

from civic_pipeline.quality import report_page, write_report
from civic_pipeline.warehouse import CheckResult

HOSTILE = "<script>alert(1)</script>\" onload='x' &amp;"


def result(table: str, name: str, passed: bool, severity: str = "critical", **more: object) -> CheckResult:
    return CheckResult(table, name, "table", severity, passed, f"{name} holds", **more)


def test_what_failed_comes_first_and_each_checked_table_has_a_page(tmp_path: Path) -> None:
    results = {
        "clean.a": [result("clean.a", "key_unique", True), result("clean.a", "amount__between", False, "warning")],
        "marts.b": [result("marts.b", "key_unique", False, unexpected=1234.0, examples=("7",), failed_rows=tmp_path / "key.parquet"), result("marts.b", "x", True)],
        "marts.c": [result("marts.c", "schema", True)],
    }  # fmt: skip
    index = write_report(tmp_path, "a_run", {"clean.a": "spending", "marts.b": "budget", "marts.c": "budget"}, results)
    assert index == report_page(tmp_path, "a_run")
    text = index.read_text(encoding="utf-8")
    assert "5 expectations of 3 tables were checked, 2 failed" in text
    order = [
        "marts.b.html",
        "clean.a.html",
        'id="budget',
        "marts.b.html",
        "marts.c.html",
        'id="spending',
        "clean.a.html",
    ]
    assert re.findall(r'(?:marts|clean)\.\w\.html|id="\w+', text) == order
    page = report_page(tmp_path, "a_run", "marts.b").read_text(encoding="utf-8")
    assert re.findall(r"<tr><td>(\w+)", page) == ["key_unique", "x"]
    assert "1,234" in page
    assert f'href="{(tmp_path / "key.parquet").as_uri()}"' in page
    assert {file.name for file in index.parent.iterdir()} == {"index.html", *(f"{table}.html" for table in results)}


def test_nothing_checked_is_no_report(tmp_path: Path) -> None:
    assert write_report(tmp_path, "a_run", {}, {}) is None
    assert not list(tmp_path.iterdir())


def test_a_hostile_value_is_text_in_every_page(tmp_path: Path) -> None:
    bad = CheckResult("clean.a", HOSTILE, "table", "critical", False, HOSTILE, 1, 1, (HOSTILE,), not_run=None)
    index = write_report(tmp_path, "a_run", {"clean.a": HOSTILE}, {"clean.a": [bad]})
    assert index
    for page in index.parent.iterdir():
        text = page.read_text(encoding="utf-8")
        assert "<script" not in text
        assert "onload='" not in text
        assert "&lt;script&gt;" in text
        assert "default-src 'none'" in text


def test_only_the_newest_reports_are_kept_and_no_failed_rows_are_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("civic_pipeline.quality.report.KEPT_REPORTS", 2)
    for name in ("old", "older", "failed"):
        (tmp_path / name).mkdir()
    write_report(tmp_path, "a_run", {"clean.a": "spending"}, {"clean.a": [result("clean.a", "x", True)]})
    assert {"failed", "a_run"} < {folder.name for folder in tmp_path.iterdir()}
    assert len(list(tmp_path.iterdir())) == 3
