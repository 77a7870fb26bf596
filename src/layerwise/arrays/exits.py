"""Early exit on recorded answers: where each example leaves, two oracles, and the best thresholds for a price.

`simulate` asks a policy, as a running network does. All else is about three arrays: how sure each exit is of each
example, whether it is right, and what it costs.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from layerwise.arrays.policies import ExitPolicy, Logits
from layerwise.errors import ShapeError

Worth = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]
"""From mean accuracies and mean costs, (T,) each, to how much they are worth."""

_BETTER = 1e-12

__all__ = ["best_thresholds", "first_agreeing", "first_right", "first_sure", "simulate"]


def simulate(policy: ExitPolicy, logits: Logits) -> tuple[NDArray[np.int64], Logits]:
    """Where each example leaves, and with which answer, from the logits of all exits.

    Args:
        policy: decides.
        logits: shape (E + 1, N, K); the last exit is the network's own output.

    Returns:
        The exits (N,), 0 to E, and the answers (N, K).

    Raises:
        ShapeError: not three-dimensional, or the policy has thresholds for another number of exits or classes.

    >>> from layerwise.arrays.policies import MaxProbabilityAbove
    >>> exits, answers = simulate(MaxProbabilityAbove(0.9), np.array([[[9.0, 0.0], [1.0, 0.0]], [[2.0, 0.0]] * 2]))
    >>> exits, answers[:, 0]
    (array([0, 1]), array([9., 2.]))
    """
    if logits.ndim != 3 or not len(logits):
        raise ShapeError(f"logits must have the shape (E + 1, N, K); got {logits.shape}.")
    last = len(logits) - 1
    policy.check(last, logits.shape[-1])
    exits = np.full(logits.shape[1], last)
    answers = np.array(policy.answer(logits))
    waiting = np.ones(logits.shape[1], bool)
    for index in range(last):
        if not policy.asks(index):
            continue
        leaving = waiting & policy.leaves(logits[: index + 1])
        exits[leaving] = index
        answers[leaving] = policy.answer(logits[: index + 1])[leaving]
        waiting &= ~leaving
    return exits, answers


def first_right(predictions: NDArray[np.integer], labels: NDArray[np.integer]) -> NDArray[np.int64]:
    """The first exit that gives the label; the last where none does: an oracle that no policy can beat in accuracy.

    Args:
        predictions: shape (E + 1, N), classes.
        labels: shape (N,).

    Returns:
        Shape (N,), 0 to E.

    Raises:
        ShapeError: other shapes.

    >>> first_right(np.array([[0, 1, 1], [0, 0, 1]]), np.array([0, 0, 0]))
    array([0, 1, 1])
    """
    if predictions.ndim != 2 or labels.shape != predictions.shape[1:]:
        raise ShapeError(f"predictions (E + 1, N) and labels (N,) needed; got {predictions.shape} and {labels.shape}.")
    return _first(predictions == labels)


def first_agreeing(predictions: NDArray[np.integer]) -> NDArray[np.int64]:
    """The first exit that gives what the last one gives: the network's own answers at the least cost.

    >>> first_agreeing(np.array([[0, 1], [0, 0], [0, 1]]))
    array([0, 0])
    """
    return _first(predictions == predictions[-1])


def first_sure(confidence: NDArray[np.floating], thresholds: NDArray[np.floating]) -> NDArray[np.int64]:
    """The first exit that is surer than its threshold; the last where none is.

    Args:
        confidence: shape (E, N), of each exit but the last.
        thresholds: shape (E,), or (T, E) for T choices of them.

    Returns:
        Shape (N,), or (T, N); 0 to E.

    >>> first_sure(np.array([[0.9, 0.2], [0.5, 0.6]]), np.array([0.8, 0.5]))
    array([0, 1])
    """
    exits = np.full((*thresholds.shape[:-1], confidence.shape[1]), len(confidence))
    # From the last exit backwards, so that the first one has the last word and only (T, N) is held.
    for index in reversed(range(len(confidence))):
        exits[confidence[index] > thresholds[..., index, None]] = index
    return exits


def best_thresholds(
    confidence: NDArray[np.floating],
    right: NDArray[np.bool_],
    costs: NDArray[np.floating],
    worth: Worth,
    *,
    start: NDArray[np.floating] | None = None,
) -> NDArray[np.float64]:
    """Thresholds, one for each exit, of which mean accuracy and mean cost are worth most.

    One threshold at a time is moved to its best place with the others where they are, which a sort finds exactly, from
    the last exit to the first and again, until nothing improves. Each step is exact, the end a local optimum.

    Args:
        confidence: shape (E, N), of each exit but the last; higher is surer.
        right: shape (E + 1, N), whether each exit's answer is right.
        costs: shape (E + 1,), of an example that leaves at each exit.
        worth: of mean accuracies and mean costs, (T,) each; -inf where they will not do.
        start: shape (E,), from where to begin; by default nobody leaves early.

    Returns:
        Shape (E,); infinite where nobody should leave.

    >>> confidence, right = np.array([[0.9, 0.8, 0.3]]), np.array([[True, True, False], [True, True, True]])
    >>> best_thresholds(confidence, right, np.array([1.0, 2.0]), lambda accuracy, cost: accuracy - 0.1 * cost).round(2)
    array([0.55])
    """
    thresholds = np.full(len(confidence), np.inf) if start is None else start.astype(np.float64)
    best = -np.inf  # what is there already is among the cuts
    while True:
        before = best
        for index in reversed(range(len(confidence))):
            cuts, accuracy, cost = _cuts_of(index, confidence, right, costs, thresholds)
            worths = worth(accuracy, cost)
            chosen = int(worths.argmax())
            if worths[chosen] > best + _BETTER:
                best, thresholds[index] = float(worths[chosen]), cuts[chosen]
        if best <= before:
            return thresholds


def _cuts_of(
    index: int,
    confidence: NDArray[np.floating],
    right: NDArray[np.bool_],
    costs: NDArray[np.floating],
    thresholds: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """All thresholds of one exit that differ in who leaves there, with mean accuracy and mean cost: (T,) each."""
    count = confidence.shape[1]
    columns = np.arange(count)
    without = thresholds.copy()
    without[index] = np.inf
    exits = first_sure(confidence, without)
    arrived = np.flatnonzero(exits > index)
    order = arrived[np.argsort(-confidence[index, arrived], kind="stable")]
    sure = np.concatenate([[np.inf], confidence[index, order], [-np.inf]])
    # Equally sure examples leave together: the cut is below the last of them. The first cut lets nobody leave.
    ends = np.flatnonzero(sure[:-1] != sure[1:])
    stays_right = right[exits, columns]
    gains = np.cumsum(right[index, order].astype(np.int64) - stays_right[order])
    savings = np.cumsum(costs[index] - costs[exits[order]])
    accuracy = (stays_right.sum() + np.concatenate([[0], gains])[ends]) / count
    cost = (costs[exits].sum() + np.concatenate([[0.0], savings])[ends]) / count
    return _between(sure[ends], sure[ends + 1]), accuracy, cost


def _between(above: NDArray[np.floating], below: NDArray[np.floating]) -> NDArray[np.float64]:
    """Thresholds that those above pass and those below do not; infinite at the ends."""
    # Half first: the sum of two large numbers may be infinite. Neighbouring numbers have nothing between them.
    finite = np.isfinite(above)
    middle = np.where(finite, above, 0) / 2 + below / 2
    return np.where(finite, np.where(middle < above, middle, below), np.inf)


def _first(holds: NDArray[np.bool_]) -> NDArray[np.int64]:
    return np.where(holds.any(axis=0), holds.argmax(axis=0), len(holds) - 1)
