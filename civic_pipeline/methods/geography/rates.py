"""Rates of small areas: raw with exact Poisson intervals, and shrunk by empirical Bayes with intervals."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import pyarrow as pa

PER = 1_000
_METHOD = "raw: exact Poisson (Garwood) 95%; shrunk: Gamma-Poisson empirical Bayes 95%"

SCHEMA = pa.schema([
    ("city", pa.string()), ("fiscal_year", pa.int32()), ("measure", pa.string()), ("geography_id", pa.string()),
    ("neighborhood", pa.string()),
    ("event_count", pa.float64()), ("denominator", pa.int32()), ("denominator_name", pa.string()), ("weight_name", pa.string()),
    ("unplaced_count", pa.float64()), ("raw_rate", pa.float64()), ("raw_rate_low", pa.float64()), ("raw_rate_high", pa.float64()),
    ("shrunk_rate", pa.float64()), ("shrunk_rate_low", pa.float64()), ("shrunk_rate_high", pa.float64()), ("own_weight", pa.float64()),
    ("city_rate", pa.float64()), ("interval_method", pa.string()), ("no_rate_reason", pa.string()),
])  # fmt: skip


class Prior(NamedTuple):
    """The Gamma that the rates of all areas are drawn from: mean `mean` = alpha / beta. `beta` is infinite if they do not differ."""

    mean: float
    alpha: float
    beta: float


def prior_of(counts: Sequence[float], sizes: Sequence[float]) -> Prior:
    """The prior by the moments of Marshall (1991, Applied Statistics 40:283-294), for counts x and sizes n > 0.

    m = sum x / sum n; s2 = sum n (x/n - m)^2 / sum n; variance of the rates A = s2 - m / mean n; alpha = m^2 / A, beta = m / A.
    Where A is not positive, the rates differ no more than by chance, and every area gets the mean.
    """
    whole = sum(sizes)
    mean = sum(counts) / whole
    spread = sum(n * (x / n - mean) ** 2 for x, n in zip(counts, sizes, strict=True)) / whole
    variance = spread - mean * len(sizes) / whole
    if variance <= 0:
        return Prior(mean, float("inf"), float("inf"))
    return Prior(mean, mean**2 / variance, mean / variance)


def poisson_interval(count: float) -> tuple[float, float]:
    """The exact 95% interval of the mean of a count (Garwood 1936): chi-squared quantiles of 2x and 2x + 2 degrees, halved."""
    from scipy.stats import chi2

    low = float(chi2.ppf(0.025, 2 * count)) / 2 if count > 0 else 0.0
    return low, float(chi2.ppf(0.975, 2 * count + 2)) / 2


def gamma_interval(shape: float, rate: float) -> tuple[float, float]:
    """The 2.5% and 97.5% quantiles of a Gamma."""
    from scipy.stats import gamma

    low, high = gamma.ppf([0.025, 0.975], shape, scale=1 / rate)
    return float(low), float(high)


def neighborhood_rates(tables: Mapping[str, pa.Table]) -> pa.Table:
    """`marts.mart_neighborhood_equity` of counts: the areas of one city, year and measure share a prior. Rates per 1,000."""
    names = {row["geography_id"]: row["geography_name"] for row in tables["marts.dim_geographies"].to_pylist()}
    rows = sorted(
        tables["marts.fct_neighborhood_counts"].to_pylist(), key=lambda row: (*_group(row), row["geography_id"])
    )
    rated = [row for _, same in groupby(rows, _group) for row in _rated(list(same))]
    return pa.Table.from_pylist(
        [row | {"neighborhood": names[row["geography_id"]], "interval_method": _METHOD} for row in rated], schema=SCHEMA
    )


def _group(row: Mapping[str, Any]) -> tuple[str, int, str]:
    return row["city"], row["fiscal_year"], row["measure"]


def _rated(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of one city, year and measure with their rates."""
    sized = [row for row in rows if row["denominator"]]
    if not sized:
        return [
            row | {"no_rate_reason": f"Not published: no neighborhood has {row['denominator_name']}."} for row in rows
        ]
    prior = prior_of([row["event_count"] for row in sized], [row["denominator"] for row in sized])
    whole = sum(row["denominator"] for row in sized)
    shared = [PER * end / whole for end in poisson_interval(sum(row["event_count"] for row in sized))]
    return [
        row | _rates(row["event_count"], row["denominator"], prior, shared)
        if row["denominator"]
        else row | {"no_rate_reason": f"The neighborhood has no {row['denominator_name']}."}
        for row in rows
    ]


def _rates(count: float, size: int, prior: Prior, shared: Sequence[float]) -> dict[str, Any]:
    """`shared`: the interval of the city's rate, for areas that do not differ."""
    low, high = poisson_interval(count)
    differ = prior.beta != float("inf") and prior.mean > 0
    after = (prior.alpha + count, prior.beta + size)
    shrunk_low, shrunk_high = (PER * end for end in gamma_interval(*after)) if differ else shared
    rates = {
        "raw_rate": PER * count / size,
        "raw_rate_low": PER * low / size,
        "raw_rate_high": PER * high / size,
        "shrunk_rate": PER * (after[0] / after[1] if differ else prior.mean),
        "shrunk_rate_low": shrunk_low,
        "shrunk_rate_high": shrunk_high,
        "own_weight": size / after[1] if differ else 0.0,
        "city_rate": PER * prior.mean,
    }
    return {name: round(value, 6) for name, value in rates.items()}
