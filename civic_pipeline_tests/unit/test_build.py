"""Stage, split, swap or hold back: on a tiny project of a few rows."""

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from tiny_project import TinyProject

from civic_pipeline.catalog import Dataset
from civic_pipeline.errors import DiskFull, ModelFailed, NotWritable, writing
from civic_pipeline.warehouse import Build, CheckResult, open_build
from civic_pipeline.warehouse.ledger import Ledger

GOOD = [("1", "2024-01-05", "10.00"), ("2", "2/6/2024", "$1,234.50"), ("3", "2024-02-07", "(5.00)")]


def swap_all(tiny: TinyProject, build: Build) -> None:
    for model in tiny.models().values():
        build.swap(build.stage(model), [], None)


def rows(build: Build, query: str) -> list[tuple[object, ...]]:
    return build.connection.execute(query).fetchall()


def test_a_row_goes_to_quarantine_whole_with_every_rule_it_broke(tiny: TinyProject) -> None:
    tiny.capture([*GOOD, ("4", "soon", "n/a"), ("5", "2024-01-01", "?"), ("6", None, "7.00")])
    with tiny.build() as build:
        staged = build.stage(tiny.models()["clean.town_payments"])
        assert (staged.rows, staged.quarantined_rows, staged.repeated_rows) == (3, 3, 0)
        assert rows(build, f"select payment_id, _published_amount, _rules, len(_reasons) from {staged.quarantine} order by 1") == [
            ("4", "n/a", ["amount_is_readable", "payment_is_dated"], 2),
            ("5", "?", ["amount_is_readable"], 1),
            ("6", "7.00", ["payment_is_dated"], 1),
        ]  # fmt: skip
        assert rows(build, f"select _reasons, _capture_id from {staged.quarantine} where payment_id = '6'") == [
            (["The payment has no date."], "town/payments/2026-01-02T030405.000000Z"),
        ]  # fmt: skip
        assert rows(build, f"from {staged.table} order by 1") == [
            ("1", date(2024, 1, 5), Decimal("10.00")), ("2", date(2024, 2, 6), Decimal("1234.50")), ("3", date(2024, 2, 7), Decimal("-5.00")),
        ]  # fmt: skip


@pytest.mark.parametrize("rules", ["with row rules", "without"])
def test_repeated_rows_are_kept_once_and_counted_only_where_the_contract_says_so(tiny: TinyProject, rules: str) -> None:
    tiny.capture([*GOOD, GOOD[0], GOOD[0]])
    if rules == "without":
        text = (tiny.settings.root / "sql/clean/town/payments.yml").read_text(encoding="utf-8")
        start, end = text.index("row_rules:"), text.index("columns:")
        tiny.write("sql/clean/town/payments.yml", text[:start] + text[end:])
    with tiny.build() as build:
        staged = build.stage(tiny.models()["clean.town_payments"])
        assert (staged.rows, staged.quarantined_rows, staged.repeated_rows) == (3, 0, 2)
    tiny.edit("sql/clean/town/payments.yml", "repeated_rows: drop\n", "")
    with tiny.build() as build:
        staged = build.stage(tiny.models()["clean.town_payments"])
        assert (staged.rows, staged.repeated_rows) == (5, 0)


def test_sql_that_does_not_run_is_reported_with_its_file_and_duckdbs_words(tiny: TinyProject) -> None:
    tiny.capture(GOOD)
    tiny.edit("sql/clean/town/payments.sql", "parse_money(Amount)", "parse_monies(Amount)")
    with tiny.build() as build, pytest.raises(ModelFailed, match=r"town/payments\.sql failed: .*parse_monies"):
        build.stage(tiny.models()["clean.town_payments"])
    tiny.write("sql/functions/zz.sql", "create macro is_open(x) as is_opened(x);\n")
    with pytest.raises(ModelFailed, match=r"functions/zz\.sql failed: .*is_opened"), tiny.build():
        pass


def test_staging_changes_nothing_until_the_swap(tiny: TinyProject) -> None:
    tiny.capture(GOOD)
    with tiny.build() as build:
        swap_all(tiny, build)
    tiny.capture(GOOD[:1], at="2026-01-03T030405.000000Z")
    with tiny.build() as build:
        staged = build.stage(tiny.models()["clean.town_payments"])
        assert rows(build, "select count(*) from clean.town_payments") == [(3,)]
        build.swap(staged, [], date(2024, 1, 5))
        assert rows(build, "select count(*) from clean.town_payments") == [(1,)]
        assert rows(build, "select status, row_count, source_rows, quarantined_rows, repeated_rows, data_date, key_columns, inputs from meta.tables where table_name = 'clean.town_payments'") == [
            ("current", 1, 1, 0, 0, date(2024, 1, 5), ["payment_id"], ["raw.town_payments"]),
        ]  # fmt: skip
        assert rows(build, "select table_name from duckdb_tables() where schema_name = 'staging'") == []


def test_a_swap_that_breaks_off_leaves_the_table_and_the_books_as_they_were(
    tiny: TinyProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny.capture(GOOD)
    with tiny.build() as build:
        swap_all(tiny, build)
    tiny.capture(GOOD[:1], at="2026-01-03T030405.000000Z")
    with tiny.build() as build:
        staged = build.stage(tiny.models()["clean.town_payments"])

        def killed(*_: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(Ledger, "put_checks", killed)
        with pytest.raises(KeyboardInterrupt):
            build.swap(staged, [], None)
        assert rows(build, "select count(*) from clean.town_payments") == [(3,)]
        assert rows(build, "select row_count from meta.tables where table_name = 'clean.town_payments'") == [(3,)]


def test_held_back_tells_the_first_run_and_the_last_reason_until_the_table_is_current_again(tiny: TinyProject) -> None:
    tiny.capture(GOOD)
    model = tiny.models()["clean.town_payments"]
    failed = CheckResult(
        model.name, "key_unique", "table", "critical", False, "payment_id identifies a row", 3, 2, ("1",)
    )
    with tiny.build("first") as build:
        build.hold_back(model, "never worked", [failed])
        assert build.ledger.held_back() == {"clean.town_payments": "never worked"}
        assert build.ledger.accepted_tables() == set()
        ((since,),) = rows(build, "select held_back_since from meta.tables")
        assert since == build.started_at.replace(tzinfo=None)
    with tiny.build("second") as build:
        assert build.started_at.replace(tzinfo=None) > since
        build.hold_back(model, "another reason")
        assert rows(build, "select held_back_since, held_back_because, row_count from meta.tables") == [
            (since, "another reason", None)
        ]
        assert rows(build, "select check_name, is_passed, unexpected, examples, run_id from meta.checks") == [
            ("key_unique", False, 2, ["1"], "first")
        ]
    with tiny.build("third") as build:
        build.swap(build.stage(model), [], None)
        assert build.ledger.held_back() == {}
        assert build.ledger.accepted_tables() == {"clean.town_payments"}
        assert rows(build, "select status, held_back_since, held_back_because from meta.tables") == [
            ("current", None, None)
        ]


def test_a_table_held_back_keeps_its_last_accepted_rows(tiny: TinyProject) -> None:
    tiny.capture(GOOD)
    model = tiny.models()["clean.town_payments"]
    with tiny.build() as build:
        build.swap(build.stage(model), [], None)
        ((built_at,),) = rows(build, "select built_at from meta.tables")
        build.stage(model)
        build.hold_back(model, "a reason")
        assert rows(build, "select status, row_count, built_at from meta.tables") == [("held_back", 3, built_at)]
        assert rows(build, "select count(*) from clean.town_payments") == [(3,)]


def test_every_table_and_column_is_described_in_the_file_and_in_meta_columns(tiny: TinyProject) -> None:
    tiny.capture([*GOOD, ("4", "soon", "n/a")])
    with tiny.build() as build:
        swap_all(tiny, build)
        seen = "schema_name in ('clean', 'marts', 'quarantine', 'meta')"
        assert rows(build, f"select table_name from duckdb_tables() where {seen} and comment is null") == []
        assert (
            rows(build, f"select table_name, column_name from duckdb_columns() where {seen} and comment is null") == []
        )
        assert rows(
            build,
            f"select schema_name || '.' || table_name, column_name, column_index, data_type from duckdb_columns() where {seen}"
            " except select table_name, column_name, position, column_type from meta.columns",
        ) == []  # fmt: skip
        assert rows(build, "select comment from duckdb_tables() where table_name = 'mart_months'") == [
            ("Each row is one month. Adds up what the town paid. It cannot say: Payroll is not in it.",),
        ]  # fmt: skip
        assert rows(build, "select comment from duckdb_columns() where table_name = 'mart_months' and column_name = 'amount'") == [
            ("Dollars paid in the month. Unit: USD.",),
        ]  # fmt: skip
        assert rows(build, "select unit, made_from from meta.columns where table_name = 'clean.town_payments' and column_name = 'amount'") == [
            ("USD", ["raw.town_payments.Amount"]),
        ]  # fmt: skip


def test_raw_views_read_each_clock_as_the_dataset_says_and_meta_knows_the_capture(tiny: TinyProject) -> None:
    moment = datetime(2024, 7, 1, 4)
    text = tiny.dataset.model_dump() | {
        "columns": {"Payment_No": "text", "Paid_On": "date", "Amount": "date"}, "time_zones": {"Paid_On": "date_only", "Amount": "utc"},
    }  # fmt: skip
    dated = TinyProject(tiny.settings, Dataset.model_validate(text | {"volume": {"shrink_at_most": "1%"}}))
    dated.capture([("1", moment, moment)], types=[pa.string(), pa.timestamp("ms"), pa.timestamp("ms")])
    with dated.build() as build:
        assert rows(build, "select Paid_On, epoch_ms(Amount), _edition from raw.town_payments") == [
            (date(2024, 7, 1), 1719806400000, None)
        ]
        assert rows(
            build, "select dataset, landed_rows, counted_rows, freshness_token, profile from meta.captures"
        ) == [("town/payments", 1, 1, "1", "demo")]


def test_a_capture_that_was_not_accepted_is_not_built_from(tiny: TinyProject) -> None:
    tiny.capture(GOOD)
    tiny.capture(GOOD[:1], at="2026-01-09T030405.000000Z", held_back="far fewer rows")
    with tiny.build() as build:
        assert rows(build, "select count(*) from raw.town_payments") == [(3,)]


def test_nothing_is_built_from_a_damaged_capture_and_the_build_says_which(tiny: TinyProject) -> None:
    (file,) = tiny.lake.files(tiny.capture(GOOD))
    with tiny.build():
        pass  # makes the view, which must not outlive the capture
    file.write_bytes(file.read_bytes() + b"x")
    with tiny.build() as build:
        assert list(build.damaged) == ["town/payments"]
        assert "sha256 differs" in build.damaged["town/payments"]
        with pytest.raises(ModelFailed, match="town_payments does not exist"):
            build.stage(tiny.models()["clean.town_payments"])


def test_seeds_are_text_whatever_they_look_like(tiny: TinyProject) -> None:
    tiny.write("data/seeds/agencies.csv", "agency,code\nPolice,007\n")
    with tiny.build() as build:
        assert rows(build, "from seeds.agencies") == [("Police", "007")]


@pytest.mark.parametrize(
    ("problem", "error"),
    [(OSError(28, "No space left on device"), DiskFull), (duckdb.IOException("Could not write: No space left on device"), DiskFull),
     (PermissionError(13, "Permission denied"), NotWritable), (duckdb.IOException("Cannot open: Read-only file system"), NotWritable)],
)  # fmt: skip
def test_a_full_disk_and_a_missing_permission_are_named_in_the_message(
    problem: Exception, error: type[Exception]
) -> None:
    with pytest.raises(error, match="/data/lake"), writing(Path("/data/lake")):
        raise problem


def test_other_failures_while_writing_stay_what_they_are() -> None:
    with pytest.raises(ZeroDivisionError), writing(Path("/data/lake")):
        raise ZeroDivisionError


def test_a_rule_whose_answer_is_null_counts_as_broken(tiny: TinyProject) -> None:
    tiny.capture([("1", "2024-01-05", "10.00"), ("2", "2024-01-05", "x"), ("3", "2024-01-05", "-1")])
    tiny.edit("sql/clean/town/payments.yml", "keep_if: amount is not null", "keep_if: amount > 0")
    with tiny.build() as build:
        staged = build.stage(tiny.models()["clean.town_payments"])
        assert rows(build, f"select payment_id, _rules, _reasons from {staged.quarantine} order by 1") == [
            ("2", ["amount_is_readable"], ["The amount could not be read."]),
            ("3", ["amount_is_readable"], ["The amount could not be read."]),
        ]  # fmt: skip


def test_a_table_whose_model_left_the_catalog_is_forgotten_with_its_quarantine(tiny: TinyProject) -> None:
    tiny.capture([*GOOD, ("5", "2024-01-05", "unreadable")])
    models = tiny.models()
    with tiny.build() as build:
        for model in models.values():
            build.swap(build.stage(model), [], None)
        build.forget_all_but(["marts.mart_months"])
        left = rows(
            build,
            "select schema_name, table_name from duckdb_tables() where schema_name in ('clean', 'marts', 'quarantine')"
            " and table_name not in ('mart_changes', 'mart_changed_figures')",  # of the releases
        )
        assert left == [("marts", "mart_months")]
        assert rows(
            build, "select distinct table_name from meta.columns where table_name not like 'meta.%' order by all"
        ) == [
            ("marts.mart_changed_figures",),
            ("marts.mart_changes",),
            ("marts.mart_months",),
        ]


def test_a_dataset_that_left_the_catalog_is_forgotten_with_its_captures_and_checks(tiny: TinyProject) -> None:
    tiny.capture(GOOD)
    with tiny.build() as build:
        build.ledger.record_checks(
            "raw.town_payments", [CheckResult("raw.town_payments", "captured", "portal", "critical", True, "x")]
        )
        build.forget_all_but([])
        assert rows(build, "select dataset from meta.captures") == [(tiny.name,)]
        assert rows(build, "select table_name from meta.checks") == [("raw.town_payments",)]
    with open_build(tiny.settings, {}, "a run") as build:
        build.forget_all_but([])
        assert rows(build, "select dataset from meta.captures union all select table_name from meta.checks") == []


def test_a_contract_without_row_rules_leaves_no_quarantine_of_before(tiny: TinyProject) -> None:
    tiny.capture([*GOOD, ("5", "2024-01-05", "unreadable")])
    with tiny.build() as build:
        build.swap(build.stage(tiny.models()["clean.town_payments"]), [], None)
        assert rows(build, "select count(*) from quarantine.town_payments") == [(1,)]
    contract = tiny.settings.root / "sql/clean/town/payments.yml"
    text = contract.read_text()
    contract.write_text(text[: text.index("row_rules:")] + text[text.index("columns:") :])
    with tiny.build() as build:
        build.swap(build.stage(tiny.models()["clean.town_payments"]), [], None)
        assert rows(build, "select table_name from duckdb_tables() where schema_name = 'quarantine'") == []
