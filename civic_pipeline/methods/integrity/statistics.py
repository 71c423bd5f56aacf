"""`marts.fct_spend_statistics`: each unit of each test, with its p-value and its q-value among all units of the test and year."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from civic_pipeline.methods.integrity.formulas import (
    BIN_DOLLARS,
    FIRST_DIGIT,
    FIRST_TWO_DIGITS,
    Digits,
    Result,
    benford,
    bunching,
    upper_fence,
    year_end,
)

if TYPE_CHECKING:
    import pyarrow as pa

Row = dict[str, Any]

# Fewer payments, or months, show too little to be tested. Of 300 payments a conforming sample has each pair of digits once.
LEAST_DIGITS = 100
LEAST_TWO_DIGITS = 300
LEAST_IN_BINS = 50
LEAST_OTHER_MONTHS = 8


def compute_statistics(tables: Mapping[str, "pa.Table"]) -> "pa.Table":
    """The rows of all tests; see the contract for the columns."""
    import pyarrow as pa

    sizes = tables["marts.fct_payment_sizes"].to_pylist()
    months = tables["marts.mart_spend_by_agency_month"].to_pylist()
    breadths = tables["marts.fct_vendor_breadth"].to_pylist()
    rows = [
        *_digits(sizes, "first digit", FIRST_DIGIT, LEAST_DIGITS),
        *_digits(sizes, "first two digits", FIRST_TWO_DIGITS, LEAST_TWO_DIGITS),
        *_bins(sizes),
        *_last_months(months),
        *_breadths(breadths),
    ]
    _add_q_values(rows)
    return pa.table({name: [row[name] for row in rows] for name in _COLUMNS})


_COLUMNS = (
    "city", "fiscal_year", "test", "unit_id", "agency_id", "vendor_id", "threshold_amount", "unit_count", "observed", "expected",
    "statistic",
    "statistic_low", "statistic_high", "band", "p_value", "q_value", "tested_count", "is_flagged",
)  # fmt: skip


def _digits(sizes: list[Row], kind: str, digits: Digits, least: int) -> Iterator[Row]:
    for key, rows in _grouped(sizes, kind).items():
        counts = [0] * (digits.last - digits.first + 1)
        for row in rows:
            counts[row["size"] - digits.first] += row["payment_count"]
        smallest, largest = min(row["smallest_amount"] for row in rows), max(row["largest_amount"] for row in rows)
        # Benford's law is of amounts over several orders of magnitude.
        if sum(counts) >= least and largest >= 100 * smallest:
            yield _row(f"benford_{kind.replace(' ', '_')}", key, sum(counts), benford(counts, digits))


def _bins(sizes: list[Row]) -> Iterator[Row]:
    import numpy as np

    for key, rows in _grouped(sizes, "bin of $250").items():
        threshold = float(key[3])
        counts = np.zeros(int(threshold // BIN_DOLLARS), dtype=np.int64)
        for row in rows:
            counts[int((row["size"] - 0.5 * threshold) // BIN_DOLLARS)] += row["payment_count"]
        if counts.sum() >= LEAST_IN_BINS and (result := bunching(counts, threshold)):
            yield _row("bunching_below_threshold", key, int(counts.sum()), result)


def _last_months(months: list[Row]) -> Iterator[Row]:
    years: dict[tuple[Any, ...], dict[int, float]] = defaultdict(dict)
    for month in months:
        if month["coverage_status"] == "complete":
            years[month["city"], month["fiscal_year"], month["agency_id"]][month["fiscal_period"]] = float(
                month["paid_amount"]
            )
    for key, paid in years.items():
        others = [amount for period, amount in paid.items() if period != 12 and amount > 0]
        if paid.get(12, 0) > 0 and len(others) >= LEAST_OTHER_MONTHS:
            yield _row("year_end_share", (*key, 0), len(others) + 1, year_end(paid[12], others))


def _breadths(breadths: list[Row]) -> Iterator[Row]:
    years: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in breadths:
        years[row["city"], row["fiscal_year"]].append(row)
    for (city, year), rows in years.items():
        fence = upper_fence([row["category_count"] for row in rows])
        for row in rows:
            count = float(row["category_count"])
            result = Result(count, fence, count - fence, None)
            vendor_row = _row("heterogeneous_supplier", (city, year, None, 0), row["payment_count"], result)
            yield vendor_row | {"unit_id": row["vendor_id"], "vendor_id": row["vendor_id"]}


def _grouped(sizes: list[Row], kind: str) -> dict[tuple[Any, ...], list[Row]]:
    groups: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in sizes:
        if row["size_kind"] == kind:
            groups[row["city"], row["fiscal_year"], row["agency_id"], row["threshold_amount"]].append(row)
    return groups


def _row(test: str, key: tuple[Any, ...], count: int, result: Result) -> Row:
    city, year, agency, threshold = key
    # Rounded: the last digits of a double differ between machines.
    numbers = {
        "observed": result.observed, "expected": result.expected, "statistic": result.statistic, "statistic_low": result.low,
        "statistic_high": result.high, "p_value": result.p_value,
    }  # fmt: skip
    rounded = {name: None if value is None else round(value, 6) for name, value in numbers.items()}
    return rounded | {
        "city": city, "fiscal_year": year, "test": test, "unit_id": agency, "agency_id": agency, "vendor_id": None,
        "threshold_amount": threshold,
        "unit_count": count, "band": result.band,
    }  # fmt: skip


def _add_q_values(rows: list[Row]) -> None:
    """Benjamini-Hochberg within each test, city and year. A test without p-values flags what reaches its fence."""
    from scipy.stats import false_discovery_control

    families: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        families[row["test"], row["city"], row["fiscal_year"]].append(row)
    for family in families.values():
        tested = [row for row in family if row["p_value"] is not None]
        q_values = false_discovery_control([row["p_value"] for row in tested]) if tested else []
        q_by_row = {id(row): round(float(q), 6) for row, q in zip(tested, q_values, strict=True)}
        for row in family:
            row["q_value"] = q_by_row.get(id(row))
            row["tested_count"] = len(family)
            row["is_flagged"] = row["statistic"] >= _LEAST[row["test"]] and (
                row["q_value"] is None or row["q_value"] <= 0.05
            )


# A flag needs a statistic in the direction of the test: an excess, a ratio above 1.
_LEAST = {
    "benford_first_digit": 0.0, "benford_first_two_digits": 0.0,
    "bunching_below_threshold": 0.0, "year_end_share": 1.0, "heterogeneous_supplier": 0.0,
}  # fmt: skip
