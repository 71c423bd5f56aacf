"""`marts.mart_changed_figures`: since when a figure is another number, from what and to what; never a number that is not shown."""

from datetime import datetime
from itertools import pairwise

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from civic_pipeline.warehouse import changed_figures, meta
from civic_pipeline.warehouse.changed_figures import record_changed_figures

MART = "marts.mart_t"
Releases = list[dict[str, int | None]]


@pytest.fixture(scope="module")
def build() -> duckdb.DuckDBPyConnection:
    """A build in which `marts.mart_t` has an id, a name, people and dollars, and an empty release before it."""
    connection = duckdb.connect()
    meta.create(connection)
    connection.execute("attach ':memory:' as before; create schema before.marts")
    entry = {"table_name": MART, "key_columns": ["t_id"], "inputs": ["clean.t"]}
    meta.put(connection, "meta.tables", "table_name", MART, [entry])
    columns = [
        ("fiscal_year", "INTEGER", "fiscal year"),
        ("people", "BIGINT", "people"),
        ("amount", "DECIMAL(18,2)", "USD"),
    ]
    meta.put(connection, "meta.columns", "table_name", MART, [
        {"table_name": MART, "position": n, "column_name": name, "column_type": kind, "unit": unit}
        for n, (name, kind, unit) in enumerate(columns, 1)
    ])  # fmt: skip
    return connection


def publish(
    build: duckdb.DuckDBPyConnection, releases: Releases, people: tuple[int, ...] = (), years: tuple[int, ...] = ()
) -> list[tuple[object, ...]]:
    """Make a release of each dictionary id -> amount; return what the last one has."""
    build.execute("drop table if exists before.marts.mart_changed_figures")
    before: dict[str, str] = {}
    for number, amounts in enumerate(releases):
        count = people[number] if people else 1
        year = years[number] if years else 2026
        build.execute(
            f"create or replace table {MART} as select unnest(?::varchar[]) as t_id, 'Name ' || t_id as t_name, {year} as fiscal_year,"
            f" {count}::bigint as people, unnest(?::decimal(18, 2)[]) as amount",
            [list(amounts), list(amounts.values())],
        )
        hashes = {MART: f"hash of {amounts}, {count}, {year}"}
        record_changed_figures(build, f"r{number}", datetime(2026, 1, 1 + number), hashes, before)
        before = hashes
        for table in (MART, "marts.mart_changed_figures"):
            build.execute(f"create or replace table before.{table} as from {table}")
    return build.execute(
        "select release_id, row_key, row_name, column_name, value_before, value_after from marts.mart_changed_figures order by row_key"
    ).fetchall()


def test_a_figure_says_since_when_from_what_and_to_what(build: duckdb.DuckDBPyConnection) -> None:
    assert publish(build, [{"a": 1, "b": 5}, {"a": 2, "b": 5, "c": 1}, {"a": 2, "b": 7}]) == [
        ("r1", '["a"]', ["Name a", "2026"], "amount", 1.0, 2.0),
        ("r2", '["b"]', ["Name b", "2026"], "amount", 5.0, 7.0),
    ]


def test_an_earlier_change_is_forgotten_when_its_figure_is_gone_or_another(
    build: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert publish(build, [{"a": 1}, {"a": 2}, {"b": 2}]) == []
    assert publish(build, [{"a": 1}, {"a": 2}, {"a": None}]) == []
    monkeypatch.setattr(changed_figures, "LIMIT", 1)
    changes = publish(build, [{"a": 1, "b": 1}, {"a": 2, "b": 1}, {"a": 3, "b": 9}])
    assert [change[1] for change in changes] == ['["b"]'], "of a, only a change to 2 is known, and it is 3"


def test_another_column_is_the_figure_if_no_dollars_changed_but_never_a_year(build: duckdb.DuckDBPyConnection) -> None:
    assert publish(build, [{"a": 1}, {"a": 1}], people=(5, 6)) == [
        ("r1", '["a"]', ["Name a", "2026"], "people", 5.0, 6.0)
    ]
    assert publish(build, [{"a": 1}, {"a": 1}], years=(2025, 2026)) == []


def test_an_id_is_named_by_its_dimension(build: duckdb.DuckDBPyConnection) -> None:
    build.execute("create table marts.dim_agencies as select 'a' as agency_id, 'Fire' as agency_name")
    assert build.execute(
        f"select {changed_figures._row_name(build, ['agency_id', 'month'], ['agency_id', 'month'])}"
        " from (select 'a' as agency_id, 7 as month) as b"
    ).fetchall() == [(["7", "Fire"],)]
    build.execute("drop table marts.dim_agencies")


def test_groups_of_persons_are_left_out(build: duckdb.DuckDBPyConnection) -> None:
    entry = {"table_name": "clean.t", "key_columns": ["id"], "personal_columns": ["pay"]}
    meta.put(build, "meta.tables", "table_name", "clean.t", [entry])
    try:
        assert publish(build, [{"a": 1}, {"a": 2}]) == []
    finally:
        build.execute("delete from meta.tables where table_name = 'clean.t'")


AMOUNTS = st.dictionaries(st.sampled_from("abcd"), st.integers(-3, 3) | st.none(), max_size=4)


@given(st.lists(AMOUNTS, min_size=2, max_size=4))
def test_what_a_figure_became_is_what_it_is(build: duckdb.DuckDBPyConnection, releases: Releases) -> None:
    changes = publish(build, releases)
    known: dict[str, tuple[object, object]] = {}
    for earlier, later in pairwise(releases):
        known = {name: change for name, change in known.items() if later.get(name) == change[1]}
        for name in earlier.keys() & later.keys():
            if None not in (earlier[name], later[name]) and earlier[name] != later[name]:
                known[name] = (earlier[name], later[name])
    assert {change[1]: change[4:] for change in changes} == {f'["{name}"]': change for name, change in known.items()}
