"""What stands beside a city's budget: its revenue, what was paid of it, and official totals; or the reason why not."""

from civic_pipeline.publish.site.formats import change, dollars, rate, short_dollars
from civic_pipeline.publish.site.official import official_figures
from civic_pipeline.publish.site.sections import Cell, Heading, Section, number
from civic_pipeline.publish.site.site import Site

_REVENUE, _EXECUTION = "marts.mart_revenue_by_source", "marts.mart_budget_execution"


def sections_beside(site: Site, city: str) -> list[Section]:
    """Revenue, execution and official figures of a city, those that the release has a table for."""
    tables = [(_REVENUE, _revenue), (_EXECUTION, _execution)]
    return [
        *(section(site, city) for name, section in tables if site.present(name)),
        *official_figures(site, city, "budget"),
    ]


def _revenue(site: Site, city: str) -> Section:
    rows = site.query(
        f"""
        select fiscal_year, revenue_source, revenue_category, sum(estimated_amount) as amount, sum(previous_amount) as before
        from {_REVENUE}
        where city = ? and publication_status = 'published' and estimated_amount is not null
            and fiscal_year = (
                select max(fiscal_year) from {_REVENUE} where city = ? and publication_status = 'published'
            )
        group by all
        order by amount desc, revenue_source""",
        [city, city],
    )
    headings = [
        Heading("Source"),
        Heading("Category"),
        Heading("Estimated", is_number=True),
        Heading("Change", is_number=True),
    ]
    if not rows:
        reasons = site.query(
            f"select distinct not_published_reason as why from {_REVENUE} where city = ? order by 1", [city]
        )
        why = " ".join(row["why"] for row in reasons if row["why"]) or "The city publishes none."
        return Section("revenue", "Where the revenue comes from", headings, [], absence=why)
    most = max(row["amount"] for row in rows)
    return Section(
        "revenue",
        f"Where the revenue comes from, fiscal year {rows[0]['fiscal_year']}",
        headings,
        [
            [
                Cell(row["revenue_source"], bar=max(float(row["amount"] / most), 0)),
                Cell(row["revenue_category"] or ""),
                number(row["amount"], dollars(row["amount"])),
                Cell(change(float((row["amount"] - row["before"]) / abs(row["before"])) if row["before"] else None)),
            ]
            for row in rows
        ],
        "Estimates of the budget, not receipts.",
        tables=site.present(_REVENUE),
    )


def planned_and_paid(site: Site, city: str, agency_id: str) -> list[Section]:
    """The execution of one agency by fiscal year; nothing if no year is comparable."""
    if city not in site.cities(_EXECUTION):
        return []
    section = _execution(site, city, agency_id)
    return [] if section.absence else [section]


def _execution(site: Site, city: str, agency_id: str | None = None) -> Section:
    title = "Planned and paid"
    headings = [
        Heading("Agency"),
        Heading("Fiscal year"),
        Heading("Planned for others", is_number=True, about="contracts, supplies, equipment, grants"),
        Heading("Paid", is_number=True),
        Heading("Paid of planned", is_number=True),
    ]
    rows = site.query(
        f"""
        select agency_name, fiscal_year, sum(comparable_amount) as planned, sum(paid_amount) as paid
        from {_EXECUTION}
        where city = ? and execution_status = 'comparable' and coalesce(agency_id = ?, true)
        group by all
        order by fiscal_year desc, planned desc, agency_name""",
        [city, agency_id],
    )
    if not rows:
        statuses = site.query(
            f"select distinct execution_status as why from {_EXECUTION} where city = ? order by 1", [city]
        )
        why = "; ".join(row["why"].replace("_", " ") for row in statuses) or "no rows"
        return Section(
            "paid", title, headings, [], absence=f"No fiscal year has both a budget and complete payments: {why}."
        )
    newest = [row for row in rows if row["fiscal_year"] == rows[0]["fiscal_year"]]
    planned, paid = (sum(row[name] for row in newest) for name in ("planned", "paid"))
    share = f", {rate(float(paid / planned))} of it" if planned else ""
    return Section(
        "paid",
        title,
        headings,
        [
            [
                Cell(row["agency_name"]),
                Cell(str(row["fiscal_year"])),
                number(row["planned"], dollars(row["planned"])),
                number(row["paid"], dollars(row["paid"])),
                Cell(rate(float(row["paid"] / row["planned"])) if row["planned"] else "", None),
            ]
            for row in rows
        ],
        f"In fiscal year {rows[0]['fiscal_year']}, {short_dollars(planned)} was planned for others; {short_dollars(paid)} was paid{share}."
        " The checkbook has payments to others only: no salaries and no debt. So it is compared with that part of the budget alone,"
        " in fiscal years of which all twelve months are published.",
        is_folded=agency_id is None,
        tables=site.present(_EXECUTION),
    )
