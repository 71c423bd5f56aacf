"""How the money flows: from revenue to funds and from funds to agencies, as a table that a script draws as a Sankey diagram."""

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from civic_pipeline.publish.site.formats import dollars
from civic_pipeline.publish.site.sections import Cell, Heading, Section, number
from civic_pipeline.publish.site.site import Site
from civic_pipeline.sql_text import literal

_REVENUE = "marts.mart_revenue_by_source"
_SHOWN = 12  # names in a column; the others are one
_ADOPTED = "adopted"
_INTO, _FROM = "revenue into a fund", "fund to an agency"

Row = dict[str, Any]
Link = tuple[str, str, Decimal]


def flow(site: Site, city: str, lines: Sequence[Row]) -> Section | None:
    """The flows of the newest adopted year; of the newest with published revenue, if there is one."""
    adopted = [row for row in lines if row["phase"] == _ADOPTED]
    if not adopted:
        return None
    revenue = _revenue(site, city)
    years = {row["fiscal_year"] for row in adopted}
    year = max(years & revenue.keys() or years)
    spent = [row for row in adopted if row["fiscal_year"] == year]
    received = revenue.get(year, [])
    funds = _largest(Counter[str](), [(row["fund_name"], row["amount"]) for row in spent], "Other funds")
    agencies = _largest(Counter[str](), [(row["agency_name"], row["amount"]) for row in spent], "Other agencies")
    sources = _largest(Counter[str](), [(row["revenue_source"], row["amount"]) for row in received], "Other revenue")
    links = [
        *(
            (_INTO, *link)
            for link in _links(
                [
                    (sources[r["revenue_source"]], funds.get(r["fund_name"], "Other funds"), r["amount"])
                    for r in received
                ]
            )
        ),
        *(
            (_FROM, *link)
            for link in _links([(funds[r["fund_name"]], agencies[r["agency_name"]], r["amount"]) for r in spent])
        ),
    ]
    text = f"Fiscal year {year}. Each line is money that goes from the left to the right." + (
        " What a fund gets and what it may spend need not be equal: money left from earlier years is not revenue."
        if received
        else " Revenue is not published as a file, so the picture begins with the funds."
    )
    return Section(
        "flow",
        "How the money flows",
        [Heading("From"), Heading("To"), Heading("Step"), Heading("Amount", is_number=True)],
        [
            [Cell(source), Cell(target), Cell(step), number(amount, dollars(amount))]
            for step, source, target, amount in links
        ],
        text,
        is_folded=True,
        notes=["Amounts of zero or less are only in the other tables."],
    )


def _revenue(site: Site, city: str) -> dict[int, list[Row]]:
    if city not in site.cities(_REVENUE):
        return {}
    rows = site.query(
        f"""
        select
            fiscal_year,
            coalesce(nullif(revenue_category, 'Not grouped'), revenue_source) as revenue_source,
            fund_name,
            sum(estimated_amount) as amount
        from {_REVENUE}
        where city = {literal(city)} and publication_status = 'published' and estimated_amount is not null
        group by all
        order by all"""
    )
    years: dict[int, list[Row]] = {}
    for row in rows:
        years.setdefault(row["fiscal_year"], []).append(row)
    return years


def _largest(sums: Counter[str], rows: Sequence[tuple[str, Decimal]], others: str) -> dict[str, str]:
    """Each name, or `others` for those that are not among the largest."""
    for name, amount in rows:
        sums[name] += amount  # type: ignore[assignment]
    ranked = sorted(sums, key=lambda name: (-sums[name], name))
    kept = ranked if len(ranked) <= _SHOWN + 1 else ranked[:_SHOWN]
    return {name: name if name in kept else others for name in ranked}


def _links(parts: Sequence[Link]) -> list[Link]:
    sums: dict[tuple[str, str], Decimal] = {}
    for source, target, amount in parts:
        sums[source, target] = sums.get((source, target), Decimal()) + amount
    positive = [(source, target, amount) for (source, target), amount in sums.items() if amount > 0]
    return sorted(positive, key=lambda link: (-link[2], link[0], link[1]))
