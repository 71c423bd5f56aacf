"""Official figures beside ours: what a city says of itself, what the release has, the difference, and its reason."""

from typing import Any

from civic_pipeline.publish.site.formats import count, dollars, rate
from civic_pipeline.publish.site.sections import Cell, Heading, Section, number
from civic_pipeline.publish.site.site import Site

TABLE = "marts.mart_reconciliations"


def official_figures(site: Site, city: str, subject: str) -> list[Section]:
    """A table of the official figures about a subject of a city beside ours; nothing if the release has no such list."""
    if not site.present(TABLE):
        return []
    rows = site.query(
        f"from {TABLE} where city = ? and subject = ? order by fiscal_year desc, figure_id", [city, subject]
    )
    section = Section(
        "official",
        "Official figures beside ours",
        [
            Heading("Figure"),
            Heading("Official", is_number=True),
            Heading("Ours", is_number=True),
            Heading("Difference", is_number=True),
            Heading("Reason"),
            Heading("Source"),
        ],
        [
            [
                Cell(row["figure"]),
                *(_value(row, name) for name in ("official_value", "our_value", "difference")),
                Cell(row["reason"]),
                Cell(row["source"] or ""),
            ]
            for row in rows
        ],
        "Ours is the invented sample, so the differences say nothing about the city."
        if site.facts.is_demo
        else "A difference is explained, or it is called unexplained. It is never hidden.",
        absence=None if rows else "No official figure of this kind is in the reviewed list.",
        tables=site.present(TABLE),
    )
    return [section]


def _value(row: dict[str, Any], name: str) -> Cell:
    value = row[name]
    if value is None:
        return Cell("none", is_gap=True)
    match row["unit"]:
        case "USD":
            return number(value, dollars(value))
        case "share":
            return number(value, rate(float(value)))
        case _:
            return number(value, count(int(value)))
