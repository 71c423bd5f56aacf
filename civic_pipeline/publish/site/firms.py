"""Certified firms: a finder over the registers, with what each firm was paid, and the share of payments beside the City's own."""

from collections.abc import Callable, Collection, Sequence
from datetime import date
from typing import Any

from civic_pipeline.publish.site.charts import Chart, Line
from civic_pipeline.publish.site.facts import Table
from civic_pipeline.publish.site.formats import count, day, dollars, rate, short_dollars
from civic_pipeline.publish.site.official import official_figures
from civic_pipeline.publish.site.sections import Cell, Heading, Section, number
from civic_pipeline.publish.site.site import About, Card, Site
from civic_pipeline.sql_text import literal

PART, TITLE = "firms/", "Certified firms"
TABLE, _FIRMS = "marts.mart_mwbe_finder", "marts.dim_certified_firms"
_SHARES, _REPORTED = "marts.mart_mwbe_participation", "marts.mart_mwbe_reported"
QUESTION = "Which minority- and women-owned firms are certified, in which trade and place, and what was each paid?"
AUDIENCE = "Buyers and primes who look for a firm, firms that look for partners, and residents who ask who gets paid."
_AREAS, _WEIGHTS = "marts.dim_geographies", "marts.bridge_geography_weights"
_SLIVER = 0.02  # of a neighborhood
_SHOWN = 5_000  # rows that a page holds without scripts

Row = dict[str, Any]


def home(_: Site) -> str:
    return "firms/index.html"


def build(site: Site) -> None:
    """Write the finder, and a page of shares for every city whose payments are linked to firms."""
    if not site.present(TABLE):
        return
    firms = site.query(f"from {TABLE} order by is_certified desc, firm_name, authority, firm_id")
    certified = [firm for firm in firms if firm["is_certified"]]
    authorities = sorted({firm["authority"] for firm in firms})
    groups = {group for firm in firms for group in (firm["owner_groups"] or "").split(" | ") if group}
    notes = ["A listing here is not a certificate. Ask the register whether a firm is certified today."]
    links = [
        (f"Share of {site.place_title(city)}'s payments", f"firms/{city}/index.html") for city in site.cities(_SHARES)
    ]
    site.page(
        PART,
        "firms.html",
        about=About(QUESTION, AUDIENCE, site.present(TABLE, _FIRMS), notes),
        title=TITLE,
        firms=firms[:_SHOWN],
        links=links,
        all_firms=len(firms),
        certified=len(certified),
        registers=authorities,
        groups=sorted(groups, key=str.lower),
        not_published=_not_published(site, firms),
        neighborhoods=_neighborhoods(site, {firm["zip_code"] for firm in firms}),
    )
    for authority in authorities:
        amount = sum(firm["authority"] == authority for firm in certified)
        caption = "firms are certified, by its own register"
        site.cards.append(Card(authority, TITLE, QUESTION, "firms/index.html", TABLE, count(amount), caption))
    for city in site.cities(_SHARES):
        _shares(site, city)


def _not_published(site: Site, firms: Sequence[Row]) -> list[str]:
    """What each register leaves out, such as "source: status, expiration"; a dataset is written by its title."""
    texts = sorted({firm["not_published"] for firm in firms if firm["not_published"]})
    parts = [text.partition(":") for text in texts]
    return [f"{site.facts.dataset_titles.get(dataset, dataset)}{colon}{columns}" for dataset, colon, columns in parts]


def _neighborhoods(site: Site, known: Collection[str | None]) -> list[tuple[str, list[str]]]:
    """Neighborhoods with those of the ZIP codes in `known` that cover a part of them. Slivers are inexact boundaries."""
    if len(site.present(_WEIGHTS, _AREAS)) < 2:
        return []
    rows = site.query(
        f"""
        select areas.city, areas.geography_name, list(zips.geography_key order by zips.geography_key) as zip_codes
        from {_WEIGHTS} as parts
        inner join {_AREAS} as areas on areas.geography_id = parts.from_geography_id and areas.kind = 'neighborhood'
        inner join {_AREAS} as zips on zips.geography_id = parts.to_geography_id
        where parts.to_kind = 'zip code' and parts.weight_name = 'area' and parts.weight > {_SLIVER}
            and zips.geography_key is not null
        group by all order by all"""
    )
    cities = {row["city"] for row in rows}
    named = [
        (row["geography_name"] + (f", {site.place_title(row['city'])}" if len(cities) > 1 else ""), row["zip_codes"])
        for row in rows
    ]
    return [(name, zips) for name, codes in named if (zips := [code for code in codes if code in known])]


def _shares(site: Site, city: str) -> None:
    """The share of payments to certified firms by fiscal year, and what the City reported by quarter."""
    title = f"{site.place_title(city)}'s payments to certified firms"
    tables = site.present(_SHARES, _REPORTED)
    question = "Which share of the city's payments went to certified firms?"
    years = site.query(
        f"from {_SHARES} where city = ? and breakdown = 'city' and fiscal_quarter is null and certified_group = 'unduplicated'"
        " order by fiscal_year desc, denominator",
        [city],
    )
    newest = next((row for row in years if row["denominator"] == "all"), None)
    site.sections_page(
        f"firms/{city}/",
        about=site.about(city, question, AUDIENCE, tables),
        title=title,
        figure=_interval(newest) if newest else None,
        caption=f"of all payments in fiscal year {newest['fiscal_year']} went to certified firms, with 95% confidence: {_dollars(newest)}"
        if newest
        else None,
        crumbs=[("Home", ""), (TITLE, PART), (title, None)],
        sections=[
            _by_year(site, city, years),
            *_reported(site, city, tables),
            *official_figures(site, city, "participation"),
        ],
    )


def _interval(row: Row) -> str:
    return f"{rate(row['interval_low_share'])} to {rate(row['interval_high_share'])}"


def _dollars(row: Row) -> str:
    return f"{short_dollars(row['interval_low_amount'])} to {short_dollars(row['interval_high_amount'])}"


def _line(name: str, rows: Sequence[Row], day_of: Callable[[Row], date], column: str, unit: float) -> Line:
    return Line(
        name, [(day_of(row), None if row[column] is None else float(row[column]) / unit) for row in reversed(rows)]
    )


def _by_year(site: Site, city: str, rows: Sequence[Row]) -> Section:
    whole = [row for row in rows if row["denominator"] == "all"]

    def share(name: str, column: str) -> Line:
        return _line(name, whole, lambda row: date(row["fiscal_year"], 1, 1), column, 0.01)

    chart = Chart(
        "Share of payments to certified firms, by fiscal year",
        "percent of all payments",
        [share("the most likely share", "expected_share")],
        band=(share("from", "interval_low_share"), share("to", "interval_high_share")),
    )
    return Section(
        "shares",
        "By fiscal year, from the checkbook",
        [
            Heading("Fiscal year"),
            Heading("Of which payments"),
            Heading("Paid in all", is_number=True),
            Heading("To certified firms", is_number=True, about="95% interval"),
            Heading("Share", is_number=True, about="95% interval"),
            Heading("Vendors", is_number=True),
        ],
        [
            [
                Cell(str(row["fiscal_year"])),
                Cell(row["denominator"]),
                number(row["denominator_amount"], dollars(row["denominator_amount"])),
                Cell(_dollars(row)),
                Cell(_interval(row)),
                Cell(count(row["vendor_count"])),
            ]
            for row in rows
        ],
        "Payments name a vendor, not a certificate, so each match has a probability. The interval holds the true sum in"
        " 95 of 100 cases, if the probabilities are right. Payments to subcontractors are not published. Eligible: without payments that"
        " no firm could compete for.",
        site.csv(f"firms/{city}/shares.csv", f"select * from {_SHARES} where city = {literal(city)} order by all"),
        chart if len(whole) > 1 else None,
    )


def _reported(site: Site, city: str, tables: Sequence[Table]) -> list[Section]:
    """The City's own dollars by quarter beside ours, with what may explain the gap."""
    if _REPORTED not in {table.name for table in tables}:
        return []
    rows = site.query(f"from {_REPORTED} where city = ? order by fiscal_year desc, fiscal_quarter desc", [city])
    place = site.facts.places[city]

    def first_day(row: Row) -> date:
        return place.first_day(row["fiscal_year"], 3 * row["fiscal_quarter"] - 2)

    def millions(name: str, column: str) -> Line:
        return _line(name, rows, first_day, column, 1e6)

    chart = Chart(
        "Payments to certified firms, by quarter",
        "millions of dollars",
        [
            millions("as the City reported", "reported_amount"),
            millions("most likely, from the checkbook", "expected_amount"),
        ],
        band=(millions("from", "interval_low_amount"), millions("to", "interval_high_amount")),
    )
    reasons = {"Why ours may be lower": "why_ours_may_be_lower", "Why ours may be higher": "why_ours_may_be_higher"}
    return [
        Section(
            "reported",
            "What the city reported, by quarter",
            [
                Heading("Quarter"),
                Heading("The City's own figure", is_number=True),
                Heading("It counts"),
                Heading("From the checkbook", is_number=True, about="95% interval"),
                Heading("Reported on"),
            ],
            [
                [
                    Cell(f"FY {row['fiscal_year']} Q{row['fiscal_quarter']}"),
                    number(row["reported_amount"], dollars(row["reported_amount"])),
                    Cell(row["reported_counts"] or ""),
                    Cell(_dollars(row))
                    if row["interval_low_amount"] is not None
                    else Cell(row["not_published"] or "not known", is_gap=True),
                    Cell(day(row["published_date"]), value=str(row["published_date"] or "")),
                ]
                for row in rows
            ],
            "Both figures are beside each other and are never added: they count different payments.",
            site.csv(
                f"firms/{city}/reported.csv", f"select * from {_REPORTED} where city = {literal(city)} order by all"
            ),
            chart if len(rows) > 1 else None,
            notes=[
                f"{title}: {text}"
                for title, column in reasons.items()
                for text in dict.fromkeys(row[column] for row in rows)
                if text
            ],
        )
    ]
