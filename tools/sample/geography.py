"""Where the sample is: 24 neighborhoods with real names on an invented grid, and the areas that are made of its squares.

Names of neighborhoods, statistical areas, districts and ZIP codes are real; every boundary is invented.
"""

from collections.abc import Sequence
from dataclasses import dataclass

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
