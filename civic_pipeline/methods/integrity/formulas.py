"""The statistics of one unit: an agency's payments of one fiscal year, or a city's vendors of one. All random numbers are seeded."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SEED = 20_241_120
BENFORD_DRAWS = 10_000
BOOTSTRAP_DRAWS = 2_000

BIN_DOLLARS = 250


@dataclass(frozen=True)
class Digits:
    """Benford's law for the first digits of amounts, from `first` on: the share of d is log10(1 + 1/d).

    `expected_mad`: mean absolute deviation of n conforming amounts, times the root of n. `bands`: Nigrini's, with their upper bounds,
    and `least_for_bands` the n from which a conforming sample does not fall into the band `nonconforming`.
    """

    first: int
    last: int
    expected_mad: float
    bands: tuple[tuple[float, str], ...]
    least_for_bands: int


FIRST_DIGIT = Digits(1, 9, 0.2349, ((0.006, "close"), (0.012, "acceptable"), (0.015, "marginal")), 1_533)
FIRST_TWO_DIGITS = Digits(10, 99, 0.0794, ((0.0012, "close"), (0.0018, "acceptable"), (0.0022, "marginal")), 4_373)


@dataclass(frozen=True)
class Result:
    """`observed` and `expected` in the unit of the test; `statistic` compares them; `low`, `high`: its 95% interval, if it has one."""

    observed: float
    expected: float
    statistic: float
    p_value: float | None
    low: float | None = None
    high: float | None = None
    band: str | None = None


def benford(counts: Sequence[int], digits: Digits = FIRST_DIGIT) -> Result:
    """First digits against Benford's law. `counts`: one per digit, or pair of digits, of `digits`.

    `statistic` is MAD - E[MAD], with MAD the mean of |share - log10(1 + 1/d)| and E[MAD] = `expected_mad` / sqrt(n), that of a
    conforming sample. p: the share of 10,000 simulated conforming samples of n with at least this MAD.
    """
    import numpy as np

    law = np.log10(1 + 1 / np.arange(digits.first, digits.last + 1))
    total = sum(counts)
    mad = float(np.abs(np.array(counts) / total - law).mean())
    draws = np.random.default_rng(SEED).multinomial(total, law / law.sum(), size=BENFORD_DRAWS)
    simulated = np.abs(draws / total - law).mean(axis=1)
    expected = digits.expected_mad / total**0.5
    has_band = total >= digits.least_for_bands
    band = next((name for bound, name in digits.bands if mad <= bound), "nonconforming") if has_band else None
    return Result(mad, expected, mad - expected, _share_as_extreme(simulated, mad), band=band)


def bunching(counts: "NDArray[np.int64]", threshold: float) -> Result | None:
    """Payments in [0.9 T, T) against a polynomial of degree 4 through the other bins of $250 in [0.5 T, 1.5 T).

    `counts`: one per bin. `statistic` is observed / fitted - 1. p: the share of 2,000 samples drawn from the fitted counts (Poisson),
    each fitted again, with at least this excess. None if the fit is not positive below the threshold.
    """
    import numpy as np

    starts = 0.5 * threshold + BIN_DOLLARS * np.arange(len(counts))
    below = (starts >= 0.9 * threshold) & (starts < threshold)
    x = (starts - threshold) / (0.5 * threshold)
    powers = np.vander(x, 5)
    fit = powers @ np.linalg.pinv(powers[~below])  # bins outside -> fitted counts of all bins
    fitted = fit @ counts[~below]
    expected = float(fitted[below].sum())
    if expected <= 0:
        return None
    observed = float(counts[below].sum())
    draws = np.random.default_rng(SEED).poisson(np.clip(fitted, 0, None), size=(BOOTSTRAP_DRAWS, len(counts)))
    again = (draws[:, ~below] @ fit.T)[:, below].sum(axis=1)
    drawn = draws[:, below].sum(axis=1)
    excess = np.where(again > 0, drawn / np.where(again > 0, again, 1) - 1, np.inf)
    statistic = observed / expected - 1
    return Result(observed, expected, statistic, _share_as_extreme(excess, statistic))


def year_end(last_month: float, other_months: Sequence[float]) -> Result:
    """The last month of a fiscal year against its other complete months; `statistic` is its ratio to their mean.

    The interval resamples the other months in circular blocks of three (2,000 draws). p: Student's t of the last month as one more
    draw of the others, in logarithms: t = (log last - mean log) / (s sqrt(1 + 1/m)), m - 1 degrees of freedom, one-sided.
    """
    import numpy as np
    from scipy import stats

    others = np.array(other_months, dtype=float)
    mean = float(others.mean())
    starts = np.random.default_rng(SEED).integers(0, len(others), size=(BOOTSTRAP_DRAWS, -(-len(others) // 3)))
    places = (starts[:, :, None] + np.arange(3)) % len(others)
    means = others[places.reshape(BOOTSTRAP_DRAWS, -1)[:, : len(others)]].mean(axis=1)
    low, high = np.quantile(last_month / means, [0.025, 0.975])
    logs = np.log(others)
    spread = float(logs.std(ddof=1)) * (1 + 1 / len(others)) ** 0.5
    p_value = float(stats.t.sf((np.log(last_month) - logs.mean()) / spread, len(others) - 1)) if spread else None
    return Result(last_month, mean, last_month / mean, p_value, float(low), float(high))


def upper_fence(counts: Sequence[int]) -> float:
    """Q3 + 1.5 (Q3 - Q1), Tukey's fence, from which on a count stands out; Q3 + 1 if Q1 is Q3, where most counts are the fence."""
    import numpy as np

    first, third = np.quantile(np.array(counts, dtype=float), [0.25, 0.75])
    return float(third + (1.5 * (third - first) if third > first else 1))


def _share_as_extreme(simulated: "NDArray[np.float64]", observed: float) -> float:
    """The share of draws at least as large as `observed`, which counts as one of them, so that it is never zero."""
    return float((1 + (simulated >= observed - 1e-12).sum()) / (1 + len(simulated)))
