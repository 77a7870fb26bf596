"""Exit policies: who leaves at an exit, given the logits of the exits so far, and with which answer.

- `EntropyBelow`, `MaxProbabilityAbove`, `MarginAbove`: from the exit's own logits.
- `Patience`: from how long the prediction has not changed.
- `LearnedGate`: from a logistic regression on several of these.
- `GeometricEnsemble`: any of them on the mean of the log-probabilities so far, which is then the answer too.

A policy turns logits into one score an example, and compares it with a threshold. It holds no network: the same object
decides on recorded logits (`arrays.exits.simulate`) and routes in a running network, and the two agree because each row
is scored alone.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from layerwise.arrays.scores import entropy, gate_features, log_probabilities, margin, max_probability
from layerwise.errors import InputError, ShapeError

__all__ = [
    "EntropyBelow",
    "ExitPolicy",
    "GeometricEnsemble",
    "LearnedGate",
    "Logits",
    "MarginAbove",
    "MaxProbabilityAbove",
    "Patience",
]

Logits = NDArray[np.floating]
Thresholds = float | Sequence[float] | Sequence[Sequence[float]]
"""One for all exits; one for each exit but the last (E,); or one for each and each predicted class (E, K)."""


class ExitPolicy(ABC):
    """Who leaves at an exit. Everybody leaves at the last one, without being asked."""

    looks_back: ClassVar[bool] = False
    """Whether a score or an answer depends on the exits before."""

    @property
    def leaves_above(self) -> bool:
        """Whether those leave whose score is above the threshold, or those whose score is below."""
        return True

    @property
    @abstractmethod
    def thresholds(self) -> NDArray[np.float64]:
        """Shape (), (E,) or (E, K)."""

    @abstractmethod
    def with_thresholds(self, thresholds: Thresholds) -> Self:
        """The same policy with other thresholds."""

    @abstractmethod
    def scores(self, logits: Logits) -> NDArray[np.float64]:
        """A score of each example at the last of the exits given: (E', B, K) → (B,)."""

    def answer(self, logits: Logits) -> Logits:
        """What those say who leave at the last of the exits given: (E', B, K) → (B, K)."""
        last: Logits = logits[-1]
        return last

    def leaves(self, logits: Logits) -> NDArray[np.bool_]:
        """Whether each example leaves at the last of the exits given: (E', B, K) → (B,)."""
        scores, bound = self.scores(logits), self._bound(logits)
        return scores > bound if self.leaves_above else scores < bound

    def asks(self, exit_index: int) -> bool:
        """Whether the exit's logits matter: not if nobody can leave there, and no later exit looks back."""
        bounds = np.atleast_1d(self.thresholds[exit_index] if self.thresholds.ndim else self.thresholds)
        never = np.inf if self.leaves_above else -np.inf
        return self.looks_back or bool((bounds != never).any())

    def check(self, exits: int, classes: int) -> None:
        """Refuse thresholds that do not fit a network.

        Args:
            exits: E, without the last one.
            classes: K.

        Raises:
            ShapeError: there is another number of them.
        """
        shape = self.thresholds.shape
        if shape not in ((), (exits,), (exits, classes)):
            raise ShapeError(
                f"{type(self).__name__} has thresholds of shape {shape}; the network has {exits} exits before the last "
                f"and {classes} classes.\n"
                f"    Give one threshold, {exits} (one for each exit), or {exits} × {classes} (for each class, too)."
            )

    def _bound(self, logits: Logits) -> NDArray[np.float64]:
        thresholds = self.thresholds
        if not thresholds.ndim:
            return thresholds
        bound: NDArray[np.float64] = thresholds[len(logits) - 1]
        return bound[self.answer(logits).argmax(axis=-1)] if bound.ndim else bound


@dataclass(frozen=True)
class _Thresholded(ExitPolicy):
    """A policy that holds its thresholds itself."""

    threshold: Thresholds

    def __post_init__(self) -> None:
        if np.isnan(self.thresholds).any():
            raise InputError(
                f"{type(self).__name__}: a threshold is NaN. Give numbers, or infinity for never or always."
            )

    @cached_property
    def thresholds(self) -> NDArray[np.float64]:
        """See ExitPolicy."""
        try:
            found = np.array(self.threshold, np.float64)
        except (TypeError, ValueError):
            raise InputError(
                f"{type(self).__name__}: thresholds are one number, one for each exit, or one for each exit and class; "
                f"got {self.threshold!r}."
            ) from None
        found.flags.writeable = False
        return found

    def with_thresholds(self, thresholds: Thresholds) -> Self:
        """See ExitPolicy."""
        return replace(self, threshold=thresholds)


@dataclass(frozen=True)
class EntropyBelow(_Thresholded):
    """Leave when the entropy of the softmax (natural logarithm) is below the threshold.

    Source: Teerapittayanon, McDanel and Kung (2016), "BranchyNet", section III.

    >>> EntropyBelow(0.05).leaves(np.array([[[9.0, 0.0], [1.0, 0.0]]]))
    array([ True, False])
    """

    @property
    def leaves_above(self) -> bool:
        """See ExitPolicy."""
        return False

    def scores(self, logits: Logits) -> NDArray[np.float64]:
        """See ExitPolicy."""
        return entropy(logits[-1])


@dataclass(frozen=True)
class MaxProbabilityAbove(_Thresholded):
    """Leave when the highest probability is above the threshold.

    >>> MaxProbabilityAbove(0.9).leaves(np.array([[[9.0, 0.0], [1.0, 0.0]]]))
    array([ True, False])
    """

    def scores(self, logits: Logits) -> NDArray[np.float64]:
        """See ExitPolicy."""
        return max_probability(logits[-1])


@dataclass(frozen=True)
class MarginAbove(_Thresholded):
    """Leave when the highest probability is further than the threshold above the second.

    >>> MarginAbove(0.9).leaves(np.array([[[9.0, 0.0], [1.0, 0.0]]]))
    array([ True, False])
    """

    def scores(self, logits: Logits) -> NDArray[np.float64]:
        """See ExitPolicy."""
        return margin(logits[-1])


@dataclass(frozen=True)
class Patience(_Thresholded):
    """Leave when more exits in a row than the threshold have given the same class as the exit before them.

    Source: Zhou et al. (2020), "BERT loses patience", section 3.2; their patience t is the threshold t - 1.

    >>> Patience(0).leaves(np.array([[[0.0, 1.0], [1.0, 0.0]], [[0.0, 2.0], [0.0, 1.0]]]))
    array([ True, False])
    """

    looks_back: ClassVar[bool] = True

    def scores(self, logits: Logits) -> NDArray[np.float64]:
        """See ExitPolicy."""
        classes = logits.argmax(axis=-1)  # (E', B)
        same = classes[:-1] == classes[-1]
        # Counted from the last exit backwards, until the first that differs.
        counts: NDArray[np.float64] = np.cumprod(same[::-1], axis=0).sum(axis=0).astype(np.float64)
        return counts


@dataclass(frozen=True)
class LearnedGate(_Thresholded):
    """Leave when a logistic regression finds the exit's answer right with more than the threshold's probability.

    Attributes:
        threshold: see `Thresholds`.
        weights: one row for each exit but the last, of `gate_features`.
        biases: one for each exit but the last.
    """

    weights: tuple[tuple[float, ...], ...] = ()
    biases: tuple[float, ...] = ()
    looks_back: ClassVar[bool] = True

    def scores(self, logits: Logits) -> NDArray[np.float64]:
        """See ExitPolicy."""
        index = len(logits) - 1
        # A product of matrices would round a row differently in another batch.
        odds = (gate_features(logits) * self.weights[index]).sum(axis=-1) + self.biases[index]  # (B,)
        probabilities: NDArray[np.float64] = 1.0 / (1.0 + np.exp(-odds))
        return probabilities

    def check(self, exits: int, classes: int) -> None:
        """See ExitPolicy."""
        super().check(exits, classes)
        if len(self.weights) != exits or len(self.biases) != exits:
            raise ShapeError(
                f"the gate was learned for {len(self.weights)} exits; the network has {exits} before the last.\n"
                "    Learn it on logits of this network."
            )


@dataclass(frozen=True)
class GeometricEnsemble(ExitPolicy):
    """Another policy, asked about the mean of the exits' log-probabilities so far; that mean is also the answer.

    Source: Wołczyk et al. (2021), "Zero time waste", section 3.2, with equal weights.
    """

    inner: ExitPolicy
    looks_back: ClassVar[bool] = True

    @property
    def leaves_above(self) -> bool:
        """See ExitPolicy."""
        return self.inner.leaves_above

    @property
    def thresholds(self) -> NDArray[np.float64]:
        """See ExitPolicy."""
        return self.inner.thresholds

    def with_thresholds(self, thresholds: Thresholds) -> Self:
        """See ExitPolicy."""
        return replace(self, inner=self.inner.with_thresholds(thresholds))

    def scores(self, logits: Logits) -> NDArray[np.float64]:
        """See ExitPolicy."""
        return self.inner.scores(_running_means(logits))

    def answer(self, logits: Logits) -> Logits:
        """See ExitPolicy."""
        mean: Logits = _running_means(logits)[-1]
        return mean

    def check(self, exits: int, classes: int) -> None:
        """See ExitPolicy."""
        self.inner.check(exits, classes)


def _running_means(logits: Logits) -> NDArray[np.float64]:
    """The mean of the log-probabilities of the first 1, 2, … exits: (E', B, K) → (E', B, K)."""
    counts = np.arange(1, len(logits) + 1)[:, None, None]
    means: NDArray[np.float64] = log_probabilities(logits).cumsum(axis=0) / counts
    return means
