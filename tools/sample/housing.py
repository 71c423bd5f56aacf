"""The other housing files: demolitions, rehabs, permits, receiverships, the bid list, notices, licences, citations and parcels."""

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

from tools.sample import geography
from tools.sample.properties import LIST_DAY, POINT, Property, properties, vacancies
from tools.sample.table import Row, Table, seeded

_DHCD = "DHCD_Open_Baltimore_Datasets"
_CITATIONS = (
    "TRASH ACCUMULATION",
    "HIGH GRASS AND WEEDS",
    "FAILURE TO REGISTER A PROPERTY",
    "EXTERIOR SANITARY MAINTENANCE",
)


def tables() -> list[Table]:
    return [
        _demolitions(), _rehabs(), _permits(), _receiverships(), _settled(), _bid_list(), _code_notices(), _licences(), _citations(),
        _parcels(),
    ]  # fmt: skip


def _table(dataset: str, header: tuple[str, ...], **entry: object) -> Table:
    points = {"points": [*POINT]} if {*POINT} <= {*header} else {}
    return Table(f"{dataset}.csv.gz", {"dataset": f"baltimore/{dataset}", **points, **entry}, header)


def _moment(day: date | None, hour: int = 0) -> str | None:
    return None if day is None else f"{day:%Y/%m/%d} {hour:02d}:00:00+00"


def _near(rng: Random, day: date, days: int) -> date:
    return day + timedelta(days=rng.randrange(-days, days))


def _place(place: Property) -> Row:
    """BLOCKLOT, Address, Neighborhood padded with blanks, Council_District, typology, and the point."""
    padded = f"{place.neighborhood.upper():<41}"
    return [
        place.block_lot,
        place.address,
        padded,
        str(place.district),
        place.typology,
        place.longitude,
        place.latitude,
    ]


_PLACE = ("BLOCKLOT", "Address", "Neighborhood", "Council_District", "HousingMarketTypology2023", *POINT)


def _misplace(output: Table, position: int, longitude: float, latitude: float, what: str) -> None:
    """Give a row a point that is not in the city."""
    for name, value in zip(POINT, (longitude, latitude), strict=True):
        output.rows[position][output.column(name)] = value
    output.defects[what] = 1


def _demolitions() -> Table:
    rng = seeded("housing demolitions")
    output = _table("demolitions", ("OBJECTID", *_PLACE, "ID_Demo_RFA", "ID_Decision", "GroupStatus", "SimplifiedStatus", "CorePhase",
                                    "Deconstruction", "DateStarted", "ReleasedToContractor", "DateDemoFinished", "DateUpdate"))  # fmt: skip
    never_listed = [place for place in properties() if not place.notices]
    cases = [
        (place, _near(rng, place.ended, 90)) for place in vacancies() if place.ending == "demolished" and place.ended
    ]
    cases += [
        (place, date(2012, 1, 13) + timedelta(days=rng.randrange(5_000))) for place in rng.sample(never_listed, 40)
    ]
    for place, planned in cases:
        finished = min(planned, LIST_DAY)
        started = finished - timedelta(days=rng.randrange(60, 500))
        output.rows.append([
            len(output.rows) + 1, *_place(place), 4000 + rng.randrange(400), 90, "Final/Full Demo Complete", "Demo Complete",
            rng.choice((None, "1", "NA")), rng.choice((None, "Y", "N")), _moment(started), _moment(started + timedelta(days=20)),
            _moment(finished), _moment(finished, 10),
        ])  # fmt: skip
    _repeat(rng, output, 2)
    _misplace(output, 60, 39.31, -76.63, "points with longitude and latitude exchanged")
    output.defects["neighborhoods padded with blanks to 41 characters"] = len(output.rows)
    return output


def _repeat(rng: Random, output: Table, count: int) -> None:
    """Repeat some rows under another OBJECTID."""
    output.rows += [[len(output.rows) + 1 + i, *row[1:]] for i, row in enumerate(rng.sample(output.rows, count))]
    output.defects["repeated rows (same values except OBJECTID)"] = count


def _rehabs() -> Table:
    rng = seeded("housing rehabs")
    output = _table("rehabs", ("OBJECTID", "PermitNum", "DateIssue", *_PLACE, "ExistingUse", "ProposedUse"))
    never_listed = [place for place in properties() if not place.notices]
    cases = [
        (place, _near(rng, place.ended, 100)) for place in vacancies() if place.ending == "rehabbed" and place.ended
    ]
    cases += [
        (place, date(2015, 1, 5) + timedelta(days=rng.randrange(4_200))) for place in rng.sample(never_listed, 50)
    ]
    for number, (place, planned) in enumerate(cases, 1):
        issued = min(planned, LIST_DAY)
        prefix = "USE" if issued < date(2025, 2, 3) else "BUSE"
        output.rows.append([
            number, f"{prefix}{issued.year}-{10_000 + 37 * number}", _moment(issued, 9), *_place(place), rng.choice(("VAC", None)),
            rng.choice(("SFD", "SFD", "MFD")),
        ])  # fmt: skip
    _misplace(output, 110, 0, 0, "points at 0, 0")
    return output


def _permits() -> Table:
    rng = seeded("housing permits")
    output = _table("building_permits", ("OBJECTID", "CaseNumber", "Description", "IssuedDate", "ExpirationDate", "Address", "Neighborhood",
                                         "Council_District", "ExistingUse", "ProposedUse", "Cost", "BLOCKLOT"))  # fmt: skip
    for number in range(1, 601):
        place = rng.choice(properties())
        issued = date(2019, 1, 2) + timedelta(days=rng.randrange((LIST_DAY - date(2019, 1, 2)).days - 60))
        kind = rng.choice(("COM", "COM", "COM", "USE", "DEM", "TMP"))
        if issued >= date(2025, 2, 3):
            kind = {"COM": "BRCM", "USE": "BUSE", "DEM": "BDEM", "TMP": "BTEMP"}[kind]
        cost: int | None = rng.randrange(500, 80_000, 50)
        if rng.random() < 0.25:
            cost = None
            output.defects["empty costs"] += 1
        elif number in (100, 200):
            cost = 4_400_000_000 if number == 100 else -6_000
            output.defects["costs of 4.4 billion and of -6,000 dollars"] += 1
        block_lot, address, padded, district, *_ = _place(place)
        output.rows.append([
            number, f"{kind}{issued.year}-{20_000 + number}", rng.choice(("REPLACE ROOF", "INTERIOR ALTERATIONS", "RAZE BUILDING")),
            _moment(issued, 11), _moment(issued + timedelta(days=180), 11), address, str(padded).strip(), district, "SFD", "SFD", cost,
            block_lot,
        ])  # fmt: skip
    return output


def _receiverships() -> Table:
    rng = seeded("housing receiverships")
    output = _table(
        "receiverships",
        ("OBJECTID", "ID_RS_Web", *_PLACE, "DateFiled", "ReceiverAppointed", "DateAuction", "SoldAtAuction"),
        service=_DHCD,
    )
    for number, place in enumerate(rng.sample([p for p in vacancies() if p.open_on(LIST_DAY)], 60), 1):
        newest = place.notices[-1].day
        filed = newest + timedelta(days=rng.randrange((LIST_DAY - newest).days + 1))
        days: list[date | None] = [filed]
        for share in (0.4, 0.5, 0.4):  # each step is only reached by some
            step = days[-1] + timedelta(days=rng.randrange(30, 300)) if days[-1] else None
            days.append(step if step and step < LIST_DAY and rng.random() < share else None)
        output.rows.append([number, 5000 + 13 * number, *_place(place), *(_moment(day) for day in days)])
    return output


def _settled() -> Table:
    rng = seeded("housing receiverships settled")
    output = _table("receiverships_settled", ("BlockLot", "HouseNum", "Dir", "StreetName", "StreetType", "Zip", "Neighborhood", "Lawyer",
                                              "Project Name", "Receiver Appointed", "Auction Date"), service=_DHCD)  # fmt: skip
    for place in rng.sample(properties(), 50):
        number, *street, kind = place.address.split()
        appointed = date(2019, 1, 8) + timedelta(days=rng.randrange(2_500))
        direction, name = (street[0], " ".join(street[1:])) if len(street) > 1 else (None, street[0])
        output.rows.append([
            place.block + place.lot, int(number), direction, name, kind, int(place.zip_code), place.neighborhood.upper(),
            "INVENTED PERSON", rng.choice((None, None, place.neighborhood)), f"{appointed:%B} {appointed.day}, {appointed.year}", None,
        ])  # fmt: skip
    output.rows.append(list(output.rows[7]))
    output.defects["repeated rows"] = 1
    output.defects["lawyers, who are persons: in no table"] = len(output.rows)
    return output


def _bid_list() -> Table:
    output = _table("open_bid_list", ("OBJECTID", "ID_AcqFirefly", *_PLACE, "Status"))
    for number, place in enumerate((p for p in vacancies() if p.owner and p.open_on(LIST_DAY)), 1):
        output.rows.append([number, 1_671_000 + 31 * number, *_place(place), "Available"])
    return output


def _code_notices() -> Table:
    rng = seeded("housing code notices")
    output = _table("code_notices", ("Blocklot", "Notice_Type", "Issue_Date"))
    for place in vacancies():
        if notice := place.open_on(LIST_DAY):
            output.rows.append([place.block_lot, "Vacant", _moment(notice.day, 10)])
    for _ in range(250):
        day = LIST_DAY - timedelta(days=rng.randrange(900))
        kind = rng.choice(("Exterior", "Exterior", "Interior", "Interior/Exterior", "Other"))
        output.rows.append([rng.choice(properties()).block_lot, kind, _moment(day, 13)])
    return output


def _licences() -> Table:
    rng = seeded("housing licences")
    output = _table("rental_licences", ("RecordNUMBER", "BlockLot", "Address", "LicenceOrRegistration", "LicenseIssuedDate",
                                        "LicenseExpirationDate", "DwellingCount"), server="MapServer")  # fmt: skip
    for number, place in enumerate(rng.sample(properties(), 350), 1):
        is_licence = rng.random() < 0.6
        issued = LIST_DAY - timedelta(days=rng.randrange(5, 1_000))
        output.rows.append([
            f"{'MF' if is_licence else 'PR'}{2020 + number % 7}-{number:05d}", place.block_lot,
            f"{place.address}, Baltimore, MD {place.zip_code}", "Yes" if is_licence else "No", _moment(issued, 12),
            _moment(issued + timedelta(days=rng.choice((365, 730, 1_095))), 12), rng.choice((1, 1, 1, 2, 4)),
        ])  # fmt: skip
    return output


def _citations() -> Table:
    rng = seeded("housing citations")
    output = _table("environmental_citations", ("Description", "ViolationDate", "ViolationLocation", "Neighborhood", "CouncilDistrict",
                                                "PoliceDistrict", "Location"))  # fmt: skip
    for number, point in enumerate(_points(output)):
        place = rng.choice(properties())
        day = date(2019, 1, 2) + timedelta(days=rng.randrange(2_700))
        output.rows.append([
            rng.choice(_CITATIONS), _moment(day), f"0{place.address}" if number % 9 == 0 else place.address, f"{place.neighborhood:<40}",
            str(place.district), "WESTERN", point or f"({place.latitude}, {place.longitude})",
        ])  # fmt: skip
    output.defects["addresses with a zero before the number"] = 34
    return output


def _points(output: Table) -> Iterator[str | None]:
    """The published points that are not those of the property."""
    for number in range(300):
        if number in (50, 150):
            output.defects["points at 0, 0"] += 1
            yield "(0.0, 0.0)"
        elif number == 250:
            output.defects["points with latitude and longitude swapped"] += 1
            yield "(-76.63, 39.31)"
        else:
            yield None


def _parcels() -> Table:
    rng = seeded("housing parcels")
    output = _table("real_property", ("PIN", "BLOCKLOT", "BLOCK", "LOT", "FULLADDR", "ZIP_CODE", "NEIGHBOR", "YEAR_BUILD", "STRUCTAREA",
                                      "ZONECODE", "USEGROUP", "DWELUNIT", "VACIND", "LDATE"), service="Realproperty_OB")  # fmt: skip
    for number, place in enumerate(properties(), 1):
        row: Row = [
            f"{number:013d}", place.block_lot, place.block, place.lot, place.address, place.zip_code,
            None if number % 500 == 0 else place.neighborhood.upper(), 0 if number % 50 == 0 else rng.randrange(1880, 1960),
            rng.randrange(800, 2400), f"{rng.choice(('R-8', 'R-7', 'C-1')):<8}", "R", rng.choice((1, 1, 1, 2)),
            "Y" if place.ending == "demolished" else "N", f"{date(1980, 1, 1) + timedelta(days=rng.randrange(16_800)):%m%d%Y}",
        ]  # fmt: skip
        output.rows.append(row)
    output.rows += _streets_without_vacancies(rng, len(output.rows))
    for number in (11, 500, 901):  # a second parcel under the same block and lot
        output.rows.append([f"{number + 90_000:013d}", *output.rows[number][1:]])
    output.defects["block and lot of two parcels"] = 3
    output.defects["parcels without a neighborhood"] = 4
    output.defects["years of building that are 0, which stands for unknown"] = 40
    return output


def _streets_without_vacancies(rng: Random, before: int) -> Iterator[Row]:
    """Parcels of one street in each neighborhood that no list of vacant buildings names."""
    listed = {place.neighborhood for place in properties()}
    for place in geography.NEIGHBORHOODS:
        if place.name in listed:
            continue
        block = f"{900 + 6 * place.row + place.column:04d}"
        for lot in range(1, rng.randrange(20, 60)):
            before += 1
            yield [
                f"{before:013d}", f"{block} {lot:03d}", block, f"{lot:03d}", f"{lot} {place.name.upper()} RD", place.zip_code,
                place.name.upper(), rng.randrange(1880, 1960), rng.randrange(800, 2400), f"{'R-6':<8}", "R", 1, "N",
                f"{date(1980, 1, 1) + timedelta(days=rng.randrange(16_800)):%m%d%Y}",
            ]  # fmt: skip
