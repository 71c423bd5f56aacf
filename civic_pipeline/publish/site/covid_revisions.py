"""The revision triangle of one county: the days that a later capture changed, with a column per capture."""

from datetime import date, datetime
from typing import Any

from civic_pipeline.publish.site.formats import count, day
from civic_pipeline.publish.site.sections import Cell, Heading, Section, number
from civic_pipeline.publish.site.site import Site
from civic_pipeline.sql_text import literal

_MOST_DAYS = 20
_TITLE = "What each capture knew"


def revisions(site: Site, county: str, part: str, table: str) -> Section:
    """Cases of the newest days that were revised: a row per day, a column per capture, the newest last."""
    identity = f"revisions-{part}"
    if not site.present(table):
        return Section(identity, _TITLE, [], [], absence="It needs two captures of the State's layers.")
    rows = site.query(
        f"""
        select observed_date, captured_at, cumulative_reported, is_missing_as_zero, is_first
        from {table}
        where geography = {literal(county)} and metric = 'cases'
        order by observed_date, captured_at"""
    )
    days: dict[date, list[dict[str, Any]]] = {}
    for row in rows:
        days.setdefault(row["observed_date"], []).append(row)
    revised = [when for when, entries in days.items() if any(not entry["is_first"] for entry in entries)]
    if not revised:
        return Section(identity, _TITLE, [], [], absence="No capture changed a count of cases of this county.")
    moments = sorted({row["captured_at"] for row in rows})
    shown = revised[-_MOST_DAYS:]
    return Section(
        identity,
        _TITLE,
        [Heading("Day"), *(Heading(f"Captured {day(moment)}", is_number=True) for moment in moments)],
        [[Cell(day(when), value=str(when)), *(_known(days[when], moment) for moment in moments)] for when in shown],
        f"All cases reported by each day, as each capture had them: the {count(len(shown))} newest of {count(len(revised))} days that"
        " changed later. A later capture without a change repeats the count.",
        file=site.csv(
            f"covid/{part}-revisions.csv",
            f"select * from {table} where geography = {literal(county)} order by metric, observed_date, captured_at",
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
