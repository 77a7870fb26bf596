"""Soft depth: how surely the probes agree, where prediction depth asks only whether; and depth over several runs.

vote_margins         by how many votes the reference class is ahead
vote_entropies       how divided the neighbours are
sure_agreement       how surely the vote would come out the same with other neighbours
soft_depth           prediction depth with that certainty instead of yes and no
survival             the share of examples that are undecided still, tap by tap
depth_over_runs      the mean depth of each example over runs, with its interval
reliability_of_mean  how reliable the mean over so many runs is
runs_needed          how many runs make mean depths reliable
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from scipy.special import entr

from layerwise.errors import InputError, NotEnoughExamplesError, ShapeError

__all__ = [
    "DepthOverRuns",
    "depth_over_runs",
    "reliability_of_mean",
    "runs_needed",
    "soft_depth",
    "sure_agreement",
    "survival",
    "vote_entropies",
    "vote_margins",
]

Counts = NDArray[np.int64]
Values = NDArray[np.float64]


def vote_margins(counts: Counts, reference: NDArray[np.int64]) -> Values:
    """By what share of the votes the reference class is ahead of the best other class; -1 to 1. High is easy.

    Args:
        counts: shape (N, K), votes of each class.
        reference: shape (N,).

    >>> vote_margins(np.array([[7, 2, 1]]), np.array([0])).tolist()
    [0.5]
    """
    own, other = _own_and_best_other(counts, reference)
    margins: Values = (own - other) / counts.sum(axis=1)
    return margins


def vote_entropies(counts: Counts) -> Values:
    """The entropy of the shares of the votes, in nats, 0 to log K: (N, K) → (N,). High is hard.

    >>> vote_entropies(np.array([[5, 5], [10, 0]])).round(4).tolist()
    [0.6931, 0.0]
    """
    entropies: Values = entr(counts / counts.sum(axis=1, keepdims=True)).sum(axis=1)
    return entropies


def sure_agreement(counts: Counts, reference: NDArray[np.int64]) -> Values:
    """The chance that the reference class would be ahead of the best other one if the neighbours were drawn again.

    Votes for the two are taken as multinomial, their difference as normal: 1 where all votes are for the reference
    class, 1/2 where both have as many.

    Args:
        counts: shape (N, K), votes of each class.
        reference: shape (N,).

    Returns:
        Shape (N,), 0 to 1. High is easy.

    Source: layerwise.

    >>> sure_agreement(np.array([[30, 0], [15, 15], [0, 30]]), np.array([0, 0, 0])).tolist()
    [1.0, 0.5, 0.0]
    """
    own, other = _own_and_best_other(counts, reference)
    ahead = own - other
    spread = np.sqrt(np.maximum(own + other - ahead**2 / counts.sum(axis=1), 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        chance = stats.norm.cdf(ahead / spread)
    surely: Values = np.where(spread > 0, chance, 0.5 * (1.0 + np.sign(ahead)))
    return surely


def soft_depth(agreement: Values) -> Values:
    """The sum over taps of how unsure it is that all probes from there on agree; 0 to L. High is hard.

    That all agree is taken to be as sure as the least sure of them. Where every agreement is 0 or 1, it is the
    prediction depth.

    Args:
        agreement: shape (L, N), 0 to 1, such as `sure_agreement` of each tap; taps in order of execution.

    Raises:
        ShapeError: `agreement` is not two-dimensional, or has no tap.

    Source: layerwise; `prediction_depth` with certainties.

    >>> soft_depth(np.array([[0.0], [0.5], [1.0]])).tolist()
    [1.5]
    """
    depth: Values = (1.0 - _from_here_on(agreement)).sum(axis=0)
    return depth


def survival(agreement: Values) -> Values:
    """The share of examples that are undecided at each tap: (L, N) → (L,), never rising.

    >>> survival(np.array([[0.0, 1.0], [1.0, 1.0]])).tolist()
    [0.5, 0.0]
    """
    undecided: Values = (1.0 - _from_here_on(agreement)).mean(axis=1)
    return undecided


@dataclass(frozen=True, eq=False)
class DepthOverRuns:
    """Depths of N examples over R runs.

    Attributes:
        mean: shape (N,).
        low, high: shape (N,), the 95 % interval of the mean (Student, over runs).
        reliability: of one run, 0 to 1: the share of the variance of depths that lies between examples.
        runs: R.
    """

    mean: Values
    low: Values
    high: Values
    reliability: float
    runs: int

    def reliability_of(self, runs: int) -> float:
        """What the mean over so many runs would have."""
        return float(reliability_of_mean(self.reliability, runs))


def depth_over_runs(depths: NDArray[np.number]) -> DepthOverRuns:
    """The mean depth of each example over runs with different seeds, and how far one run can be trusted.

    Args:
        depths: shape (R, N), with R at least 2; hard or soft ones.

    Raises:
        ShapeError: not two-dimensional.
        NotEnoughExamplesError: fewer than two runs or examples.

    Source: the reliability is the intraclass correlation ICC(1, 1) of Shrout and Fleiss (1979).

    >>> depth_over_runs(np.array([[1, 5], [1, 5]])).reliability
    1.0
    """
    values = np.asarray(depths, np.float64)
    if values.ndim != 2:
        raise ShapeError(f"depths need shape (R, N); got {values.shape}.")
    runs, examples = values.shape
    if runs < 2 or examples < 2:
        raise NotEnoughExamplesError(
            f"depth over runs needs at least two runs and two examples; got {runs} and {examples}.\n"
            "    Train the network again with other seeds, and measure the same examples."
        )
    mean = values.mean(axis=0)
    half = stats.t.ppf(0.975, runs - 1) * values.std(axis=0, ddof=1) / np.sqrt(runs)
    between = runs * mean.var(ddof=1)
    within = values.var(axis=0, ddof=1).mean()
    total = between + (runs - 1) * within
    reliability = max((between - within) / total, 0.0) if total > 0 else float("nan")
    return DepthOverRuns(mean, mean - half, mean + half, float(reliability), runs)


def reliability_of_mean(reliability: float, runs: ArrayLike) -> NDArray[np.float64]:
    """How reliable the mean over so many runs is, 0 to 1; of the shape of `runs`.

    Args:
        reliability: of one run, 0 to 1.
        runs: whole numbers of at least 1, of any shape.

    Source: Spearman (1910) and Brown (1910), British Journal of Psychology 3.

    >>> reliability_of_mean(0.5, [1, 2, 9]).round(3).tolist()
    [0.5, 0.667, 0.9]
    """
    count = np.asarray(runs, np.float64)
    reliabilities: NDArray[np.float64] = count * reliability / (1.0 + (count - 1.0) * reliability)
    return reliabilities


def runs_needed(reliability: float, *, of_mean: float = 0.9) -> int | None:
    """How many runs make the mean depth this reliable; None where one run says nothing.

    Args:
        reliability: of one run, 0 to 1.
        of_mean: what the mean is to have, above 0 and below 1.

    Raises:
        InputError: numbers outside these ranges.

    Source: as of `reliability_of_mean`, solved for the number of runs.

    >>> runs_needed(0.5, of_mean=0.9)
    9
    """
    if not (0 <= reliability <= 1 and 0 < of_mean < 1):
        raise InputError(f"reliabilities lie between 0 and 1; got {reliability} and {of_mean}.")
    if reliability == 0:
        return None
    runs = of_mean * (1.0 - reliability) / (reliability * (1.0 - of_mean))
    return max(int(np.ceil(runs - 1e-9)), 1)


def _from_here_on(agreement: Values) -> Values:
    """How sure it is that all probes from a tap on agree, (L, N)."""
    values = np.asarray(agreement, np.float64)
    if values.ndim != 2 or not len(values):
        raise ShapeError(f"agreement needs shape (L, N) with L at least 1; got {values.shape}.")
    least: Values = np.minimum.accumulate(values[::-1], axis=0)[::-1]
    return least


def _own_and_best_other(counts: Counts, reference: NDArray[np.int64]) -> tuple[Counts, Counts]:
    rows = np.arange(len(counts))
    others = counts.copy()
    others[rows, reference] = -1
    return counts[rows, reference], others.max(axis=1)
