"""A source that was never captured, or is retired, is an empty table: it fails no night and holds nobody's rows back."""

from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from unittest.mock import Mock

import pytest
from dagster import AssetCheckResult, MaterializeResult
from tiny_project import TinyProject

from civic_pipeline import nightly
from civic_pipeline.catalog import Dataset
from civic_pipeline.cli.status_text import describe_status
from civic_pipeline.components.events import events_of, observed_before
from civic_pipeline.errors import HeldBack
from civic_pipeline.lake import Attempt
from civic_pipeline.lake.attempts import TimedAttempt
from civic_pipeline.nightly import CaptureOutcome, Outcome, Selection
from civic_pipeline.portals import Access
from civic_pipeline.quality import TableOutcome
from civic_pipeline.releases import connect
from civic_pipeline.run_report import report_run
from civic_pipeline.warehouse import Model, as_of, load_models

GOOD = [("1", "2024-01-05", "10.00"), ("2", "2024-02-06", "30.50")]
UNREADABLE = [("1", "2024-01-05", "ten"), ("2", "2024-02-06", "thirty"), ("3", "2024-02-06", "3")]
GONE = "HTTP 404: it was not found"
PART = "-- Each row is one payment.\nselect '{0}' as city, payment_id, amount from clean.{0}_payments\n"
PAYMENTS_YML = """each_row_is: one payment
key: [city, payment_id]
columns:
  - {name: city, type: VARCHAR, description: "City."}
  - {name: payment_id, type: VARCHAR, description: "Number."}
  - {name: amount, type: "DECIMAL(18,2)", unit: USD, description: "Dollars."}
"""
CITY_TOTAL = "-- Each row is one city.\nselect city, cast(sum(amount) as decimal(18, 2)) as amount from marts.fct_payments group by city\n"
CITY_TOTAL_YML = """each_row_is: one city
key: [city]
expectations:
  - expect_table_row_count_to_be_between: {min_value: 1}
    severity: critical
columns:
  - {name: city, type: VARCHAR, description: "City."}
  - {name: amount, type: "DECIMAL(18,2)", unit: USD, description: "Dollars."}
"""
LONE = "-- Each row is one payment of the other city.\nselect payment_id, amount from clean.city_payments\n"
LONE_YML = """each_row_is: one payment of the other city
key: [payment_id]
expectations:
  - expect_table_row_count_to_be_between: {min_value: 1}
    severity: critical
columns:
  - {name: payment_id, type: VARCHAR, description: "Number."}
  - {name: amount, type: "DECIMAL(18,2)", unit: USD, description: "Dollars."}
"""
CITY, TOWN = "city/payments", "town/payments"


class Towns:
    """The tiny project with a second source, city/payments, and marts of both. `gone` are the sources that fail tonight."""

    def __init__(self, tiny: TinyProject) -> None:
        self.tiny = tiny
        self.gone = {CITY}
        self.log: list[str] = []
        self.datasets: dict[str, Dataset] = {TOWN: tiny.dataset, CITY: tiny.dataset}
        for suffix in ("sql", "yml"):
            text = (tiny.settings.root / f"sql/clean/town/payments.{suffix}").read_text(encoding="utf-8")
            tiny.write(f"sql/clean/city/payments.{suffix}", text.replace("town_payments", "city_payments"))
        for place in ("town", "city"):
            tiny.write(f"sql/marts/spending/fct_payments/{place}.sql", PART.format(place))
        tiny.write("sql/marts/spending/fct_payments.yml", PAYMENTS_YML)
        tiny.write("sql/marts/spending/mart_cities.sql", CITY_TOTAL)
        tiny.write("sql/marts/spending/mart_cities.yml", CITY_TOTAL_YML)
        tiny.write("sql/marts/spending/mart_lone.sql", LONE)
        tiny.write("sql/marts/spending/mart_lone.yml", LONE_YML)

    @property
    def city(self) -> TinyProject:
        """Writes captures of the second source."""
        return replace(self.tiny, name=CITY)

    def models(self) -> dict[str, Model]:
        return load_models(self.tiny.settings.root, self.datasets)

    def retire(self, name: str) -> None:
        self.datasets[name] = self.datasets[name].model_copy(update={"retired": True})

    def night(self, selection: Selection | None = None) -> list[Outcome]:
        """The outcomes of a night. Raises HeldBack."""
        models, outcomes = self.models(), list[Outcome]()
        selection = selection or Selection.whole(self.datasets, models)
        run = nightly.night(
            self.tiny.settings, self.datasets, models, "a run", selection, self.log.append,
            lambda _: nullcontext(Access(root="", socrata_token="")),
        )  # fmt: skip
        for outcome in run:
            outcomes.append(outcome)
        return outcomes

    def attempts(self, datasets: Mapping[str, Dataset], lake: object, *_: object) -> Iterator[TimedAttempt]:
        """What the portals answer tonight."""
        for name in datasets:
            capture = self.tiny.lake.accepted(name)
            attempt = Attempt(
                dataset=name, attempted_at=datetime.now(UTC).isoformat(), capture_id=capture.capture_id if capture else None,
                status="failed" if name in self.gone else "captured", problem=GONE if name in self.gone else None,
            )  # fmt: skip
            (self.tiny.settings.lake / name).mkdir(parents=True, exist_ok=True)
            (self.tiny.settings.lake / name / "attempt.json").write_text(attempt.model_dump_json(), encoding="utf-8")
            yield TimedAttempt(attempt, 0.1)

    def asked(self, sql: str) -> list[tuple[object, ...]]:
        with connect(self.tiny.settings.warehouse) as connection:
            return connection.execute(sql).fetchall()

    def tables(self) -> dict[str, tuple[object, ...]]:
        """Table -> status, rows and missing parts in the release."""
        return {str(name): rest for name, *rest_ in self.asked(
            "select table_name, status, row_count, missing_parts from meta.tables"
        ) for rest in [tuple(rest_)]}  # fmt: skip


@pytest.fixture
def towns(tiny: TinyProject, monkeypatch: pytest.MonkeyPatch) -> Towns:
    towns = Towns(tiny)
    monkeypatch.setattr(nightly, "attempt_all", towns.attempts)
    return towns


def test_a_source_that_was_never_captured_is_empty_and_holds_nothing_back(towns: Towns) -> None:
    towns.tiny.capture(GOOD)
    outcomes = towns.night()
    assert towns.tables() == {
        "clean.town_payments": ("current", 2, []), "clean.city_payments": ("never_captured", 0, []),
        "marts.fct_payments": ("current", 2, ["city"]), "marts.mart_cities": ("current", 1, []),
        "marts.mart_months": ("current", 2, []), "marts.mart_lone": ("never_captured", 0, []),
    }  # fmt: skip
    assert towns.asked("select column_name, column_type from (describe marts.mart_lone)") == [
        ("payment_id", "VARCHAR"), ("amount", "DECIMAL(18,2)"),
    ]  # fmt: skip
    not_run = "select distinct is_passed, not_run from meta.checks where table_name = 'marts.mart_lone'"
    assert towns.asked(not_run) == [(None, "not_run: never captured: clean.city_payments")]
    statuses = {o.model.name: o.status for o in outcomes if isinstance(o, TableOutcome)}
    assert statuses["marts.mart_lone"] == "never_captured"
    assert statuses["marts.fct_payments"] == "built"


def test_its_failure_is_a_warning_that_status_shows_and_people_are_notified_of_once(towns: Towns) -> None:
    towns.tiny.capture(GOOD)
    sent: list[str] = []
    for _ in range(2):
        (result, *_) = (r for o in towns.night() if isinstance(o, CaptureOutcome) and o.name == CITY for r in o.results)
        assert (result.name, result.severity, result.failed) == ("captured", "warning", True)
        report_run(towns.tiny.settings, "a run", None, sent.append)
    assert sent == [f"civic_pipeline: 1 newly failed or held back (run a run)\nraw.city_payments: {GONE}"]
    status = describe_status(towns.tiny.settings, every_table=True)
    assert f"\nNever captured, so their tables are empty and hold nothing back:\n  city/payments: {GONE}" in status
    lines = {line.split()[0]: line for line in status.splitlines() if line.startswith(("clean.", "marts."))}
    assert lines["marts.mart_lone"].endswith("  never captured")
    assert lines["marts.fct_payments"].endswith("  without city")


def test_a_capture_from_the_future_is_named_by_the_night_and_by_status(towns: Towns) -> None:
    towns.tiny.capture(GOOD)
    towns.tiny.capture(GOOD, at="2131-01-01T000000.000000Z")
    towns.night()
    warning = (
        "town/payments/2131-01-01T000000.000000Z is ignored: it is of a later time than now, so a clock was wrong."
    )
    assert any(line.startswith(warning) for line in towns.log)
    assert f"\nCaptures from the future:\n  {warning}" in describe_status(towns.tiny.settings, every_table=False)


def test_a_second_night_builds_and_releases_nothing(towns: Towns) -> None:
    towns.tiny.capture(GOOD)
    towns.night()
    outcomes = [o for o in towns.night() if isinstance(o, TableOutcome)]
    assert {o.status for o in outcomes} == {"unchanged", "never_captured"}
    assert not any(o.is_audited for o in outcomes)
    assert all(r.not_run for o in outcomes if o.status == "never_captured" for r in o.results)


def test_its_first_capture_fills_its_tables_and_is_compared_with_nothing(towns: Towns) -> None:
    towns.tiny.capture(GOOD)
    towns.night()
    towns.gone.clear()
    towns.city.capture([(str(n), "2024-01-05", "1.00") for n in range(40)])
    towns.night()
    assert towns.tables()["clean.city_payments"] == ("current", 40, [])
    assert towns.tables()["marts.fct_payments"] == ("current", 42, [])
    assert towns.tables()["marts.mart_lone"] == ("current", 40, [])
    drift = "select distinct is_passed from meta.checks where table_name = 'clean.city_payments' and layer = 'drift'"
    assert towns.asked(drift) == [(True,)]


def test_a_first_capture_that_is_held_back_holds_back_nobody_elses_rows(towns: Towns) -> None:
    towns.tiny.capture(GOOD)
    towns.night()
    towns.gone.clear()
    towns.city.capture(UNREADABLE)
    towns.tiny.capture([*GOOD, ("3", "2024-02-07", "5.00")], at="2026-01-03T030405.000000Z")
    with pytest.raises(HeldBack) as raised:
        towns.night()
    assert set(raised.value.reasons) == {"clean.city_payments", "marts.mart_lone"}
    assert towns.tables()["marts.fct_payments"] == ("current", 3, ["city"])


def test_a_source_that_was_captured_before_fails_as_ever(towns: Towns) -> None:
    towns.tiny.capture(GOOD)
    towns.city.capture(GOOD)
    towns.gone.clear()
    towns.night()
    towns.gone = {CITY}
    with pytest.raises(HeldBack) as raised:
        towns.night()
    assert raised.value.reasons["raw.city_payments"] == GONE
    assert raised.value.reasons["marts.fct_payments"] == "waits for clean.city_payments"


def test_a_night_that_captures_nothing_at_all_fails(towns: Towns) -> None:
    towns.gone = {CITY, TOWN}
    with pytest.raises(HeldBack) as raised:
        towns.night()
    assert raised.value.reasons["raw.city_payments"] == raised.value.reasons["raw.town_payments"] == GONE
    assert not towns.tiny.settings.warehouse.exists()


def test_a_retired_source_is_no_part_of_a_night_that_captures_nothing(towns: Towns) -> None:
    towns.retire(CITY)
    towns.gone = {TOWN}
    with pytest.raises(HeldBack) as raised:
        towns.night()
    assert "raw.town_payments" in raised.value.reasons
    assert not {"raw.city_payments", "clean.city_payments", "marts.mart_lone"} & raised.value.reasons.keys()


def test_a_source_that_is_asked_for_alone_and_fails_is_a_failure(towns: Towns) -> None:
    towns.tiny.capture(GOOD)
    with pytest.raises(HeldBack) as raised:
        towns.night(Selection(frozenset({CITY}), frozenset(), releases=False))
    assert raised.value.reasons == {"raw.city_payments": GONE}


def test_a_retired_source_is_not_asked_and_its_captures_stay_readable(towns: Towns) -> None:
    towns.tiny.capture(GOOD)
    towns.city.capture(GOOD)
    with pytest.raises(HeldBack):
        towns.night()
    towns.retire(CITY)
    outcomes = towns.night()
    assert [o.name for o in outcomes if isinstance(o, CaptureOutcome)] == [TOWN]
    assert towns.tables()["marts.fct_payments"] == ("current", 4, [])
    assert towns.asked("select status, problem, landed_rows from meta.captures where dataset = 'city/payments'") == [
        ("retired", None, 2)
    ]
    not_run = "select distinct is_passed, not_run from meta.checks where table_name = 'raw.city_payments'"
    assert towns.asked(not_run) == [(None, "not_run: the source is retired")]


def test_a_retired_source_without_captures_is_empty(towns: Towns) -> None:
    towns.tiny.capture(GOOD)
    towns.retire(CITY)
    towns.night()
    assert towns.tables()["clean.city_payments"] == ("never_captured", 0, [])
    assert "  city/payments: retired" in describe_status(towns.tiny.settings, every_table=True)


def test_beside_captured_sources_it_is_empty_at_every_moment(towns: Towns) -> None:
    towns.tiny.capture(GOOD)
    moment = datetime(2026, 2, 1, tzinfo=UTC)
    query = "select city, count(*) from marts.fct_payments group by city"
    with as_of(towns.tiny.settings, towns.datasets, towns.models(), moment, query) as connection:
        assert connection.execute(query).fetchall() == [("town", 2)]


@pytest.mark.parametrize("is_captured", [True, False])
def test_dagster_shows_a_retired_source_as_retired_and_not_as_failed(towns: Towns, is_captured: bool) -> None:
    if is_captured:
        towns.city.capture(GOOD)
    context = Mock()
    events = list(observed_before(context, CITY, towns.tiny.lake, is_retired=True))
    [observation] = [call.args[0] for call in context.log_event.call_args_list]
    assert observation.metadata["status"].value == "retired"
    assert ("captured at" in observation.metadata) == is_captured
    [check] = events
    assert isinstance(check, AssetCheckResult)
    assert (check.passed, check.description) == (True, "not_run: the source is retired")


def test_dagster_shows_the_status_and_the_missing_places_of_a_table(towns: Towns) -> None:
    towns.tiny.capture(GOOD)
    context, shown = Mock(), {}
    context.run.run_id = "a run"
    for outcome in towns.night():
        for event in events_of(context, outcome, towns.tiny.settings):
            if isinstance(event, MaterializeResult):
                shown[event.asset_key.path[-1]] = event.metadata
    assert shown["mart_lone"]["status"] == "never_captured"
    assert shown["fct_payments"]["status"] == "built"
    assert shown["fct_payments"]["missing parts"] == "city"
    assert shown["city_payments"]["status"] == "never_captured"
