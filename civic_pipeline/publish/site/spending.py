"""Payments: who was paid, by which agency, in which month. One vendor's payments are read from Parquet by byte ranges."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from civic_pipeline.publish.site import flags
from civic_pipeline.publish.site.charts import Chart, Line
from civic_pipeline.publish.site.files import File
from civic_pipeline.publish.site.formats import NOT_STATED, dollars, short_dollars
from civic_pipeline.publish.site.sections import Cell, Heading, Lookup, Section, number
from civic_pipeline.publish.site.site import Card, Site, first_page
from civic_pipeline.sql_text import literal

PART, TITLE = "spending/", "Spending"
TABLE = "marts.fct_payments"
QUESTION = "Whom did the city pay, how much, and which agency paid?"
AUDIENCE = "Residents, reporters and firms who want to know where the money went."
_TOP = 25


@dataclass(frozen=True)
class Paid:
    """Dollars that one agency paid in one month; None if the month is not covered, and `note` says why."""

    amount: Decimal | None
    note: str | None = None


@dataclass(frozen=True)
class Year:
    """Agency by month of one fiscal year. `months` are (title, coverage note or None)."""

    fiscal_year: int
    months: Sequence[tuple[str, str | None]]
    agencies: Sequence[tuple[str, Sequence[Paid], Decimal]]
    total: Decimal

    @property
    def gaps(self) -> int:
        return sum(note is not None for _, note in self.months)


def home(site: Site) -> str:
    return first_page(PART, site.cities(TABLE))


def build(site: Site) -> None:
    """Write the pages of every city that publishes payments."""
    cities = site.cities(TABLE)
    switch = site.switch(PART, cities)
    for city in cities:
        _build_city(site, city, switch)


def _build_city(site: Site, city: str, switch: Sequence[tuple[str, str | None]]) -> None:
    path, title = f"spending/{city}/", f"Payments of {site.place_title(city)}"
    years = _matrix(site, city)
    newest = years[0]
    tables = site.present(TABLE, "marts.dim_vendors", "marts.bridge_vendor_names", "marts.dim_coverage")
    (rows,) = (row["n"] for row in site.query(f"select count(*) as n from {TABLE} where city = {literal(city)}"))
    about = site.about(
        city,
        QUESTION,
        AUDIENCE,
        tables,
        ["A payment to a bank or a payroll firm can stand for many people who are not named."],
        rows=rows,
    )
    lookup = Lookup("Name of the vendor, or a part of it", _vendors(site, city), f"{path}vendor/", "vendors.js")
    by_month = _by_month(site, city, years)
    if by_month.chart:
        site.image(f"{path}{by_month.id}.svg", by_month.chart, about)
    looked = flags.build(site, city, _names(city), (title, path))
    site.page(
        path, "spending.html", about=about, title=title, crumbs=[("Home", ""), (title, None)], switch=switch, years=years, lookup=lookup,
        by_month=by_month,
        top=_top(site, city, newest.fiscal_year), newest=newest, matrix=_matrix_file(site, city), city=city,
        flags=looked[0] if looked else None,
    )  # fmt: skip
    site.page(
        f"{path}vendor/",
        "lookup.html",
        about=site.about(
            city,
            "What was this vendor paid, when, and by which agency?",
            AUDIENCE,
            tables,
            rows=rows,
        ),
        title="One vendor",
        crumbs=[("Home", ""), (title, path), ("One vendor", None)],
        lookup=lookup,
        kind="vendor",
        shown_by="vendor.js",
        flags=looked[1] if looked else None,
    )
    caption = f"paid to vendors in fiscal year {newest.fiscal_year}"
    if newest.gaps:
        caption += f"; {newest.gaps} of its months are not or not fully published"
    site.cards.append(
        Card(city, "Spending", QUESTION, f"{path}index.html", TABLE, short_dollars(newest.total), caption)
    )


def _vendors(site: Site, city: str) -> File:
    """The index of vendors: names, payments and dollars in the order of the Parquet file of their payments.

    The rows of a vendor follow those of the vendors before it.
    """
    named = _names(city)
    payments = f"""
        with vendors as ({named})
        select
            vendors.name as vendor,
            vendors.spellings,
            payments.payment_date::varchar as date,
            payments.fiscal_year,
            coalesce(nullif(agencies.agency_name, ''), {literal(NOT_STATED)}) as agency,
            payments.spend_category as category,
            payments.contract_number as contract,
            payments.paid_amount::double as amount
        from {TABLE} as payments
        inner join vendors using (vendor_id)
        inner join marts.dim_agencies as agencies on payments.agency_id = agencies.agency_id
        where payments.city = {literal(city)}
        order by vendors.name, payments.payment_date desc, payments.payment_split_id"""
    file, footer = site.parquet_by_ranges(f"spending/{city}/payments.parquet", payments)
    rows = site.query(
        f"""
        with vendors as ({named})
        select vendors.name, count(*) as payments, sum(payments.paid_amount) as amount
        from {TABLE} as payments
        inner join vendors using (vendor_id)
        where payments.city = {literal(city)}
        group by vendors.name
        order by vendors.name"""
    )
    return site.json(
        f"spending/{city}/vendors.json",
        {
            "file": file.path,
            "bytes": file.bytes,
            "footer": footer,
            "names": [row["name"] for row in rows],
            "rows": [row["payments"] for row in rows],
            "weights": [round(row["amount"] or 0) for row in rows],
        },
    )


def _names(city: str) -> str:
    """Query of vendor_id, name and spellings. A name that two vendors share gets the beginning of its id."""
    return f"""
        select
            vendor_id,
            coalesce(nullif(vendor_name, ''), {literal(NOT_STATED)})
            || if(count(*) over (partition by vendor_name) > 1, ' [' || left(vendor_id, 6) || ']', '') as name,
            (
                select string_agg(raw_name || ' (' || merge_reason || ')', ' | ' order by raw_name)
                from marts.bridge_vendor_names as names
                where names.vendor_id = vendors.vendor_id
            ) as spellings
        from marts.dim_vendors as vendors
        where city = {literal(city)}"""


def _top(site: Site, city: str, year: int) -> list[dict[str, Any]]:
    return site.query(
        f"""
        with vendors as ({_names(city)})
        select
            vendors.name as vendor_name,
            sum(payments.paid_amount) as amount,
            count(*) as payments,
            sum(payments.paid_amount) / sum(sum(payments.paid_amount)) over () as share
        from {TABLE} as payments
        inner join vendors using (vendor_id)
        where payments.city = {literal(city)} and payments.fiscal_year = {year}
        group by vendors.name
        having amount is not null
        order by amount desc, vendor_name
        limit {_TOP}"""
    )


def _matrix(site: Site, city: str) -> list[Year]:
    """Agency by month for each fiscal year, newest first. Months that are not complete are gaps, never zeros."""
    paid: dict[tuple[int, str], dict[int, Decimal]] = {}
    for row in site.query(
        f"select fiscal_year, fiscal_period, agency_name, sum(paid_amount) as amount from {TABLE}"
        f" inner join marts.dim_agencies using (agency_id) where {TABLE}.city = {literal(city)} and paid_amount is not null"
        " group by all order by all"
    ):
        paid.setdefault((row["fiscal_year"], row["agency_name"]), {})[row["fiscal_period"]] = row["amount"]
    coverage = {
        (row["fiscal_year"], row["fiscal_period"]): row
        for row in site.query(
            f"select * from marts.dim_coverage where city = {literal(city)} and source like '%spending%' order by all"
        )
    }
    years = []
    for year in sorted({year for year, _ in paid}, reverse=True):
        months = [_month(site, city, period, coverage.get((year, period))) for period in range(1, 13)]
        agencies = [
            (
                name,
                [_paid(by_period.get(period), months[period - 1][1]) for period in range(1, 13)],
                sum(by_period.values(), Decimal()),
            )
            for (of, name), by_period in paid.items()
            if of == year
        ]
        agencies.sort(key=lambda agency: (-agency[2], agency[0]))
        years.append(Year(year, months, agencies, sum((total for *_, total in agencies), Decimal())))
    return years


def _by_month(site: Site, city: str, years: Sequence[Year]) -> Section:
    """The sum of each month; one that is not complete is a gap."""
    months = list[tuple[date, Decimal | None, str | None]]()
    for year in reversed(years):
        for period, (_, note) in enumerate(year.months):
            paid = [cells[period].amount for _, cells, _ in year.agencies]
            known = [amount for amount in paid if amount is not None]
            start = site.facts.places[city].first_day(year.fiscal_year, period + 1)
            months.append((start, None if note else sum(known, Decimal()), note))
    points = [(start, None if amount is None else float(amount) / 1e6) for start, amount, _ in months]
    chart = Chart("Paid to vendors each month", "millions of dollars", [Line("paid", points)])
    return Section(
        "by-month",
        "Paid each month",
        [Heading("Month"), Heading("Paid", is_number=True), Heading("What is missing")],
        [
            [
                Cell(f"{start:%B %Y}", value=str(start)),
                number(amount, dollars(amount), gap="not complete"),
                Cell(note or ""),
            ]
            for start, amount, note in reversed(months)
        ],
        chart=chart if sum(value is not None for _, value in points) > 1 else None,
        is_folded=True,
    )


def _month(site: Site, city: str, period: int, covered: dict[str, Any] | None) -> tuple[str, str | None]:
    """The title of a month and, if it is not complete, why."""
    month = (site.facts.places[city].fiscal_year_first_month + period - 2) % 12
    title = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()[month]
    if covered is None:
        return title, "Not published."
    if covered["status"] == "complete":
        return title, None
    return title, covered[
        "note"
    ] or f"{(covered['status'] or NOT_STATED).capitalize()}: not all payments are published."


def _paid(amount: Decimal | None, note: str | None) -> Paid:
    """A month that is covered and has no payment is zero; one that is not covered may be empty."""
    return Paid(Decimal() if amount is None and note is None else amount, note)


def _matrix_file(site: Site, city: str) -> File:
    return site.csv(
        f"spending/{city}/agency_months.csv",
        f"select fiscal_year, fiscal_period, agency_name, sum(paid_amount) as paid_amount, count(*) as payment_splits from {TABLE}"
        f" inner join marts.dim_agencies using (agency_id) where {TABLE}.city = {literal(city)} group by all order by all",
    )
