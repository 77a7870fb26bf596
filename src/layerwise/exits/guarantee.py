"""choose_with_guarantee: thresholds with a promise, by Learn-then-Test."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

from layerwise.arrays.exits import first_sure
from layerwise.arrays.policies import ExitPolicy
from layerwise.errors import InputError, NotEnoughExamplesError
from layerwise.exits.recorded import RecordedExits
from layerwise.exits.tried import ChosenPolicy, TriedThresholds
from layerwise.seeds import stream

__all__ = ["choose_with_guarantee"]


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
    proof = math.log(risk) / math.log1p(-harm)
    needed = math.ceil(proof) if math.isfinite(proof) else math.inf
    order = stream(seed, "exits", "halves").permutation(len(calibration))
    first, second = np.sort(order[: len(order) // 2]), np.sort(order[len(order) // 2 :])
    if len(second) < needed or not len(first):
        raise NotEnoughExamplesError(
            f"a promise of at most {in_percent(harm)} harm with probability {in_percent(1 - risk)} needs "
            f"{2 * needed:.4g} calibration examples (half to order the thresholds, half to prove them); got "
            f"{len(calibration)}.\n"
            "    Give more, or promise less."
        )
    tried = TriedThresholds(calibration.select(first), policy)
    tests = calibration.select(second)
    confidence, right = tests.confidence(policy), tests.right(policy)
    proven = -1
    for candidate in np.lexsort((-tried.cost, tried.harms)):
        exits = first_sure(confidence, tried.cuts[candidate])
        harmed = int((tests.plain_right & ~right[exits, np.arange(len(tests))]).sum())
        if stats.binom.cdf(harmed, len(tests), harm) > risk:
            break
        if proven < 0 or tried.cost[candidate] < tried.cost[proven]:
            proven = int(candidate)
    if proven < 0:
        raise InputError(
            f"not even the safest thresholds can be proven to harm at most {in_percent(harm)} of the examples.\n"
            "    Promise less, or take a policy without an ensemble."
        )
    promise = (
        f"at most {in_percent(harm)} of new examples are got wrong by leaving early that the whole network gets right, "
        f"with probability {in_percent(1 - risk)}"
    )
    return tried.chosen(proven, calibration, promise)


def in_percent(share: float) -> str:
    """A share in percent, with all its digits: a promise is not rounded up.

    >>> in_percent(0.02), in_percent(0.9), in_percent(1 - 0.004)
    ('2%', '90%', '99.6%')
    """
    return f"{float(f'{100 * share:.12g}')!r}".removesuffix(".0") + "%"
