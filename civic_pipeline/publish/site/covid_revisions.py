"""The revision triangle of one county: the days that a later capture changed, with a column per capture."""

from datetime import date, datetime
from typing import Any

from civic_pipeline.publish.site.formats import count, day
from civic_pipeline.publish.site.sections import Cell, Heading, Section, number
from civic_pipeline.publish.site.site import Site
from civic_pipeline.sql_text import literal

_MOST_DAYS = 20
_METRICS = {"cases": "cases", "deaths_confirmed": "confirmed deaths"}


def revisions(site: Site, county: str, part: str, table: str) -> list[Section]:
    """What each capture knew of the newest days that were revised, for cases and for confirmed deaths."""
    if not site.present(table):
        title = "How counts were revised"
        return [Section(f"revisions-{part}", title, [], [], absence="It needs two captures of the State's layers.")]
    return [_revisions(site, county, part, table, metric) for metric in _METRICS]


def _revisions(site: Site, county: str, part: str, table: str, metric: str) -> Section:
    """A row per day, a column per capture, the newest last."""
    identity = f"revisions-{part}" if metric == "cases" else f"revisions-{part}-deaths"
    what = _METRICS[metric]
    title = f"How {what} were revised"
    rows = site.query(
        f"""
        select observed_date, captured_at, cumulative_reported, is_missing_as_zero, is_first
        from {table}
        where geography = {literal(county)} and metric = {literal(metric)} and captured_at is not null
        order by observed_date, captured_at"""
    )
    days: dict[date, list[dict[str, Any]]] = {}
    for row in rows:
        days.setdefault(row["observed_date"], []).append(row)
    revised = [when for when, entries in days.items() if any(not entry["is_first"] for entry in entries)]
    if not revised:
        return Section(identity, title, [], [], absence=f"No capture changed a count of {what} of this county.")
    moments = sorted({row["captured_at"] for row in rows})
    shown = revised[-_MOST_DAYS:]
    newest = f" {count(len(shown))}" + ("" if len(shown) == len(revised) else f" newest of {count(len(revised))}")
    return Section(
        identity,
        title,
        [Heading("Day"), *(Heading(f"Captured {day(moment)}", is_number=True) for moment in moments)],
        [[Cell(day(when), value=str(when)), *(_known(days[when], moment) for moment in moments)] for when in shown],
        f"All {what} reported by each day, as each copy had them: the{newest} days that changed later."
        " A later copy without a change repeats the count.",
        file=site.csv(
            f"covid/{identity}.csv",
            f"select * from {table} where geography = {literal(county)} and metric = {literal(metric)}"
            " order by observed_date, captured_at",
        ),
    )


def _known(entries: list[dict[str, Any]], moment: datetime) -> Cell:
    """The count of a day in the capture of `moment`: that of the last change up to then."""
    before = [entry for entry in entries if entry["captured_at"] <= moment]
    if not before:
        return number(None, "", gap="not captured yet")
    last = before[-1]
    if last["is_missing_as_zero"]:
        return number(None, "", gap="not published")
    return number(last["cumulative_reported"], count(last["cumulative_reported"]))
