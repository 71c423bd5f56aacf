"""`data.json`: the portal's own catalog in DCAT-US 1.1, as an ArcGIS Hub writes it."""

import json
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from tools.sample.agencies import AGENCIES
from tools.sample.table import Cell, Table, seeded

_HEADER = (
    "landingPage", "title", "description", "keyword", "issued", "modified", "publisher", "contactPoint", "spatial", "distribution", "theme",
)  # fmt: skip
_PORTAL = "https://data.baltimorecity.gov"
_SERVICES = "https://services1.arcgis.com/UWYHeuuJISiGmgXx/arcgis/rest/services"
_LAST = date(2026, 11, 20)
_CITY, _ALLIANCE = "Baltimore City", "Baltimore Neighborhood Indicators Alliance"
_TOPICS = (
    "311 Customer Service Requests", "Adopted Budget", "Building Permits", "Capital Projects", "City Contracts", "Employee Salaries",
    "Environmental Citations", "Food Establishments", "Liquor Licenses", "Open Checkbook", "Parking Fines", "Parks",
    "Real Property", "Recreation Centers", "Street Sweeping", "Tax Liens", "Vacant Building Notices", "Water Mains", "Zoning",
)  # fmt: skip
_INDICATORS = (
    "Median Household Income",
    "Percent of Students Chronically Absent",
    "Teen Birth Rate",
    "Walk Score",
    "Voter Turnout",
)


_FUTURE = f"{_TOPICS[5]} 2024"  # dated 2062 instead of 2026


@dataclass
class Catalog(Table):
    """Rows are the entries of the catalog; a cell is the JSON text of its member."""

    def write(self, folder: Path) -> None:
        """Write the catalog, with the rows as its member `dataset`."""
        entries = [
            {name: json.loads(str(cell)) for name, cell in zip(self.header, row, strict=True) if cell is not None}
            for row in self.rows
        ]
        catalog = {
            "@context": "https://project-open-data.cio.gov/v1.1/schema/catalog.jsonld",
            "@type": "dcat:Catalog",
            "conformsTo": "https://project-open-data.cio.gov/v1.1/schema",
            "describedBy": "https://project-open-data.cio.gov/v1.1/schema/catalog.json",
            "dataset": entries,
        }
        (folder / self.file).write_text(json.dumps(catalog, indent=0, ensure_ascii=False) + "\n", encoding="utf-8")


def table() -> Catalog:
    rng = seeded("portal inventory")
    output = Catalog("data.json", {"dataset": "baltimore/portal_inventory"}, _HEADER)
    agencies = [agency.name for agency in AGENCIES[:12]]
    titles = [
        *((topic if year is None else f"{topic} {year}", _CITY) for topic in _TOPICS for year in (None, 2023, 2024, 2025)),
        *((f"{name} ({place})", _ALLIANCE) for name in _INDICATORS for place in ("City", "Community Statistical Area")),
        *((f"{_TOPICS[n]} - To Be Retired", _CITY) for n in (3, 7)),
        (_TOPICS[8], _CITY),
    ]  # fmt: skip
    for number, (title, publisher) in enumerate(titles):
        agency = rng.choice(agencies)
        is_layer = rng.random() < 0.75
        description = (
            f"{title} as kept by {agency}. <div>Each row is one record of the system that the agency works with.</div>"
        )
        kind = rng.random()
        if kind < 0.12:
            description = "{{description}}"
            output.defects["descriptions that are an unfilled template"] += 1
        elif kind < 0.19:
            description = ""
            output.defects["empty descriptions"] += 1
        elif kind < 0.28:
            description = f"{title}."
            output.defects["descriptions under 50 characters"] += 1
        elif kind < 0.36:
            description += " The data dictionary explains each field."
        output.defects["titles of items that are to be retired"] += "Retired" in title
        output.defects["titles that another item has, too"] += (number == len(titles) - 1) * 2
        output.defects["items without an API or a file"] += not is_layer
        issued = date(2019, 1, 7) + timedelta(days=rng.randrange(1_800))
        modified = max(issued, _LAST - timedelta(days=min(rng.randrange(1, 60) ** 2 // 2, 1_400)))
        if title == _FUTURE:
            modified = date(2062, 3, 1)
            output.defects["items whose last edit is dated in the future"] += 1
        has_extent = rng.random() < 0.8
        output.defects["extents that are an unfilled template"] += not has_extent
        page = f"{_PORTAL}/{'maps' if is_layer else 'documents'}/baltimore::item-{number + 1:03d}"
        members: list[Any] = [
            page, title, description, [title.split()[0], agency], f"{issued}T00:00:00.000Z", f"{modified}T00:00:00.000Z",
            {"name": publisher}, {"@type": "vcard:Contact", "fn": "baltimore_city", "hasEmail": "mailto:open.data@example.gov"},
            "-76.7121,39.1977,-76.5289,39.3720" if has_extent else "{{extent:computeSpatialProperty}}",
            _distributions(page, number, is_layer), ["geospatial"],
        ]  # fmt: skip
        row: list[Cell] = [json.dumps(member, ensure_ascii=False) for member in members]
        if rng.random() < 0.03:
            row[output.column("contactPoint")] = None
            output.defects["items without a contact"] += 1
        output.rows.append(row)
    return output


def _distributions(page: str, number: int, is_layer: bool) -> list[dict[str, str]]:
    offered = [("ArcGIS Hub Dataset", "Web Page", "text/html", page)]
    if is_layer:
        service = f"{_SERVICES}/Item_{number + 1:03d}/FeatureServer/0"
        offered += [
            ("ArcGIS GeoService", "ArcGIS GeoServices REST API", "application/json", service),
            ("CSV", "CSV", "text/csv", f"{page}.csv"),
            ("GeoJSON", "GeoJSON", "application/vnd.geo+json", f"{page}.geojson"),
        ]
    return [
        {"@type": "dcat:Distribution", "title": title, "format": form, "mediaType": media, "accessURL": address}
        for title, form, media, address in offered
    ]
