"""TriedThresholds: many choices of thresholds, and what each gives on calibration examples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from layerwise.arrays.exits import Worth, best_thresholds, first_sure
from layerwise.arrays.policies import ExitPolicy
from layerwise.exits.evaluation import ExitSummary, evaluate_policy
from layerwise.exits.prices import InMacs, Price
from layerwise.exits.recorded import RecordedExits

__all__ = ["ChosenPolicy", "TriedThresholds"]

RATES = np.concatenate([[0.0], np.geomspace(1e-3, 10.0, 60)])
"""Accuracy given for what one whole pass costs; each leads to one choice of thresholds."""
SINGLE_CUTS = 200
_GAIN = 1e-9
"""In shares; less is rounding."""


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
    """Thresholds that are best at each of RATES, single ones for all exits, never, always, and always at one exit.

    Those that cost least are among them.

    Args:
        calibration: the examples.
        policy: whose thresholds they are.
        price: of an image; by default MACs.

    Attributes:
        cuts: shape (T, E), bounds of the confidence.
        exits: shape (T, N), where each example leaves.
        accuracy: shape (T,).
        harms: shape (T,), share of the examples that only leaving early gets wrong.
        cost: shape (T,), mean of an image, in the unit of `price`.
        plain: accuracy of the network without exits.
    """

    def __init__(self, calibration: RecordedExits, policy: ExitPolicy, *, price: Price | None = None) -> None:
        self._calibration = calibration
        self._policy = policy
        self._price = InMacs(calibration.costs) if price is None else price
        self._confidence, self._right = calibration.confidence(policy), calibration.right(policy)
        self.cuts = self._candidates()
        self.exits = first_sure(self._confidence, self.cuts)
        right = self._right[self.exits, np.arange(len(calibration))]
        self.accuracy = right.mean(axis=1)
        self.harms = (calibration.plain_right & ~right).mean(axis=1)
        self.cost = np.array(
            [self._price.mean(self._with(cuts), exits) for cuts, exits in zip(self.cuts, self.exits, strict=True)]
        )
        self.plain = float(calibration.plain_right.mean())

    def chosen(self, index: int, calibration: RecordedExits, promise: str = "") -> ChosenPolicy:
        """One of the candidates; `calibration` are all examples that had a part in the choice."""
        policy = self._with(self.cuts[index])
        return ChosenPolicy(policy, calibration.ids, calibration.split, evaluate_policy(calibration, policy), promise)

    def best(self, worth: Worth) -> ChosenPolicy:
        """What is worth most when thresholds are moved, exits closed and others opened, until nothing is worth more.

        Each round moves the thresholds of the exits that are open, of those and any other one, of those but any one,
        and of all, and goes on with the best. A closed exit saves its head. One search starts from the best candidate
        with thresholds of their own, another from the best with a single one.
        """
        worths = worth(self.accuracy, self.cost)
        starts = [part[np.argmax(worths[part])] for part in np.split(np.arange(len(worths)), [1 + len(RATES)])]
        found = [self._improved(self.cuts[start], worth) for start in starts]
        policy = self._with(found[int(np.argmax([self._worth(cuts, worth) for cuts in found]))])
        used = self._calibration
        return ChosenPolicy(policy, used.ids, used.split, evaluate_policy(used, policy))

    def _improved(self, cuts: NDArray[np.float64], worth: Worth) -> NDArray[np.float64]:
        """See `best`."""
        best = self._worth(cuts, worth)
        while True:
            tried = [self._moved(cuts, is_open, worth) for is_open in self._open_sets(cuts)]
            worths = [self._worth(one, worth) for one in tried]
            place = int(np.argmax(worths))
            if not worths[place] > best + _GAIN * abs(best):
                return cuts
            cuts, best = tried[place], worths[place]

    def _open_sets(self, cuts: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which exits to try to leave open, (S, E)."""
        everything = np.ones((1, len(cuts)), bool)
        if self._policy.looks_back:  # then every head is run all the same
            return everything
        now = cuts < np.inf
        return np.concatenate([everything, now[None], now ^ np.eye(len(cuts), dtype=bool)])

    def _moved(self, start: NDArray[np.float64], is_open: NDArray[np.bool_], worth: Worth) -> NDArray[np.float64]:
        """Thresholds of the open exits moved to where they are worth most, from `start` (E,)."""
        start = np.where(is_open, start, np.inf)
        asks = self._with(np.where(is_open, 0.0, np.inf))
        exits = first_sure(self._confidence, start)
        # Times do not add up. Here they are taken to, so that at the start they have the right sum.
        costs = self._price.by_exit(asks)
        if added := costs[exits].mean():
            costs *= self._price.mean(asks, exits) / added
        confidence = np.where(is_open[:, None], self._confidence, -np.inf)
        return best_thresholds(confidence, self._right, costs, worth, start=start)

    def _worth(self, cuts: NDArray[np.float64], worth: Worth) -> float:
        exits = first_sure(self._confidence, cuts)
        accuracy = self._right[exits, np.arange(len(exits))].mean()
        cost = self._price.mean(self._with(cuts), exits)
        return float(worth(np.array([accuracy]), np.array([cost]))[0])

    def _candidates(self) -> NDArray[np.float64]:
        exits = len(self._confidence)
        costs = self._price.by_exit(self._with(np.zeros(exits)))
        cuts = [np.full(exits, np.inf)]
        for rate in RATES:
            worth = _at_rate(rate / costs[-1])
            cuts.append(best_thresholds(self._confidence, self._right, costs, worth, start=cuts[-1]))
        single = np.unique(np.quantile(self._confidence, np.linspace(0, 1, SINGLE_CUTS)))[::-1]
        one_alone = np.where(np.eye(exits, dtype=bool), -np.inf, np.inf)
        always = np.full((1, exits), -np.inf)
        return np.concatenate([cuts, np.repeat(single[:, None], exits, axis=1), one_alone, always])

    def _with(self, cuts: NDArray[np.float64]) -> ExitPolicy:
        """The policy with these bounds of the confidence as thresholds."""
        return self._policy.with_thresholds((cuts if self._policy.leaves_above else -cuts).tolist())


def _at_rate(rate: float) -> Worth:
    return lambda accuracy, cost: accuracy - rate * cost
