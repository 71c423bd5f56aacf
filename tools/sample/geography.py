"""Where the sample is: 24 neighborhoods with real names on an invented grid, and the areas that are made of its squares.

Names of neighborhoods, statistical areas, districts and ZIP codes are real; every boundary is invented.
"""

import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from shapely import box, union_all
from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry

from tools.sample.table import Table, seeded

WEST, NORTH = -76.68, 39.33
WIDTH, HEIGHT = 0.02, 0.015  # degrees


@dataclass(frozen=True)
class Neighborhood:
    """A square of the grid. `row` counts from the north, `column` from the west; `district` is its council district."""

    name: str
    statistical_area: str
    district: int
    zip_code: str
    row: int
    column: int

    @property
    def corner(self) -> tuple[float, float]:
        """Longitude and latitude of the north-western corner."""
        return round(WEST + self.column * WIDTH, 6), round(NORTH - self.row * HEIGHT, 6)


_ROWS: Sequence[Sequence[tuple[str, str, int, str]]] = (
    (
        ("Hampden", "Medfield/Hampden/Woodberry/Remington", 7, "21211"),
        ("Remington", "Medfield/Hampden/Woodberry/Remington", 12, "21211"),
        ("Charles Village", "Greater Charles Village/Barclay", 12, "21218"),
        ("Waverly", "The Waverlies", 14, "21218"),
        ("Belair-Edison", "Belair-Edison", 13, "21213"),
        ("Frankford", "Cedonia/Frankford", 2, "21206"),
    ),
    (
        ("Park Circle", "Southern Park Heights", 6, "21215"),
        ("Mondawmin", "Greater Mondawmin", 7, "21216"),
        ("Reservoir Hill", "Penn North/Reservoir Hill", 7, "21217"),
        ("Barclay", "Greater Charles Village/Barclay", 12, "21218"),
        ("Broadway East", "Clifton-Berea", 12, "21213"),
        ("Mayfield", "Belair-Edison", 3, "21213"),
    ),
    (
        ("Sandtown-Winchester", "Sandtown-Winchester/Harlem Park", 7, "21217"),
        ("Harlem Park", "Sandtown-Winchester/Harlem Park", 9, "21217"),
        ("Upton", "Upton/Druid Heights", 11, "21217"),
        ("Bolton Hill", "Midtown", 11, "21217"),
        ("Oliver", "Greenmount East", 12, "21213"),
        ("Highlandtown", "Highlandtown", 1, "21224"),
    ),
    (
        ("Carrollton Ridge", "Southwest Baltimore", 9, "21223"),
        ("Downtown", "Downtown/Seton Hill", 11, "21201"),
        ("Federal Hill", "Inner Harbor/Federal Hill", 11, "21230"),
        ("Fells Point", "Fells Point", 1, "21231"),
        ("Canton", "Canton", 1, "21224"),
        ("Cherry Hill", "Cherry Hill", 10, "21225"),
    ),
)
NEIGHBORHOODS = tuple(
    Neighborhood(*names, row=row, column=column)
    for row, cells in enumerate(_ROWS)
    for column, names in enumerate(cells)
)


@dataclass
class Shapes(Table):
    """A table written as GeoJSON; `shapes` has the boundary of each row."""

    shapes: list[BaseGeometry] = field(default_factory=list)

    def write(self, folder: Path) -> None:
        features = [
            {"type": "Feature", "properties": dict(zip(self.header, row, strict=True)), "geometry": mapping(shape)}
            for row, shape in zip(self.rows, self.shapes, strict=True)
        ]
        text = json.dumps({"type": "FeatureCollection", "features": features}, separators=(",", ":"))
        (folder / self.file).write_bytes(gzip.compress(text.encode(), compresslevel=9, mtime=0))


def tables() -> Iterator[Shapes]:
    """Neighborhoods on the grid, and areas made of the same squares, shifted, so that they cut through neighborhoods."""
    rng = seeded("places")
    neighborhoods = Shapes(
        "neighborhoods.geojson.gz", {"dataset": "baltimore/neighborhoods"}, ("Name", "Population", "Total_Units")
    )
    for place in NEIGHBORHOODS:
        residents = 0 if place.name == "Downtown" else rng.randrange(9_000, 17_000)
        neighborhoods.defects["neighborhoods without residents"] += residents == 0
        neighborhoods.rows.append([place.name, residents, round(residents / rng.uniform(1.7, 2.6))])
        neighborhoods.shapes.append(_square(place))
    yield neighborhoods
    areas = {place.statistical_area: (place.statistical_area,) for place in NEIGHBORHOODS}
    yield _made_of("statistical_areas", ("Community",), areas, east=0, south=0.1)
    districts = {f"District {place.district}": (f"District {place.district}",) for place in NEIGHBORHOODS}
    yield _made_of("council_districts", ("AREA_NAME",), districts, east=0.15, south=0)
    zips = {place.zip_code: (place.zip_code, f"024510{place.zip_code}", "Baltimore") for place in NEIGHBORHOODS}
    yield _made_of("zip_codes", ("ZIPCODE1", "ZIPCODE2", "ZIPNAME"), zips, east=0.25, south=0.2)


def _made_of(
    name: str, header: Sequence[str], areas: Mapping[str, tuple[str, ...]], east: float, south: float
) -> Shapes:
    """Areas by name, each of the squares of its neighborhoods, shifted by shares of a square."""
    output = Shapes(f"{name}.geojson.gz", {"dataset": f"baltimore/{name}"}, header)
    for area, cells in sorted(areas.items()):
        members = [p for p in NEIGHBORHOODS if area in (p.statistical_area, f"District {p.district}", p.zip_code)]
        output.rows.append([*cells])
        output.shapes.append(union_all([_square(place, east, south) for place in members]))
    return output


def _square(place: Neighborhood, east: float = 0, south: float = 0) -> BaseGeometry:
    left, top = place.corner
    left, top = left + east * WIDTH, top - south * HEIGHT
    return box(*(round(value, 6) for value in (left, top - HEIGHT, left + WIDTH, top)))
