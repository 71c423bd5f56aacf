"""Counts of a disease by day of report: a correction of earlier days is distributed over them. A table in, a table out."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

DAYS_BACK = 28
_SERIES = ["place", "geography_kind", "geography", "metric"]
_COLUMNS = (*_SERIES, "observed_date", "adjustment")


def distribute_corrections(tables: Mapping[str, "pa.Table"]) -> "pa.Table":
    """`marts.fct_covid_adjustments`: what to add to each increment so that corrections lie on the days before them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    increments = tables["marts.fct_covid_increments"].filter(pc.field("increment").is_valid())
    corrected = increments.filter(pc.field("increment") < 0).group_by(_SERIES).aggregate([])
    series: dict[tuple[str, ...], list[tuple[date, int]]] = defaultdict(list)
    for row in increments.join(corrected, keys=_SERIES, join_type="left semi").to_pylist():
        series[tuple(row[name] for name in _SERIES)].append((row["observed_date"], row["increment"]))
    rows = [
        (*key, day, amount) for key, values in sorted(series.items()) for day, amount in adjustments(values).items()
    ]
    types = [pa.string()] * len(_SERIES) + [pa.date32(), pa.int64()]
    columns = zip(*rows, strict=True) if rows else [()] * len(_COLUMNS)
    return pa.table({name: pa.array(list(c), t) for name, c, t in zip(_COLUMNS, columns, types, strict=True)})


def adjustments(increments: Sequence[tuple[date, int]]) -> dict[date, int]:
    """What to add to the increment of each day of one series; days that stay as they are have no entry. The sum is zero.

    A negative increment is taken from the positive ones of the 28 days before it, in proportion to what they have left, in whole
    people by largest remainder, of equal ones from the later day. What they cannot cover stays on its day.
    """
    changes: dict[date, int] = defaultdict(int)
    left: dict[date, int] = {}
    for day, increment in sorted(increments):
        if increment >= 0:
            left[day] = increment
            continue
        earliest = day - timedelta(days=DAYS_BACK)
        window = {other: count for other, count in left.items() if other >= earliest and count > 0}
        total = sum(window.values())
        taken = min(-increment, total)
        shares = {other: divmod(taken * count, total) for other, count in window.items()}
        missing = taken - sum(whole for whole, _ in shares.values())
        rounded_up = sorted(shares, key=lambda other: (shares[other][1], other), reverse=True)[:missing]
        for other, (whole, _) in shares.items():
            share = whole + (other in rounded_up)
            left[other] -= share
            changes[other] -= share
        changes[day] += taken
    return {day: change for day, change in changes.items() if change}
