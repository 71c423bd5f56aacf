"""Contracts become checks, and checks find what is wrong: on a tiny project of a few rows."""

import math
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_project import TinyProject

from civic_pipeline.catalog import FRESH_FOR_DAYS
from civic_pipeline.errors import ContractBroken, NotCaptured
from civic_pipeline.lake import Attempt
from civic_pipeline.nightly import failed_sources
from civic_pipeline.quality import (
    Suites,
    audit,
    build_table,
    checks_of,
    planned_checks,
    portal_checks,
)
from civic_pipeline.quality.control_totals import amount_of, column_total
from civic_pipeline.warehouse import Build, CheckResult

CLEAN, CONTRACT = "sql/clean/town/payments.sql", "sql/clean/town/payments.yml"
GOOD = [
    ("1", "2024-01-05", "10.00"),
    ("2", "2024-02-06", "1234.50"),
    ("3", "2024-02-07", "-5.00"),
    ("4", "2024-02-08", "0.01"),
]
EXPECT = "\nexpectations:\n  - {}\ncolumns:"


def audited(tiny: TinyProject, build: Build) -> dict[str, CheckResult]:
    """The results for the clean table of the tiny project, by name."""
    model = tiny.models()["clean.town_payments"]
    return {result.name: result for result in audit(build, build.stage(model), Suites(build))}


def expect(tiny: TinyProject, *expectations: str) -> None:
    tiny.edit(CONTRACT, "\ncolumns:", EXPECT.format("\n  - ".join(expectations)))


@pytest.fixture
def today(monkeypatch: pytest.MonkeyPatch) -> date:
    """The audit's today, held still."""
    still = datetime(2026, 3, 1, 12, tzinfo=UTC)

    class Still(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:
            return still

    monkeypatch.setattr(sys.modules["civic_pipeline.quality.audit"], "datetime", Still)
    return still.date()


def test_a_good_table_passes_exactly_the_planned_checks_in_their_order(tiny: TinyProject) -> None:
    tiny.capture(GOOD)
    expect(
        tiny,
        "{expect_column_values_to_be_between: {column: amount, min_value: -100}, severity: warning, why: Refunds are small.}",
    )
    with tiny.build() as build:
        results = audited(tiny, build)
    planned = planned_checks(tiny.models()["clean.town_payments"])
    assert list(results) == list(planned) == [
        "schema", "control_total__rows", "control_total__amount", "quarantine_tolerated", "data_age",
        "key_unique", "payment_id__key_not_null", "amount__between",
        "drift__rows", "drift__growth", "drift__missing_slices", "drift__blank_share", "drift__emptied_columns",
        "drift__rows_twice", "drift__changed_rows", "drift__garbled_text", "drift__repeated_rows", "drift__total__amount",
        "drift__negative_share__amount", "drift__factor__amount", "drift__business_days",
    ]  # fmt: skip
    assert [name for name, result in results.items() if not result.passed] == ["data_age"]
    for name, result in results.items():
        assert (result.layer, result.severity, result.description) == (
            planned[name].layer,
            planned[name].severity,
            planned[name].description,
        )
    assert results["amount__between"].description == "Refunds are small."


# Conservation

MODELS_THAT_LOSE = {
    "drops a row": ("from raw.town_payments", "from raw.town_payments\nwhere Payment_No <> '4'", "control_total__rows"),
    "doubles a row": ("from raw.town_payments", "from raw.town_payments\ncross join range(case when Payment_No = '4' then 2 else 1 end)", "control_total__rows"),
    "loses a cent": ("parse_money(Amount) as amount", "cast(parse_money(Amount) - 0.01 as decimal(18, 2)) as amount", "control_total__amount"),
    "reads what it cannot": ("parse_money(Amount) as amount", "coalesce(parse_money(Amount), 7) as amount", "control_total__amount"),
    "rounds up": ("parse_money(Amount) as amount", "cast(ceil(parse_money(Amount)) as decimal(18, 2)) as amount", "control_total__amount"),
    "turns a sign": ("parse_money(Amount) as amount", "abs(parse_money(Amount)) as amount", "control_total__amount"),
}  # fmt: skip


@pytest.mark.parametrize("way", MODELS_THAT_LOSE)
def test_a_model_that_changes_what_was_published_is_held_back(tiny: TinyProject, way: str) -> None:
    tiny.capture([*GOOD, ("5", "2024-02-08", "n/a")])
    tiny.edit(CONTRACT, "repeated_rows: drop\n", "")
    old, new, check = MODELS_THAT_LOSE[way]
    with tiny.build() as build:
        assert audited(tiny, build)[check].passed
    tiny.edit(CLEAN, old, new)
    with tiny.build() as build:
        result = audited(tiny, build)[check]
        assert result.blocks, result
        outcome = build_table(build, Suites(build), tiny.models()["clean.town_payments"], {})
        assert outcome.problem == str(
            ContractBroken("clean.town_payments", [r.failure for r in outcome.results if r.blocks])
        )
        assert check in outcome.problem
        assert list(build.ledger.held_back()) == ["clean.town_payments"]


@pytest.mark.parametrize(
    ("amounts", "message"),
    [
        (["0.0825"] * 200, "200 values have more than 2 decimals, like 0.0825; 16.50 sent, 16.00 accounted for"),
        (["10.004", "9.996"], "2 values have more than 2 decimals, like"),  # the sums are equal
        (["(1.005)", "$2,000.005"], "2 values have more than 2 decimals, like"),
    ],
)
def test_values_finer_than_cents_are_refused(tiny: TinyProject, amounts: list[str], message: str) -> None:
    tiny.capture([(str(number), "2024-02-08", amount) for number, amount in enumerate(amounts)])
    with tiny.build() as build:
        result = audited(tiny, build)["control_total__amount"]
    assert result.blocks
    assert message in result.failure


@pytest.mark.parametrize("amount", [-1.7976931348623157e308, 1e17, math.inf, math.nan])
def test_a_double_that_is_no_amount_is_quarantined_and_not_summed(tiny: TinyProject, amount: float) -> None:
    """What services backed by shapefiles send for "no value"; it must neither stop the build nor hold back the other rows."""
    tiny.capture(
        [("1", "2024-02-08", 4.5), ("2", "2024-02-08", amount)], types=[pa.string(), pa.string(), pa.float64()]
    )
    with tiny.build() as build:
        results = audited(tiny, build)
    assert results["control_total__amount"].passed
    assert results["control_total__amount"].examples == ("4.50 sent, 4.50 accounted for",)
    assert results["quarantine_tolerated"].examples == ("amount_is_readable: 1 rows",)


def test_a_type_with_their_decimals_declares_them(tiny: TinyProject) -> None:
    tiny.capture([(str(number), "2024-02-08", "0.0825") for number in range(200)])
    tiny.edit(CONTRACT, "DECIMAL(18,2)", "DECIMAL(18,4)")
    tiny.edit(CLEAN, "parse_money(Amount) as amount", "try_cast(Amount as decimal(18, 4)) as amount")
    with tiny.build() as build:
        result = audited(tiny, build)["control_total__amount"]
    assert result.passed
    assert result.examples == ("16.50 sent, 16.50 accounted for",)


@pytest.mark.parametrize(
    ("value", "amount"),
    [
        (None, None), ("", None), ("$", None), ("-", None), ("1,5", None), ("(5", None), ("1e3", None), ("n/a", None),
        (" $1,234.5 ", "1234.5"), ("(12.00)", "-12"), ("-$5", "-5"), ("$-5", "-5"), (".5", "0.5"), ("7.", "7"),
        (Decimal("0.005"), "0.005"), (7, "7"), (0.0825, "0.0825"),
        # What sums of Doubles leave behind is not published money.
        (0.1 + 0.2, "0.3"), (2.9e-11, "0"), (1e-05, "0.00001"), (12345678.9, "12345678.9"), (-0.0, "0"),
        (1e308, "1e308"), (math.inf, None), (-math.inf, None), (math.nan, None),
    ],
)  # fmt: skip
def test_the_source_is_read_at_its_own_precision(value: object, amount: str | None) -> None:
    assert amount_of(value) == (None if amount is None else Decimal(amount))


def test_the_account_of_the_rows_is_shown(tiny: TinyProject) -> None:
    tiny.capture([*GOOD, GOOD[0], ("5", "2024-02-08", "n/a")])
    with tiny.build() as build:
        results = audited(tiny, build)
    assert results["control_total__rows"].examples == ("6 in the source, 4 clean + 1 quarantined + 1 repeated",)
    assert results["quarantine_tolerated"].examples == ("amount_is_readable: 1 rows",)


AMOUNTS = st.one_of(
    st.none(),
    st.sampled_from(["", " ", "n/a", "-", "1,5", "$", "()", "1.234,56", "1e3"]),
    st.decimals(-(10**9), 10**9, places=2).map(str),
    st.decimals(0, 10**9, places=2).map("${:,}".format),
    st.decimals(0, 10**9, places=2).map("({:,})".format),
)


@pytest.mark.slow
@settings(max_examples=12)  # each builds a warehouse
@given(amounts=st.lists(AMOUNTS, max_size=40), doubled=st.booleans())
def test_whatever_mixture_of_amounts_is_published_rows_and_cents_agree_with_the_control_totals(
    tmp_path_factory: pytest.TempPathFactory, amounts: list[str | None], doubled: bool
) -> None:
    from tiny_project import write_tiny_project

    from civic_pipeline.quality.audit import _rows_total

    tiny = write_tiny_project(tmp_path_factory.mktemp("tiny"))
    rows = [(str(number), "2024-01-05", amount) for number, amount in enumerate(amounts)]
    tiny.capture(rows + rows if doubled else rows)
    model = tiny.models()["clean.town_payments"]
    planned = planned_checks(model)
    with tiny.build() as build:
        staged = build.stage(model)
        assert _rows_total(build.connection, staged, planned["control_total__rows"]).passed
        assert column_total(build.connection, staged, "amount", planned["control_total__amount"]).passed
        assert staged.rows + staged.quarantined_rows + staged.repeated_rows == len(rows) * (1 + doubled)
        if staged.rows:  # and a cent more in any row is noticed
            build.connection.execute(
                f"update {staged.everything} set amount = amount + 0.01 where rowid = (select min(rowid) from {staged.everything} where amount is not null)"
            )
            off = column_total(build.connection, staged, "amount", planned["control_total__amount"])
            assert off.blocks
            assert off.unexpected == pytest.approx(-0.01)
        gone = replace(staged, rows=staged.rows - 1)
        assert _rows_total(build.connection, gone, planned["control_total__rows"]).blocks


# Tolerances


@pytest.mark.parametrize(("unreadable", "passes"), [(0, True), (2, True), (3, False)])
def test_the_quarantine_is_tolerated_up_to_the_stated_share(tiny: TinyProject, unreadable: int, passes: bool) -> None:
    tiny.edit(CONTRACT, "tolerate_quarantined: 50%", "tolerate_quarantined: 20%")
    tiny.capture([(str(number), "2024-01-05", "x" if number < unreadable else "1") for number in range(10)])
    with tiny.build() as build:
        result = audited(tiny, build)["quarantine_tolerated"]
    assert (result.passed, result.evaluated, result.unexpected) == (passes, 10, unreadable)
    assert result.severity == "critical"


@pytest.mark.parametrize(
    ("days", "fresh"), [(0, True), (44, True), (45, True), (46, False), (-1, False), (-400, False)]
)
def test_data_are_fresh_up_to_their_last_allowed_day_and_never_when_dated_in_the_future(
    tiny: TinyProject, today: date, days: int, fresh: bool
) -> None:
    assert FRESH_FOR_DAYS["monthly"] == 45
    tiny.capture([("1", str(today - timedelta(days=days)), "1"), ("2", "2020-01-01", "1")])
    with tiny.build() as build:
        result = audited(tiny, build)["data_age"]
    assert (result.passed, result.severity) == (fresh, "warning")
    assert f"{days} days old" in result.examples[0]


def test_data_without_any_date_are_not_fresh_and_a_closed_series_has_no_age(tiny: TinyProject) -> None:
    tiny.capture([])
    with tiny.build() as build:
        assert audited(tiny, build)["data_age"].examples == ("paid_on holds no date",)
    closed = tiny.dataset.model_copy(update={"cadence": "closed"})
    assert "data_age" not in planned_checks(replace(tiny, dataset=closed).models()["clean.town_payments"])


# Expectations


def test_a_failing_expectation_counts_and_shows_what_it_found(tiny: TinyProject) -> None:
    tiny.capture(GOOD)
    expect(
        tiny,
        "{expect_column_values_to_be_between: {column: amount, min_value: 0, max_value: 100}, severity: critical}",
        "{expect_column_sum_to_be_between: {column: amount, max_value: 1}, severity: warning}",
        "{expect_column_values_to_match_regex: {column: payment_id, regex: '^[12]$'}, severity: info}",
        "{expect_column_values_to_be_between: {column: paid_on, max_value: today}, severity: critical}",
    )
    with tiny.build() as build:
        results = audited(tiny, build)
    between = results["amount__between"]
    assert (between.passed, between.blocks, between.evaluated, between.unexpected) == (False, True, 4, 2)
    assert sorted(Decimal(value) for value in between.examples) == [Decimal(-5), Decimal("1234.5")]
    total = results["amount__sum_between"]
    assert (total.passed, total.blocks) == (False, False)
    assert "1239.51" in total.examples[0]
    regex = results["payment_id__match_regex"]
    assert (regex.passed, regex.unexpected, sorted(regex.examples)) == (False, 2, ["3", "4"])
    assert results["paid_on__between"].passed


def test_a_key_that_repeats_and_a_reference_to_nothing_are_critical_failures(tiny: TinyProject) -> None:
    tiny.capture([*GOOD, ("1", "2024-03-01", "9")])
    tiny.edit(CONTRACT, "source: Payment_No,", "source: Payment_No, references: marts.dim_payments,")
    tiny.write(
        "sql/marts/spending/dim_payments.sql",
        "select agency as payment_id from seeds.agencies union all select '1' as payment_id",
    )
    tiny.write(
        "sql/marts/spending/dim_payments.yml",
        "each_row_is: one payment\nkey: [payment_id]\ncolumns: [{name: payment_id, type: VARCHAR, description: x}]",
    )
    with tiny.build() as build:
        models = tiny.models()
        assert next(iter(models)) == "marts.dim_payments"  # a reference is built before what refers to it
        build.swap(build.stage(models["marts.dim_payments"]), [], None)
        results = audited(tiny, build)
    assert results["key_unique"].blocks
    assert results["key_unique"].unexpected == 2
    assert results["payment_id__references"].blocks
    assert results["payment_id__references"].unexpected == 3


def test_a_key_of_two_columns_is_unique_together(tiny: TinyProject) -> None:
    tiny.capture([*GOOD, ("1", "2024-03-01", "9")])
    tiny.edit(CONTRACT, "key: [payment_id]", "key: [payment_id, paid_on]")
    with tiny.build() as build:
        assert audited(tiny, build)["key_unique"].passed


def test_an_expectation_that_cannot_run_is_a_failed_critical_check(tiny: TinyProject) -> None:
    tiny.capture(GOOD)
    expect(
        tiny,
        "{name: nothing_is_one, unexpected_rows_expectation: {unexpected_rows_query: 'select * from {batch} where nothing = 1'}, severity: info}",
    )
    with tiny.build() as build:
        results = audited(tiny, build)
    result = results["nothing_is_one"]
    assert result.blocks
    assert result.description.startswith("the check could not run: ")


def test_a_table_of_another_type_fails_its_schema_and_nothing_else_is_asked(tiny: TinyProject) -> None:
    tiny.capture(GOOD)
    tiny.edit(CLEAN, "parse_date(Paid_On) as paid_on", "Paid_On as paid_on")
    with tiny.build() as build:
        results = audited(tiny, build)
    assert list(results) == ["schema"]
    assert results["schema"].blocks
    assert results["schema"].examples == ("paid_on is VARCHAR, not DATE",)


# Across tables, and the gate


def build_all(tiny: TinyProject, build: Build) -> dict[str, str]:
    held: dict[str, str] = {}
    for model in tiny.models().values():
        outcome = build_table(build, Suites(build), model, held)
        if outcome.problem:
            held[model.name] = outcome.problem
    return held


def test_what_depends_on_a_table_that_is_held_back_waits_for_it(tiny: TinyProject) -> None:
    tiny.capture([*GOOD, ("5", "2024-01-05", "x"), ("6", "2024-01-05", "x")])
    tiny.edit(CONTRACT, "tolerate_quarantined: 50%", "tolerate_quarantined: 1%")
    with tiny.build() as build:
        held = build_all(tiny, build)
        assert "quarantine_tolerated" in held["clean.town_payments"]
        assert held["marts.mart_months"] == "waits for clean.town_payments"


def test_a_dataset_nobody_captured_is_reported_with_what_to_run(tiny: TinyProject) -> None:
    with tiny.build() as build:
        held = failed_sources(build)
    assert held == {"raw.town_payments": str(NotCaptured("town/payments"))}
    assert "Materialize raw/town_payments first" in held["raw.town_payments"]


@pytest.mark.parametrize(
    ("attempt", "passed"),
    [
        (
            Attempt(
                dataset="town/payments", attempted_at="2026-01-01T00:00:00+00:00", status="unchanged", capture_id="x"
            ),
            [True, True],
        ),
        (
            Attempt(
                dataset="town/payments",
                attempted_at="2026-01-01T00:00:00+00:00",
                status="failed",
                capture_id="x",
                problem="no answer",
            ),
            [False, True],
        ),
        (
            Attempt(
                dataset="town/payments",
                attempted_at="2026-01-01T00:00:00+00:00",
                status="captured",
                capture_id="x",
                undeclared=("zone",),
            ),
            [True, False],
        ),
    ],
    ids=["unchanged", "failed", "a new column"],
)
def test_an_attempt_becomes_the_checks_of_the_raw_table(attempt: Attempt, passed: list[bool]) -> None:
    results = checks_of(attempt, "raw.town_payments")
    assert [result.name for result in results] == list(portal_checks("raw.town_payments"))
    assert [result.passed for result in results] == passed
    assert [result.examples for result in results if not result.passed] in ([], [("no answer",)], [("zone",)])
    assert [result.severity for result in results] == ["critical", "warning"]


def test_a_damaged_capture_holds_back_what_is_made_of_it(tiny: TinyProject) -> None:
    (file,) = tiny.lake.files(tiny.capture(GOOD))
    file.unlink()
    with tiny.build() as build:
        (problem,) = failed_sources(build).values()
    assert "it is missing" in problem
