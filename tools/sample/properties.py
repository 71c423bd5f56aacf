"""The invented properties of the housing files: where each is, its vacant building notices, and how a vacancy ended."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from random import Random

from pyproj import Transformer

from tools.sample import geography
from tools.sample.table import seeded

LIST_DAY = date(2026, 9, 28)  # of the list that the demo portals serve
OLDER_LISTS = (date(2016, 10, 22), date(2024, 4, 27), date(2025, 5, 12), date(2025, 6, 27))
_TYPOLOGIES = {
    "Broadway East": "J", "Carrollton Ridge": "J", "Harlem Park": "I", "Sandtown-Winchester": "I", "Upton": "H",
    "Park Circle": "G", "Oliver": "F",
}  # fmt: skip
_STREETS = ("HOLLOW ST", "FERRY ST", "MILL AVE", "ORCHARD ST", "N SAMPLE AVE", "W EXAMPLE ST")
_BLOCKS, _LOTS, _LISTED_SHARE = 56, 36, 0.26
POINT = ("longitude", "latitude")  # columns that the demo portals serve as the point of a row
_FIRST_DAY = date(2010, 1, 4)


@dataclass(frozen=True)
class Notice:
    """`ended` is the day on which it left the list: replaced by the next notice, or because the vacancy ended."""

    number: str
    day: date
    ended: date | None


@dataclass(frozen=True)
class Property:
    """`ending` says how its last vacancy ended (demolished, rehabbed, other), `ended` when; None if it has not.

    `x` and `y` are Maryland State Plane feet (EPSG:2248). Most properties never had a notice.
    """

    block: str
    lot: str
    address: str
    neighborhood: str
    district: int
    zip_code: str
    typology: str
    owner: str | None
    longitude: float
    latitude: float
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
    """All properties of the invented blocks, sorted by block and lot."""
    rng = seeded("housing properties")
    places = [place for place in geography.NEIGHBORHOODS if place.name in _TYPOLOGIES]
    feet = Transformer.from_crs(4326, 2248, always_xy=True)
    listed: list[Property] = []
    for block in sorted(rng.sample(range(1, 900), _BLOCKS)):
        place = rng.choice(places)
        name = f"{block:04d}H" if rng.random() < 0.2 else f"{block:04d}"
        west, north = place.corner
        corner = (
            west + geography.WIDTH * rng.uniform(0.05, 0.9), north - geography.HEIGHT * rng.uniform(0.05, 0.9),
        )  # fmt: skip
        street, first_number = rng.choice(_STREETS), rng.randrange(1, 40) * 100
        for lot in range(1, _LOTS + 1):
            longitude = round(corner[0] + 0.00006 * (lot % 18), 6)
            latitude = round(corner[1] - 0.0003 * (lot // 18), 6)
            x, y = feet.transform(longitude, latitude)
            notices, ending, ended = _vacancy(rng, len(listed))
            listed.append(Property(
                block=name,
                lot=f"{lot:03d}",
                address=f"{first_number + 2 * lot} {street}",
                neighborhood=place.name,
                district=place.district,
                zip_code=place.zip_code,
                typology=_TYPOLOGIES[place.name],
                owner=rng.choice(("MCC", "MCC", "HABC")) if rng.random() < 0.08 else None,
                longitude=longitude,
                latitude=latitude,
                x=round(x, 2),
                y=round(y, 2),
                notices=notices,
                ending=ending,
                ended=ended,
            ))  # fmt: skip
    return tuple(listed)


def vacancies() -> list[Property]:
    """The properties that ever had a notice."""
    return [place for place in properties() if place.notices]


def _vacancy(rng: Random, position: int) -> tuple[tuple[Notice, ...], str | None, date | None]:
    """The notices of a property, how its last vacancy ended, and when."""
    if rng.random() > _LISTED_SHARE:
        return (), None, None
    number = 600_000 + 211 * position
    start = _FIRST_DAY + timedelta(days=rng.randrange((LIST_DAY - _FIRST_DAY).days - 10))
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
    return tuple(notices), ending, ended
