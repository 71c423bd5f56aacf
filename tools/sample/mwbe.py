"""`mwbe.csv.gz` and `mbe_directory.csv.gz`: the registers of certified firms of Baltimore and of Maryland."""

import random
from collections import Counter
from datetime import date, timedelta

from tools.sample.contracts import local_midnight
from tools.sample.firms import FIRST_NAMES, LAST_NAMES, Firm, firms
from tools.sample.table import Row, Table, seeded

_CITY_HEADER = (
    "certno", "company", "county", "zipcode", "title", "firstname", "lastname", "position", "phone",
    "avgcontractsize", "race", "contracttype", "contractstatus", "origcert",
    "certdate", "expirationdate", "extensiondate", "fax", "email", "website", "cetegory", "description",
    "servicedescription", "code", "pctowned",
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
_STATUSES, _STATUS_WEIGHTS = ("CERTIFY", "EXPIRED", "CLOSED", "GRADUATED"), (72, 17, 9, 2)
_RACES, _RACE_WEIGHTS = (
    ("African American", "White", "Hispanic American", "Asian American", "Native American"),
    (55, 20, 12, 12, 1),
)
_STREETS = ("HOLLOW", "FERRY", "MILL", "ORCHARD")
_SIZES = ("<$25K", "$25K-$100K", "$100K-$250K", "$250K-$500K", ">$500K")
_SHARES = ("51%", "60%", "75%", "100%", "0.51", "0.55", "1", "51", "70", "100", "")


def city() -> Table:
    rng = seeded("mwbe")
    output = Table(
        "mwbe.csv.gz",
        {"dataset": "baltimore/mwbe"},
        _CITY_HEADER,
    )
    repeated = 15
    queue = list(firms())
    while len(output.rows) < _ROWS - repeated:
        firm = queue.pop()
        race = rng.choices(_RACES, _RACE_WEIGHTS)[0]
        # The firm of a white woman is a WBE; others are MBE, some also WBE, with one row for each.
        kinds = ("WBE",) if race == "White" else ("MBE", "WBE") if rng.random() < 0.3 else ("MBE",)
        base = _certified(rng, firm, race)
        for kind in kinds[: _ROWS - repeated - len(output.rows)]:
            row = list(base)
            row[_CITY_HEADER.index("contracttype")] = kind
            output.rows.append(row)
        output.defects["firms with two certifications, MBE and WBE"] += len(kinds) == 2
    for row in output.rows:
        _spoil(rng, row, output)
    for position in sorted(rng.sample(range(len(output.rows)), repeated), reverse=True):
        output.rows.insert(position + 1, list(output.rows[position]))
    output.defects["repeated rows"] = repeated
    output.defects["firms that have another spelling in the checkbook"] = sum(
        firm.vendor not in (None, firm.name) for firm in firms()[len(queue) :]
    )
    output.defects["undocumented columns with mixed notations (pctowned)"] = 1
    return output


def _certified(rng: random.Random, firm: Firm, race: str) -> Row:
    county, zips, _, _ = rng.choices(_PLACES, [place[3] for place in _PLACES])[0]
    first, last = rng.choice(FIRST_NAMES), rng.choice(LAST_NAMES)
    original = date(1994, 1, 3) + timedelta(days=rng.randrange(11_000))
    renewed = (
        original + timedelta(days=730 * rng.randrange(0, 1 + (date(2025, 6, 30) - original).days // 730))
        if original < date(2025, 6, 30)
        else original
    )
    expires = renewed + timedelta(days=730)
    status = rng.choices(_STATUSES, _STATUS_WEIGHTS)[0]
    return [
        f"{original:%y}-{rng.randrange(1000, 360000):06d}",
        firm.name,
        county,
        f"{rng.choice(zips)}-",
        rng.choice(("Mr.", "Ms.", "Dr.")),
        first,
        last,
        rng.choice(("President", "Owner", "CEO", "Managing Member")),
        f"(410)555-{rng.randrange(100, 200):04d}",
        rng.choice(_SIZES),
        race,
        "",
        status,
        local_midnight(original),
        local_midnight(renewed),
        local_midnight(expires),
        None,
        "()-",
        f"{first}@{_domain(firm.name)}".lower(),
        "[null, null]",
        firm.trade.registry_category,
        firm.trade.registry_description,
        f"{firm.trade.registry_description}, {firm.trade.spend_category.upper()}",
        firm.trade.registry_code,
        rng.choice(_SHARES),
    ]


def _domain(name: str) -> str:
    """Return a domain that cannot be registered."""
    return "".join(letter for letter in name.lower() if letter.isalpha())[:18] + ".example"


def _spoil(rng: random.Random, row: Row, output: Table) -> None:
    original, certified, expires, extension, fax, website, share = (
        _CITY_HEADER.index(name)
        for name in ("origcert", "certdate", "expirationdate", "extensiondate", "fax", "website", "pctowned")
    )
    if rng.random() < 0.1:
        row[extension] = int(row[expires] or 0) + 180 * 86_400
        output.defects["certifications extended beyond their expiration"] += 1
    chance = rng.random()
    if chance < 0.006:
        row[expires] = int(row[certified] or 0) - 200 * 86_400
        output.defects["expiration dates before the certification date"] += 1
    elif chance < 0.0115:
        row[certified] = None
        output.defects["empty certification dates"] += 1
    elif chance < 0.0155:
        row[expires] = None
        output.defects["empty expiration dates"] += 1
    elif chance < 0.018:
        row[original] = 0
        output.defects["original dates of 1970-01-01, which stand for an empty date"] += 1
    if rng.random() < 0.5:
        row[fax] = f"(410)555-{rng.randrange(100, 200):04d}"
    else:
        output.defects["fax numbers written ()-"] += 1
    if rng.random() < 0.3:
        row[website] = f"http://www.{_domain(str(row[1]))}"
    else:
        output.defects["websites written [null, null] (the portal sends no value)"] += 1
    if rng.random() < 0.02:
        row[share] = "9999"
        output.defects["ownership shares of 9999 instead of empty"] += 1
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
