"""Single rows of few classes, scored and decided without numpy.

Each call of numpy takes some microseconds, for which an image alone would wait at every exit; ten exponentials, one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from layerwise.arrays.policies import EntropyBelow, ExitPolicy, MarginAbove, MaxProbabilityAbove
from layerwise.arrays.scores import LOWEST

__all__ = ["RowRule", "row_entropy", "row_margin", "row_max_probability", "row_rule"]

RowRule = Callable[[Sequence[float]], bool | None]
"""Whether a row of logits (K,) leaves; None where `ExitPolicy.leaves` has to tell."""

_FEW_CLASSES = range(2, 33)
"""From about 60 on numpy is as fast."""

_ROUNDING = 1e-9
"""Far more than what a score differs from that of `arrays.scores`: further from the threshold, both are on one side."""


def row_rule(policy: ExitPolicy, exit_index: int, classes: int) -> RowRule | None:
    """How a row is decided at an exit, as `policy.leaves` decides it, or not at all.

    It is left to `policy.leaves` when it is too close to the threshold, or has NaN or infinity.

    Args:
        policy: who leaves.
        exit_index: of the exit.
        classes: K.

    Returns:
        None for more than 32 classes, and for a policy that looks at more than the exit's own logits.

    >>> rule = row_rule(EntropyBelow(0.05), 0, classes=2)
    >>> rule([9.0, 0.0]), rule([1.0, 0.0]), rule([math.nan, 0.0])
    (True, False, None)
    """
    score, thresholds = _SCORES.get(type(policy)), policy.thresholds
    if score is None or classes not in _FEW_CLASSES or thresholds.ndim > 1:
        return None
    bound = float(thresholds[exit_index] if thresholds.ndim else thresholds)
    leaves_above = policy.leaves_above

    def leaves(row: Sequence[float]) -> bool | None:
        distance = score(row) - bound
        return (distance > 0) == leaves_above if abs(distance) > _ROUNDING and math.isfinite(sum(row)) else None

    return leaves


def row_entropy(logits: Sequence[float]) -> float:
    """The entropy (natural logarithm) of one row's softmax, logits (K,).

    >>> round(row_entropy([0.0] * 4), 4)
    1.3863
    """
    highest = max(logits)
    total = mean = 0.0
    for logit in logits:
        shifted = logit - highest
        weight = math.exp(shifted)
        total += weight
        mean += weight * max(shifted, LOWEST)
    return math.log(total) - mean / total


def row_max_probability(logits: Sequence[float]) -> float:
    """The highest probability of one row's softmax, logits (K,).

    >>> round(row_max_probability([0.0, math.log(3.0)]), 12)
    0.75
    """
    highest = max(logits)
    return 1.0 / sum([math.exp(logit - highest) for logit in logits])


def row_margin(logits: Sequence[float]) -> float:
    """The highest probability of one row's softmax less the second, logits (K,).

    >>> round(row_margin([0.0, math.log(3.0)]), 12)
    0.5
    """
    highest, second = max(logits), sorted(logits)[-2]
    return (1.0 - math.exp(second - highest)) / sum([math.exp(logit - highest) for logit in logits])


_SCORES: dict[type[ExitPolicy], Callable[[Sequence[float]], float]] = {
    EntropyBelow: row_entropy,
    MaxProbabilityAbove: row_max_probability,
    MarginAbove: row_margin,
}
