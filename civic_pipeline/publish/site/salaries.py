"""Salaries by agency and title. Groups of fewer than five people are masked, and no person is shown."""

from typing import Any

from civic_pipeline.publish.site.formats import count, dollars, short_dollars
from civic_pipeline.publish.site.sections import Cell, Heading, Section, number
from civic_pipeline.publish.site.site import Card, Site, first_page, slugs
from civic_pipeline.sql_text import literal

PART, TITLE = "salaries/", "Salaries"
TABLE, _TITLES = "marts.mart_salaries_by_agency", "marts.mart_salaries_by_title"
QUESTION = "How many people work for the city, in which agency, and what do they earn?"
AUDIENCE = "Residents, reporters and people who think of working for the city."
_MASKED = "fewer than 5 people"
_HEADINGS = (
    Heading("People", is_number=True),
    Heading("Median salary", is_number=True, about="half earn more, half less"),
    Heading("Eight of ten earn", is_number=True, about="for 50 people or more"),
    Heading("Gross pay", is_number=True, about="of all, with overtime"),
    Heading("Gross to salary", is_number=True, about="above 1: overtime"),
)


def home(site: Site) -> str:
    return first_page(PART, site.cities(TABLE))


def build(site: Site) -> None:
    """Write the pages of every city that publishes salaries."""
    for city in site.cities(TABLE):
        _build_city(site, city)


def _build_city(site: Site, city: str) -> None:
    path, title = f"salaries/{city}/", f"Salaries of {site.place_title(city)}"
    rows = _rows(site, TABLE, city)
    years = sorted({row["fiscal_year"] for row in rows}, reverse=True)
    titles = _rows(site, _TITLES, city) if site.present(_TITLES) else []
    agencies = slugs(sorted({(row["agency_name"], row["agency_name"]) for row in titles}))
    tables = site.present(TABLE, _TITLES)
    newest = [row for row in rows if row["fiscal_year"] == years[0]]
    people, paid = (sum(row[name] or 0 for row in newest) for name in ("headcount", "gross_pay_amount"))
    caption = f"people on the payroll at the end of fiscal year {years[0]}; {short_dollars(paid)} gross pay in the year"
    links = {name: f"{path}{part}/index.html" for name, part in agencies.items()}
    site.sections_page(
        path,
        about=site.about(city, QUESTION, AUDIENCE, tables),
        title=title,
        figure=count(people),
        caption=caption,
        switch=site.switch(PART, site.cities(TABLE)),
        crumbs=[("Home", ""), (title, None)],
        sections=[
            _section(
                f"fy{year}",
                f"Fiscal year {year}, by agency",
                "Agency",
                "agency_name",
                [r for r in rows if r["fiscal_year"] == year],
                links,
                is_folded=year != years[0],
            )
            for year in years
        ],
    )
    for agency, part in agencies.items():
        own = [row for row in titles if row["agency_name"] == agency]
        own_years = sorted({row["fiscal_year"] for row in own}, reverse=True)
        question = f"What do people in {agency} earn, by title?"
        site.sections_page(
            f"{path}{part}/",
            about=site.about(city, question, AUDIENCE, tables[::-1], rows=len(own), row=agency),
            title=agency,
            figure=_figure(agency, rows),
            caption=_caption(agency, rows),
            crumbs=[("Home", ""), (title, path), (agency, None)],
            sections=[
                _section(
                    f"fy{year}",
                    f"Fiscal year {year}, by title",
                    "Title",
                    "job_title",
                    [r for r in own if r["fiscal_year"] == year],
                    {},
                    is_folded=year != own_years[0],
                )
                for year in own_years
            ],
        )
    site.cards.append(Card(city, TITLE, QUESTION, f"{path}index.html", TABLE, count(people), caption))


def _of(agency: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The newest year of an agency."""
    return max((row for row in rows if row["agency_name"] == agency), key=lambda row: row["fiscal_year"])


def _figure(agency: str, rows: list[dict[str, Any]]) -> str:
    newest = _of(agency, rows)
    return _MASKED.capitalize() if newest["headcount"] is None else count(newest["headcount"])


def _caption(agency: str, rows: list[dict[str, Any]]) -> str:
    newest = _of(agency, rows)
    people = "" if newest["headcount"] is None else "people "
    middle = (
        ""
        if newest["median_salary"] is None
        else f"; half of them have a salary of {dollars(newest['median_salary'])} or more"
    )
    return f"{people}at the end of fiscal year {newest['fiscal_year']}{middle}"


def _rows(site: Site, table: str, city: str) -> list[dict[str, Any]]:
    return site.query(
        f"from {table} where city = {literal(city)} order by gross_pay_amount desc nulls last, columns(*)"
    )


def _section(
    identity: str,
    title: str,
    column: str,
    name: str,
    rows: list[dict[str, Any]],
    links: dict[str, str],
    *,
    is_folded: bool,
) -> Section:
    most = max((row["headcount"] or 0 for row in rows), default=1) or 1
    return Section(
        identity,
        title,
        [Heading(column, about="the bar is the number of people"), *_HEADINGS],
        [
            [
                Cell(row[name], href=links.get(row[name]), bar=row["headcount"] and row["headcount"] / most),
                number(row["headcount"], count(row["headcount"]), gap=_MASKED),
                number(row["median_salary"], dollars(row["median_salary"]), gap="–"),
                Cell("–")
                if row["salary_p10"] is None
                else Cell(f"{dollars(row['salary_p10'])} to {dollars(row['salary_p90'])}"),
                number(row["gross_pay_amount"], dollars(row["gross_pay_amount"]), gap="–"),
                Cell("–") if row["gross_to_salary_rate"] is None else Cell(f"{row['gross_to_salary_rate']:.2f}"),
            ]
            for row in rows
        ],
        is_folded=is_folded,
    )
