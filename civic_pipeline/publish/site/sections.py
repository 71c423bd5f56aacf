"""Parts that pages of several subjects share: a table with its words, its file and a line chart of the same numbers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from civic_pipeline.publish.site.charts import Chart
from civic_pipeline.publish.site.facts import Table
from civic_pipeline.publish.site.files import File
from civic_pipeline.publish.site.maps import Map

_LONG, _ACRONYM = 45, 6  # letters


@dataclass(frozen=True)
class Cell:
    """`text` is what a reader sees, None if not stated; `value` is exact, for the CSV; `bar` is a share of 1, drawn below the text."""

    text: str | None
    value: str | None = None
    href: str | None = None
    bar: float | None = None
    is_gap: bool = False

    @property
    def style(self) -> str | None:
        """How a text is set: a day on one line, capitals smaller, a long text in a wide column."""
        if self.value is not None and len(self.value) == 10 and self.value[4] == "-":
            return "day"
        if self.text is None:
            return None
        if len(self.text) > _LONG:
            return "text"
        return "caps" if self.text.isupper() and sum(map(str.isalpha, self.text)) > _ACRONYM else None


@dataclass(frozen=True)
class Heading:
    """A column's title. `about` stands below it, such as a definition."""

    title: str
    is_number: bool = False
    about: str | None = None


@dataclass(frozen=True)
class Section:
    """One table of a page, with a chart or a map of the same numbers where there is one.

    `tables` are those that its figures are from, if that is not the first table of the page.
    """

    id: str
    title: str
    headings: Sequence[Heading]
    rows: Sequence[Sequence[Cell]]
    text: str | None = None
    file: File | None = None
    chart: Chart | None = None
    map: Map | None = None
    absence: str | None = None
    is_folded: bool = False
    notes: Sequence[str] = field(default=())
    tables: Sequence[Table] = field(default=())


@dataclass(frozen=True)
class Lookup:
    """A field that finds one of many names. `index` has them, `page` shows one, `script` makes the field; `hint` stands below it."""

    label: str
    index: File
    page: str
    script: str
    hint: str | None = None


def number(value: Decimal | float | None, text: str, *, gap: str = "not known") -> Cell:
    """A cell with an exact value; None is a gap."""
    return Cell(gap, is_gap=True) if value is None else Cell(text, value=str(value))
