"""How likely a label is wrong, and what kind of example it is, from scores that came free with training.

    suspicion             0 to 1 for each example, high for wrong labels
    outvoted              whether the network gave another class more than the label
    kind_probabilities    how well it fits "fine", "mislabelled" and "ambiguous"
    most_likely           a verdict on each

Which scores, and the weights of the kinds, were chosen on faults made on purpose in images that no result reports:
drawn edges, and training images 40,000 to 42,999 of CIFAR-10.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from scipy.stats import norm

from layerwise.arrays.score_catalog import hardness
from layerwise.errors import InputError, NonFiniteError

__all__ = ["KINDS", "kind_probabilities", "most_likely", "outvoted", "suspicion"]

Scores = Mapping[str, NDArray[np.float64]]

RANKED_BY = ("learning_error", "learning_aum")
"""One is bounded and the other is not: where a network learns little the second leads, elsewhere the first."""

TOLD_APART_BY = ("learning_error", "mean_entropy")

KINDS = ("fine", "mislabelled", "ambiguous")

WEIGHTS = np.array([[-1.42, 0.06], [1.34, -0.39], [0.08, 0.33]])
BIASES = np.array([0.62, -0.90, 0.28])
SHARES = np.array([0.9, 0.05, 0.05])
"""How many of each kind are expected, for a verdict on one example."""


def suspicion(scores: Scores) -> NDArray[np.float64]:
    """How suspect each label is among the others: 0 to 1, 1/2 in the middle. High means wrong.

    The mean of two scores, each as far from its mean as its standard deviation, as a share of a normal distribution.

    Args:
        scores: name to values (N,), those of a `DynamicsLog`.

    Raises:
        InputError: a score is missing.
    """
    _check_scores(scores, RANKED_BY)
    standardised = np.stack([_standardised(hardness(name, scores[name])) for name in RANKED_BY])
    share: NDArray[np.float64] = norm.cdf(standardised.mean(axis=0))
    return share


def kind_probabilities(scores: Scores) -> NDArray[np.float64]:
    """How well each example fits "fine", "mislabelled" and "ambiguous": (N, 3), rows sum to 1.

    A multinomial logistic regression on error and entropy, in which the three kinds count alike. A wrong label is one
    that the network misses while it is sure of another; at an ambiguous image it is unsure.

    Args:
        scores: name to values (N,), those of a `DynamicsLog`.

    Raises:
        InputError: a score is missing.
    """
    _check_scores(scores, TOLD_APART_BY)
    standardised = np.stack([_standardised(scores[name]) for name in TOLD_APART_BY], axis=1)
    probabilities: NDArray[np.float64] = softmax(standardised @ WEIGHTS.T + BIASES, axis=1)
    return probabilities


def most_likely(kinds: NDArray[np.float64], outvoted: NDArray[np.bool_]) -> NDArray[np.str_]:
    """What each example most likely is, if most are fine: shape (N,), names of `KINDS`.

    Args:
        kinds: shape (N, 3), from `kind_probabilities`.
        outvoted: shape (N,), whether the network gave another class more than the label; the label of no other can be
            called wrong.
    """
    weighted = kinds * SHARES
    weighted[~outvoted, KINDS.index("mislabelled")] = 0.0
    likely: NDArray[np.str_] = np.array(KINDS)[weighted.argmax(axis=1)]
    return likely


def outvoted(scores: Scores) -> NDArray[np.bool_]:
    """Whether the network gave another class more than the label, on the mean over epochs: shape (N,).

    Raises:
        InputError: a score is missing.
    """
    _check_scores(scores, ("mean_margin",))
    return np.asarray(scores["mean_margin"] < 0)


def _standardised(values: NDArray[np.float64]) -> NDArray[np.float64]:
    spread = values.std()
    return (values - values.mean()) / spread if spread > 0 else np.zeros_like(values)


def _check_scores(scores: Scores, needed: tuple[str, ...]) -> None:
    missing = [name for name in needed if name not in scores]
    if missing:
        raise InputError(
            f"label errors need the scores {', '.join(needed)}; there is no {', '.join(missing)}.\n"
            "    Note them with DynamicsLog, or layerwise train --log-dynamics, of this version of layerwise."
        )
    odd = [name for name in needed if not np.isfinite(scores[name]).all()]
    if odd:
        raise NonFiniteError(f"the scores {', '.join(odd)} hold NaN or infinity.\n    Note the training again.")
