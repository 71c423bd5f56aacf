"""Values of portals in the events of a run: short, and without control characters."""

from types import SimpleNamespace
from typing import Any, cast

import duckdb

from civic_pipeline.quality.suites import _result
from civic_pipeline.warehouse import Build


def test_an_example_of_a_failed_check_is_short() -> None:
    check: Any = SimpleNamespace(result=lambda *values: values[-1])
    outcome = SimpleNamespace(
        success=False,
        exception_info=None,
        result={"unexpected_count": 2, "partial_unexpected_list": ["x" * 1_000_000, 7]},
    )
    examples = cast("Any", _result(check, outcome))
    assert [len(text) for text in examples] == [200, 1]


def test_a_row_of_the_sample_is_short_and_controls_nothing() -> None:
    connection = duckdb.connect()
    connection.execute(
        "create table t as select repeat('x', 1000000) as long, chr(27) || '[2J' as escape, null as nothing, 1 as number"
    )
    columns = [SimpleNamespace(name=name) for name in ("long", "escape", "nothing", "number")]
    model: Any = SimpleNamespace(name="t", contract=SimpleNamespace(columns=columns), personal=())
    (row,) = Build.sample(cast("Build", SimpleNamespace(connection=connection)), model)
    assert len(row["long"]) == 200
    assert (row["escape"], row["nothing"], row["number"]) == ("\\x1b[2J", "", "1")
