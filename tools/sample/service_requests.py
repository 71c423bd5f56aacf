"""`service_requests_*.csv.gz`: requests to 311, a file per calendar year and one of the current year."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random

from tools.sample.geography import HEIGHT, NEIGHBORHOODS, WIDTH
from tools.sample.table import Row, Table, seeded

# Label of the edition -> calendar year, rows. The current year ends on the last day of June.
EDITIONS = {str(year): (year, 24) for year in range(2004, 2022)} | {
    "2022": (2022, 450), "2023": (2023, 450), "2024": (2024, 700), "2025": (2025, 900), "current": (2026, 600),
}  # fmt: skip
_IN_LOWER_CASE = {"2017", "2018", "2019", "2020"}
_WITHOUT_DUE_DATES = "2022"
_LAST_DAY = datetime(2026, 6, 30, tzinfo=UTC)
_HEADER = (
    "SRRecordID", "ServiceRequestNum", "SRType", "MethodReceived", "CreatedDate", "SRStatus", "StatusDate", "DueDate",
    "CloseDate", "Agency", "Outcome", "Address", "ZipCode", "Neighborhood", "CouncilDistrict", "PoliceDistrict",
    "Latitude", "Longitude",
)  # fmt: skip
# Type, agency, days until it is due (None: no due date), usual days until it is closed, weight.
_TYPES = (
    ("SW-Rat Rubout Proactive", "Solid Waste", 15, 6.0, 20),
    ("SW-Dirty Alley", "Solid Waste", 7, 5.0, 14),
    ("SW-Mixed Refuse", "Solid Waste", 2, 1.0, 8),
    ("HCD-Sanitation Property", "Housing", 15, 12.0, 12),
    ("HCD-Vacant Building", "Housing", 15, 22.0, 6),
    ("TRM-Pothole Repair", "Transportation", 2, 1.2, 10),
    ("TRM-Street Repairs", "Transportation", 90, 80.0, 3),
    ("TRS-Parking Complaint", "Transportation", 1, 0.5, 12),
    ("WW-Water Leak (Exterior)", "Water Wastewater", 7, 9.0, 8),
    ("BGE-StLight(s) Out", "BGE", 10, 8.0, 6),
    ("ECC-Information Request", "Call Center", 2, 0.1, 10),
    ("ECC-Escalation", "Call Center", None, 3.0, 2),
    ("HLTH-Animal Wildlife Complaint", "Health", None, 4.0, 3),
    ("FOR-Tree Inspection", "Recreation & Parks", 30, 26.0, 4),
)
_STREETS = ("HOLLOW ST", "FERRY ST", "MILL AVE", "ORCHARD ST", "N SAMPLE AVE", "W EXAMPLE ST")
_POLICE = ("Central", "Eastern", "Northern", "Southern", "Western")


def tables() -> Iterator[Table]:
    """One table per edition. Requests of the last days of 2025 are also in the current file, with a newer status."""
    carried: list[Row] = []
    for label, (year, rows) in EDITIONS.items():
        rng = seeded(f"service requests {label}")
        header = (_object_id(label), *_HEADER)
        output = Table(
            f"service_requests_{label}.csv.gz",
            {"dataset": "baltimore/service_requests", "edition": label, "types": {_object_id(label): "oid"}},
            header,
        )
        _fill(output, rng, label, year, rows)
        if label == "2025":
            carried = [row for row in output.rows[-4:] if row[output.column("SRStatus")] == "Open"]
        if label == "current":
            for row in carried:
                output.rows.append(_closed(output, row, datetime(2026, 1, 5, 9, 30, tzinfo=UTC)))
                output.defects["requests that are in the file of 2025, too, with an older status"] += 1
        for number, row in enumerate(output.rows, 1):
            row[0] = number
        if label in _IN_LOWER_CASE:
            output.header = (header[0], *(name.lower() for name in _HEADER))
            output.defects["names of columns in lower case"] = len(_HEADER)
        yield output


def _object_id(label: str) -> str:
    return "RowID" if label in ("2025", "current") else "OBJECTID"


def _fill(output: Table, rng: Random, label: str, year: int, rows: int) -> None:
    first, last = (
        datetime(year, 1, 1, tzinfo=UTC),
        min(datetime(year + 1, 1, 1, tzinfo=UTC), _LAST_DAY + timedelta(days=1)),
    )
    span = (last - first).days
    for number in range(rows):
        # The last rows are of the last day, so that the year is complete and some are still open.
        day = first + timedelta(days=span - 1 if number >= rows - 4 else number * span // rows)
        created = day + timedelta(hours=rng.randrange(7, 21), minutes=rng.randrange(60), seconds=rng.randrange(60))
        output.rows.append(_request(output, rng, label, number, created, is_last=number >= rows - 4))
    if label == _WITHOUT_DUE_DATES:
        output.defects["due dates: this file has none"] = 1
    for position, (latitude, longitude, what) in enumerate(
        (("0", "0", "coordinates 0, 0"), ("-76.61", "39.30", "latitude and longitude exchanged"))
    ):
        if label == "2024":
            row = output.rows[100 + position]
            row[output.column("Latitude")], row[output.column("Longitude")] = latitude, longitude
            output.defects[what] += 1


def _request(output: Table, rng: Random, label: str, number: int, created: datetime, *, is_last: bool) -> Row:
    kind, agency, due_days, usual_days, _ = rng.choices(_TYPES, [weight for *_, weight in _TYPES])[0]
    place = rng.choice(NEIGHBORHOODS)
    is_placed = rng.random() > 0.25
    output.defects["requests without coordinates"] += not is_placed
    output.defects["agencies padded to 30 characters"] += 1
    has_area = rng.random() > 0.04
    output.defects["requests without neighborhood and district"] += not has_area
    west, north = place.corner
    due = created + timedelta(days=due_days) if due_days is not None and label != _WITHOUT_DUE_DATES else None
    output.defects["requests without a due date"] += due is None
    closed = created + timedelta(days=rng.expovariate(1 / usual_days))
    is_closed = not is_last and closed <= _LAST_DAY and rng.random() > 0.06
    status = "Closed" if is_closed else rng.choice(("Open", "New", "Open", "Pending")) if not is_last else "Open"
    if rng.random() < 0.03 and not is_last:
        status = f"{status.replace('Pending', 'Open')} (Duplicate)"
        output.defects["duplicates"] += 1
    seen = closed if is_closed else created + timedelta(seconds=20)
    return [
        None,
        f"500{created:%y}{number:08d}QAN",
        f"{created:%y}-{number + 1:08d}",
        kind,
        rng.choices(("Phone", "API", "System", "Internal"), (50, 25, 20, 5))[0],
        _written(created),
        status,
        _written(seen),
        _written(due),
        _written(closed if is_closed else None),
        f"{agency:<30}",
        "Work completed" if is_closed and number % 3 == 0 else None,
        f"{rng.randrange(1, 4000)} {rng.choice(_STREETS)}, Baltimore City, {place.zip_code}",
        place.zip_code,
        place.name if has_area else None,
        str(place.district) if has_area else None,
        rng.choice(_POLICE) if has_area else None,
        f"{north - HEIGHT * rng.uniform(0.05, 0.95):.12f}" if is_placed else None,
        f"{west + WIDTH * rng.uniform(0.05, 0.95):.12f}" if is_placed else None,
    ]


def _closed(output: Table, row: Row, moment: datetime) -> Row:
    """The same request, closed."""
    newer = [*row]
    newer[output.column("SRStatus")] = "Closed"
    newer[output.column("StatusDate")] = newer[output.column("CloseDate")] = _written(moment)
    return newer


def _written(moment: datetime | None) -> str | None:
    return f"{moment:%Y/%m/%d %H:%M:%S}+00" if moment else None
