"""TriedThresholds: many choices of thresholds, and what each gives on calibration examples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from layerwise.arrays.exits import Worth, best_thresholds, first_sure
from layerwise.arrays.policies import ExitPolicy
from layerwise.exits.evaluation import ExitSummary, evaluate_policy
from layerwise.exits.recorded import RecordedExits

__all__ = ["ChosenPolicy", "TriedThresholds"]

PRICES = np.concatenate([[0.0], np.geomspace(1e-3, 10.0, 60)])
"""Accuracy given for the cost of one whole pass; each leads to one choice of thresholds."""
SINGLE_CUTS = 200


@dataclass(frozen=True, eq=False)
class ChosenPolicy:
    """A policy whose thresholds were chosen, and on which examples.

    Attributes:
        policy: with one threshold for each exit.
        chosen_on: ids of the examples.
        split: theirs.
        on_calibration: what it gives on them; too good, because they chose it.
        promise: in words, if there is one.
    """

    policy: ExitPolicy
    chosen_on: NDArray[np.str_]
    split: str
    on_calibration: ExitSummary
    promise: str = ""


class TriedThresholds:
    """Thresholds that are best for each of PRICES, single ones for all exits, never and always.

    Args:
        calibration: the examples.
        policy: whose thresholds they are.
        costs: shape (E + 1,), by which the best are found, if every head is run; by default MACs.

    Attributes:
        cuts: shape (T, E), bounds of the confidence.
        exits: shape (T, N), where each example leaves.
        accuracy: shape (T,).
        harms: shape (T,), share of the examples that only leaving early gets wrong.
        macs: shape (T,), mean of an image.
        plain: accuracy of the network without exits.
    """

    def __init__(
        self, calibration: RecordedExits, policy: ExitPolicy, *, costs: NDArray[np.floating] | None = None
    ) -> None:
        self._calibration = calibration
        self._policy = policy
        self._confidence, self._right = calibration.confidence(policy), calibration.right(policy)
        self._costs = calibration.costs.with_all_heads.astype(np.float64) if costs is None else costs
        self.cuts = self._candidates()
        self.exits = first_sure(self._confidence, self.cuts)
        right = self._right[self.exits, np.arange(len(calibration))]
        macs = np.stack([calibration.costs.of_exits(self._with(cuts)) for cuts in self.cuts])  # (T, E + 1)
        self.accuracy = right.mean(axis=1)
        self.harms = (calibration.plain_right & ~right).mean(axis=1)
        self.macs = np.take_along_axis(macs, self.exits, axis=1).mean(axis=1)
        self.plain = float(calibration.plain_right.mean())

    def chosen(self, index: int, calibration: RecordedExits, promise: str = "") -> ChosenPolicy:
        """One of the candidates; `calibration` are all examples that had a part in the choice."""
        policy = self.policy(index)
        return ChosenPolicy(policy, calibration.ids, calibration.split, evaluate_policy(calibration, policy), promise)

    def improved(self, index: int, worth: Worth) -> ChosenPolicy:
        """A candidate, or what it becomes when its thresholds are moved to where they are worth most."""
        moved = best_thresholds(self._confidence, self._right, self._costs, worth, start=self.cuts[index])
        used = self._calibration
        policies = [self._with(cuts) for cuts in (moved, self.cuts[index])]
        summaries = [evaluate_policy(used, policy) for policy in policies]
        # Thresholds are moved as if every head ran. One that is closed costs nothing, so the candidate may be better.
        accuracies, macs = (np.array([getattr(one, name) for one in summaries]) for name in ("accuracy", "macs"))
        better = int(worth(accuracies, macs).argmax())
        return ChosenPolicy(policies[better], used.ids, used.split, summaries[better])

    def _candidates(self) -> NDArray[np.float64]:
        exits = len(self._confidence)
        cuts = [np.full(exits, np.inf)]
        for price in PRICES:
            worth = _priced(price / self._costs[-1])
            cuts.append(best_thresholds(self._confidence, self._right, self._costs, worth, start=cuts[-1]))
        single = np.unique(np.quantile(self._confidence, np.linspace(0, 1, SINGLE_CUTS)))[::-1]
        return np.concatenate([cuts, np.repeat(single[:, None], exits, axis=1), np.full((1, exits), -np.inf)])

    def policy(self, index: int) -> ExitPolicy:
        """With the thresholds of one of the candidates."""
        return self._with(self.cuts[index])

    def _with(self, cuts: NDArray[np.float64]) -> ExitPolicy:
        return self._policy.with_thresholds((cuts if self._policy.leaves_above else -cuts).tolist())


def _priced(price: float) -> Worth:
    return lambda accuracy, cost: accuracy - price * cost
