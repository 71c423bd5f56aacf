"""How long vacancies last: each statistic recomputed on a few spells made by hand."""

import math
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pytest

from civic_pipeline.methods.survival import Life, median_survival, share_by, vacancy_durations

TODAY = date(2025, 1, 1)


def kaplan_meier(lives: list[Life]) -> list[tuple[float, float]]:
    """(Time, share that goes on) after every event; a life is at risk after its entry and until its end."""
    share, curve = 1.0, []
    for time in sorted({life.end for life in lives if life.has_event}):
        at_risk = sum(life.entry < time <= life.end for life in lives)
        events = sum(life.has_event and life.end == time for life in lives)
        share *= 1 - events / at_risk
        curve.append((time, share))
    return curve


LIVES = [
    Life(0, 100, True), Life(0, 200, False), Life(50, 300, True), Life(150, 400, True), Life(250, 500, True), Life(450, 900, False),
]  # fmt: skip


def test_the_median_counts_a_life_from_its_entry_on() -> None:
    """At 100: 3 at risk, 2/3. At 300: 3 (of 50, 150, 250), 4/9. Without the entries 4 of 5 would be at risk at 300."""
    assert kaplan_meier(LIVES)[:2] == [(100, pytest.approx(2 / 3)), (300, pytest.approx(4 / 9))]
    assert median_survival(LIVES).value == 300
    untruncated = [Life(0, life.end, life.has_event) for life in LIVES]
    assert median_survival(untruncated).value == 400


def test_a_median_that_is_not_reached_is_null() -> None:
    assert median_survival([Life(0, 10, True), *[Life(0, 20, False)] * 9]).value is None
    assert median_survival([Life(0, 10, False)] * 5).value is None


def test_the_share_of_returns_has_a_log_log_interval() -> None:
    lives = [Life(0, 100, True), Life(0, 300, True), *[Life(0, 1000, False)] * 8]
    share = share_by(lives, 730)
    error = 0.8 * math.sqrt(1 / (10 * 9) + 1 / (9 * 8))  # Greenwood
    width = math.exp(1.959964 * error / (0.8 * math.log(0.8)))
    assert share.value == pytest.approx(0.2)
    assert (share.low, share.high) == (pytest.approx(1 - 0.8**width), pytest.approx(1 - 0.8 ** (1 / width)))
    assert share.low is not None
    assert share.low < 0.2 < (share.high or 0)
    assert share_by(lives, 50).value == 0.0


def spell(place: int, start: date, **other: Any) -> dict[str, Any]:
    return {
        "city": "town", "block_lot": f"{place:04d}|001", "spell_number": 1, "start_date": start, "first_notice_date": start,
        "newest_notice_date": start, "first_listed_on": max(start, date(2016, 1, 1)), "last_listed_on": TODAY, "absent_on": None,
        "next_start_date": None, "is_open": True, "exit_type": None, "neighborhood": "UPTON", "market_typology": None, **other,
    }  # fmt: skip


def table(spells: list[dict[str, Any]]) -> dict[tuple[str, str], dict[str, Any]]:
    """(Breakdown, group) -> row."""
    rows = vacancy_durations({"marts.fct_vacancy_spells": pa.Table.from_pylist(spells)}).to_pylist()
    return {(row["breakdown"], row["group_name"]): row for row in rows}


def test_open_spells_have_an_age_by_three_clocks() -> None:
    years_10 = TODAY - timedelta(days=3653)
    rows = table([
        spell(1, years_10),
        spell(2, TODAY - timedelta(days=1461), first_notice_date=years_10, newest_notice_date=TODAY - timedelta(days=365)),
        spell(3, TODAY - timedelta(days=731)),
    ])  # fmt: skip
    city = rows["city", "all"]
    assert (city["spell_count"], city["open_count"], city["ended_count"], city["as_of_date"]) == (3, 3, 0, TODAY)
    assert [city[f"median_{clock}_age"] for clock in ("published", "spell", "true")] == [2.0014, 4.0, 10.0014]
    assert city["mean_published_age"] == round((3653 + 365 + 731) / 3 / 365.25, 4)
    assert [city[f"{clock}_ten_years_count"] for clock in ("published", "spell", "true")] == [1, 1, 2]
    assert city["understated_count"] == 1
    assert (city["median_duration"], city["returned_in_24_months"], city["interval_method"]) == (None, None, None)
    assert {key for key in rows if key[0] == "start_years"} == {
        ("start_years", "2015-2019"),
        ("start_years", "2020-2024"),
    }


def test_a_curve_is_shown_for_50_spells_and_not_for_49() -> None:
    """Spells began 2016-01-01 and ended between two lists a hundred days apart: in the middle, after 1,000 + 50 days."""
    start = date(2016, 1, 1)
    seen, gone = start + timedelta(days=1000), start + timedelta(days=1100)
    ended = {"last_listed_on": seen, "absent_on": gone, "is_open": False, "exit_type": "rehabbed"}
    spells = [spell(place, start, **ended) for place in range(30)] + [spell(place, start) for place in range(30, 50)]
    assert table(spells)["city", "all"]["median_duration"] == round(1050 / 365.25, 4)
    assert table(spells[1:])["city", "all"]["median_duration"] is None
    assert table(spells[1:])["city", "all"]["curve_spell_count"] == 49


def test_a_demolished_building_cannot_return() -> None:
    seen, gone = date(2020, 1, 1), date(2020, 2, 1)
    ended = {"last_listed_on": seen, "absent_on": gone, "is_open": False}
    back = {**ended, "exit_type": "other_or_unknown", "next_start_date": seen + timedelta(days=700)}
    late = {**back, "next_start_date": seen + timedelta(days=731)}
    spells = [spell(place, date(2018, 1, 1), **ended, exit_type="demolished") for place in range(10)]
    spells += [spell(place, date(2018, 1, 1), **(back if place < 15 else late)) for place in range(10, 30)]
    city = table([*spells, spell(99, date(2019, 1, 1))])["city", "all"]
    assert (city["returnable_count"], city["returned_in_24_months"]) == (20, 0.25)


def test_no_spells_make_an_empty_table() -> None:
    empty = pa.Table.from_pylist([spell(1, TODAY)]).slice(0, 0)
    assert vacancy_durations({"marts.fct_vacancy_spells": empty}).num_rows == 0
