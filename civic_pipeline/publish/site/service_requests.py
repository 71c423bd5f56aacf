"""311: how many requests are closed by their due date, and how many are overdue."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from civic_pipeline.publish.site.charts import Chart, Line
from civic_pipeline.publish.site.formats import count, day, rate, total
from civic_pipeline.publish.site.neighborhoods import place_key, places
from civic_pipeline.publish.site.sections import Cell, Heading, Section, number
from civic_pipeline.publish.site.site import Card, Site, first_page
from civic_pipeline.sql_text import literal

PART, TITLE = "311/", "311"
TABLE = "marts.mart_service_requests_on_time"
QUESTION = "Does the city close 311 requests by the day it sets itself?"
AUDIENCE = "Residents who wait, council members, and the agencies that answer."
_NOTES = ["Closed means that the agency closed the request, not that the problem is gone."]
_KINDS = {
    "agency": "Agency", "request type": "Type of request", "neighborhood": "Neighborhood", "council district": "Council district",
}  # fmt: skip
_CHARTED = 60  # months; the table has all


def home(site: Site) -> str:
    return first_page(PART, site.cities(TABLE))


def build(site: Site) -> None:
    """Write a page for every city with requests."""
    cities = site.cities(TABLE)
    for city in cities:
        _build_city(site, city, cities)


def _build_city(site: Site, city: str, cities: list[str]) -> None:
    tables = site.present(TABLE, "marts.fct_service_requests")
    [newest] = site.query(f"select max(month) as month, max(as_of) as as_of from {TABLE} where city = ?", [city])
    months = site.query(
        f"select month, created_count, due_count, closed_on_time_count, on_time_rate, on_time_rate_low, on_time_rate_high,"
        f" no_on_time_rate_reason, open_count, overdue_count, overdue_rate from {TABLE}"
        " where city = ? and group_kind = 'all' order by month",
        [city],
    )
    year = months[-12:]
    due, closed = (total(row[name] for row in year) for name in ("due_count", "closed_on_time_count"))
    title = f"311 in {site.place_title(city)}"
    first = year[0]["month"]
    figure = rate(closed / due) if due and closed is not None else None
    caption = f"closed by their due date, of {count(due)} requests due since {day(first)}"
    pages = {(area["kind"], place_key(area["geography_name"])): area["href"] for area in places(site, city)}
    groups = [_groups(site, city, kind, name, first, newest["month"], pages) for kind, name in _KINDS.items()]
    site.sections_page(
        f"{PART}{city}/",
        about=site.about(city, QUESTION, AUDIENCE, tables, _NOTES),
        title=title,
        figure=figure,
        caption=caption,
        crumbs=[("Home", ""), (title, None)],
        sections=[_months(site, city, months), *groups],
        switch=site.switch(PART, cities),
    )
    site.cards.append(Card(city, TITLE, QUESTION, f"{PART}{city}/index.html", TABLE, figure or "not known", caption))


def _months(site: Site, city: str, rows: list[dict[str, Any]]) -> Section:
    chart = Chart(
        "Requests closed on time, and open requests that are overdue",
        "percent",
        [
            Line("closed on time", [(row["month"], _percent(row["on_time_rate"])) for row in rows[-_CHARTED:]]),
            Line("overdue", [(row["month"], _percent(row["overdue_rate"])) for row in rows[-_CHARTED:]]),
        ],
    )
    headings = [
        Heading("Month"),
        Heading("Created", is_number=True),
        Heading("Due", is_number=True),
        Heading("Closed on time", is_number=True),
        Heading("Share on time", is_number=True, about="closed by the due date / due in the month"),
        Heading("Open at its end", is_number=True),
        Heading("Overdue", is_number=True, about="due before the end, and not closed"),
    ]
    table = [
        [
            Cell(f"{row['month']:%B %Y}", value=str(row["month"])),
            *(number(row[name], count(row[name])) for name in ("created_count", "due_count", "closed_on_time_count")),
            number(row["on_time_rate"], rate(row["on_time_rate"]), gap=row["no_on_time_rate_reason"] or "not known"),
            *(number(row[name], count(row[name])) for name in ("open_count", "overdue_count")),
        ]
        for row in reversed(rows)
    ]
    file = site.csv(f"311/{city}.csv", f"select * from {TABLE} where city = {literal(city)} order by all")
    text = "The last five years; the table has all. A gap in a line is a month without due dates."
    return Section("months", "By month", headings, table, text, file, chart, is_folded=True)


def _percent(value: float | None) -> float | None:
    return None if value is None else 100 * value


def _groups(
    site: Site, city: str, kind: str, title: str, first: date, last: date, pages: Mapping[tuple[str, str], str | None]
) -> Section:
    rows = site.query(
        "select group_name, sum(created_count)::bigint as created, sum(due_count)::bigint as due,"
        " sum(closed_on_time_count) / nullif(sum(due_count), 0) as share,"
        " coalesce(max(overdue_count) filter (month = ?), 0) as overdue"
        f" from {TABLE} where city = ? and group_kind = ? and month >= ? group by group_name order by created desc, group_name",
        [last, city, kind, first],
    )
    headings = [
        Heading(title),
        Heading("Created", is_number=True),
        Heading("Due", is_number=True),
        Heading("Share closed on time", is_number=True),
        Heading("Overdue now", is_number=True),
    ]
    table = [
        [
            Cell(
                row["group_name"],
                href=pages.get((kind, place_key(row["group_name"]))),
                bar=row["share"],
            ),
            *(number(row[name], count(row[name])) for name in ("created", "due")),
            number(row["share"], rate(row["share"]), gap="nothing was due"),
            number(row["overdue"], count(row["overdue"])),
        ]
        for row in rows
    ]
    text = "The last twelve months. Targets differ, so do not rank: a pothole is due in days, a street in months."
    return Section(kind.replace(" ", "-"), f"By {title.lower()}", headings, table, text)
