"""`vacant_building_notices.csv.gz`: open notices that a building is vacant."""

from datetime import date, timedelta

from tools.sample.table import Table, seeded

_HEADER = (
    "OBJECTID", "NoticeNum", "DateNotice", "DateCancel", "DateAbate", "NT", "OWNER_ABBR", "HousingMarketTypology2023",
    "Council_District", "Neighborhood", "BLOCKLOT", "Address",
)  # fmt: skip
_ROWS = 400
_NEIGHBORHOODS = (
    ("Broadway East", 12, "J"), ("Carrollton Ridge", 9, "J"), ("Harlem Park", 9, "I"), ("Sandtown-Winchester", 7, "I"),
    ("Upton", 11, "H"), ("Park Circle", 6, "G"), ("Oliver", 12, "F"),
)  # fmt: skip
_STREETS = ("HOLLOW ST", "FERRY ST", "MILL AVE", "ORCHARD ST", "N SAMPLE AVE", "W EXAMPLE ST")


def table() -> Table:
    rng = seeded("vacant building notices")
    output = Table("vacant_building_notices.csv.gz", {"dataset": "baltimore/vacant_building_notices"}, _HEADER)
    properties = rng.sample([(block, lot) for block in range(1, 900) for lot in range(1, 90)], _ROWS)
    for position, (block, lot) in enumerate(sorted(properties)):
        day = date(2010, 1, 4) + timedelta(days=rng.randrange(5_650))
        neighborhood, district, typology = rng.choice(_NEIGHBORHOODS)
        lettered = rng.random() < 0.2
        output.defects["blocks with a letter, written without the space (4511H077)"] += lettered
        address = f"{rng.randrange(1, 4000)} {rng.choice(_STREETS)}"
        padded = rng.random() < 0.02
        output.defects["addresses with leading and trailing spaces"] += padded
        public = rng.random() < 0.08
        untyped = rng.random() < 0.01
        output.defects["empty housing market typologies"] += untyped
        output.rows.append([
            7 + 3 * position,
            f"{600_000 + 211 * position}A",
            f"{day:%Y/%m/%d} {rng.randrange(8, 17):02d}:{rng.randrange(60):02d}:00+00",
            None,
            None,
            "Vacant",
            rng.choice(("MCC", "MCC", "HABC")) if public else None,
            None if untyped else typology,
            str(district),
            neighborhood,
            f"{block:04d}H{lot:03d}" if lettered else f"{block:04d} {lot:03d}",
            f" {address} " if padded else address,
        ])  # fmt: skip
    for position in rng.sample(range(_ROWS), 2):
        output.rows[position][output.column("BLOCKLOT")] = f"{position % 9 + 1}E54 016"
        output.defects["blocks that a spreadsheet converted to a number (6E54)"] += 1
    return output
