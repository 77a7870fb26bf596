"""Statistics over blocks: seeds are replicates, and cells that share a block are compared pair by pair.

    bootstrap_interval     the mean, with an interval over blocks
    sign_flip_test         could the differences as well have the other sign?
    superiority            how often one is ahead of the other
    equivalence_test       is the mean difference surely smaller than a margin?
    fewest_blocks          below how many blocks nothing is decided
    blocks_still_needed    how many blocks would decide
    spending               how much of the error each of several planned looks may use

All take one value for each block; NaN, where a cell failed, leaves its block out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from layerwise.arrays.intervals import mean_interval
from layerwise.errors import InputError
from layerwise.seeds import stream

DRAWS = 4000
EXACT_UP_TO = 14
"""Blocks of which all 2^R sign changes are gone through."""

FEW_BLOCKS = 0.036
"""How much wider an interval is for each block under 10, at most five of them: Student's holds the mean of accuracies
near their ceiling in 91 % only at five blocks. So widened it holds those in 93 %, and normal ones in 97 %."""

FLIPS = 20_000
MOST_BLOCKS = 10_000

Alternative = Literal["two-sided", "greater"]


@dataclass(frozen=True)
class Estimate:
    """A number with its interval, over so many blocks."""

    value: float
    low: float
    high: float
    blocks: int
    level: float = 0.95


def bootstrap_interval(values: ArrayLike, *, level: float = 0.95, seed: int = 0) -> Estimate:
    """The mean of blocks, with a bootstrap interval that is never narrower than Student's.

    Percentiles of resampled means, taken further out for few blocks so that the interval has Student's width where the
    values are normal. Below 10 blocks it is wider (`FEW_BLOCKS`). Where the blocks saw one side only of an outcome with
    two, no interval can know of the other.

    Args:
        values: shape (R,).
        level: the share of such intervals that hold the true mean.
        seed: draws the resamples.

    Source: Hesterberg (2015), The American Statistician 69, section 4.2 (expanded percentiles).

    >>> found = bootstrap_interval([0.9, 0.92, 0.88, 0.91, 0.9])
    >>> round(found.value, 3), round(found.low, 3), round(found.high, 3)
    (0.902, 0.88, 0.924)
    """
    numbers = _finite(values)
    count = len(numbers)
    mean, low, high = mean_interval(numbers, level=level)
    if count >= 2 and np.ptp(numbers) > 0:
        means = _resampled_means(numbers, seed)
        tail = expanded_tail(count, level)
        by_draws = np.quantile(means, [tail, 1 - tail])
        low, high = min(low, float(by_draws[0])), max(high, float(by_draws[1]))
        wider = 1.0 + FEW_BLOCKS * max(0, 10 - max(count, 5))
        low, high = mean - wider * (mean - low), mean + wider * (high - mean)
    return Estimate(mean, low, high, count, level)


def sign_flip_test(
    differences: ArrayLike, *, alternative: Alternative = "two-sided", shift: float = 0.0, seed: int = 0
) -> float:
    """How often a mean as far from `shift` comes up when each difference may as well have the other sign.

    Exact for up to 14 blocks; with more, 20,000 random changes of sign and the one that was seen.

    Args:
        differences: shape (R,).
        alternative: "greater" asks for a mean above `shift` only.
        shift: what the mean is under the null hypothesis.
        seed: draws the signs.

    Returns:
        The p value; NaN without a block.

    Source: Fisher (1935), The Design of Experiments, section 21; Phipson and Smyth (2010) for the random ones.

    >>> sign_flip_test([1.0, 2.0, 3.0])
    0.25
    """
    numbers = _finite(differences) - shift
    count = len(numbers)
    if not count:
        return float("nan")
    exact = count <= EXACT_UP_TO
    if exact:
        signs = 1 - 2 * ((np.arange(2**count)[:, None] >> np.arange(count)) & 1)  # (2^R, R)
    else:
        signs = 1 - 2 * stream(seed, "sign flips").integers(0, 2, (FLIPS, count))
    seen, means = numbers.mean(), signs @ numbers / count
    if alternative == "two-sided":
        seen, means = abs(seen), np.abs(means)
    as_far = int((means >= seen - 1e-12 * max(1.0, abs(seen))).sum())
    return as_far / len(signs) if exact else (as_far + 1) / (len(signs) + 1)


def superiority(first: ArrayLike, second: ArrayLike, *, level: float = 0.95, seed: int = 0) -> Estimate:
    """P(A > B) for two runs drawn at random, ties half, with a bootstrap interval over blocks.

    Args:
        first, second: shape (R,), the same blocks.
        level, seed: of the interval.

    Source: Agarwal and others (2021), "Deep RL at the edge of the statistical precipice", section 4.3.

    >>> superiority([3.0, 4.0], [1.0, 4.0]).value
    0.625
    """
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    kept = np.isfinite(a) & np.isfinite(b)
    a, b = a[kept], b[kept]
    count = len(a)
    if not count:
        return Estimate(float("nan"), float("nan"), float("nan"), 0, level)
    wins = (a[:, None] > b) + 0.5 * (a[:, None] == b)  # (R, R)
    weights = resampled_weights(count, seed)
    drawn = np.einsum("di,ij,dj->d", weights, wins, weights, optimize=True)
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(float(wins.mean()), float(low), float(high), count, level)


def equivalence_test(differences: ArrayLike, margin: float) -> float:
    """The p value of "the mean difference is at least `margin` away from 0": small means equivalent.

    Two one-sided t tests; NaN for fewer than two blocks. One minus it is the p value of "the mean difference is within
    `margin`".

    Args:
        differences: shape (R,).
        margin: the largest difference that does not matter, above 0.

    Raises:
        InputError: `margin` is not above 0.

    Source: Schuirmann (1987), Journal of Pharmacokinetics and Biopharmaceutics 15.

    >>> round(equivalence_test([0.01, -0.01, 0.02, -0.02], margin=0.1), 4)
    0.0008
    """
    if margin <= 0:
        raise InputError(f"margin = {margin}: give the largest difference that does not matter, more than 0.")
    numbers = _finite(differences)
    count = len(numbers)
    if count < 2:
        return float("nan")
    error = numbers.std(ddof=1) / np.sqrt(count)
    if error == 0:
        return 0.0 if abs(numbers.mean()) < margin else 1.0
    return float(stats.t.sf((margin - abs(numbers.mean())) / error, count - 1))


def fewest_blocks(alpha: float, *, claims: int = 1) -> int:
    """Below how many blocks nothing can be decided: where R blocks all agree, sign flips give p = 2 / 2^R.

    Args:
        alpha: the error that is allowed.
        claims: how many claims share it, by Holm.

    >>> fewest_blocks(0.05), fewest_blocks(0.05, claims=4)
    (6, 8)
    """
    return math.ceil(1 + math.log2(claims / alpha))


def blocks_still_needed(
    differences: ArrayLike, *, alpha: float = 0.05, claims: int = 1, power: float = 0.8
) -> int | None:
    """How many blocks in all would show a difference like this one, at two sides.

    From the mean and standard deviation seen, which are uncertain themselves: an order of magnitude.

    Args:
        differences: shape (R,).
        alpha: the error that is allowed.
        claims: how many claims share it; this one is taken to be the first that Holm looks at.
        power: how often so many blocks would show it.

    Returns:
        At least `fewest_blocks`. None if more than 10,000, for a mean of 0, and for fewer than two blocks.

    >>> blocks_still_needed([1.0, 2.0, 0.0, 1.0])
    8
    """
    numbers, fewest = _finite(differences), fewest_blocks(alpha, claims=claims)
    if len(numbers) < 2 or numbers.mean() == 0:
        return None
    spread = numbers.std(ddof=1)
    if spread == 0:
        return fewest
    effect = abs(numbers.mean()) / spread

    def reached(count: int) -> bool:
        critical = stats.t.ppf(1 - alpha / claims / 2, count - 1)
        return bool(stats.nct.sf(critical, count - 1, effect * np.sqrt(count)) >= power)

    low = high = fewest
    while not reached(high):
        if high >= MOST_BLOCKS:
            return None
        low, high = high + 1, min(2 * high, MOST_BLOCKS)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if reached(middle) else (middle + 1, high)
    return high


def spending(looks: ArrayLike, *, alpha: float = 0.05) -> NDArray[np.float64]:
    """What part of `alpha` each planned look may use, so that all of them err at most that often.

    Little at first, as O'Brien and Fleming: most is left for the last. The parts add up to `alpha`, so that the promise
    holds for any test, however the looks hang together.

    Args:
        looks: shape (L,), increasing: after how many blocks one looks; the last one is all of them.
        alpha: the error of all looks together.

    Source: Lan and DeMets (1983), Biometrika 70, the first of their functions.

    >>> [round(float(part), 4) for part in spending([10, 20, 30])]
    [0.0007, 0.0157, 0.0336]
    """
    share = np.asarray(looks, np.float64)
    if share.ndim != 1 or not len(share) or share[0] <= 0 or (np.diff(share) <= 0).any():
        raise InputError(f"looks = {share.tolist()}: give increasing numbers of blocks, such as [10, 20, 30].")
    spent = 2 * stats.norm.sf(stats.norm.isf(alpha / 2) / np.sqrt(share / share[-1]))
    return np.diff(spent, prepend=0.0)


def expanded_tail(count: int, level: float = 0.95) -> float:
    """Which share of resampled means is left out at each end, so that normal blocks give Student's interval.

    Source: Hesterberg (2015), The American Statistician 69, section 4.2.

    >>> [round(expanded_tail(count), 4) for count in (5, 10, 1000)]
    [0.001, 0.0086, 0.0248]
    """
    return float(stats.norm.cdf(np.sqrt(count / (count - 1)) * stats.t.ppf((1 - level) / 2, count - 1)))


def resampled_weights(count: int, seed: int) -> NDArray[np.float64]:
    """How much each of so many blocks weighs in resamples of them, shape (DRAWS, R); each row adds up to 1."""
    rows = _resampled_rows(count, seed)
    places = rows + count * np.arange(DRAWS)[:, None]
    return np.bincount(places.reshape(-1), minlength=DRAWS * count).reshape(DRAWS, count) / count


def _resampled_rows(count: int, seed: int) -> NDArray[np.int64]:
    return stream(seed, "bootstrap").integers(0, count, (DRAWS, count))


def _finite(values: ArrayLike) -> NDArray[np.float64]:
    numbers = np.asarray(values, np.float64).reshape(-1)
    return numbers[np.isfinite(numbers)]


def _resampled_means(numbers: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    means: NDArray[np.float64] = numbers[_resampled_rows(len(numbers), seed)].mean(axis=1)
    return means
