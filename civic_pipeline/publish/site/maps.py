"""A map of areas shaded by a number, drawn when the site is built. The table below it has the same numbers."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_CLASSES = 5
_WIDTH = 800.0
# About 15 m: finer than a pixel of a map that is 800 wide, and a third of the bytes.
_TOLERANCE = 0.00015


@dataclass(frozen=True)
class Area:
    """An area with its boundary (WKB in degrees). `value` None: nothing is known; `text` is what people read; `href` its page."""

    name: str
    geometry: bytes | None
    value: float | None
    text: str
    href: str | None = None


@dataclass(frozen=True)
class Map:
    """Areas in up to five classes that hold about as many areas each, from light to dark; unknown ones are hatched."""

    title: str
    unit: str
    areas: Sequence[Area]
    decimals: int = 1

    @property
    def breaks(self) -> list[float]:
        """The lowest value of each class as people read it, without repetitions. Zero is a class of its own: none is not few."""
        zeros = {0.0} & set(self._values)
        values, classes = [value for value in self._values if value], _CLASSES - len(zeros)
        return sorted(zeros | {values[len(values) * number // classes] for number in range(classes) if values})

    @property
    def legend(self) -> list[tuple[int | None, str]]:
        """Shade of each class, and the lowest and highest value in it."""
        known = list[tuple[int | None, str]]()
        for number in range(len(self.breaks)):
            members = [f"{value:,.{self.decimals}f}" for value in self._values if self.class_of(value) == number]
            text = members[0] if members[0] == members[-1] else f"{members[0]} to {members[-1]}"
            known.append((self.shade_of(number), text))
        return known + ([(None, "not known")] if len(self._values) < len(self.areas) else [])

    def shade_of(self, number: int) -> int | None:
        """The shade of a class, so that few classes differ as much as many; None for the unknown."""
        return None if number < 0 else round(number * (_CLASSES - 1) / max(len(self.breaks) - 1, 1))

    def class_of(self, value: float | None) -> int:
        """The number of the class, or -1."""
        return -1 if value is None else sum(round(value, self.decimals) >= low for low in self.breaks) - 1

    @property
    def _values(self) -> list[float]:
        """The known values in order, rounded as people read them: two classes never show the same number."""
        return sorted(round(area.value, self.decimals) for area in self.areas if area.value is not None)

    @property
    def frame(self) -> tuple[float, float, float, float]:
        """West, south, east and north of all areas."""
        import shapely

        west, south, east, north = shapely.total_bounds([shapely.from_wkb(area.geometry) for area in self.areas])
        return float(west), float(south), float(east), float(north)

    @property
    def height(self) -> int:
        west, south, east, north = self.frame
        return math.ceil(_WIDTH * (north - south) / ((east - west) * _narrowing(south, north)))

    @property
    def shapes(self) -> Iterator[tuple[str, int | None, str, str | None]]:
        """The path, shade, name with value, and page of each area. A degree of longitude is narrowed as in the middle of the map."""
        import shapely

        west, south, east, north = self.frame
        scale = _WIDTH / (east - west)
        tall = scale / _narrowing(south, north)
        for area in self.areas:
            shape = shapely.simplify(shapely.from_wkb(area.geometry), _TOLERANCE)
            rings = [
                [((x - west) * scale, (north - y) * tall) for x, y in ring.coords]
                for polygon in shapely.get_parts(shape)
                if polygon.geom_type == "Polygon"
                for ring in (polygon.exterior, *polygon.interiors)
            ]
            path = "".join("M" + "L".join(f"{x:.1f},{y:.1f}" for x, y in ring) + "Z" for ring in rings)
            yield path, self.shade_of(self.class_of(area.value)), f"{area.name}: {area.text}", area.href


def map_of(title: str, unit: str, areas: Sequence[Area], decimals: int = 1) -> Map | None:
    """The map of those areas that have a boundary; None if none has."""
    drawn = [area for area in areas if area.geometry]
    return Map(title, unit, drawn, decimals) if drawn else None


def _narrowing(south: float, north: float) -> float:
    return math.cos(math.radians((south + north) / 2))
