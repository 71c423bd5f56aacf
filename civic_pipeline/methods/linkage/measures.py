"""How good matches are, and how sure sums over uncertain matches are."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

AUTO, PROBABLE, REVIEW = 0.99, 0.80, 0.50
_Z = 1.959964
_DRAWS = 2000
_LOW = 50  # so many draws are below the interval, and as many above
_BINS = 10


@dataclass(frozen=True)
class Judged:
    """The best candidate of a payee: its probability, whether it is the right firm, and whether the payee has a firm at all.

    `probability` is 0 and `is_right` false if the payee has no candidate.
    """

    probability: float
    is_right: bool
    has_firm: bool


@dataclass(frozen=True)
class Measure:
    """`value` is numerator / denominator, or the difference that `name` says; low and high are its 95% interval."""

    name: str
    numerator: float
    denominator: float
    value: float | None
    low: float | None
    high: float | None
    interval_method: str


def band(probability: float) -> str:
    """The band of a match: auto from 0.99, probable from 0.80, review from 0.50, else none."""
    if probability >= AUTO:
        return "auto"
    if probability >= PROBABLE:
        return "probable"
    return "review" if probability >= REVIEW else "none"


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """The 95% interval of a proportion (Wilson 1927)."""
    p, z2 = successes / trials, _Z**2
    center = (p + z2 / (2 * trials)) / (1 + z2 / trials)
    half = _Z * math.sqrt(p * (1 - p) / trials + z2 / (4 * trials**2)) / (1 + z2 / trials)
    return max(0.0, center - half), min(1.0, center + half)


def quality(judged: Sequence[Judged], seed: int) -> list[Measure]:
    """Precision at `auto` and at 0.5, recall at 0.5, and calibration error beyond that of a perfect model."""
    auto = [item for item in judged if item.probability >= AUTO]
    likely = [item for item in judged if item.probability >= REVIEW]
    return [
        _proportion("precision at auto", sum(item.is_right for item in auto), len(auto)),
        _proportion("precision at 0.5", sum(item.is_right for item in likely), len(likely)),
        _proportion("recall at 0.5", sum(item.is_right for item in likely), sum(item.has_firm for item in judged)),
        _calibration([item for item in judged if item.probability > 0], seed),
    ]


def _proportion(name: str, successes: int, trials: int) -> Measure:
    if trials == 0:
        return Measure(name, 0, 0, None, None, None, "Wilson")
    return Measure(name, successes, trials, successes / trials, *wilson(successes, trials), "Wilson")


def _calibration(judged: Sequence[Judged], seed: int) -> Measure:
    """Calibration error in ten bins of probability, minus its mean for outcomes drawn from the probabilities themselves.

    Even a perfect model has an error above zero by chance. The interval is the bootstrap's, over payees.
    """
    import numpy as np

    rng = np.random.default_rng(seed)
    p = np.array([item.probability for item in judged])
    right = np.array([item.is_right for item in judged], dtype=float)
    observed = calibration_error(p, right)
    by_chance = float(np.mean([calibration_error(p, (rng.random(len(p)) < p).astype(float)) for _ in range(500)]))
    samples = (rng.integers(0, len(p), len(p)) for _ in range(500))
    errors = [calibration_error(p[rows], right[rows]) - by_chance for rows in samples]
    low, high = (float(value) for value in np.quantile(errors, (0.025, 0.975)))
    return Measure("calibration error beyond chance", observed, by_chance, observed - by_chance, low, high, "bootstrap")


def calibration_error(p: "NDArray[np.float64]", right: "NDArray[np.float64]") -> float:
    """The mean distance between probability and frequency over ten bins, weighted by their sizes (expected calibration error)."""
    import numpy as np

    bins = np.minimum((p * _BINS).astype(int), _BINS - 1)
    gaps = np.bincount(bins, p - right, _BINS)
    return float(np.abs(gaps).sum() / len(p))


def sum_intervals(
    cells: Sequence[tuple[Sequence[int], Sequence[float]]], probabilities: Sequence[float], seed: int
) -> list[tuple[float, float]]:
    """The 95% interval of each sum of dollars over uncertain matches: a Poisson-binomial distribution with weights.

    A cell is the positions of its payees in `probabilities` and their dollars. Dollars are skewed, so no normal approximation:
    2,000 draws with a fixed seed decide for each payee whether it is the firm, in all cells alike. A payee is the firm in exactly
    its share of the draws (stratified sampling): by chance alone, one large payee would move a bound by a twentieth.
    """
    import numpy as np

    strata = np.tile((np.arange(_DRAWS) + 0.5) / _DRAWS, (len(probabilities), 1))
    drawn = (np.random.default_rng(seed).permuted(strata, axis=1) < np.array(probabilities)[:, None]).astype(float)
    known: dict[tuple[tuple[int, ...], tuple[float, ...]], tuple[float, float]] = {}
    intervals = []
    for positions, dollars in cells:
        cell = tuple(positions), tuple(dollars)  # many cells are alike, such as a year's only quarter
        if cell not in known:
            sums = np.sort(np.array(dollars, dtype=float) @ drawn[list(positions)])
            known[cell] = float(sums[_LOW]), float(sums[-1 - _LOW])
        intervals.append(known[cell])
    return intervals
