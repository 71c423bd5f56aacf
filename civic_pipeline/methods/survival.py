"""How long vacancies last: ages of open ones by three clocks, and time to the end by Kaplan-Meier with left truncation."""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

_YEAR = 365.25  # days
_TEN_YEARS = 3652.5  # days
_FEWEST_SPELLS = 50  # for a survival curve
_FEWEST_EXITS = 20  # for a share of returns
_TWO_YEARS = 730  # days
_Z = 1.959964
_METHOD = "kaplan_meier_left_truncated_log_log"

Row = dict[str, Any]


@dataclass(frozen=True)
class Life:
    """A life on a time axis in days: under observation from `entry` until `end`, where the event occurs or observation stops."""

    entry: float
    end: float
    has_event: bool


@dataclass(frozen=True)
class Curve:
    """An estimate with its 95% interval; None where it is not reached."""

    value: float | None
    low: float | None
    high: float | None


def vacancy_durations(inputs: Mapping[str, "pa.Table"]) -> "pa.Table":
    """One row for each city, breakdown and group of the spells in `marts.fct_vacancy_spells`. Days in, years out.

    The newest list gives the day of the ages. Formulas: Kaplan and Meier 1958, with risk sets from the day on which a spell is
    first listed (left truncation); the median is the first day on which the curve is below 0.5, its interval is that of
    Brookmeyer and Crowley 1982 with log(-log) bounds.
    """
    import pyarrow as pa

    spells = inputs["marts.fct_vacancy_spells"].to_pylist()
    rows = [
        {"city": city, "breakdown": breakdown, "group_name": group, **_summary(members, today)}
        for city in sorted({spell["city"] for spell in spells})
        for of_city in [[spell for spell in spells if spell["city"] == city]]
        for today in [max(spell["last_listed_on"] for spell in of_city)]
        for breakdown, group, members in _groups(of_city)
    ]
    names = list(rows[0]) if rows else ["city", "breakdown", "group_name", *_summary([], date(2000, 1, 1))]
    return pa.table({name: pa.array([row[name] for row in rows], _kind(name)) for name in names})


def _kind(name: str) -> "pa.DataType":
    import pyarrow as pa

    if name.endswith("_count"):
        return pa.int64()
    if name in {"city", "breakdown", "group_name", "interval_method"}:
        return pa.string()
    return pa.date32() if name == "as_of_date" else pa.float64()


def _groups(spells: Sequence[Row]) -> Iterator[tuple[str, str, list[Row]]]:
    """Breakdown, name and members of every group of a city's spells."""
    yield "city", "all", list(spells)
    for breakdown, column in (("neighborhood", "neighborhood"), ("market_typology", "market_typology")):
        for group in sorted({spell[column] for spell in spells if spell[column]}):
            yield breakdown, group, [spell for spell in spells if spell[column] == group]
    for years in sorted({_cohort(spell) for spell in spells}):
        yield "start_years", years, [spell for spell in spells if _cohort(spell) == years]


def _cohort(spell: Row) -> str:
    first = spell["start_date"].year // 5 * 5
    return f"{first}-{first + 4}"


def _summary(spells: Sequence[Row], today: date) -> Row:
    """The statistics of a group of spells on day `today`, in the order of the contract."""
    still_open = [spell for spell in spells if spell["is_open"]]
    clocks = {
        clock: [(today - spell[column]).days for spell in still_open]
        for clock, column in (
            ("published", "newest_notice_date"),
            ("spell", "start_date"),
            ("true", "first_notice_date"),
        )
    }
    lives = [life for spell in spells if (life := _life(spell, today))]
    duration = median_survival(lives) if len(lives) >= _FEWEST_SPELLS else Curve(None, None, None)
    exits = [spell for spell in spells if not spell["is_open"] and spell["exit_type"] != "demolished"]
    returns = [life for spell in exits if (life := _time_to_return(spell, today))]
    returned = share_by(returns, _TWO_YEARS) if len(returns) >= _FEWEST_EXITS else Curve(None, None, None)
    gaps = [true - published for true, published in zip(clocks["true"], clocks["published"], strict=True)]
    return {
        "as_of_date": today,
        "spell_count": len(spells),
        "open_count": len(still_open),
        "ended_count": len(spells) - len(still_open),
        **{f"median_{clock}_age": _years(statistics.median(ages) if ages else None) for clock, ages in clocks.items()},
        **{f"mean_{clock}_age": _years(statistics.mean(ages) if ages else None) for clock, ages in clocks.items()},
        **{f"{clock}_ten_years_count": sum(age >= _TEN_YEARS for age in ages) for clock, ages in clocks.items()},
        "understated_count": sum(gap > 1 for gap in gaps),
        "curve_spell_count": len(lives),
        "median_duration": _years(duration.value),
        "median_duration_low": _years(duration.low),
        "median_duration_high": _years(duration.high),
        "returnable_count": len(returns),
        "returned_in_24_months": _share(returned.value),
        "returned_in_24_months_low": _share(returned.low),
        "returned_in_24_months_high": _share(returned.high),
        "interval_method": _METHOD if duration.value is not None or returned.value is not None else None,
    }


def _life(spell: Row, today: date) -> Life | None:
    """The time of a spell since its first notice, under observation since it is listed; None if it was never at risk.

    A spell that ended did so in the middle between the last list with it and the first without it.
    """
    end = (spell["absent_on"] - spell["last_listed_on"]).days / 2 if spell["absent_on"] else 0
    until = ((spell["last_listed_on"] if spell["absent_on"] else today) - spell["start_date"]).days + end
    entry = max((spell["first_listed_on"] - spell["start_date"]).days, 0)
    return Life(entry, until, spell["absent_on"] is not None) if until > entry else None


def _time_to_return(spell: Row, today: date) -> Life | None:
    """The time from the end of a spell to the start of the property's next one."""
    end = spell["next_start_date"] or today
    days = (end - spell["last_listed_on"]).days
    return Life(0, days, spell["next_start_date"] is not None) if days > 0 else None


def median_survival(lives: Sequence[Life]) -> Curve:
    """The first day on which fewer than half of the lives go on, with the interval of Brookmeyer and Crowley."""
    import numpy as np

    curve = _curve(lives)
    if curve is None:
        return Curve(None, None, None)
    with np.errstate(divide="ignore", invalid="ignore"):  # where the curve is 0 or 1
        low, high = curve.quantile_ci(0.5, method="cloglog")
    return Curve(_known(curve.quantile(0.5)), _known(low), _known(high))


def share_by(lives: Sequence[Life], days: float) -> Curve:
    """The share of lives that had their event by that day, with the log(-log) interval (Kalbfleisch and Prentice 1980)."""
    import numpy as np

    curve = _curve(lives)
    if curve is None:
        return Curve(0.0, None, None)
    reached = np.nonzero(curve.surv_times <= days)[0]
    if not len(reached):
        return Curve(0.0, None, None)
    going_on, error = float(curve.surv_prob[reached[-1]]), float(curve.surv_prob_se[reached[-1]])
    if not 0 < going_on < 1:
        return Curve(1 - going_on, None, None)
    width = float(np.exp(_Z * error / (going_on * np.log(going_on))))  # below 1, as the logarithm is negative
    return Curve(1 - going_on, 1 - going_on**width, 1 - going_on ** (1 / width))


def _curve(lives: Sequence[Life]) -> Any:
    """The survival function of statsmodels; None if there is no event."""
    from statsmodels.duration.survfunc import SurvfuncRight

    if not any(life.has_event for life in lives):
        return None
    return SurvfuncRight(
        [life.end for life in lives], [int(life.has_event) for life in lives], entry=[life.entry for life in lives]
    )


def _known(days: float) -> float | None:
    return float(days) if days == days and abs(days) != float("inf") else None  # noqa: PLR0124


def _years(days: float | None) -> float | None:
    return None if days is None else round(days / _YEAR, 4)


def _share(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
