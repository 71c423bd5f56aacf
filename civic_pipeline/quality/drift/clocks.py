"""The clocks of date columns, in the captured files themselves: a clean table has calendar days only.

A `date_only` column must hold days: every time of day is midnight UTC, or midnight in a zone west of it (an hour earlier in
summer), or one constant. Otherwise an evening payment falls on the next day, and one of 30 June into another fiscal year.
A `local_labelled_utc` column shows office hours; if they move by several hours, the publisher began to convert them.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import duckdb

from civic_pipeline.catalog import Dataset
from civic_pipeline.lake import Lake, Manifest
from civic_pipeline.quality.drift.rules import Finding
from civic_pipeline.sql_text import literal, quoted

_HOUR = 3600
# Of every date of these months it is known which clock applied, under all rules since 1967.
_SUMMER, _WINTER = range(5, 10), (12, 1, 2)
_HOURS_WEST = range(3, 11)
_FEWEST_TIMES = 50


def check_name(column: str, policy: str) -> str:
    """The name of the check of a column's clock."""
    text = "".join(letter if letter.isalnum() else "_" for letter in column.lower())
    return f"{'clock_is_midnight' if policy == 'date_only' else 'clock_has_not_moved'}__{text}"


def check_clocks(
    connection: duckdb.DuckDBPyConnection, dataset: Dataset, lake: Lake, capture: Manifest, accepted: Manifest | None
) -> dict[str, Finding]:
    """One finding per column with a declared clock; `accepted` is the capture that the accepted table was made of."""
    findings = {}
    for column, policy in dataset.time_zones.items():
        if policy == "date_only":
            findings[check_name(column, policy)] = _midnight(column, _times(connection, lake, capture, column))
        elif policy == "local_labelled_utc":
            before = _times(connection, lake, accepted, column) if accepted else Counter[tuple[int, int]]()
            findings[check_name(column, policy)] = _moved(column, before, _times(connection, lake, capture, column))
    return findings


def _midnight(column: str, times: "Counter[tuple[int, int]]") -> Finding:
    finding = Finding()
    constant = {second for second, _ in times if second}
    strange = min((_strange(times, hour) for hour in _HOURS_WEST), key=lambda found: found.total())
    if len(constant) > 1 and strange:
        rows = ", ".join(
            f"{s // _HOUR:02}:{s % _HOUR // 60:02}Z" for s in sorted({s for (s, _), _ in strange.most_common(3)})
        )
        finding.add(
            "critical",
            strange.total(),
            f"{column}: {strange.total():,} of {times.total():,} rows have a time of day: {rows}",
        )
    return finding


def _strange(times: "Counter[tuple[int, int]]", hour: int) -> "Counter[tuple[int, int]]":
    """The rows whose time is midnight neither in UTC nor in the zone whose midnight is `hour` UTC in summer."""
    summer, winter = hour * _HOUR, (hour + 1) * _HOUR

    def is_midnight(second: int, month: int) -> bool:
        allowed = {summer} if month in _SUMMER else {winter} if month in _WINTER else {summer, winter}
        return second == 0 or second in allowed

    return Counter({key: rows for key, rows in times.items() if not is_midnight(*key)})


def _moved(column: str, before: "Counter[tuple[int, int]]", after: "Counter[tuple[int, int]]") -> Finding:
    finding = Finding()
    if min(before.total(), after.total()) < _FEWEST_TIMES:
        return finding
    was, now = _hours(before), _hours(after)
    distance = {k: sum(abs(was[(hour - k) % 24] - now[hour]) for hour in range(24)) for k in range(-6, 7)}
    best = min(distance, key=lambda k: (distance[k], abs(k)))
    if abs(best) >= 3 and distance[best] < distance[0] / 2:
        finding.add(
            "warning", abs(best), f"{column}: the hours of the day are {best:+} h from those of the accepted version"
        )
    return finding


def _hours(times: "Counter[tuple[int, int]]") -> list[float]:
    """Share of rows per hour of the day."""
    hours = Counter[int]()
    for (second, _), rows in times.items():
        hours[second // _HOUR] += rows
    return [hours[hour] / times.total() for hour in range(24)]


def _times(
    connection: duckdb.DuckDBPyConnection, lake: Lake, capture: Manifest, column: str
) -> "Counter[tuple[int, int]]":
    """(second of the day in UTC, month) -> rows with a date, in all files that hold the column as a timestamp."""
    times = Counter[tuple[int, int]]()
    for file, name in _files(lake, capture, column):
        kind = connection.execute(f"describe select {quoted(name)} from read_parquet({literal(str(file))})").fetchall()[
            0
        ][1]
        if not kind.startswith("TIMESTAMP"):
            continue
        moment = f"cast({quoted(name)} as timestamp)"
        for second, month, rows in connection.execute(
            f"select cast(epoch({moment}) as bigint) % {24 * _HOUR}, month({moment}), count(*)"
            f" from read_parquet({literal(str(file))}) where {quoted(name)} is not null group by all"
        ).fetchall():
            times[second % (24 * _HOUR), month] += rows
    return times


def _files(lake: Lake, capture: Manifest, column: str) -> Iterator[tuple[Path, str]]:
    for part, file in zip(capture.parts, lake.files(capture), strict=True):
        for landed in part.columns:
            if landed.name.lower() == column.lower():
                yield file, landed.name
