"""A failed check leaves the rows to look at: a query in `meta.checks` and a file, gone when the check passes."""

from typing import Any

import duckdb
import pytest
from tiny_project import TinyProject

from civic_pipeline.quality import Suites, build_table
from civic_pipeline.quality.failed_rows import KEPT_ROWS
from civic_pipeline.warehouse import Build, CheckResult

CONTRACT = "sql/clean/town/payments.yml"
ROWS = [("1", "2024-01-05", "10.00"), ("2", "2024-02-06", "1234.50"), ("3", "2024-02-07", "-5.00")]


def expect(tiny: TinyProject, *expectations: str) -> None:
    lines = "\n  - ".join(expectations)
    tiny.edit(CONTRACT, "\ncolumns:", f"\nexpectations:\n  - {lines}\ncolumns:")


def built(tiny: TinyProject, build: Build, table: str = "clean.town_payments") -> dict[str, CheckResult]:
    outcome = build_table(build, Suites(build), tiny.models()[table], {})
    return {result.name: result for result in outcome.results}


def rows_in(result: CheckResult) -> list[tuple[Any, ...]]:
    assert result.failed_rows is not None
    return duckdb.read_parquet(str(result.failed_rows)).fetchall()


def failing(tiny: TinyProject, expectation: str) -> CheckResult:
    expect(tiny, expectation)
    with tiny.build() as build:
        [failed] = [r for r in built(tiny, build).values() if not r.passed and r.name != "data_age"]
        return failed


KINDS = {
    "{expect_column_values_to_be_between: {column: amount, min_value: 0}, severity: warning}": {("3", "-5.00")},
    "{expect_column_values_to_be_in_set: {column: amount, value_set: [10]}, severity: warning}": {("2", "1234.50"), ("3", "-5.00")},
    "{expect_column_values_to_match_regex: {column: payment_id, regex: '^[12]'}, severity: warning}": {("3",)},
    "{expect_column_values_to_be_null: {column: paid_on}, severity: warning}": {("1", "2024-01-05"), ("2", "2024-02-06"), ("3", "2024-02-07")},
    "{expect_column_value_lengths_to_be_between: {column: payment_id, min_value: 2}, severity: warning}": {("1",), ("2",), ("3",)},
    "{expect_column_distinct_values_to_be_in_set: {column: payment_id, value_set: ['1', '2']}, severity: warning}": {("3",)},
    "{name: amount_is_paid, unexpected_rows_expectation: {unexpected_rows_query: 'select amount from {batch} where amount < 0'}, severity: warning}": {("-5.00",)},
}  # fmt: skip


@pytest.mark.parametrize("expectation", KINDS)
def test_each_kind_of_expectation_leaves_its_rows_with_their_key(expectation: str, tiny: TinyProject) -> None:
    tiny.capture(ROWS)
    failed = failing(tiny, expectation)
    assert {tuple(map(str, row)) for row in rows_in(failed)} == KINDS[expectation]


def test_a_sum_blames_no_row(tiny: TinyProject) -> None:
    tiny.capture(ROWS)
    failed = failing(tiny, "{expect_column_sum_to_be_between: {column: amount, max_value: 1}, severity: warning}")
    assert (failed.failed_rows_sql, failed.failed_rows) == (None, None)


def test_the_query_names_the_table_that_was_accepted(tiny: TinyProject) -> None:
    tiny.capture(ROWS)
    expect(tiny, "{expect_column_values_to_be_between: {column: amount, min_value: 0}, severity: warning}")
    with tiny.build() as build:
        built(tiny, build)
        [(sql,)] = build.connection.execute(
            "select failed_rows_sql from meta.checks where failed_rows_sql is not null"
        ).fetchall()
        assert [row[0] for row in build.connection.execute(sql).fetchall()] == ["3"]
        recorded = {result.name: result for result in build.ledger.recorded_checks("clean.town_payments")}
        check = recorded["amount__between"]
        assert check.failed_rows_sql == sql
        assert check.failed_rows == tiny.settings.failed_rows / "clean.town_payments" / f"{check.name}.parquet"


def test_a_repeated_key_of_a_table_that_is_held_back(tiny: TinyProject) -> None:
    tiny.capture([*ROWS, ("3", "2024-02-08", "1.00")])
    with tiny.build() as build:
        failed = built(tiny, build)["key_unique"]
        assert "clean.town_payments" in build.ledger.held_back()
    assert rows_in(failed) == [("3",), ("3",)]


def test_a_repeated_key_of_two_columns(tiny: TinyProject) -> None:
    tiny.edit(CONTRACT, "key: [payment_id]", "key: [payment_id, paid_on]")
    tiny.capture([*ROWS, ("3", "2024-02-07", "1.00"), ("3", "2024-02-08", "1.00")])
    with tiny.build() as build:
        failed = built(tiny, build)["key_unique"]
    assert [row[0] for row in rows_in(failed)] == ["3", "3"]


def test_a_reference_to_nothing(tiny: TinyProject) -> None:
    tiny.write("sql/marts/shared/dim_days.sql", "-- A day.\nselect date '2024-01-05' as paid_on\n")
    tiny.write(
        "sql/marts/shared/dim_days.yml",
        'each_row_is: one day\nkey: [paid_on]\ncolumns:\n  - {name: paid_on, type: DATE, description: "A day."}\n',
    )
    tiny.edit("sql/marts/shared/dim_days.yml", "key:", "about: A day.\ncannot_say: Nothing.\nkey:")
    tiny.edit(CONTRACT, "{name: paid_on, type: DATE,", "{name: paid_on, type: DATE, references: marts.dim_days,")
    tiny.capture(ROWS)
    with tiny.build() as build:
        built(tiny, build, "marts.dim_days")
        failed = built(tiny, build)["paid_on__references"]
    assert [row[0] for row in rows_in(failed)] == ["2", "3"]
    assert failed.unexpected == 2


def test_quarantined_rows_beyond_what_is_tolerated(tiny: TinyProject) -> None:
    tiny.edit(CONTRACT, "tolerate_quarantined: 50%", "tolerate_quarantined: 1%")
    tiny.capture([*ROWS, ("4", "2024-02-08", "n/a")])
    with tiny.build() as build:
        failed = built(tiny, build)["quarantine_tolerated"]
    assert failed.failed_rows_sql == "select * from quarantine.town_payments"
    assert [row[0] for row in rows_in(failed)] == ["4"]


def test_no_more_rows_are_kept_than_a_person_looks_at(tiny: TinyProject) -> None:
    tiny.capture([(str(number), "2024-02-08", "-1.00") for number in range(KEPT_ROWS + 1)])
    failed = failing(tiny, "{expect_column_values_to_be_between: {column: amount, min_value: 0}, severity: warning}")
    assert failed.unexpected == KEPT_ROWS + 1
    assert len(rows_in(failed)) == KEPT_ROWS


def test_rows_of_a_check_that_passes_again_are_gone(tiny: TinyProject) -> None:
    tiny.capture(ROWS)
    failed = failing(tiny, "{expect_column_values_to_be_between: {column: amount, min_value: 0}, severity: warning}")
    assert failed.failed_rows is not None
    assert failed.failed_rows.exists()
    tiny.edit(CONTRACT, "min_value: 0", "min_value: -100")
    with tiny.build() as build:
        again = built(tiny, build)[failed.name]
    assert (again.failed_rows, again.failed_rows_sql) == (None, None)
    assert not failed.failed_rows.exists()


def test_rows_of_a_table_that_left_are_gone(tiny: TinyProject) -> None:
    tiny.capture(ROWS)
    failed = failing(tiny, "{expect_column_values_to_be_between: {column: amount, min_value: 0}, severity: warning}")
    assert failed.failed_rows is not None
    with tiny.build() as build:
        build.forget_all_but([])
    assert not failed.failed_rows.exists()


def test_a_rule_across_tables_leaves_what_it_returned(tiny: TinyProject) -> None:
    tiny.write(
        "sql/checks/spending/no_refunds.sql",
        "-- A refund.\n-- severity: critical\n-- subject: spending\n-- holds back: clean.town_payments\n"
        "select payment_id, amount from clean.town_payments where amount < 0\n",
    )
    tiny.capture(ROWS)
    with tiny.build() as build:
        assert [row[0] for row in rows_in(built(tiny, build)["no_refunds"])] == ["3"]
        recorded = {result.name: result for result in build.ledger.recorded_checks("clean.town_payments")}
    assert "amount < 0" in str(recorded["no_refunds"].failed_rows_sql)
