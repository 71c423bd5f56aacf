"""Quoting of text in SQL."""

import duckdb
import pytest

from civic_pipeline.sql_text import literal, quoted


@pytest.mark.parametrize("text", ["", "O'Neill", "a\0b", "\0", "'\0'; drop table t; --", 'é "x"'])
def test_a_text_is_read_back_as_it_is(text: str) -> None:
    assert duckdb.sql(f"select {literal(text)}").fetchall() == [(text,)]


def test_a_name_is_quoted() -> None:
    name = 'a "b" c'
    assert duckdb.sql(f"select 1 as {quoted(name)}").columns == [name]
