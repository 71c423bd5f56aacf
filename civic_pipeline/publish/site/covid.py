"""COVID-19: counties with every definition under its name, outages as gaps, what each capture knew, and ZIP codes."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from civic_pipeline.publish.site.charts import Chart, Line
from civic_pipeline.publish.site.covid_revisions import revisions
from civic_pipeline.publish.site.facts import Table, in_words
from civic_pipeline.publish.site.formats import count, day, rate
from civic_pipeline.publish.site.sections import Cell, Heading, Section, number
from civic_pipeline.publish.site.site import About, Card, Site, slugs
from civic_pipeline.sql_text import literal

PART, TITLE = "covid/", "COVID-19"
TABLE, TRIANGLE = "marts.mart_covid_indicators_daily", "marts.mart_covid_revision_triangle"
ZIP_PART = "covid/zip/"
QUESTION = "How many people in each county were reported with COVID-19, or died of it?"
AUDIENCE = "Residents and health workers who look back at the pandemic."
_NOTES = [
    "The lines show one day of each week; the rates of that day cover the seven days before it. The CSV has every day."
]
_COMPARED = 4  # as many lines as a chart can tell apart
_MOST_SHOWN = 0.999  # shares of vaccinated people above are shown as this much, and are exact in the CSV

Row = dict[str, Any]
Definitions = Mapping[str, str | None]


def home(_: Site) -> str:
    return "covid/index.html"


def build(site: Site) -> None:
    """Write a page of all counties, one for each, and one of ZIP codes."""
    table = site.table(TABLE)
    if table is None or table.absence:
        return
    tables = [table, *site.present(TRIANGLE)]
    rows = site.query(
        f"""
        select * from {TABLE}
        where geography_kind = 'county'
            and (observed_date - (select max(observed_date) from {TABLE} where geography_kind = 'county')) % 7 = 0
        order by geography, observed_date"""
    )
    of_county: dict[str, list[Row]] = {}
    for row in rows:
        of_county.setdefault(row["geography"], []).append(row)
    counties = slugs([(name, name) for name in of_county])
    definitions = {column.name: column.description for column in table.columns}
    newest = max(row["observed_date"] for row in rows)
    total = sum(_last(own, "cases_cumulative_reported") or 0 for own in of_county.values())
    has_zip_codes = _zip_codes(site, table)
    site.sections_page(
        PART,
        about=About(QUESTION, AUDIENCE, [table], _NOTES),
        title="COVID-19 by county",
        figure=count(total),
        caption=f"cases were reported up to {day(newest)}, all counties together",
        sections=[
            _counties(site, of_county, counties),
            *([_more()] if has_zip_codes else []),
            _comparison(of_county),
            _definitions(definitions),
        ],
        crumbs=[("Home", ""), (TITLE, None)],
    )
    for county, part in counties.items():
        own = of_county[county]
        site.sections_page(
            f"covid/{part}/",
            title=f"COVID-19 in {county}",
            about=About(
                f"How many people in {county} were reported with COVID-19, or died of it?",
                AUDIENCE,
                tables,
                _NOTES,
                len(own),
                row=county,
            ),
            figure=count(_last(own, "cases_cumulative_reported")),
            caption=_caption(own),
            sections=[
                _cases(site, county, part, own, definitions),
                _deaths(county, part, own, definitions),
                _federal(county, part, own, definitions),
                _corrections(site, county, part),
                *revisions(site, county, part, TRIANGLE),
            ],
            crumbs=[("Home", ""), (TITLE, PART), (county, None)],
        )
    place = next((capture.dataset.partition("/")[0] for capture in table.captures), "maryland")
    site.cards.append(
        Card(place, TITLE, QUESTION, "covid/index.html", TABLE, count(total), f"cases reported up to {day(newest)}")
    )


def _caption(rows: Sequence[Row]) -> str:
    deaths = _last(rows, "deaths_confirmed_cumulative_reported")
    confirmed = "" if deaths is None else f" and {count(deaths)} confirmed deaths"
    return f"cases{confirmed} were reported up to {day(rows[-1]['observed_date'])}"


def _last(rows: Sequence[Row], name: str) -> Any:
    return next((row[name] for row in reversed(rows) if row[name] is not None), None)


def _day(value: date) -> Cell:
    return Cell(day(value), value=str(value))


def _count(value: int | None) -> Cell:
    return number(value, count(value))


def _rate(value: float | None) -> Cell:
    return number(value, "" if value is None else f"{value:,.1f}")


def _share(value: float | None) -> Cell:
    return number(value, "" if value is None else rate(min(value, _MOST_SHOWN)))


def _headings(definitions: Definitions, names: Iterable[tuple[str, str]]) -> list[Heading]:
    return [Heading("Day"), *(Heading(title, is_number=True, about=definitions.get(name)) for name, title in names)]


def _line(name: str, rows: Sequence[Row], column: str) -> Line:
    return Line(name, [(row["observed_date"], row[column]) for row in rows])


def _known(lines: Sequence[Line]) -> list[Line]:
    return [line for line in lines if any(value is not None for _, value in line.points)]


def _counties(site: Site, of_county: Mapping[str, Sequence[Row]], counties: Mapping[str, str]) -> Section:
    cases = {county: _last(rows, "cases_cumulative_reported") or 0 for county, rows in of_county.items()}
    most = max(cases.values()) or 1
    return Section(
        "counties",
        "Every county, up to its last report",
        [
            Heading("County"),
            *(
                Heading(title, is_number=True)
                for title in ("Cases", "Confirmed deaths", "Probable deaths", "Completed vaccination")
            ),
        ],
        [
            [
                Cell(county, href=f"covid/{counties[county]}/index.html", bar=cases[county] / most),
                _count(_last(rows, "cases_cumulative_reported")),
                _count(_last(rows, "deaths_confirmed_cumulative_reported")),
                _count(_last(rows, "deaths_probable_cumulative_reported")),
                _share(_last(rows, "vax_series_share_total")),
            ]
            for county, rows in sorted(of_county.items(), key=lambda entry: (-cases[entry[0]], entry[0]))
        ],
        "Confirmed and probable deaths are two series that the State never adds. Vaccination is the CDC's, as a share of the residents"
        " of 2019.",
        file=site.csv(
            "covid/counties.csv",
            f"select * from {TABLE} where geography_kind = 'county'"
            " qualify row_number() over (partition by geography order by observed_date desc) = 1 order by geography",
        ),
    )


def _more() -> Section:
    return Section(
        "more",
        "Smaller places",
        [Heading("Page"), Heading("Shows")],
        [
            [
                Cell("Cases by ZIP code", href=f"{ZIP_PART}index.html"),
                Cell("The last count of each ZIP code. Counts of 0 to 7 are hidden."),
            ]
        ],
    )


def _comparison(of_county: Mapping[str, Sequence[Row]]) -> Section:
    largest = sorted(of_county, key=lambda county: -(_last(of_county[county], "population") or 0))[:_COMPARED]
    lines = _known([_line(county, of_county[county], "case_rate_cdc_7d") for county in sorted(largest)])
    values = {line.name: dict(line.points) for line in lines}
    days = sorted({when for line in lines for when, _ in line.points})
    title = "Cases in the largest counties"
    return Section(
        "compared",
        title,
        [Heading("Day"), *(Heading(line.name, is_number=True) for line in lines)],
        [[_day(when), *(_rate(values[line.name].get(when)) for line in lines)] for when in days],
        "By the CDC's definition: cases of seven days per 100,000 residents.",
        chart=Chart(title, "cases per 100,000 in 7 days, CDC's definition", lines) if lines else None,
        is_folded=True,
    )


def _definitions(definitions: Definitions) -> Section:
    names = {
        "case_rate_bchd_7d": "Health Department rate",
        "case_rate_maryland_7d": "Maryland's rate",
        "case_rate_cdc_7d": "CDC rate",
        "positivity_mean_of_daily": "Positive tests, Maryland",
        "positivity_pooled": "Positive tests, CDC",
        "positivity_people": "Positive tests, Johns Hopkins",
        "cases_reported_daily": "New on a day",
        "cases_gap_increment": "New over a gap",
        "cases_adjusted_daily": "New on a day, corrections distributed",
    }
    return Section(
        "definitions",
        "One name, several definitions",
        [Heading("Name here"), Heading("Definition")],
        [[Cell(title), Cell(in_words(definitions.get(name) or ""))] for name, title in names.items()],
        "For the same week the CDC's rate is seven times the other two. Always say whose rate it is.",
    )


def _cases(site: Site, county: str, part: str, rows: Sequence[Row], definitions: Definitions) -> Section:
    lines = _known(
        [
            _line("computed from the State's counts", rows, "case_rate_cdc_7d"),
            _line("posted by the CDC itself", rows, "case_rate_cdc_7d_published"),
        ]
    )
    columns = [
        ("case_rate_cdc_7d", "CDC rate"),
        ("case_rate_cdc_7d_published", "Posted by the CDC"),
        ("case_rate_bchd_7d", "Health Department rate"),
        ("case_rate_maryland_7d", "Maryland's rate"),
    ]
    return Section(
        f"cases-{part}",
        "Cases",
        _headings(definitions, [("cases_cumulative_reported", "All reported"), *columns]),
        [
            [
                _day(row["observed_date"]),
                _count(row["cases_cumulative_reported"]),
                *(_rate(row[name]) for name, _ in columns),
            ]
            for row in rows
        ],
        None if lines else "There is no rate: the number of residents is not known.",
        chart=Chart(f"Cases in {county}", "cases per 100,000 in 7 days, CDC's definition", lines) if lines else None,
        is_folded=True,
        file=site.csv(
            f"covid/{part}.csv",
            f"select * from {TABLE} where geography_kind = 'county' and geography = {literal(county)} order by observed_date",
        ),
    )


def _deaths(county: str, part: str, rows: Sequence[Row], definitions: Definitions) -> Section:
    if _last(rows, "deaths_confirmed_cumulative_reported") is None:
        return Section(f"deaths-{part}", "Deaths", [], [], absence="The State published no deaths here.")
    columns = [("death_rate_cdc_7d", "CDC rate"), ("death_rate_bchd_7d", "Health Department rate")]
    counts = [
        ("deaths_confirmed_cumulative_reported", "All confirmed"),
        ("deaths_probable_cumulative_reported", "All probable"),
    ]
    lines = _known([_line(county, rows, "death_rate_cdc_7d")])
    return Section(
        f"deaths-{part}",
        "Deaths",
        _headings(definitions, [*counts, *columns]),
        [
            [
                _day(row["observed_date"]),
                number(None, "", gap="not published")
                if row["is_deaths_confirmed_missing_as_zero"]
                else _count(row["deaths_confirmed_cumulative_reported"]),
                _count(row["deaths_probable_cumulative_reported"]),
                *(_rate(row[name]) for name, _ in columns),
            ]
            for row in rows
        ],
        "The rates are of confirmed deaths. Days on which the State published zeros for every county are a gap, not days without"
        " deaths. A week with a day that was not published has no rate.",
        chart=Chart(f"Confirmed deaths in {county}", "deaths per 100,000 in 7 days, CDC's definition", lines)
        if lines
        else None,
        is_folded=True,
    )


def _federal(county: str, part: str, rows: Sequence[Row], definitions: Definitions) -> Section:
    shares = [("positivity_pooled", "Positive tests"), ("vax_series_share_total", "Completed vaccination")]
    known = [row for row in rows if any(row[name] is not None for name, _ in shares)]
    if not known:
        return Section(
            f"federal-{part}", "Tests and vaccination", [], [], absence="The CDC's tables have no rows of it here."
        )
    percent = [{**row, **{name: _percent(row[name]) for name, _ in shares}} for row in known]
    lines = _known([_line(title, percent, name) for name, title in shares])
    return Section(
        f"federal-{part}",
        "Tests and vaccination",
        _headings(definitions, shares),
        [[_day(row["observed_date"]), *(_share(row[name]) for name, _ in shares)] for row in known],
        "Published by the CDC. A share above 99.9% is shown as 99.9%; the CSV of the county's cases has it as computed. Hospital measures"
        " are in it, too.",
        chart=Chart(f"Positive tests and vaccination in {county}", "percent", lines),
        is_folded=True,
    )


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * min(share, _MOST_SHOWN)


def _corrections(site: Site, county: str, part: str) -> Section:
    series = {"cases": "Cases", "deaths_confirmed": "Confirmed deaths", "deaths_probable": "Probable deaths"}
    selects = " union all ".join(
        f"select observed_date, {literal(title)} as series, coalesce({name}_reported_daily, {name}_gap_increment) as increment,"
        f" {name}_adjusted_daily as adjusted from {TABLE}"
        f" where geography_kind = 'county' and geography = {literal(county)} and is_{name}_correction"
        for name, title in series.items()
    )
    rows = site.query(f"{selects} order by observed_date, series")
    if not rows:
        return Section(f"corrections-{part}", "Corrections", [], [], absence="No count of this county was lowered.")
    return Section(
        f"corrections-{part}",
        "Corrections",
        [
            Heading("Day"),
            Heading("Series"),
            Heading("As published", is_number=True),
            Heading("Left on the day", is_number=True),
        ],
        [
            [_day(row["observed_date"]), Cell(row["series"]), _count(row["increment"]), _count(row["adjusted"])]
            for row in rows
        ],
        "On these days a count fell. The fall is kept as published; in a column of its own it is taken from the four weeks before, and"
        " the total stays the same.",
        is_folded=len(rows) > 10,
    )


def _zip_codes(site: Site, table: Table) -> bool:
    """Write the page of ZIP codes; False if the table has none."""
    rows = site.query(
        f"""
        select geography, observed_date, cases_cumulative_reported, is_suppressed
        from {TABLE}
        where geography_kind = 'zip' and cases_cumulative_low is not null
        qualify row_number() over (partition by geography order by observed_date desc) = 1
        order by geography"""
    )
    if not rows:
        return False
    site.sections_page(
        ZIP_PART,
        title="COVID-19 by ZIP code",
        about=About("How many people in each ZIP code were reported with COVID-19?", AUDIENCE, [table], rows=len(rows)),
        figure=count(len(rows)),
        caption=f"ZIP codes with a count, up to {day(max(row['observed_date'] for row in rows))}; the highest is"
        f" {count(max((row['cases_cumulative_reported'] or 0) for row in rows))} cases",
        sections=[
            Section(
                "zip-codes",
                "The last count of each ZIP code",
                [Heading("ZIP code"), Heading("Cases", is_number=True), Heading("Last report")],
                [
                    [
                        Cell(row["geography"]),
                        Cell("0 to 7", is_gap=True)
                        if row["is_suppressed"]
                        else _count(row["cases_cumulative_reported"]),
                        _day(row["observed_date"]),
                    ]
                    for row in rows
                ],
                "The State hides counts of 0 to 7, so ZIP codes never add up to their county. There is no rate: residents by ZIP code are"
                " not in the release.",
                file=site.csv(
                    "covid/zip.csv",
                    "select geography as zip_code, observed_date, cases_cumulative_reported, cases_cumulative_low, cases_cumulative_high,"
                    f" is_suppressed from {TABLE} where geography_kind = 'zip' order by geography, observed_date",
                ),
            )
        ],
        crumbs=[("Home", ""), (TITLE, PART), ("ZIP codes", None)],
    )
    return True
