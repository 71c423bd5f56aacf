"""How pages write values: dollars, counts, shares, days. American English, no locale of the machine."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal

_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
NOTHING, NOT_STATED = "–", "Not stated"


def dollars(value: Decimal | float | None) -> str:
    """Whole dollars: $1,234, or -$1,234. Half a dollar counts as one, as in the scripts of the pages."""
    if value is None:
        return NOTHING
    whole = int(abs(Decimal(value)) + Decimal("0.5"))
    return f"{'-' if value < 0 and whole else ''}${whole:,}"


def short_dollars(value: Decimal | float | None) -> str:
    """Three digits and a unit: $3.84 billion, $912 million, $45,300."""
    if value is None:
        return NOTHING
    for size, unit in ((10**9, "billion"), (10**6, "million")):
        scaled = abs(float(value)) / size
        if scaled >= 0.9995:  # 999.6 million would be written as 1,000 million
            digits = 2 if scaled < 9.995 else 1 if scaled < 99.95 else 0
            return f"{'-' if value < 0 else ''}${scaled:,.{digits}f} {unit}"
    return dollars(value)


def count(value: int | None) -> str:
    return NOTHING if value is None else f"{value:,}"


def total(values: Iterable[int | None]) -> int | None:
    """The sum; None if one of the values is not known."""
    known = list(values)
    return None if None in known else sum(value or 0 for value in known)


def decimals(value: float | None, digits: int) -> str:
    return NOTHING if value is None else f"{value:,.{digits}f}"


def rate(value: float | None) -> str:
    """A share as a percentage: 12.3%."""
    return NOTHING if value is None else f"{value * 100:,.1f}%"


def change(value: float | None) -> str:
    """A change with its sign: +4.0%, -12.1%."""
    return NOTHING if value is None else f"{value * 100:+,.1f}%"


def figure(value: float, unit: str) -> str:
    """A number with its unit, exact enough to see that it changed: $1,234.50, $12.00 per resident, 12.34%, 1,234.5 notices."""
    if unit in {"share", "probability"}:
        return f"{value * 100:,.2f}%"
    currency, _, rest = unit.partition(" ")
    if currency == "USD":
        return f"{'-' if value < 0 else ''}${abs(value):,.2f} {rest}".rstrip()
    number = f"{value:,.4f}".rstrip("0").rstrip(".")
    return number if unit == "as in unit" else f"{number} {unit}"


def day(value: date | datetime | None) -> str:
    """Jun 30, 2026."""
    return NOTHING if value is None else f"{_MONTHS[value.month - 1]} {value.day}, {value.year}"


def moment(value: datetime | None) -> str:
    """Jun 30, 2026, 09:15 UTC."""
    return NOTHING if value is None else f"{day(value)}, {value:%H:%M} UTC"


def size(value: int | None) -> str:
    """Bytes as kB or MB."""
    if value is None:
        return NOTHING
    return f"{value / 1e6:,.1f} MB" if value >= 1_000_000 else f"{max(1, round(value / 1000)):,} kB"


def shortened(text: str, most: int) -> str:
    """At most `most` letters, with an ellipsis where some are missing."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


FILTERS = {
    "shortened": shortened,
    "dollars": dollars,
    "short_dollars": short_dollars,
    "count": count,
    "rate": rate,
    "change": change,
    "figure": figure,
    "day": day,
    "moment": moment,
    "size": size,
}
