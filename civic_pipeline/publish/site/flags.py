"""Payments that deserve a second look: what was flagged, how often that is so, and what may explain it."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any
from urllib.parse import quote

from civic_pipeline.publish.site.files import File
from civic_pipeline.publish.site.formats import NOT_STATED, count, day, dollars, rate
from civic_pipeline.publish.site.sections import Cell, Heading, Section, number
from civic_pipeline.publish.site.site import Site, slug
from civic_pipeline.sql_text import literal

TABLE, _QUALITY = "marts.fct_spend_flags", "marts.mart_integrity_test_quality"
_TITLE = "Payments that deserve a second look"
_AUDIENCE = "Auditors, reporters and residents who know that a flag is a question, not an answer."
_NOT_A_FINDING = "A flag is a question, not a finding. It names no wrongdoing."

Row = dict[str, Any]


def build(site: Site, city: str, names: str, parent: tuple[str, str]) -> tuple[Section, File] | None:
    """Write the page of a city's flags. Returns their summary for the page of payments, and the flags of each vendor.

    `names` is a query with vendor_id and name, as in the index of vendors. None if nothing was tested.
    """
    if city not in site.cities(TABLE):
        return None
    path = f"spending/{city}/flags/"
    rows = _flags(site, city, names)
    tests = [list(group) for _, group in groupby(rows, key=lambda row: (row["test"], row["tier"]))]
    quality = _quality(site, city)
    site.sections_page(
        path,
        about=site.about(
            city,
            "Which payments deserve a second look, and what may explain them?",
            _AUDIENCE,
            site.present(TABLE, _QUALITY, "marts.fct_payments"),
            [_NOT_A_FINDING],
            rows=len(rows),
        ),
        title=_TITLE,
        figure=count(len(rows)),
        caption="flags. " + _NOT_A_FINDING,
        crumbs=[("Home", ""), parent, (_TITLE, None)],
        sections=[_section(site, city, test, quality) for test in tests],
    )
    return _summary(tests, path), _by_vendor(site, city, rows, tests)


def title(row: Row) -> str:
    """The name of a test in words, such as Duplicate payment (D1)."""
    words = str(row["test"]).replace("_", " ").capitalize()
    return f"{words} ({row['tier']})" if row["tier"] else words


def one_in(share: float | None) -> str:
    """A small share as people say it: 1 in 3,900."""
    if not share:
        return "not known"
    return rate(share) if share > 0.02 else f"1 in {round(1 / share):,}"


def _flags(site: Site, city: str, names: str) -> list[Row]:
    return site.query(
        f"""
        with vendors as ({names})
        select
            flags.test,
            flags.tier,
            flags.fiscal_year,
            flags.agency_id,
            flags.vendor_id,
            agencies.agency_name,
            vendors.name as vendor_name,
            flags.first_date,
            flags.last_date,
            flags.flagged_amount,
            flags.amount_at_risk,
            flags.is_recovered,
            flags.base_rate,
            flags.plain_explanation,
            flags.innocent_explanations
        from {TABLE} as flags
        left join vendors using (vendor_id)
        left join marts.dim_agencies as agencies on flags.agency_id = agencies.agency_id
        where flags.city = {literal(city)}
        order by
            flags.tier is null,
            count(*) over (partition by flags.test) desc,
            flags.test,
            flags.tier,
            flags.fiscal_year desc,
            flags.flagged_amount desc nulls last,
            flags.flag_id"""
    )


def _quality(site: Site, city: str) -> dict[str, Row]:
    """How often flags of a test are right, from labelled cases; the newest word of each test."""
    if city not in site.cities(_QUALITY):
        return {}
    rows = site.query(
        f"select test, recall, labelled_precision, precision_low, precision_high, origin from {_QUALITY}"
        f" where city = {literal(city)} and labelled_precision is not null order by all"
    )
    return {row["test"]: row for row in rows}


def _section(site: Site, city: str, rows: Sequence[Row], quality: dict[str, Row]) -> Section:
    first = rows[0]
    name = slug(title(first))
    notes = [f"What may explain it: {first['innocent_explanations']}", f"How common: {_base_rates(rows)}."]
    known = quality.get(" ".join(filter(None, (first["test"], first["tier"])))) or quality.get(first["test"])
    if known:
        low, high = rate(known["precision_low"]), rate(known["precision_high"])
        notes.append(
            f"How often it is right: {rate(known['labelled_precision'])} of labelled flags ({low} to {high} with 95% confidence)."
        )
    tier = f"= {literal(first['tier'])}" if first["tier"] else "is null"
    where = (
        f"city = {literal(city)} and coalesce(test, {literal(NOT_STATED)}) = {literal(first['test'])} and tier {tier}"
    )
    return Section(
        name,
        f"{title(first)}: {count(len(rows))}",
        [
            Heading("Vendor"),
            Heading("Agency"),
            Heading("From"),
            Heading("To"),
            Heading("Flagged", is_number=True),
            Heading("At risk", is_number=True, about="not paid back"),
            Heading("Paid back"),
        ],
        [
            [
                _vendor(row, city),
                Cell("All agencies" if row["agency_id"] is None else row["agency_name"]),
                Cell(day(row["first_date"]), value=str(row["first_date"] or "")),
                Cell(day(row["last_date"]), value=str(row["last_date"] or "")),
                number(row["flagged_amount"], dollars(row["flagged_amount"]), gap=""),
                number(row["amount_at_risk"], dollars(row["amount_at_risk"]), gap=""),
                Cell({True: "yes", False: "no"}.get(row["is_recovered"], "")),
            ]
            for row in rows
        ],
        first["plain_explanation"],
        site.csv(f"spending/{city}/flags/{name}.csv", f"select * from {TABLE} where {where} order by all"),
        is_folded=len(rows) > 50,
        notes=notes,
    )


def _vendor(row: Row, city: str) -> Cell:
    if row["vendor_id"] is None:
        return Cell("All vendors" if row["agency_id"] is None else "Payments of the agency to all vendors")
    return Cell(row["vendor_name"], href=f"spending/{city}/vendor/index.html?vendor={quote(row['vendor_name'])}")


def _base_rates(rows: Sequence[Row]) -> str:
    shares = sorted({row["base_rate"] for row in rows if row["base_rate"] is not None})
    if not shares:
        return "not known"
    low, high = one_in(shares[0]), one_in(shares[-1])
    return f"{high} of what was tested in a year" if low == high else f"{low} to {high} of what was tested in a year"


def _summary(tests: Sequence[Sequence[Row]], path: str) -> Section:
    return Section(
        "flags",
        _TITLE,
        [
            Heading("Test"),
            Heading("Flags", is_number=True),
            Heading("How common", about="of what was tested in a year"),
            Heading("What it is"),
            Heading("What may explain it"),
        ],
        [
            [
                Cell(title(rows[0]), href=f"{path}index.html#{slug(title(rows[0]))}"),
                number(len(rows), count(len(rows))),
                Cell(_base_rates(rows).removesuffix(" of what was tested in a year")),
                Cell(rows[0]["plain_explanation"]),
                Cell(rows[0]["innocent_explanations"]),
            ]
            for rows in tests
        ],
        _NOT_A_FINDING + " One payment may have several flags, so the dollars of different tests are never added up.",
    )


def _by_vendor(site: Site, city: str, rows: Sequence[Row], tests: Sequence[Sequence[Row]]) -> File:
    """For the page of one vendor: the texts of each test once, and the flags by the vendor's name in the index."""
    numbers = {(test[0]["test"], test[0]["tier"]): i for i, test in enumerate(tests)}
    flags: dict[str, list[list[Any]]] = {}
    for row in rows:
        if row["vendor_id"] is not None:
            flags.setdefault(row["vendor_name"], []).append(
                [
                    numbers[row["test"], row["tier"]],
                    "" if row["agency_id"] is None else row["agency_name"],
                    str(row["first_date"] or ""),
                    str(row["last_date"] or ""),
                    float(row["flagged_amount"] or 0),
                    one_in(row["base_rate"]),
                ]
            )
    texts = [
        {
            "title": title(test[0]),
            "what": test[0]["plain_explanation"],
            "innocent": test[0]["innocent_explanations"],
        }
        for test in tests
    ]
    return site.json(f"spending/{city}/flags.json", {"tests": texts, "vendors": flags})
