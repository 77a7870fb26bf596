"""Intervals that stand beside a number: Wilson for shares, Student for means, Fisher for ranks; and Holm for many."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from layerwise.errors import InputError


def wilson_interval(
    successes: ArrayLike, totals: ArrayLike, *, level: float = 0.95
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Wilson's score interval of a share: never outside 0 to 1, and honest at 0 and at 1.

    Args:
        successes: any shape; whole numbers, 0 to `totals`.
        totals: the same shape, or one that broadcasts to it.
        level: the share of such intervals that hold the true value.

    Returns:
        The low and the high end, each of the broadcast shape; 0 and 1 where the total is 0, for nothing is known there.

    Raises:
        InputError: a count is negative, or there are more successes than trials.

    Source: Wilson (1927), Journal of the American Statistical Association 22, equation 4.

    >>> low, high = wilson_interval(9, 10)
    >>> round(float(low), 3), round(float(high), 3)
    (0.596, 0.982)
    """
    right, total = np.broadcast_arrays(np.asarray(successes, np.float64), np.asarray(totals, np.float64))
    if (right < 0).any() or (right > total).any():
        raise InputError("successes must be at least 0 and at most the number of trials. Check the order of arguments.")
    z = _normal_quantile(level)
    some = np.maximum(total, 1.0)
    share = right / some
    center = (share + z**2 / (2 * some)) / (1 + z**2 / some)
    half = z / (1 + z**2 / some) * np.sqrt(share * (1 - share) / some + z**2 / (4 * some**2))
    low = np.where((right == 0) | (total == 0), 0.0, center - half)
    high = np.where((right == total) | (total == 0), 1.0, center + half)
    return low, high


def mean_interval(
    values: ArrayLike, *, level: float = 0.95, least: float = -np.inf, most: float = np.inf
) -> tuple[float, float, float]:
    """The mean with Student's interval; the interval is NaN for fewer than two values, and the mean too for none.

    Args:
        values: of any shape.
        level: the share of such intervals that hold the true mean.
        least, most: what a mean can be at all; the interval ends there.

    >>> [round(number, 3) for number in mean_interval([1.0, 2.0, 3.0])]
    [2.0, -0.484, 4.484]
    """
    numbers = np.asarray(values, np.float64)
    count = numbers.size
    mean = float(numbers.mean()) if count else float("nan")
    if count < 2:
        return mean, float("nan"), float("nan")
    half = float(stats.t.ppf(0.5 + level / 2, count - 1)) * float(numbers.std(ddof=1)) / count**0.5
    return mean, float(max(mean - half, least)), float(min(mean + half, most))


def spearman_interval(rho: float, count: int, *, level: float = 0.95) -> tuple[float, float]:
    """The interval of a rank correlation by Fisher's transform, with the variance (1 + rho² / 2) / (N - 3).

    NaN for fewer than four pairs. At rho = ±1 the interval is that point.

    Source: Bonett and Wright (2000), Psychometrika 65, section 3.

    >>> low, high = spearman_interval(0.5, 103)
    >>> round(low, 3), round(high, 3)
    (0.329, 0.639)
    """
    if count < 4 or np.isnan(rho):
        return float("nan"), float("nan")
    if abs(rho) >= 1.0:
        return float(rho), float(rho)
    half = _normal_quantile(level) * np.sqrt((1 + rho**2 / 2) / (count - 3))
    center = np.arctanh(rho)
    return float(np.tanh(center - half)), float(np.tanh(center + half))


def rank_correlation(first: ArrayLike, second: ArrayLike, *, level: float = 0.95) -> tuple[float, float, float]:
    """Spearman's rank correlation of two scores of N examples, and the ends of its interval.

    NaN, all three, where there are fewer than two examples, or all values of one score are equal: there is no rank.

    >>> rho, low, high = rank_correlation([1, 2, 3, 4], [1, 2, 2, 2])
    >>> round(rho, 3)
    0.775
    """
    one, other = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if len(one) < 2 or np.ptp(one) == 0 or np.ptp(other) == 0:
        return float("nan"), float("nan"), float("nan")
    rho = float(np.asarray(stats.spearmanr(one, other).statistic))
    return rho, *spearman_interval(rho, len(one), level=level)


def holm_adjusted(p_values: ArrayLike) -> NDArray[np.float64]:
    """P values adjusted for having asked several questions; NaN stays NaN and does not count as a question.

    Source: Holm (1979), Scandinavian Journal of Statistics 6.

    >>> [round(float(p), 2) for p in holm_adjusted([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    given = np.asarray(p_values, np.float64)
    adjusted = np.full(given.shape, np.nan)
    asked = np.flatnonzero(~np.isnan(given))
    by_size = asked[np.argsort(given[asked], kind="stable")]
    stepped = given[by_size] * np.arange(len(asked), 0, -1)
    adjusted[by_size] = np.minimum(np.maximum.accumulate(stepped), 1.0)
    return adjusted


def _normal_quantile(level: float) -> float:
    if not 0.0 < level < 1.0:
        raise InputError(f"level = {level}: an interval's level lies between 0 and 1, such as 0.95.")
    return float(stats.norm.ppf(0.5 + level / 2))
