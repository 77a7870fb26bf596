"""Thresholds for a budget, chosen on a calibration split: for an accuracy, for a mean cost, or with a guarantee.

What is chosen on a split looks better there than elsewhere. `evaluate_on` therefore refuses to report on examples on
which the thresholds were chosen.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from layerwise.arrays.exits import Worth, best_thresholds, first_sure
from layerwise.arrays.policies import ExitPolicy
from layerwise.errors import InputError, NotEnoughExamplesError
from layerwise.exits.evaluation import ExitSummary, evaluate_policy
from layerwise.exits.recorded import RecordedExits
from layerwise.seeds import stream

__all__ = ["ChosenPolicy", "choose_for_accuracy", "choose_for_macs", "choose_with_guarantee", "evaluate_on"]

PRICES = np.concatenate([[0.0], np.geomspace(1e-3, 10.0, 60)])
"""Accuracy given for the MACs of one whole pass; each leads to one choice of thresholds."""
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


def choose_for_accuracy(calibration: RecordedExits, policy: ExitPolicy, *, loss: float = 0.0) -> ChosenPolicy:
    """The cheapest thresholds that lose no more accuracy than `loss`, in shares, against the network without exits.

    Args:
        calibration: examples that are not those of the report.
        policy: whose thresholds are chosen, one for each exit.
        loss: 0.005 is half a point of accuracy.

    Raises:
        InputError: `loss` is outside 0 to 1; or no thresholds lose so little, with the least that can be lost.
    """
    if not 0 <= loss <= 1:
        raise InputError(f"loss must be a share of the examples, from 0 to 1; got {loss}.")
    tried = _Tried(calibration, policy)
    meets = tried.accuracy >= tried.plain - loss
    if not meets.any():
        raise InputError(
            f"no thresholds lose at most {loss:.2%} of accuracy; the least that can be lost is "
            f"{tried.plain - tried.accuracy.max():.2%}.\n    Allow that much, or take a policy without an ensemble."
        )
    floor = tried.plain - loss
    return tried.improved(
        int(np.where(meets, tried.macs, np.inf).argmin()),
        lambda accuracy, cost: np.where(accuracy >= floor, -cost, -np.inf),
    )


def choose_for_macs(calibration: RecordedExits, policy: ExitPolicy, *, macs: float) -> ChosenPolicy:
    """The most accurate thresholds that cost no more than `macs` on average, heads included.

    Args and raises: as `choose_for_accuracy`; InputError if no thresholds cost so little, with the least that can be.
    """
    tried = _Tried(calibration, policy)
    if not (tried.macs <= macs).any():
        raise InputError(
            f"no thresholds keep the mean cost within {macs:,.0f} MACs an image; the least is {tried.macs.min():,.0f}, "
            "at which all leave at the first exit.\n    Put an exit earlier, or give a larger budget."
        )
    return tried.improved(
        int(np.where(tried.macs <= macs, tried.accuracy, -np.inf).argmax()),
        lambda accuracy, cost: np.where(cost <= macs, accuracy, -np.inf),
    )


def choose_with_guarantee(
    calibration: RecordedExits, policy: ExitPolicy, *, harm: float = 0.02, risk: float = 0.1, seed: int = 0
) -> ChosenPolicy:
    """The cheapest thresholds with a promise that holds for any network and data of this kind.

    The promise: with probability 1 - `risk` over the calibration examples, at most a share `harm` of new examples that
    the whole network gets right is got wrong by leaving early. Accuracy then falls by no more than that.

    Half of the calibration examples order candidate thresholds from the safest to the boldest. The other half tests
    them in this order by the exact binomial tail, each at level `risk`, and stops at the first that is not proven:
    Learn-then-Test with a fixed sequence, so that no correction for having tested several is due.

    Args:
        calibration: examples drawn like those to come.
        policy: whose thresholds are chosen.
        harm: ε, above 0 and below 1.
        risk: δ, above 0 and below 1.
        seed: of the halves.

    Raises:
        NotEnoughExamplesError: too few to prove anything; says how many are needed.
        InputError: `harm` or `risk` outside 0 to 1; or the promise cannot be kept by any thresholds.

    Source: Angelopoulos, Bates, Candès, Jordan and Lei (2022), "Learn then test", section 2 and appendix on
    fixed-sequence testing.
    """
    if not (0 < harm < 1 and 0 < risk < 1):
        raise InputError(f"harm and risk lie between 0 and 1, such as 0.02 and 0.1; got {harm} and {risk}.")
    needed = math.ceil(math.log(risk) / math.log1p(-harm))
    order = stream(seed, "exits", "halves").permutation(len(calibration))
    first, second = np.sort(order[: len(order) // 2]), np.sort(order[len(order) // 2 :])
    if len(second) < needed or not len(first):
        raise NotEnoughExamplesError(
            f"a promise of at most {harm:.2%} harm with probability {1 - risk:.0%} needs {2 * needed} calibration "
            f"examples (half to order the thresholds, half to prove them); got {len(calibration)}.\n"
            "    Give more, or promise less."
        )
    tried = _Tried(calibration.select(first), policy)
    tests = calibration.select(second)
    confidence, right = tests.confidence(policy), tests.right(policy)
    proven = -1
    for candidate in np.lexsort((-tried.macs, tried.harms)):
        exits = first_sure(confidence, tried.cuts[candidate])
        harmed = int((tests.plain_right & ~right[exits, np.arange(len(tests))]).sum())
        if stats.binom.cdf(harmed, len(tests), harm) > risk:
            break
        if proven < 0 or tried.macs[candidate] < tried.macs[proven]:
            proven = int(candidate)
    if proven < 0:
        raise InputError(
            f"not even the safest thresholds can be proven to harm at most {harm:.2%} of the examples.\n"
            "    Promise less, or take a policy without an ensemble."
        )
    promise = (
        f"at most {harm:.2%} of new examples are got wrong by leaving early that the whole network gets right, "
        f"with probability {1 - risk:.0%}"
    )
    return tried.chosen(proven, calibration, promise)


def evaluate_on(report: RecordedExits, chosen: ChosenPolicy) -> ExitSummary:
    """What chosen thresholds give on examples that did not choose them.

    Raises:
        InputError: some of them did.
    """
    common = np.intersect1d(report.ids, chosen.chosen_on)
    if len(common):
        raise InputError(
            f"{len(common)} of the {len(report)} {report.split} examples are among those on which the thresholds were "
            f'chosen (the first is "{common[0]}"): they would look better than they are.\n'
            "    Choose on another split: hold_out(data, 0.1) gives data.validation."
        )
    return evaluate_policy(report, chosen.policy)


class _Tried:
    """Candidate thresholds, and what they give on the calibration examples: those that are best for each of PRICES,
    single ones for all exits, never and always."""

    def __init__(self, calibration: RecordedExits, policy: ExitPolicy) -> None:
        if not len(calibration):
            raise NotEnoughExamplesError("choosing thresholds needs calibration examples; got none.")
        self._calibration = calibration
        self._policy = policy
        self._confidence, self._right = calibration.confidence(policy), calibration.right(policy)
        self._costs = calibration.costs.with_all_heads.astype(np.float64)
        self.cuts = self._candidates()  # (T, E)
        exits = first_sure(self._confidence, self.cuts)  # (T, N)
        right = self._right[exits, np.arange(len(calibration))]
        costs = np.stack([calibration.costs.of_exits(self._with(cuts)) for cuts in self.cuts])  # (T, E + 1)
        self.accuracy = right.mean(axis=1)
        self.harms = (calibration.plain_right & ~right).mean(axis=1)
        self.macs = np.take_along_axis(costs, exits, axis=1).mean(axis=1)
        self.plain = float(calibration.plain_right.mean())

    def chosen(self, index: int, calibration: RecordedExits, promise: str) -> ChosenPolicy:
        """One of the candidates; `calibration` are all examples that had a part in the choice."""
        policy = self._with(self.cuts[index])
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
        plain = self._calibration.costs.plain
        for price in PRICES:
            worth = _priced(price / plain)
            cuts.append(best_thresholds(self._confidence, self._right, self._costs, worth, start=cuts[-1]))
        single = np.unique(np.quantile(self._confidence, np.linspace(0, 1, SINGLE_CUTS)))[::-1]
        return np.concatenate([cuts, np.repeat(single[:, None], exits, axis=1), np.full((1, exits), -np.inf)])

    def _with(self, cuts: NDArray[np.float64]) -> ExitPolicy:
        return self._policy.with_thresholds((cuts if self._policy.leaves_above else -cuts).tolist())


def _priced(price: float) -> Worth:
    return lambda accuracy, cost: accuracy - price * cost
