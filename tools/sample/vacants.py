"""The vacant building notices: the list that the demo portals serve, and older copies of it in the layouts of their time."""

from dataclasses import replace
from datetime import date
from functools import cache

from tools.sample.properties import LIST_DAY, OLDER_LISTS, POINT, Notice, Property, properties
from tools.sample.table import Table, seeded

_DATASET = "baltimore/vacant_building_notices"
_HEADER = (
    "OBJECTID", "NoticeNum", "DateNotice", "DateCancel", "DateAbate", "NT", "OWNER_ABBR", "HousingMarketTypology2023",
    "Council_District", "Neighborhood", "BLOCKLOT", "Address",
)  # fmt: skip
_INCOMPLETE = OLDER_LISTS[2]
_EXPORT_HEADER = ("X", "Y", *_HEADER)
_SOCRATA_HEADER = (
    "ReferenceID",
    "Block",
    "Lot",
    "BuildingAddress",
    "NoticeDate",
    "Neighborhood",
    "PoliceDistrict",
    "CouncilDistrict",
)


def tables() -> list[Table]:
    """The served list, then the older copies, oldest first."""
    return [_served(), *(_socrata(day) if day.year < 2020 else _export(day) for day in OLDER_LISTS)]


def _served() -> Table:
    rng = seeded("vacant building notices")
    output = Table("vacant_building_notices.csv.gz", {"dataset": _DATASET, "points": [*POINT]}, (*_HEADER, *POINT))
    for position, (place, notice) in enumerate(_listed(LIST_DAY)):
        row = _row(position, place, notice)
        output.defects["blocks with a letter, written without the space (4511H077)"] += place.block[-1].isalpha()
        if rng.random() < 0.02:
            row[_HEADER.index("Address")] = f" {place.address} "
            output.defects["addresses with leading and trailing spaces"] += 1
        if rng.random() < 0.01:
            row[7] = None
            output.defects["empty housing market typologies"] += 1
        output.rows.append([*row, place.longitude, place.latitude])
    output.defects["notices without a neighborhood"] = 1
    for position in rng.sample(range(len(output.rows)), 2):
        output.rows[position][output.column("BLOCKLOT")] = f"{position % 9 + 1}E54 016"
        output.defects["blocks that a spreadsheet converted to a number (6E54)"] += 1
    return output


def _export(day: date) -> Table:
    """An export of the layer, with State Plane feet in X and Y; the typology of 2017 until 2024."""
    names = {"HousingMarketTypology2023": "HousingMarketTypology2017"} if day.year < 2025 else {}
    header = tuple(names.get(name, name) for name in _EXPORT_HEADER)
    output = Table(f"vacant_building_notices_{day}.csv.gz", {"dataset": _DATASET, "captured_at": day}, header)
    for position, (place, notice) in enumerate(_listed(day)):
        output.rows.append([place.x, place.y, *_row(position, place, notice)])
    if day == _INCOMPLETE:
        output.defects["properties that are missing, and are on the lists before and after with the same notice"] = 2
    return output


def _socrata(day: date) -> Table:
    """The list of the former portal: no numbers of notices."""
    output = Table(f"vacant_building_notices_{day}.csv.gz", {"dataset": _DATASET, "captured_at": day}, _SOCRATA_HEADER)
    for place, notice in _listed(day):
        output.rows.append([
            f"{place.block}{place.lot}{notice.day:%m%d%y}", place.block, place.lot, place.address, f"{notice.day:%m/%d/%Y}",
            place.neighborhood.upper() or None, "WESTERN", place.district,
        ])  # fmt: skip
    output.defects["lists without the numbers of notices"] = 1
    return output


@cache
def _always_listed() -> tuple[Property, ...]:
    """The properties that are on every list."""
    return tuple(p for p in properties() if all(p.open_on(day) for day in (*OLDER_LISTS, LIST_DAY)))


def _listed(day: date) -> list[tuple[Property, Notice]]:
    """The list of a day. Two properties are missing from one list and back on the next; one has no neighborhood on any."""
    nameless, *left_off = _always_listed()[:3]
    return [
        (replace(place, neighborhood="") if place is nameless else place, notice)
        for place in properties()
        if (notice := place.open_on(day)) and not (day == _INCOMPLETE and place in left_off)
    ]


def _row(position: int, place: Property, notice: Notice) -> list[str | int | float | None]:
    issued = int(notice.number[:-1]) // 7
    return [
        7 + 3 * position, notice.number, f"{notice.day:%Y/%m/%d} {8 + issued % 9:02d}:{issued % 60:02d}:00+00",
        None, None, "Vacant", place.owner, place.typology, str(place.district), place.neighborhood or None, place.block_lot, place.address,
    ]  # fmt: skip
