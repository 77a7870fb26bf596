"""What is needed: how much of something reaches a level, such as images a class to 90 %, and who needs less of it.

    needed_ratio    how many times as much the one needs as the other
    needed_test     could both as well need as much?

What one needs is where its mean outcome crosses the level, interpolated over the logarithm of the amount. It is the
smallest amount where that is enough, and infinite where the largest is not. A block with a NaN is left out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from layerwise.arrays.blocks import DRAWS, Estimate, expanded_tail, resampled_weights


def needed_ratio(amounts: ArrayLike, first: ArrayLike, second: ArrayLike, level: float, *, seed: int = 0) -> Estimate:
    """How many times as much the first needs as the second, with an interval over resampled blocks.

    Percentiles of the resampled ratios, taken further out for few blocks as those of means are.

    Args:
        amounts: shape (A,), increasing, above 0.
        first, second: shape (R, A); for each block the outcome at each amount.
        level: to be reached.
        seed: draws the resamples.

    Returns:
        Infinite where only the second reaches the level, 0 where only the first does, NaN where neither does.
        Resamples in which neither does may be anything: they widen both ends. One block has no interval.

    >>> round(needed_ratio([10, 100], [[0.8, 1.0]] * 2, [[0.9, 1.0]] * 2, level=0.9).value, 3)
    3.162
    """
    seen, drawn, blocks = _ratios(amounts, first, second, level, seed)
    if blocks < 2:
        return Estimate(seen, float("nan"), float("nan"), blocks)
    tail = int(expanded_tail(blocks) * DRAWS)
    undecided = np.isnan(drawn)
    low = np.sort(np.where(undecided, 0.0, drawn))[tail]
    high = np.sort(np.where(undecided, np.inf, drawn))[-1 - tail]
    return Estimate(seen, float(low), float(high), blocks)


def needed_test(amounts: ArrayLike, first: ArrayLike, second: ArrayLike, level: float, *, seed: int = 0) -> float:
    """How often resampled blocks say that the other one needs more, at two sides, as far out as the interval is.

    Args:
        amounts, first, second, level, seed: as of `needed_ratio`.

    Returns:
        The p value, never below what the signs of as many blocks could give; NaN without a block.

    >>> needed_test([10, 100], [[0.8, 1.0]] * 6, [[0.9, 1.0]] * 6, level=0.9)
    0.03125
    """
    _, drawn, blocks = _ratios(amounts, first, second, level, seed)
    if blocks < 2:
        return 1.0 if blocks else float("nan")
    against = min((~(drawn > 1)).sum(), (~(drawn < 1)).sum())  # both count those in which neither reaches the level
    share = min((1 + int(against)) / (DRAWS + 1), 0.5)
    p = 2 * stats.t.cdf(stats.norm.ppf(share) * np.sqrt((blocks - 1) / blocks), blocks - 1)
    return max(float(p), 2.0 ** (1 - blocks))


def _ratios(
    amounts: ArrayLike, first: ArrayLike, second: ArrayLike, level: float, seed: int
) -> tuple[float, NDArray[np.float64], int]:
    """The ratio that was seen, those of resampled blocks, and the number of blocks."""
    grid = np.asarray(amounts, np.float64)
    table = np.concatenate([np.asarray(first, np.float64), np.asarray(second, np.float64)], axis=1)  # (R, 2A)
    table = table[np.isfinite(table).all(axis=1)]
    if not len(table):
        return float("nan"), np.empty(0), 0
    means = np.vstack([table.mean(axis=0), resampled_weights(len(table), seed) @ table])
    with np.errstate(invalid="ignore"):
        ratios = _crossings(grid, means[:, : len(grid)], level) / _crossings(grid, means[:, len(grid) :], level)
    return float(ratios[0]), ratios[1:], len(table)


def _crossings(amounts: NDArray[np.float64], means: NDArray[np.float64], level: float) -> NDArray[np.float64]:
    """Where each row of means (D, A) crosses the level, shape (D,)."""
    enough = means >= level
    first, rows, logs = enough.argmax(axis=1), np.arange(len(means)), np.log(amounts)
    after = np.clip(first, 1, None).clip(max=len(amounts) - 1)
    below, above = means[rows, after - 1], means[rows, after]
    with np.errstate(divide="ignore", invalid="ignore"):
        between = np.exp(logs[after - 1] + (logs[after] - logs[after - 1]) * (level - below) / (above - below))
    found: NDArray[np.float64] = np.where(first == 0, amounts[0], between)
    return np.where(enough.any(axis=1), found, np.inf)
