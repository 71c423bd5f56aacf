"""COVID-19 by county: weekly lines, the definitions of both rates under their names, and outages as gaps."""

from typing import Any

from civic_pipeline.publish.site.charts import Chart, Line
from civic_pipeline.publish.site.formats import count, day
from civic_pipeline.publish.site.sections import Cell, Heading, Section, number
from civic_pipeline.publish.site.site import About, Card, Site, slugs

PART, TITLE = "covid/", "COVID-19"
TABLE = "marts.mart_covid_indicators_daily"
_QUESTION = "How many people in each county were reported with COVID-19, or died of it?"
_AUDIENCE = "Residents and health workers who look back at the pandemic."
_NOTES = [
    "The lines show one day of each week; the rates of that day cover the seven days before it. The CSV has every day."
]
_RATES = ("rate_cdc_7d", "rate_bchd_7d")


def home(_: Site) -> str:
    return "covid/index.html"


def build(site: Site) -> None:
    """Write a page of all counties, and one for each."""
    table = site.table(TABLE)
    if table is None or table.absence:
        site.absent(PART, TITLE, About(_QUESTION, _AUDIENCE, [table] if table else []), table)
        return
    rows = site.query(
        f"""
        select geography as county, 'cases' as metric, observed_date, cases_cumulative_reported as cumulative_reported,
            case_rate_cdc_7d as rate_cdc_7d, case_rate_bchd_7d as rate_bchd_7d
        from {TABLE}
        where geography_kind = 'county' and (observed_date - (select max(observed_date) from {TABLE})) % 7 = 0
        union all
        select geography, 'deaths', observed_date, deaths_confirmed_cumulative_reported, death_rate_cdc_7d, death_rate_bchd_7d
        from {TABLE}
        where geography_kind = 'county' and (observed_date - (select max(observed_date) from {TABLE})) % 7 = 0
        order by all"""
    )
    counties = slugs(sorted({(row["county"], row["county"]) for row in rows}))
    definitions = {column.name: column.description for column in table.columns}
    about = About(_QUESTION, _AUDIENCE, [table], _NOTES)
    metrics = sorted({row["metric"] for row in rows if row["cumulative_reported"] is not None})
    sections = [_counties(site, metric, rows, counties) for metric in metrics]
    sections.append(_definitions(table.cannot_say, definitions))
    site.sections_page(
        PART,
        about=about,
        title="COVID-19 by county",
        sections=sections,
        crumbs=[("Home", ""), (TITLE, None)],
    )
    for county, part in counties.items():
        title = f"COVID-19 in {county}"
        site.sections_page(
            f"covid/{part}/",
            title=title,
            about=About(
                f"How many people in {county} were reported with COVID-19, or died of it?",
                _AUDIENCE,
                [table],
                _NOTES,
                sum(row["county"] == county for row in rows),
            ),
            sections=[_line(part, county, metric, rows, definitions) for metric in metrics],
            crumbs=[("Home", ""), (TITLE, PART), (county, None)],
        )
    newest = max(row["observed_date"] for row in rows)
    total = sum(
        row["cumulative_reported"] or 0 for row in rows if row["observed_date"] == newest and row["metric"] == "cases"
    )
    place = next((capture.dataset.partition("/")[0] for capture in table.captures), "maryland")
    site.cards.append(
        Card(place, TITLE, _QUESTION, "covid/index.html", TABLE, count(total), f"cases reported up to {day(newest)}")
    )


def _counties(site: Site, metric: str, rows: list[dict[str, Any]], counties: dict[str, str]) -> Section:
    last: dict[str, dict[str, Any]] = {}
    for row in rows:
        if row["metric"] == metric and row["cumulative_reported"] is not None:
            last[row["county"]] = row
    most = max((row["cumulative_reported"] for row in last.values()), default=1)
    return Section(
        metric,
        f"{metric.capitalize()} by county, up to the last report",
        [Heading("County"), Heading("All reported", is_number=True), Heading("Last report")],
        [
            [
                Cell(county, href=f"covid/{counties[county]}/index.html", bar=row["cumulative_reported"] / most),
                number(row["cumulative_reported"], count(row["cumulative_reported"])),
                Cell(day(row["observed_date"]), value=str(row["observed_date"])),
            ]
            for county, row in sorted(last.items(), key=lambda entry: -entry[1]["cumulative_reported"])
        ],
        file=site.csv(
            f"covid/{metric}.csv",
            f"select * from {TABLE} where geography_kind = 'county' order by geography, observed_date",
        ),
    )


def _line(
    part: str, county: str, metric: str, rows: list[dict[str, Any]], definitions: dict[str, str | None]
) -> Section:
    own = [row for row in rows if row["county"] == county and row["metric"] == metric]
    points = [(row["observed_date"], row["rate_cdc_7d"]) for row in own]
    known = any(value is not None for _, value in points)
    chart = Chart(
        f"{metric.capitalize()} in {county}", "people per 100,000 in 7 days, CDC's definition", [Line(county, points)]
    )
    headings = [
        Heading("Day"),
        Heading("All reported", is_number=True, about=definitions["cases_cumulative_reported"]),
        Heading("CDC rate", is_number=True, about=definitions["case_rate_cdc_7d"]),
        Heading("Health Department rate", is_number=True, about=definitions["case_rate_bchd_7d"]),
    ]
    table = [
        [
            Cell(day(row["observed_date"]), value=str(row["observed_date"])),
            number(row["cumulative_reported"], count(row["cumulative_reported"])),
            *(number(row[name], "" if row[name] is None else f"{row[name]:,.1f}") for name in _RATES),
        ]
        for row in own
    ]
    text = None if known else "There is no rate: the number of residents is not known."
    return Section(
        f"{metric}-{part}", metric.capitalize(), headings, table, text, chart=chart if known else None, is_folded=True
    )


def _definitions(cannot_say: str | None, definitions: dict[str, str | None]) -> Section:
    names = {
        "case_rate_cdc_7d": "CDC rate",
        "case_rate_bchd_7d": "Health Department rate",
        "cases_reported_daily": "New on a day",
        "cases_gap_increment": "New over a gap",
    }
    return Section(
        "definitions",
        "Two official rates with one name",
        [Heading("Name"), Heading("Definition")],
        [[Cell(title), Cell(definitions.get(name) or "")] for name, title in names.items()],
        cannot_say,
    )
