"""Which macros a model's fingerprint depends on."""

from pathlib import Path

import pytest

from civic_pipeline.errors import FileInvalid
from civic_pipeline.warehouse.macros import macros_called, read_macros

MACROS = """-- Twice.
create or replace macro twice(x) as (x * 2);
create or replace macro four_times(x) as (twice(twice(x)));
create or replace macro other(x) as (x - 1);
"""


def called(folder: Path, macros: str, *sql: str) -> dict[str, str]:
    file = folder / "numbers.sql"
    file.write_text(macros, encoding="utf-8")
    return macros_called(sql, read_macros([file]))


def test_a_query_depends_on_the_macros_it_calls_also_through_others(tmp_path: Path) -> None:
    before = called(tmp_path, MACROS, "select four_times(a) as b from t")
    assert list(before) == ["four_times", "twice"]
    assert called(tmp_path, MACROS.replace("x - 1", "x - 2"), "select four_times(a) as b from t") == before
    assert called(tmp_path, MACROS.replace("Twice.", "Two times."), "select four_times(a) as b from t") == before
    assert called(tmp_path, MACROS.replace("x * 2", "x + x"), "select four_times(a) as b from t") != before


def test_a_call_is_found_in_any_writing_and_a_column_of_that_name_is_none(tmp_path: Path) -> None:
    assert list(called(tmp_path, MACROS, "select OTHER (a)", "twice(amount) is not null")) == ["other", "twice"]
    assert called(tmp_path, MACROS, "select other, twice from t") == {}


def test_macros_that_do_not_parse_are_named_with_their_file(tmp_path: Path) -> None:
    with pytest.raises(FileInvalid, match=r"numbers\.sql"):
        called(tmp_path, "create macro x(a) as (a +", "select 1")


def test_two_macros_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileInvalid, match="the macro twice is defined twice"):
        called(tmp_path, MACROS + "create or replace macro TWICE(y) as (y + y);\n")
