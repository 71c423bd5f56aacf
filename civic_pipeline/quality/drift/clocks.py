"""Check the times of date columns in the captured files, because a clean table has calendar days only.

A `date_only` column must hold days: every time of day is midnight UTC, or midnight in one zone west of it (standard or
summer time, in any season, because publishers move dates by months and keep the hour), or one constant time.
With real times an evening payment would fall on the next day, and one of 30 June into another fiscal year.
A `local_labelled_utc` column has office hours. If they move by several hours, the publisher began to convert them to UTC.
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
_HOURS_WEST = range(3, 11)
_FEWEST_TIMES = 50


def check_name(column: str, policy: str) -> str:
    """The name of the check of a column's times."""
    text = "".join(letter if letter.isalnum() else "_" for letter in column.lower())
    return f"{'clock_is_midnight' if policy == 'date_only' else 'clock_has_not_moved'}__{text}"


def check_clocks(
    connection: duckdb.DuckDBPyConnection, dataset: Dataset, lake: Lake, capture: Manifest, accepted: Manifest | None
) -> dict[str, Finding]:
    """One finding per column in `time_zones`; `accepted` is the capture that the accepted table was built from."""
    findings = {}
    for column, policy in dataset.time_zones.items():
        if policy == "date_only":
            findings[check_name(column, policy)] = _midnight(column, _times(connection, dataset, lake, capture, column))
        elif policy == "local_labelled_utc":
            before = _times(connection, dataset, lake, accepted, column) if accepted else Counter[int]()
            findings[check_name(column, policy)] = _moved(
                column, before, _times(connection, dataset, lake, capture, column)
            )
    return findings


def _midnight(column: str, times: Counter[int]) -> Finding:
    finding = Finding()
    strange = min((_strange(times, hour) for hour in _HOURS_WEST), key=lambda counts: counts.total())
    is_constant = len(times.keys() - {0}) == 1
    if strange and not is_constant:
        hours = ", ".join(f"{s // _HOUR:02}:{s % _HOUR // 60:02}Z" for s, _ in strange.most_common(3))
        finding.add(
            "critical",
            strange.total(),
            f"{column}: {strange.total():,} of {times.total():,} rows have a time of day: {hours}",
        )
    return finding


def _strange(times: Counter[int], hour: int) -> Counter[int]:
    """The rows whose time is not midnight, neither in UTC nor in the zone whose midnight is `hour` UTC in summer."""
    return Counter({second: n for second, n in times.items() if second not in (0, hour * _HOUR, (hour + 1) * _HOUR)})


def _moved(column: str, before: Counter[int], after: Counter[int]) -> Finding:
    finding = Finding()
    if min(before.total(), after.total()) < _FEWEST_TIMES:
        return finding
    was, now = _hours(before), _hours(after)
    distance = {k: sum(abs(was[(hour - k) % 24] - now[hour]) for hour in range(24)) for k in range(-6, 7)}
    best = min(distance, key=lambda k: (distance[k], abs(k)))
    if abs(best) >= 3 and distance[best] < distance[0] / 2:
        finding.add("warning", abs(best), f"{column}: the times moved by {best:+} h against the accepted version")
    return finding


def _hours(times: Counter[int]) -> list[float]:
    """Share of rows per hour of the day."""
    hours = Counter[int]()
    for second, rows in times.items():
        hours[second // _HOUR] += rows
    return [hours[hour] / times.total() for hour in range(24)]


def _times(
    connection: duckdb.DuckDBPyConnection, dataset: Dataset, lake: Lake, capture: Manifest, column: str
) -> Counter[int]:
    """Second of the day in UTC -> rows with a date, in all files that hold the column as a timestamp."""
    times = Counter[int]()
    for file, name in _files(dataset, lake, capture, column):
        kind = connection.execute(f"describe select {quoted(name)} from read_parquet({literal(str(file))})").fetchall()[
            0
        ][1]
        if not kind.startswith("TIMESTAMP"):
            continue
        for second, rows in connection.execute(
            f"select cast(epoch(cast({quoted(name)} as timestamp)) as bigint) % {24 * _HOUR}, count(*)"
            f" from read_parquet({literal(str(file))}) where {quoted(name)} is not null group by all"
        ).fetchall():
            times[second % (24 * _HOUR)] += rows
    return times


def _files(dataset: Dataset, lake: Lake, capture: Manifest, column: str) -> Iterator[tuple[Path, str]]:
    """Each file with the column under the name that it has there. One that a shape computes has no times of its own."""
    for part, file in zip(capture.parts, lake.files(capture), strict=True):
        shape = dataset.edition(part.edition).shape_of(tuple(landed.name for landed in part.columns))
        name = shape.columns.get(column, column) if shape else column
        for landed in part.columns:
            if landed.name.lower() == name.lower():
                yield file, landed.name
