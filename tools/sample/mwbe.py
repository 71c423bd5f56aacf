"""`mwbe.csv.gz` and `mbe_directory.csv.gz`: the registers of certified firms of Baltimore and of Maryland."""

import random
from collections import Counter
from datetime import date, timedelta

from tools.sample.firms import FIRST_NAMES, LAST_NAMES, Firm, firms, respelt
from tools.sample.table import Row, Table, seeded

_CITY_HEADER = (
    "OBJECTID", "user_company", "user_firstname", "user_lastname", "user_streetaddress", "user_city", "user_state",
    "user_zipcode", "user_phone", "user_website", "user_category", "user_origcert", "user_contractstatus",
    "user_contracttype", "Match_addr",
)  # fmt: skip
_STATE_HEADER = (
    "zip", "products_services", "naics_code", "address", "city", "county", "certification_number", "minority_group",
    "phone", "contact", "name", "state", "fax",
    "certification_date", "contact_email_address", "website",
)  # fmt: skip

_ROWS = 1600
_PLACES = (
    ("Baltimore City", ("21201", "21202", "21206", "21211", "21215", "21216", "21217", "21218", "21223", "21224",
    "21229", "21230"), "BALTIMORE", 45),
    ("Baltimore County", ("21204", "21207", "21208", "21228", "21234", "21244"), "TOWSON", 27), ("Anne Arundel",
    ("21060", "21090", "21122", "21401"), "GLEN BURNIE", 8),
    ("Howard", ("21042", "21044", "21045"), "COLUMBIA", 8), ("Harford", ("21009", "21014"), "BEL AIR", 4),
    ("Carroll", ("21157",), "WESTMINSTER", 2),
    ("Prince George's", ("20706", "20743", "20774"), "BOWIE", 6),
)  # fmt: skip
_STATUSES, _STATUS_WEIGHTS = ("CERTIFY", "EXPIRED", "CLOSED"), (72, 18, 10)
_RACES, _RACE_WEIGHTS = (
    ("African American", "White", "Hispanic American", "Asian American", "Native American"),
    (55, 20, 12, 12, 1),
)
_STREETS = ("HOLLOW", "FERRY", "MILL", "ORCHARD")


def city() -> Table:
    rng = seeded("mwbe")
    output = Table("mwbe.csv.gz", {"dataset": "baltimore/mwbe"}, _CITY_HEADER)
    repeated = 15
    queue = list(firms())
    while len(output.rows) < _ROWS - repeated:
        firm = queue.pop()
        race = rng.choices(_RACES, _RACE_WEIGHTS)[0]
        # The firm of a white woman is a WBE; others are MBE, some also WBE, with one row for each.
        kinds = ("WBE",) if race == "White" else ("MBE", "WBE") if rng.random() < 0.3 else ("MBE",)
        base = _certified(rng, firm)
        for kind in kinds[: _ROWS - repeated - len(output.rows)]:
            row = list(base)
            row[_CITY_HEADER.index("user_contracttype")] = kind
            output.rows.append(row)
        output.defects["firms with two certifications, MBE and WBE"] += len(kinds) == 2
        if len(kinds) == 2 and rng.random() < 0.2:
            output.rows[-1][_CITY_HEADER.index("user_company")] = respelt(rng, firm.name)
            output.defects["firms spelt in two ways, or in one way twice, in their two certifications"] += 1
    for row in output.rows:
        _spoil(rng, row, output)
    for position in sorted(rng.sample(range(len(output.rows)), repeated), reverse=True):
        output.rows.insert(position + 1, list(output.rows[position]))
    for number, row in enumerate(output.rows, start=1):
        row[0] = number
    output.defects["repeated rows (same values except OBJECTID)"] = repeated
    output.defects["firms that have another spelling in the checkbook"] = sum(
        firm.vendor not in (None, firm.name) for firm in firms()[len(queue) :]
    )
    output.defects["columns of the geocoder that are not declared (Match_addr)"] = 1
    return output


def _certified(rng: random.Random, firm: Firm) -> Row:
    _, zips, town, _ = rng.choices(_PLACES, [place[3] for place in _PLACES])[0]
    original = date(1994, 1, 3) + timedelta(days=rng.randrange(10_600))
    street = _street(rng)
    zip_code = rng.choice(zips)
    return [
        None,
        firm.name,
        rng.choice(FIRST_NAMES),
        rng.choice(LAST_NAMES),
        street,
        town.title(),
        rng.choices(("Md", "MD", "Maryland"), (80, 18, 2))[0],
        f"{zip_code}-",
        f"(410)555-{rng.randrange(100, 200):04d}",
        "NULL",
        "SERVICES" if rng.random() < 0.8 else firm.trade.registry_category,
        f"{original.isoformat()}T00:00:00",
        rng.choices(_STATUSES, _STATUS_WEIGHTS)[0],
        "",
        f"{street}, {town.title()}, Maryland, {zip_code}",
    ]


def _street(rng: random.Random) -> str:
    return f"{rng.randrange(10, 9900)} {rng.choice(_STREETS).title()} {rng.choice(('Road', 'Street', 'Avenue'))}"


def _domain(name: str) -> str:
    """Return a domain that cannot be registered."""
    return "".join(letter for letter in name.lower() if letter.isalpha())[:18] + ".example"


def _spoil(rng: random.Random, row: Row, output: Table) -> None:
    original, website, street = (
        _CITY_HEADER.index(name) for name in ("user_origcert", "user_website", "user_streetaddress")
    )
    chance = rng.random()
    if chance < 0.0025:
        row[original] = "1970-01-01T00:00:00"
        output.defects["original dates of 1970-01-01, which stand for an empty date"] += 1
    elif chance < 0.006:
        row[original] = "NULL"
        output.defects["original dates written NULL"] += 1
    if rng.random() < 0.3:
        row[website] = f"http://www.{_domain(str(row[1]))}"
    else:
        output.defects["websites written NULL"] += 1
    if rng.random() < 0.01:
        row[street] = None
        output.defects["empty streets"] += 1
    output.defects["ZIP codes written 21218-"] += 1


def state() -> Table:
    rng = seeded("mbe directory")
    output = Table(
        "mbe_directory.csv.gz",
        {"dataset": "maryland/mbe_directory"},
        _STATE_HEADER,
    )
    paid = [firm for firm in firms() if firm.vendor]
    others = [firm for firm in firms() if not firm.vendor]
    for firm in rng.sample(paid, 60) + rng.sample(others, 340):
        county, zips, town, _ = rng.choices(_PLACES, [place[3] for place in _PLACES])[0]
        race = rng.choices(_RACES, _RACE_WEIGHTS)[0].upper()
        certified = date(2008, 1, 7) + timedelta(days=rng.randrange(6_300))
        first, last = rng.choice(FIRST_NAMES).upper(), rng.choice(LAST_NAMES).upper()
        mail, site = rng.random() < 0.8, rng.random() < 0.4
        output.rows.append(
            [
                rng.choice(zips),
                f"{firm.trade.registry_description} SPECIFICALLY {firm.trade.spend_category.upper()}",
                f"{firm.trade.naics}-MBE/DBE/SBE"
                + (f", {rng.choice(('541611', '561990'))}-MBE" if rng.random() < 0.3 else ""),
                f"{rng.randrange(10, 9900)} {rng.choice(_STREETS)} {rng.choice(('ROAD', 'STREET', 'AVENUE'))}",
                town,
                county.upper(),
                f"{certified:%y}-{rng.randrange(1, 800):03d}",
                f"{race} / FEMALE" if rng.random() < 0.25 else race,
                f"410555{rng.randrange(100, 200):04d}",
                f"{first} {last}",
                firm.name.upper(),
                "MD",
                f"410555{rng.randrange(100, 200):04d}" if rng.random() < 0.6 else None,
                f"{certified.isoformat()}T00:00:00",
                f"{first}@{_domain(firm.name)}".upper() if mail else None,
                f"http://WWW.{_domain(firm.name).upper()}" if site else None,
            ]
        )
        output.defects["firms without an e-mail address"] += not mail
    numbers = Counter(row[_STATE_HEADER.index("certification_number")] for row in output.rows)
    output.defects["certification numbers of two firms"] = sum(count > 1 for count in numbers.values())
    return output
