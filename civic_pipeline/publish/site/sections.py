"""Parts that pages of several subjects share: a table with its words, its file and a line chart of the same numbers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import pairwise

from civic_pipeline.publish.site.site import File

_WIDTH, _HEIGHT, _LEFT, _BELOW = 720, 240, 72, 26


@dataclass(frozen=True)
class Cell:
    """`text` is what a reader sees; `value` is exact, for the CSV; `bar` is drawn below the text, as a share of 1."""

    text: str
    value: str | None = None
    href: str | None = None
    bar: float | None = None
    is_gap: bool = False


@dataclass(frozen=True)
class Heading:
    """A column's title. `about` stands below it, such as a definition."""

    title: str
    is_number: bool = False
    about: str | None = None


@dataclass(frozen=True)
class Line:
    """A line over days; a value that is None is a gap."""

    name: str
    points: Sequence[tuple[date, float | None]]


@dataclass(frozen=True)
class Chart:
    """An SVG of one line. Its numbers are in the section's table."""

    title: str
    unit: str
    line: Line

    width = _WIDTH
    height = _HEIGHT
    left = _LEFT
    floor = _HEIGHT - _BELOW

    @property
    def _top(self) -> float:
        return max((value for _, value in self.line.points if value is not None), default=0.0) or 1.0

    @property
    def step(self) -> float:
        """Distance of the grid lines: 1, 2 or 5 times a power of ten, so that there are three to six of them."""
        size = 10.0 ** (len(str(int(self._top))) - 1) if self._top >= 1 else 0.1
        return next(size * factor for factor in (0.2, 0.5, 1, 2, 5) if self._top / (size * factor) <= 5)

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Height on the drawing and text of each grid line."""
        steps = int(self._top / self.step) + 1
        return [(self._y(i * self.step), f"{i * self.step:,.10g}") for i in range(steps)]

    @property
    def years(self) -> list[tuple[float, str]]:
        """Place and text of the first day of each year within the line, and of the first day of all."""
        days = [day for day, _ in self.line.points]
        starts = [date(year, 1, 1) for year in range(days[0].year + 1, days[-1].year + 1)] if days else []
        return [(self._x(day), str(day.year)) for day in starts]

    @property
    def paths(self) -> list[str]:
        """The line as SVG paths, one for each stretch without a gap."""
        paths, stretch = list[str](), list[str]()
        for day, value in [*self.line.points, (date.max, None)]:
            if value is not None:
                stretch.append(f"{self._x(day):.1f},{self._y(value):.1f}")
            elif stretch:
                paths.append("M" + "L".join(stretch if len(stretch) > 1 else stretch * 2))
                stretch = []
        return paths

    @property
    def gaps(self) -> list[tuple[float, float]]:
        """Left edge and width of each stretch without values between two that have some."""
        known = [day for day, value in self.line.points if value is not None]
        days = [day for day, _ in self.line.points]
        usual = min(((after - before).days for before, after in pairwise(days)), default=1)
        return [(self._x(a), self._x(b) - self._x(a)) for a, b in pairwise(known) if (b - a).days > usual]

    def _x(self, day: date) -> float:
        first, last = self.line.points[0][0], self.line.points[-1][0]
        return _LEFT + (_WIDTH - _LEFT - 8) * ((day - first).days / max((last - first).days, 1))

    def _y(self, value: float) -> float:
        return self.floor - (self.floor - 12) * max(value, 0) / (self._top * 1.04)


@dataclass(frozen=True)
class Section:
    """One table of a page, with a chart of the same numbers where there is one."""

    id: str
    title: str
    headings: Sequence[Heading]
    rows: Sequence[Sequence[Cell]]
    text: str | None = None
    file: File | None = None
    chart: Chart | None = None
    absence: str | None = None
    is_folded: bool = False
    notes: Sequence[str] = field(default=())


def number(value: Decimal | float | None, text: str, *, gap: str = "not known") -> Cell:
    """A cell with an exact value; None is a gap."""
    return Cell(gap, is_gap=True) if value is None else Cell(text, value=str(value))
