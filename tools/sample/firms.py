"""Invented companies: vendors and certified firms. Some are in both lists, with different spellings."""

import random
from dataclasses import dataclass
from functools import cache

from tools.sample.table import seeded


@dataclass(frozen=True)
class Trade:
    """A line of business: words for company names, its terms in the checkbook and the registers, and a typical payment in dollars."""

    words: tuple[str, ...]
    spend_category: str
    registry_category: str
    registry_description: str
    registry_code: str
    naics: str
    typical: int


TRADES: tuple[Trade, ...] = (
    Trade(
        ("Paving", "Asphalt", "Concrete"),
        "Construction Services",
        "CONSTRUCTION",
        "CONCRETE AND ASPHALT PAVING",
        "1003",
        "237310",
        42_000,
    ),
    Trade(
        ("Builders", "Contracting", "Construction"),
        "Construction Services",
        "CONSTRUCTION",
        "GENERAL CONTRACTING",
        "1001",
        "236220",
        65_000,
    ),
    Trade(("Demolition", "Wrecking"), "Demolition Services", "CONSTRUCTION", "DEMOLITION", "1004", "238910", 28_000),
    Trade(
        ("Electric", "Electrical Services"),
        "Repairs and Maintenance - Buildings",
        "CONSTRUCTION",
        "ELECTRICAL",
        "1008",
        "238210",
        14_000,
    ),
    Trade(
        ("Plumbing", "Mechanical"),
        "Repairs and Maintenance - Buildings",
        "CONSTRUCTION",
        "PLUMBING AND HVAC",
        "1019",
        "238220",
        9_000,
    ),
    Trade(
        ("Painting", "Restoration"),
        "Repairs and Maintenance - Buildings",
        "CONSTRUCTION",
        "PAINTING",
        "1018",
        "238320",
        7_000,
    ),
    Trade(
        ("Utility Services", "Pipeline"),
        "Water and Sewer Repairs",
        "CONSTRUCTION",
        "UTILITY CONSTRUCTION",
        "1025",
        "237110",
        88_000,
    ),
    Trade(
        ("Engineering", "Engineers"),
        "Engineering Services",
        "PROF SERVICES",
        "CIVIL AND STRUCTURAL ENGINEERING",
        "04007G",
        "541330",
        38_000,
    ),
    Trade(
        ("Architects", "Design Group"),
        "Architectural Services",
        "PROF SERVICES",
        "ARCHITECTURE",
        "04007A",
        "541310",
        22_000,
    ),
    Trade(
        ("Consulting", "Advisors", "Strategies"),
        "Professional Services",
        "PROF SERVICES",
        "MANAGEMENT CONSULTING",
        "04005B",
        "541611",
        12_000,
    ),
    Trade(
        ("Technologies", "Systems", "Software"),
        "Software and Licenses",
        "PROF SERVICES",
        "INFORMATION TECHNOLOGY",
        "04006C",
        "541512",
        30_000,
    ),
    Trade(
        ("Staffing", "Personnel Services"),
        "Temporary Staffing",
        "PROF SERVICES",
        "TEMPORARY STAFFING",
        "04009A",
        "561320",
        8_000,
    ),
    Trade(
        ("Security", "Protection Services"),
        "Security Services",
        "SERVICES",
        "SECURITY GUARDS",
        "03004",
        "561612",
        11_000,
    ),
    Trade(
        ("Cleaning", "Janitorial", "Building Care"),
        "Janitorial Services",
        "SERVICES",
        "JANITORIAL",
        "03001",
        "561720",
        4_500,
    ),
    Trade(
        ("Landscaping", "Tree Care", "Grounds"),
        "Landscaping and Grounds",
        "SERVICES",
        "LANDSCAPING",
        "03007",
        "561730",
        5_500,
    ),
    Trade(
        ("Hauling", "Transport", "Logistics"),
        "Transportation and Hauling",
        "SERVICES",
        "TRUCKING AND HAULING",
        "03011",
        "484220",
        6_500,
    ),
    Trade(
        ("Health Services", "Care Partners", "Medical"),
        "Medical Services",
        "SERVICES",
        "HEALTH SERVICES",
        "03015",
        "621999",
        16_000,
    ),
    Trade(
        ("Youth Services", "Community Center", "Family Services"),
        "Grants to Community Organizations",
        "SERVICES",
        "TRAINING AND OUTREACH",
        "03018",
        "624190",
        21_000,
    ),
    Trade(
        ("Printing", "Graphics"),
        "Printing and Reproduction",
        "PROF SERVICES",
        "GRAPHIC DESIGN",
        "04002A",
        "323111",
        1_800,
    ),
    Trade(
        ("Supply", "Office Products", "Distributors"),
        "Office Supplies",
        "GOODS",
        "OFFICE SUPPLIES",
        "02001",
        "424120",
        900,
    ),
    Trade(
        ("Auto Parts", "Fleet Services", "Truck Equipment"),
        "Vehicle Parts and Repair",
        "GOODS",
        "VEHICLE PARTS",
        "02009",
        "441330",
        3_200,
    ),
    Trade(
        ("Laboratories", "Scientific"), "Laboratory Supplies", "GOODS", "LABORATORY SUPPLIES", "02014", "423450", 2_600
    ),
)

_STEMS = (
    "Abbermark Alderwick Ambrowell Arcadine Ashgrell Averton Balmoor Barrowyn Beckhollow Belvarra Blackwyn Bramwick "
    "Brenthaven Brindlow Calderon-Ash Cambrey Carrowmere Castellan-Rye Cedarwyn Chantlow Clayburne Coldharrow "
    "Copperfen Corvallen Crossmere Dalewright Darrowmill Deepwell-Ames Dellborne Dovermark Drummore Dunleith-Park "
    "Eastmarrow Edgemont-Hale Elderfen Ellsworthy Emberly Fairmarrow Falconbury Farrowgate Fenwright Fernhallow "
    "Foxmere Gable-Thorne Galloway-Finch Garlow Glenharrow Goldmarrow Granthollow Greymark Halbrook-Dunn "
    "Hallowell-Pace Harrowgate Hartmoor Havenwright Hawkmere Hazelmoor Heronsgate Highmarrow Hollinwick Ironvale "
    "Jessamere Juniper-Holt Kelmarrow Kestrelton Kingsferry Kirkhallow Lanternfield Larkmoor Laurelwick Lindenmark "
    "Longmarrow Lorrimere Lyndhollow Maplewright Marlowick Meadowmark Merriden-Cole Millharrow Mistwood "
    "Moorgate-Ellis Northmarrow Oakharrow Oldfield-Bray Orchardine Osterline Overmere Paxmoor Pellinore-Day "
    "Pinehallow Portwright Quarrymark Quillmoor Ravensgate Redmarrow Ridgewyn Rivermarrow Rookhaven Rosemark "
    "Rowanfield Saltmarsh-Kane Sandmere Selwick Shorewright Silverharrow Southmark Sparrowgate Springhallow "
    "Starlingate Stonefen Summerwyn Swiftmere Tallowmark Tanglewright Tavermoor Thistledown-Roy Thornmere Tidewick "
    "Timbermark Underhallow Valemark Vesperton Wakemoor Waltonmere Waterwyn Wellharrow Westmarrow Whitfen "
    "Wickermore Willowmark Winterhallow Wrenmoor Yarrowgate Yorkmere Zephyrton"
).split()

_SUFFIXES = ("LLC", "LLC", "LLC", "Inc.", "Inc.", "Inc", "Corporation", "Co.", "Company", "LLP", "")

FIRST_NAMES = (
    "Adaire Belia Corvin Daneth Elmory Farrah Gideon Hadlee Ishaan Jorell Kaveh Lunetta Maribel Nadia Orrin Priya "
    "Quentin Rosalba Soren Tamsin Ulric Verity Wendell Ximena Yusra Zadie"
).split()
LAST_NAMES = (
    "Abernell Brackwater Calloweigh Dunnemore Eastlake-Poe Fennimark Garrowby Hollinsby Iverstone Jessup-Quill "
    "Kallowick Larramore Merriwell Norrington-Fay Oakenby Pellworth Quarrington Rosswick Sellinger-Moss Thackerby "
    "Underbrook Vannerby Wexcombe Yarborne Zellwick"
).split()


# A portal may publish markup for a name. One vendor has it, so that the sample shows whether all who read it treat names as text.
_WITH_MARKUP = {"Laurelwick Printing LLP": "Laurelwick <script>alert(2)</script> Printing LLP"}


@dataclass(frozen=True)
class Vendor:
    """A payee. `name`: usual spelling in the checkbook. `weight`, `scale`: relative frequency and size of its payments."""

    name: str
    trade: Trade
    weight: float
    scale: float


@dataclass(frozen=True)
class Firm:
    """A certified firm. `vendor`: its name in the checkbook, or None if the City does not pay it."""

    name: str
    trade: Trade
    vendor: str | None


@cache
def vendors() -> tuple[Vendor, ...]:
    """Return 900 payees. The first few get most of the money."""
    rng = seeded("vendors")
    payees = []
    for rank, (name, trade) in enumerate(_names(rng, 900)):
        payees.append(
            Vendor(
                _WITH_MARKUP.get(name, name),
                trade,
                weight=1 / (rank + 6) ** 0.95,
                scale=rng.lognormvariate(0, 0.7) * (4 if rank < 12 else 1),
            )
        )
    return tuple(payees)


@cache
def firms() -> tuple[Firm, ...]:
    """Return 1,300 certified firms; 150 of them are vendors with another spelling, which a person recognizes but a join does not."""
    rng = seeded("firms")
    paid = rng.sample(vendors()[20:], 150)
    taken = {vendor.name for vendor in vendors()}
    certified = [Firm(respelt(rng, vendor.name), vendor.trade, vendor.name) for vendor in paid]
    for name, trade in _names(seeded("firm names"), 2300):
        if name not in taken and len(certified) < 1300:
            certified.append(Firm(name, trade, None))
    rng.shuffle(certified)
    return tuple(certified)


def respelt(rng: random.Random, name: str) -> str:
    """Return the name in a random other spelling."""
    stem, _, suffix = name.rpartition(" ") if name.rsplit(" ", 1)[-1] in _SUFFIXES else (name, "", "")
    ways = (
        name,
        name.upper(),
        f"{stem}, {suffix}" if suffix else f"{stem}, Inc.",
        f"{stem}, {suffix.title()}" if suffix else f"The {stem}",
        stem.replace(" and ", " & ").replace("Services", "Svcs").replace("Construction", "Constr"),
        f"{stem} {suffix.replace('.', '')}".strip(),
        stem.replace("-", " "),
        f"{stem.upper()} {suffix.upper()}".strip(),
    )
    return rng.choice(ways)


def _names(rng: random.Random, count: int) -> list[tuple[str, Trade]]:
    """Return distinct company names with their trades."""
    names: dict[str, Trade] = {}
    while len(names) < count:
        trade = rng.choice(TRADES)
        stem, word, suffix = rng.choice(_STEMS), rng.choice(trade.words), rng.choice(_SUFFIXES)
        partner = f" and {rng.choice(LAST_NAMES)}" if rng.random() < 0.06 else ""
        names.setdefault(f"{stem}{partner} {word} {suffix}".strip(), trade)
    return list(names.items())
