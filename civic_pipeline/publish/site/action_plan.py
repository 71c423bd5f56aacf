"""The Action Plan: how many measures met their target, by pillar, with each measure's target, owner, method and source."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from civic_pipeline.publish.site.charts import Chart, Line
from civic_pipeline.publish.site.formats import count, rate
from civic_pipeline.publish.site.plan_sections import (
    ABOUT_STATUS,
    conflicts,
    initiatives,
    lifecycle,
    measures,
    reproducibility,
    tracker,
)
from civic_pipeline.publish.site.sections import Cell, Heading, Section, number
from civic_pipeline.publish.site.site import Card, Site, first_page, slug
from civic_pipeline.sql_text import literal

PART, TITLE = "action-plan/", "Action Plan"
TABLE, _MEASURES = "marts.mart_goal_scorecard", "marts.mart_kpi_scorecard"
_OTHERS = (
    "marts.mart_kpi_conflicts",
    "marts.mart_kpi_lifecycle",
    "marts.mart_kpi_reproducibility",
    "marts.fct_action_statuses",
)
QUESTION = "What did the city promise, and does it meet the targets that it set for itself?"
AUDIENCE = "Residents, the council, and the agencies that own the measures."


# A release may be older than a table, and a table may never have passed.
_BESIDE = {
    "marts.mart_kpi_reproducibility": reproducibility,
    "marts.mart_kpi_lifecycle": lifecycle,
    "marts.mart_kpi_conflicts": conflicts,
    "marts.fct_action_statuses": tracker,
}


def home(site: Site) -> str:
    return first_page(PART, site.cities(TABLE))


def build(site: Site) -> None:
    """Write a page for every city that publishes measures, and one for each pillar of its plan."""
    for city in site.cities(TABLE):
        _build_city(site, city)


def _build_city(site: Site, city: str) -> None:
    years = site.query(f"from {TABLE} where city = ? and level = 'city' order by fiscal_year", [city])
    pillars = site.query(
        f"from {TABLE} where city = ? and level in ('pillar', 'no_pillar')"
        f" and plan = (select max(plan) from {TABLE} where city = ?) and fiscal_year = ? order by level desc, pillar_code",
        [city, city, years[-1]["fiscal_year"]],
    )
    title = f"{site.place_title(city)}'s {pillars[0]['plan'] if pillars else TITLE}"
    newest = years[-1]
    site.sections_page(
        f"{PART}{city}/",
        about=site.about(city, QUESTION, AUDIENCE, site.present(TABLE, _MEASURES, *_OTHERS)),
        title=title,
        figure=f"{newest['met']:,} of {newest['scorable']:,}",
        caption=f"measures met their target in fiscal year {newest['fiscal_year']}; {rate(newest['coverage_share'])} of all can be scored",
        crumbs=[("Home", ""), (title, None)],
        sections=[
            _years(site, city, years),
            _pillars(site, city, pillars),
            *(
                section(site, city)
                for name, section in _BESIDE.items()
                if (table := site.table(name)) and table.rows is not None
            ),
        ],
        switch=site.switch(PART, site.cities(TABLE)),
    )
    for row in pillars:
        _build_pillar(site, city, title, row)
    caption = f"of the measures that can be scored met their target in fiscal year {newest['fiscal_year']}"
    site.cards.append(
        Card(city, TITLE, QUESTION, f"{PART}{city}/index.html", TABLE, rate(newest["met_share"]), caption)
    )


def _folder(city: str, row: dict[str, Any]) -> str:
    return f"{PART}{city}/{'pillar-' + slug(row['pillar_code']) if row['pillar_code'] else 'no-pillar'}/"


def _build_pillar(site: Site, city: str, plan: str, row: dict[str, Any]) -> None:
    year = row["fiscal_year"]
    steps = initiatives(site, city, row) if row["pillar_code"] else []
    site.sections_page(
        _folder(city, row),
        about=site.about(
            city,
            "Which measures does this pillar have, who owns each, and did it meet its target?",
            AUDIENCE,
            site.present(_MEASURES, TABLE, "marts.mart_kpi_lifecycle", "marts.fct_action_statuses"),
            rows=row["measures"],
            row=row["title"],
        ),
        title=row["title"],
        figure=f"{row['met']:,} of {row['scorable']:,}",
        caption=f"measures met their target in fiscal year {year}; {row['measures'] - row['scorable']:,} more cannot be scored",
        crumbs=[("Home", ""), (plan, f"{PART}{city}/"), (row["title"], None)],
        sections=[measures(site, city, row), *steps],
    )


def _interval(row: dict[str, Any]) -> Cell:
    if row["met_share"] is None:
        return Cell("none can be scored", is_gap=True)
    return Cell(f"{rate(row['met_share_low'])} to {rate(row['met_share_high'])}")


def _shares(row: dict[str, Any]) -> list[Cell]:
    return [
        number(row["measures"], count(row["measures"])),
        number(row["scorable"], count(row["scorable"])),
        number(row["met"], count(row["met"])),
        number(row["met_share"], rate(row["met_share"]), gap="none can be scored"),
        _interval(row),
        number(row["coverage_share"], rate(row["coverage_share"])),
    ]


_SHARE_HEADINGS = (
    Heading("Measures", is_number=True),
    Heading("Can be scored", is_number=True, about="with a direction, a target and an actual"),
    Heading("Met the target", is_number=True),
    Heading("Share met", is_number=True),
    Heading("95% interval"),
    Heading("Coverage", is_number=True, about="can be scored / measures"),
)


def _years(site: Site, city: str, rows: Sequence[dict[str, Any]]) -> Section:
    def line(name: str, column: str) -> Line:
        return Line(
            name,
            [(date(row["fiscal_year"], 1, 1), 100 * row[column] if row[column] is not None else None) for row in rows],
        )

    newest = rows[-1]
    sentence = {
        None: "",
        False: f" The change from {newest['fiscal_year'] - 1} to {newest['fiscal_year']} cannot be distinguished from none.",
        True: f" The change from {newest['fiscal_year'] - 1} to {newest['fiscal_year']} is larger than chance explains.",
    }[newest["is_change_distinguishable"]]
    chart = Chart(
        "Measures that met their target",
        "percent of those that can be scored",
        [line("share met", "met_share")],
        band=(line("from", "met_share_low"), line("to", "met_share_high")),
    )
    return Section(
        "years",
        "By fiscal year",
        [Heading("Fiscal year"), *_SHARE_HEADINGS],
        [[Cell(str(row["fiscal_year"])), *_shares(row)] for row in reversed(rows)],
        f"Closed fiscal years.{sentence}",
        site.csv(
            f"{PART}{city}/years.csv",
            f"from {TABLE} where city = {literal(city)} and level = 'city' order by fiscal_year",
        ),
        chart if len(rows) > 1 else None,
        notes=[ABOUT_STATUS],
    )


def _pillars(site: Site, city: str, rows: Sequence[dict[str, Any]]) -> Section:
    year = rows[0]["fiscal_year"] if rows else None
    return Section(
        "pillars",
        f"By pillar, fiscal year {year}",
        [Heading("Pillar"), *_SHARE_HEADINGS],
        [
            [Cell(row["title"], href=f"{_folder(city, row)}index.html", bar=row["met_share"]), *_shares(row)]
            for row in rows
        ],
        "A measure belongs to the pillar that its service serves. The bar is the share met. Measures are not published by goal.",
        site.csv(
            f"{PART}{city}/pillars.csv",
            f"from {TABLE} where city = {literal(city)} order by plan, fiscal_year, level, pillar_code, goal_code",
        ),
        absence=None if rows else "The city publishes no link between its services and a plan.",
    )
