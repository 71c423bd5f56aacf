"""The invented properties of the housing files: where each is, its vacant building notices, and how a vacancy ended."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from random import Random

from tools.sample.table import seeded

LIST_DAY = date(2026, 9, 28)  # of the list that the demo portals serve
OLDER_LISTS = (date(2016, 10, 22), date(2024, 4, 27), date(2025, 5, 12), date(2025, 6, 27))
NEIGHBORHOODS = (
    ("Broadway East", 12, "J"), ("Carrollton Ridge", 9, "J"), ("Harlem Park", 9, "I"), ("Sandtown-Winchester", 7, "I"),
    ("Upton", 11, "H"), ("Park Circle", 6, "G"), ("Oliver", 12, "F"),
)  # fmt: skip
_STREETS = ("HOLLOW ST", "FERRY ST", "MILL AVE", "ORCHARD ST", "N SAMPLE AVE", "W EXAMPLE ST")
_PROPERTIES = 520
_FIRST_DAY = date(2010, 1, 4)
# One point of each neighborhood in Maryland State Plane feet (EPSG:2248), to the nearest thousand.
_CENTRES = ((1_428_000, 599_000), (1_412_000, 590_000), (1_414_000, 595_000), (1_413_000, 597_000), (1_417_000, 597_000),
            (1_407_000, 608_000), (1_425_000, 597_000))  # fmt: skip


@dataclass(frozen=True)
class Notice:
    """`ended` is the day on which it left the list: replaced by the next notice, or because the vacancy ended."""

    number: str
    day: date
    ended: date | None


@dataclass(frozen=True)
class Property:
    """`ending` says how its last vacancy ended (demolished, rehabbed, other), `ended` when; None if it has not."""

    block: str
    lot: str
    address: str
    neighborhood: str
    district: int
    typology: str
    owner: str | None
    x: float
    y: float
    notices: tuple[Notice, ...]
    ending: str | None
    ended: date | None

    @property
    def block_lot(self) -> str:
        """As the layers write it: without the blank after a letter."""
        return f"{self.block}{self.lot}" if self.block[-1].isalpha() else f"{self.block} {self.lot}"

    def open_on(self, day: date) -> Notice | None:
        """The notice that is on the list of that day."""
        return next((n for n in self.notices if n.day <= day and (n.ended is None or n.ended > day)), None)


@cache
def properties() -> tuple[Property, ...]:
    """All properties, sorted by block and lot."""
    rng = seeded("housing properties")
    places = rng.sample([(block, lot) for block in range(1, 900) for lot in range(1, 90)], _PROPERTIES)
    return tuple(_property(rng, position, *place) for position, place in enumerate(sorted(places)))


def _property(rng: Random, position: int, block: int, lot: int) -> Property:
    kind = rng.randrange(len(NEIGHBORHOODS))
    neighborhood, district, typology = NEIGHBORHOODS[kind]
    lettered = rng.random() < 0.2
    number = 600_000 + 211 * position
    span = (LIST_DAY - _FIRST_DAY).days - 10
    start = _FIRST_DAY + timedelta(days=rng.randrange(span))
    days = [start]
    if start < date(2022, 1, 1) and rng.random() < 0.4:  # a new notice replaces the old one
        days.append(start + timedelta(days=rng.randrange(300, (LIST_DAY - start).days - 5)))
    ending, ended, back = None, None, None
    left = max(days[-1] + timedelta(days=120), OLDER_LISTS[0] + timedelta(days=rng.randrange(3_500)))
    if left < LIST_DAY - timedelta(days=20) and rng.random() < 0.3:
        ending, ended = rng.choice(("demolished", "demolished", "rehabbed", "rehabbed", "other")), left
        later = left + timedelta(days=rng.randrange(150, 900))
        if ending != "demolished" and later < LIST_DAY and rng.random() < 0.5:
            back = later
    ends = [*days[1:], ended]
    notices = [Notice(f"{number + i}A", day, end) for i, (day, end) in enumerate(zip(days, ends, strict=True))]
    if back:
        notices.append(Notice(f"{number + 90}A", back, None))
    x, y = _CENTRES[kind]
    return Property(
        block=f"{block:04d}H" if lettered else f"{block:04d}",
        lot=f"{lot:03d}",
        address=f"{rng.randrange(1, 4000)} {rng.choice(_STREETS)}",
        neighborhood=neighborhood,
        district=district,
        typology=typology,
        owner=rng.choice(("MCC", "MCC", "HABC")) if rng.random() < 0.08 else None,
        x=round(x + rng.uniform(-1_500, 1_500), 2),
        y=round(y + rng.uniform(-1_500, 1_500), 2),
        notices=tuple(notices),
        ending=ending,
        ended=ended,
    )
