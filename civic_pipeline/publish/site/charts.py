"""Lines over days as SVG: the geometry that templates draw. The numbers are in the table beside each chart."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import pairwise

# Wide enough for three years of weeks; tall enough to be read where the page is half as wide.
_WIDTH, _HEIGHT, _LEFT, _ABOVE, _BELOW = 640, 288, 72, 36, 26


@dataclass(frozen=True)
class Line:
    """A line over days; a value that is None is a gap."""

    name: str
    points: Sequence[tuple[date, float | None]]


@dataclass(frozen=True)
class Chart:
    """An SVG of one to four lines; zero is on the axis. Lines differ by dashes, too, so that none is known by its color alone.

    `band`: the lower and the upper end of an interval, which is shaded; `band_name` says which one.
    """

    title: str
    unit: str
    lines: Sequence[Line]
    band: tuple[Line, Line] | None = None
    band_name: str = "95% interval"

    width = _WIDTH
    height = _HEIGHT
    left = _LEFT
    ceiling = _ABOVE
    floor = _HEIGHT - _BELOW

    @property
    def _all(self) -> list[Line]:
        return [*self.lines, *(self.band or ())]

    @cached_property
    def _days(self) -> list[date]:
        """Days of the chart, from the first to the last that has a value."""
        known = [day for line in self._all for day, value in line.points if value is not None]
        days = {day for line in self._all for day, _ in line.points}
        return sorted(day for day in days if min(known) <= day <= max(known)) if known else []

    @cached_property
    def _ends(self) -> tuple[float, float]:
        """The lowest and the highest value, with zero."""
        values = [0.0, *(value for line in self._all for _, value in line.points if value is not None)]
        return min(values), max(values)

    @cached_property
    def _axis(self) -> tuple[float, float]:
        """Both ends in steps from zero, at round numbers; a dip below zero of less than half a step gets no line of its own."""
        low, high = (end / self.step for end in self._ends)
        low = low if low > -0.5 else math.floor(low + 1e-9)
        return low, max(math.ceil(high - 1e-9), math.floor(low) + 1)

    @cached_property
    def step(self) -> float:
        """Distance of the grid lines: 1, 2 or 5 times a power of ten, so that there are two to seven of them."""
        low, high = self._ends
        span = high - low or 1.0
        size = 10.0 ** (len(str(int(span))) - 1) if span >= 1 else 0.1
        return next(size * factor for factor in (0.2, 0.5, 1, 2, 5) if span / (size * factor) <= 5)

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Height on the drawing and text of each grid line."""
        low, high = self._axis
        return [(self._y(i * self.step), f"{i * self.step:,.10g}") for i in range(math.ceil(low), math.floor(high) + 1)]

    @property
    def years(self) -> list[tuple[float, str]]:
        """Place and text of the first day of the years within the lines, at most eight of them."""
        days = self._days
        starts = [date(year, 1, 1) for year in range(days[0].year, days[-1].year + 1)] if days else []
        within = [day for day in starts if day >= days[0]]
        return [(self._x(day), str(day.year)) for day in within[:: -(-len(within) // 8) or 1]]

    @property
    def paths(self) -> list[list[str]]:
        """For each line its SVG paths, one for each stretch without a gap."""
        return [self._stretches(line) for line in self.lines]

    @property
    def areas(self) -> list[str]:
        """The paths of the band, one for each stretch in which both ends are known."""
        if self.band is None:
            return []
        upper = dict(self.band[1].points)
        areas, low, high = list[str](), list[str](), list[str]()
        for day, value in [*self.band[0].points, (date.max, None)]:
            above = upper.get(day)
            if value is not None and above is not None:
                low.append(f"{self._x(day):.1f},{self._y(value):.1f}")
                high.append(f"{self._x(day):.1f},{self._y(above):.1f}")
            elif low:
                areas.append("M" + "L".join([*high, *reversed(low)]) + "Z")
                low, high = [], []
        return areas

    def _stretches(self, line: Line) -> list[str]:
        paths, stretch = list[str](), list[str]()
        for day, value in [*line.points, (date.max, None)]:
            if value is not None:
                stretch.append(f"{self._x(day):.1f},{self._y(value):.1f}")
            elif stretch:
                paths.append("M" + "L".join(stretch if len(stretch) > 1 else stretch * 2))
                stretch = []
        return paths

    @property
    def gaps(self) -> list[tuple[float, float]]:
        """Left edge and width of each stretch in which no line has a value, between two days that have some."""
        known = sorted({day for line in self._all for day, value in line.points if value is not None})
        usual = min(((after - before).days for before, after in pairwise(self._days)), default=1)
        longest = usual * 1.2  # months and years are not equally long
        return [(self._x(a), self._x(b) - self._x(a)) for a, b in pairwise(known) if (b - a).days > longest]

    def _x(self, day: date) -> float:
        days = self._days
        return _LEFT + (_WIDTH - _LEFT - 8) * ((day - days[0]).days / max((days[-1] - days[0]).days, 1))

    def _y(self, value: float) -> float:
        low, high = self._axis
        return self.floor - (self.floor - _ABOVE) * (value / self.step - low) / (high - low)


@dataclass(frozen=True)
class Bars:
    """An SVG of at most fifteen bars, the largest first; those left out are counted below."""

    title: str
    unit: str
    rows: Sequence[tuple[str, float, str]]  # name, value, the value as people write it

    width = 720
    left = 250
    step = 26
    _most = 15

    @property
    def shown(self) -> list[tuple[float, str, float, str]]:
        """Top, name, width and text of each bar."""
        rows = sorted(self.rows, key=lambda row: (-row[1], row[0]))[: self._most]
        largest = max((value for _, value, _ in rows), default=0) or 1
        room = self.width - self.left - 130
        return [
            (i * self.step, name, room * max(value, 0) / largest, text) for i, (name, value, text) in enumerate(rows)
        ]

    @property
    def left_out(self) -> int:
        return max(len(self.rows) - self._most, 0)

    @property
    def height(self) -> int:
        return self.step * min(len(self.rows), self._most)
