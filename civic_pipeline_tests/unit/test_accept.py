"""Nights of a small file: a jump is held back, a correction passes by itself, a person accepts what is true."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import duckdb
import pytest
from click.testing import CliRunner
from tiny_project import TinyProject, write_tiny_project

from civic_pipeline import lake
from civic_pipeline.catalog import Dataset
from civic_pipeline.cli.commands import cli
from civic_pipeline.errors import NothingToAccept, UnknownName, VolumeCollapsed
from civic_pipeline.lake import Attempt, Lake, Manifest, attempt_capture
from civic_pipeline.portals import Access
from civic_pipeline.quality import PlannedCheck, Suites, build_table, planned_checks
from civic_pipeline.quality.strict import control_total_warnings
from civic_pipeline.settings import Settings
from civic_pipeline.warehouse import CheckResult, Staged

NIGHT_1 = [
    ("1", "2026-01-05", "100.00"), ("2", "2026-01-06", "200.00"), ("3", "2026-02-07", "300.00"),
    ("4", "2026-02-08", "400.00"), ("5", "2026-03-09", "500.00"), ("6", "2026-03-10", "600.00"),
]  # fmt: skip
DOUBLED = [*NIGHT_1, *((f"10{number}", day, amount) for number, day, amount in NIGHT_1)]
ONE_MORE = [*NIGHT_1, ("7", "2026-03-11", "50.00")]
CLEAN = "clean.town_payments"


class NoExpectations:
    """Stands for Great Expectations, which takes seconds and is not what is tested."""

    def validate(self, _: Staged, checks: list[PlannedCheck]) -> list[CheckResult]:
        return [check.result(True) for check in checks]


class Nights:
    """The tiny project with a file as its source, and what one night does with it."""

    def __init__(self, root: Path) -> None:
        written = write_tiny_project(root)
        written.edit("sql/clean/town/payments.yml", "repeated_rows: drop\n", "")
        source = {"portal": "file", "url": "data/payments.csv", "recorded": "2026-01-01"}
        columns = dict.fromkeys(written.dataset.columns, "text")
        dataset = Dataset.model_validate(
            written.dataset.model_dump() | {"source": source, "columns": columns, "volume": {"shrink_at_most": "10%"}}
        )
        self.tiny = TinyProject(written.settings, dataset)

    @property
    def lake(self) -> Lake:
        return self.tiny.lake

    def publish(self, rows: Sequence[tuple[str, str, str]]) -> None:
        lines = ["Payment_No,Paid_On,Amount", *(",".join(row) for row in rows)]
        self.tiny.write("data/payments.csv", "\n".join(lines) + "\n")

    def night(
        self, rows: Sequence[tuple[str, str, str]], *, expectations: bool = False
    ) -> tuple[Attempt, str | None, dict[str, CheckResult]]:
        """The attempt, why the clean table is held back, and its checks."""
        self.publish(rows)
        tiny = self.tiny
        attempt = attempt_capture(tiny.name, tiny.dataset, tiny.lake, Access(project=tiny.settings.root))
        with tiny.build() as build:
            suites = Suites(build) if expectations else cast("Suites", NoExpectations())
            outcome = build_table(build, suites, self.models()[CLEAN], {})
        return attempt, outcome.problem, {result.name: result for result in outcome.results}

    def models(self) -> dict[str, object]:
        from civic_pipeline.warehouse import load_models

        return load_models(self.tiny.settings.root, {self.tiny.name: self.tiny.dataset})

    def total(self) -> str:
        return str(self.ask(f"select sum(amount) from {CLEAN}"))

    def ask(self, sql: str) -> object:
        with duckdb.connect(str(self.tiny.settings.build), read_only=True) as connection:
            row = connection.execute(sql).fetchone()
        return row[0] if row and len(row) == 1 else row

    def newest(self) -> Manifest:
        newest = self.lake.newest(self.tiny.name)
        assert newest
        return newest

    def accept(self, capture_id: str | None = None) -> Manifest:
        return lake.accept(self.lake, self.tiny.name, capture_id or self.newest().capture_id, "Finance says so")


@pytest.fixture
def nights(tmp_path: Path) -> Nights:
    return Nights(tmp_path / "tiny")


def test_the_first_night_has_nothing_to_compare_with(nights: Nights) -> None:
    attempt, problem, checks = nights.night(NIGHT_1)
    assert (attempt.status, problem) == ("captured", None)
    assert list(checks) == list(planned_checks(nights.models()[CLEAN]))
    drift = [check for check in checks.values() if check.layer == "drift"]
    assert drift
    assert {(check.passed, check.examples) for check in drift} == {(True, ("no accepted version to compare with yet",))}


def test_a_file_loaded_twice_is_held_back_and_the_correction_passes_by_itself(nights: Nights) -> None:
    nights.night(NIGHT_1)
    _, problem, checks = nights.night(DOUBLED)
    assert problem
    assert f"civic accept town/payments --capture {nights.newest().capture_id} --because" in problem
    assert checks["drift__growth"].blocks
    assert checks["drift__growth"].examples[0] == "amount: 2,100.00 -> 4,200.00 (+100.0% without signs)"
    assert checks["drift__rows_twice"].blocks
    assert nights.total() == "2100.00"
    _, problem, _ = nights.night(DOUBLED)
    assert problem, "the same wrong file the night after"
    attempt, problem, _ = nights.night(NIGHT_1)
    assert (attempt.problem, problem, nights.total()) == (None, None, "2100.00")
    attempt, problem, checks = nights.night(ONE_MORE)
    assert (attempt.problem, problem, nights.total()) == (None, None, "2150.00")
    assert all(check.passed for check in checks.values() if check.layer == "drift")


def test_a_correction_with_news_is_compared_with_the_accepted_version_not_the_wrong_one(nights: Nights) -> None:
    nights.night(NIGHT_1)
    nights.night(DOUBLED)
    attempt, problem, _ = nights.night(ONE_MORE)
    assert (attempt.problem, problem, nights.total()) == (None, None, "2150.00")


def test_every_amount_blank_is_held_back_by_name(nights: Nights) -> None:
    nights.tiny.edit("sql/clean/town/payments.yml", "keep_if: amount is not null", "keep_if: payment_id is not null")
    nights.night(NIGHT_1)
    _, problem, checks = nights.night([(number, day, "") for number, day, _ in NIGHT_1])
    assert problem
    assert checks["drift__emptied_columns"].examples == ("amount: 6 values in 6 rows -> 0 in 6",)
    assert nights.total() == "2100.00"


def test_a_person_accepts_one_capture_and_the_next_is_compared_with_it(nights: Nights) -> None:
    nights.night(NIGHT_1)
    _, problem, _ = nights.night(DOUBLED)
    assert problem
    accepted = nights.accept()
    assert accepted.acceptance
    _, problem, checks = nights.night(DOUBLED)
    assert (problem, nights.total()) == (None, "4200.00")
    assert checks["drift__growth"].passed
    assert "Finance says so" in checks["drift__growth"].examples[0]
    by, at, because, capture = nights.ask(
        "select accepted_by, accepted_at, accepted_because, capture_id from meta.captures"
    )
    assert by
    assert (because, capture) == ("Finance says so", accepted.capture_id)
    assert datetime.now(UTC).replace(tzinfo=None) - at < timedelta(minutes=5)
    # The next one stands on its own.
    _, problem, _ = nights.night([*DOUBLED, *((f"2{number}", day, amount) for number, day, amount in DOUBLED)])
    assert problem
    # What was accepted before the mistake comes back: a fall of half, and no alarm.
    attempt, problem, checks = nights.night(NIGHT_1)
    assert (attempt.problem, problem, nights.total()) == (None, None, "2100.00")
    assert all(check.passed for check in checks.values() if check.layer == "drift")


def test_accepting_lifts_the_drift_only(nights: Nights) -> None:
    nights.night(NIGHT_1)
    rows = [*DOUBLED, ("1", "2026-01-05", "1.00")]
    _, problem, _ = nights.night(rows, expectations=True)
    assert problem
    nights.accept()
    _, problem, checks = nights.night(rows, expectations=True)
    assert problem
    assert "key_unique" in problem
    assert "civic accept" not in problem
    assert checks["drift__growth"].passed
    assert nights.total() == "2100.00"


def test_a_fall_that_a_person_accepts_is_used(nights: Nights) -> None:
    nights.night(NIGHT_1)
    attempt, _, _ = nights.night(NIGHT_1[:4])
    held = nights.newest()
    assert attempt.problem == str(VolumeCollapsed("town/payments", 4, 6, 0.1, held.capture_id))
    assert held.held_back
    nights.accept(held.capture_id.rpartition("/")[2])
    attempt, problem, _ = nights.night(NIGHT_1[:4])
    assert (attempt.problem, problem, nights.total()) == (None, None, "1000.00")


def test_what_cannot_be_accepted(nights: Nights) -> None:
    nights.night(NIGHT_1)
    with pytest.raises(NothingToAccept, match="nothing holds it back"):
        nights.accept()
    with pytest.raises(UnknownName, match="no capture 'town/payments/2020'"):
        nights.accept("2020")
    nights.night(DOUBLED)
    doubled = nights.newest()
    nights.night([*DOUBLED, ("7", "2026-03-11", "50.00")])
    with pytest.raises(NothingToAccept, match=f"a newer capture is current, {nights.newest().capture_id}"):
        nights.accept(doubled.capture_id)
    nights.accept()
    with pytest.raises(NothingToAccept, match=r"it is accepted by .*: Finance says so"):
        nights.accept()


def test_the_command_wants_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    result = CliRunner().invoke(cli, ["accept", "baltimore/spending", "--capture", "x", "--because", " "])
    assert result.exit_code == 2
    assert "say who confirmed it" in result.output


def test_a_capture_whose_table_failed_is_not_the_warehouse_of_its_day(nights: Nights) -> None:
    nights.night(NIGHT_1)
    nights.night(DOUBLED)
    first = nights.lake.ids("town/payments")[0]
    accepted = nights.lake.accepted("town/payments", datetime.now(UTC))
    assert accepted
    assert accepted.capture_id == first


# Order


def test_a_night_with_a_wrong_clock_cannot_make_later_nights_publish_old_rows(nights: Nights) -> None:
    nights.night(NIGHT_1)
    first = nights.newest()
    folder = nights.lake.folder / first.capture_id
    ahead = first.model_copy(
        update={"capture_id": "town/payments/2031-01-01T000000.000000Z", "captured_at": "2031-01-01T00:00:00+00:00", "sequence": 2}
    )  # fmt: skip
    other = nights.lake.folder / ahead.capture_id
    other.mkdir()
    (other / ahead.parts[0].file).write_bytes((folder / ahead.parts[0].file).read_bytes())
    ahead.write(other)
    assert nights.lake.ids("town/payments") == [first.capture_id]
    assert nights.lake.from_the_future("town/payments") == [ahead.capture_id]
    [warning] = nights.lake.warnings(["town/payments"])
    assert warning.startswith("town/payments/2031-01-01T000000.000000Z is ignored")
    assert f"delete {other}" in warning
    attempt, problem, _ = nights.night(ONE_MORE)
    assert (attempt.problem, problem, nights.total()) == (None, None, "2150.00")


@pytest.mark.parametrize("ahead", [timedelta(minutes=9), timedelta(hours=3)])
def test_the_sequence_decides_which_capture_is_current(nights: Nights, ahead: timedelta) -> None:
    nights.night(NIGHT_1)
    first = nights.newest()
    assert first.sequence == 1
    moved = datetime.now(UTC) + ahead
    later = first.model_copy(
        update={"capture_id": f"town/payments/{moved:%Y-%m-%dT%H%M%S.%fZ}", "captured_at": moved.isoformat()}
    )
    (nights.lake.folder / first.capture_id).rename(nights.lake.folder / later.capture_id)
    later.write(nights.lake.folder / later.capture_id)
    nights.night(ONE_MORE)
    current = nights.lake.accepted("town/payments")
    assert current
    assert current.rows == 7
    assert current.captured_at < later.captured_at
    assert current.sequence == (2 if ahead < timedelta(minutes=10) else 1)


def test_a_backfilled_capture_never_becomes_current(nights: Nights) -> None:
    file = nights.tiny.write("old.csv", "Payment_No,Paid_On,Amount\n1,2025-01-05,1.00\n")
    lake.backfill(
        nights.tiny.name, nights.tiny.dataset, nights.lake, file, datetime.now(UTC) - timedelta(seconds=1), "demo"
    )
    assert nights.lake.accepted(nights.tiny.name) is None
    assert nights.lake.accepted(nights.tiny.name, datetime.now(UTC)) is not None
    nights.night(NIGHT_1)
    assert nights.newest().sequence == 1


# Strictness


def test_strict_counts_warnings_about_control_totals_of_this_run(nights: Nights) -> None:
    many = [(str(n), f"2026-0{n % 3 + 1}-{n % 27 + 1:02}", f"{n}.00") for n in range(1, 301)]
    started = datetime.now(UTC)
    nights.night(many)
    models, settings = nights.models(), nights.tiny.settings
    assert control_total_warnings(settings, models, started) == []
    started = datetime.now(UTC)
    _, problem, _ = nights.night([(n, day, f"{float(a) + 0.5:.2f}" if int(n) % 20 == 0 else a) for n, day, a in many])
    assert problem is None
    (warning,) = control_total_warnings(settings, models, started)
    assert warning == "clean.town_payments.drift__changed_rows: 15 of 300 accepted rows changed or are missing (5.0%)"
    assert control_total_warnings(settings, models, datetime.now(UTC)) == []
    assert control_total_warnings(Settings(data=settings.data / "nowhere"), models, started) == []
