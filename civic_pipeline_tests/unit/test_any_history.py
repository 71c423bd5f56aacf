"""For any sequence of captures: the revisions applied to one of them give the next one."""

import json
import shutil
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_project import TinyProject, write_tiny_project

from civic_pipeline.warehouse import Build, record_history
from civic_pipeline.warehouse.history import TABLES
from civic_pipeline.warehouse.meta import recorded_tables

Row = tuple[Any, ...]

keys = st.one_of(st.none(), st.sampled_from("abcde"))
values = st.one_of(st.none(), st.sampled_from(["", "1", "2", "null", '"', "ü"]))
tables = st.lists(st.tuples(keys, values, values), max_size=9)


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TinyProject, Build, Iterator[int]]]:
    """A tiny project whose build stays open, and a counter for new capture times: each example replaces all captures of the last one."""
    tiny = write_tiny_project(tmp_path_factory.mktemp("any") / "tiny")
    with tiny.build() as build:
        yield tiny, build, count()


@pytest.mark.slow
@given(nights=st.lists(tables, min_size=2, max_size=4))
def test_revisions_applied_to_a_capture_give_the_next_one(
    opened: tuple[TinyProject, Build, Iterator[int]], nights: list[list[Row]]
) -> None:
    tiny, build, numbers = opened
    shutil.rmtree(tiny.settings.lake, ignore_errors=True)
    moments = [datetime(2026, 1, 1) + timedelta(seconds=next(numbers)) for _ in nights]
    stamps = [f"{moment:%Y-%m-%dT%H%M%S.%fZ}" for moment in moments]
    for at, rows in zip(stamps, nights, strict=True):
        tiny.capture(rows, at=at)
    assert record_history(build, tiny.models()) == {}
    rows_by_table = {table: build.connection.execute(f"from {table} order by all").fetchall() for table in TABLES}
    assert [row[1] for row in rows_by_table["meta.comparisons"]] == [f"town/payments/{at}" for at in stamps]
    names = [column.name for column in recorded_tables()["meta.revisions"].columns]
    revisions = [dict(zip(names, row, strict=True)) for row in rows_by_table["meta.revisions"]]
    open_versions = {row[1] for row in rows_by_table["meta.record_versions"] if row[5] is None}
    for earlier, later, at in zip(nights, nights[1:], stamps[1:], strict=False):
        before, after = records(earlier), records(later)
        undecided = {key for side in (before, after) for key, contents in side.items() if len(contents) > 1}
        state = {key: dict(next(iter(contents))) for key, contents in before.items() if key not in undecided}
        for revision in (r for r in revisions if r["capture_id"].endswith(at)):
            assert revision["record_key"] not in {json.dumps([key]) for key in undecided}
            apply(state, revision)
        assert state == {key: dict(next(iter(contents))) for key, contents in after.items() if key not in undecided}
    decided = {json.dumps([key]) for key, contents in records(nights[-1]).items() if len(contents) == 1}
    assert open_versions == decided


def records(rows: Sequence[Row]) -> dict[str, set[tuple[tuple[str, Any], ...]]]:
    """Return the different rows of each key of a capture; more than one is a conflict."""
    contents: dict[str, set[tuple[tuple[str, Any], ...]]] = defaultdict(set)
    for key, paid_on, amount in rows:
        if key is not None:
            contents[key].add((("Amount", amount), ("Paid_On", paid_on)))
    return contents


def apply(state: dict[str, dict[str, Any]], revision: dict[str, Any]) -> None:
    """Apply a revision to `state`, and check that its old values were there."""
    (key,) = json.loads(revision["record_key"])
    before, after = (revision[side] and json.loads(revision[side]) for side in ("before", "after"))
    match revision["kind"]:
        case "added":
            assert key not in state
            state[key] = after
        case "removed":
            assert state.pop(key) == before
        case "rekeyed":
            (previous,) = json.loads(revision["previous_key"])
            state[key] = state.pop(previous)
        case "changed":
            assert sorted(before) == sorted(after) == revision["changed_columns"]
            assert before == {name: state[key][name] for name in before}
            assert all(before[name] != after[name] for name in before)
            state[key] |= after
