"""Certified firms: a finder over the registers, with what each firm was paid, and the share of payments beside the City's own."""

from typing import Any

from civic_pipeline.publish.site.facts import Table
from civic_pipeline.publish.site.formats import count, day, dollars, rate, short_dollars
from civic_pipeline.publish.site.official import official_figures
from civic_pipeline.publish.site.sections import Cell, Heading, Section, number
from civic_pipeline.publish.site.site import About, Card, Site

PART, TITLE = "firms/", "Certified firms"
TABLE, _FIRMS = "marts.mart_mwbe_finder", "marts.dim_certified_firms"
_SHARES, _REPORTED = "marts.mart_mwbe_participation", "marts.mart_mwbe_reported"
QUESTION = "Which minority- and women-owned firms are certified, in which trade and place, and what was each paid?"
AUDIENCE = "Buyers and primes who look for a firm, firms that look for partners, and residents who ask who gets paid."
_SHOWN = 5_000  # rows that a page holds without scripts


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
    )
    for authority in authorities:
        amount = sum(firm["authority"] == authority for firm in certified)
        caption = "firms certified, by its register"
        site.cards.append(Card(authority, TITLE, QUESTION, "firms/index.html", TABLE, count(amount), caption))
    for city in site.cities(_SHARES):
        _shares(site, city)


def _shares(site: Site, city: str) -> None:
    """The share of payments to certified firms by fiscal year, and what the City reported by quarter."""
    title = f"{site.place_title(city)}'s payments to certified firms"
    tables = site.present(_SHARES, _REPORTED)
    question = "Which share of the city's payments went to certified firms?"
    site.sections_page(
        f"firms/{city}/",
        about=About(question, AUDIENCE, tables),
        title=title,
        crumbs=[("Home", ""), (TITLE, PART), (title, None)],
        sections=[
            _by_year(site, city),
            *_reported(site, city, tables),
            *official_figures(site, city, "participation"),
        ],
    )


def _by_year(site: Site, city: str) -> Section:
    rows = site.query(
        f"from {_SHARES} where city = ? and breakdown = 'city' and fiscal_quarter is null and certified_group = 'unduplicated'"
        " order by fiscal_year desc, denominator",
        [city],
    )
    return Section(
        "shares",
        "By fiscal year, from the checkbook",
        [
            Heading("Fiscal year"),
            Heading("Of which payments"),
            Heading("Paid in all", is_number=True),
            Heading("95% interval, dollars", is_number=True),
            Heading("95% interval, share", is_number=True),
            Heading("Vendors", is_number=True),
        ],
        [
            [
                Cell(str(row["fiscal_year"])),
                Cell(row["denominator"]),
                number(row["denominator_amount"], dollars(row["denominator_amount"])),
                Cell(f"{short_dollars(row['interval_low_amount'])} to {short_dollars(row['interval_high_amount'])}"),
                Cell(f"{rate(row['interval_low_share'])} to {rate(row['interval_high_share'])}"),
                Cell(count(row["vendor_count"])),
            ]
            for row in rows
        ],
        "Payments name a vendor, not a certificate, so each match has a probability. The interval holds the true sum in"
        " 95 of 100 cases, if the probabilities are right. Payments to subcontractors are not published.",
        site.csv(f"firms/{city}/shares.csv", f"select * from {_SHARES} where city = '{city}' order by all"),
    )


def _reported(site: Site, city: str, tables: list[Table]) -> list[Section]:
    if _REPORTED not in {table.name for table in tables}:
        return []
    rows: list[dict[str, Any]] = site.query(
        f"from {_REPORTED} where city = ? order by fiscal_year desc, fiscal_quarter desc", [city]
    )
    return [
        Section(
            "reported",
            "What the city reported, by quarter",
            [
                Heading("Quarter"),
                Heading("Reported", is_number=True),
                Heading("It counts"),
                Heading("From the checkbook, 95% interval", is_number=True),
                Heading("Why ours may be lower"),
                Heading("Why ours may be higher"),
                Heading("Reported on"),
            ],
            [
                [
                    Cell(f"FY {row['fiscal_year']} Q{row['fiscal_quarter']}"),
                    number(row["reported_amount"], dollars(row["reported_amount"])),
                    Cell(row["reported_counts"] or ""),
                    Cell(f"{short_dollars(row['interval_low_amount'])} to {short_dollars(row['interval_high_amount'])}")
                    if row["interval_low_amount"] is not None
                    else Cell(row["not_published"] or "not known", is_gap=True),
                    Cell(row["why_ours_may_be_lower"] or ""),
                    Cell(row["why_ours_may_be_higher"] or ""),
                    Cell(day(row["published_date"])),
                ]
                for row in rows
            ],
            "Both figures are beside each other and are never added: they count different payments.",
        )
    ]
