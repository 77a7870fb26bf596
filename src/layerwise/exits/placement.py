"""Where to put exits: heads are trained at all candidates once, and the best subset is found on recorded logits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from layerwise.arrays.placement import subset_outcomes
from layerwise.arrays.policies import ExitPolicy
from layerwise.errors import InputError
from layerwise.exits.recorded import RecordedExits

__all__ = ["Placement", "best_placement"]

THRESHOLDS = 100


@dataclass(frozen=True)
class Placement:
    """The exits that are worth having, on the calibration examples.

    Attributes:
        names: of the exits before the last.
        policy: with one threshold for these, and an infinite one for the other candidates.
        accuracy: of the calibration examples; too good, because they chose it.
        macs: mean of an image, heads included.
    """

    names: tuple[str, ...]
    policy: ExitPolicy
    accuracy: float
    macs: float


def best_placement(
    calibration: RecordedExits, policy: ExitPolicy, *, loss: float, max_exits: int | None = None
) -> Placement:
    """The cheapest subset of the candidates, and one threshold for it, that lose no more accuracy than `loss`.

    Every subset is tried at every threshold; among these the answer is exact. Thresholds for each exit can be chosen
    afterwards on a network with just these exits (`choose_for_accuracy`).

    Args:
        calibration: the logits of all candidates.
        policy: one that does not look back, since an exit that is left out gives it nothing to look back at.
        loss: accuracy that may be lost against the network without exits, as a share.
        max_exits: the most exits before the last; None for as many as are worth it.

    Raises:
        InputError: the policy looks back, there are too many candidates, `loss` is outside 0 to 1, or `max_exits` is
            below 1.
    """
    if policy.looks_back:
        raise InputError(
            f"{type(policy).__name__} looks back at earlier exits, so subsets cannot be tried on recorded logits.\n"
            "    Choose exits with EntropyBelow, MaxProbabilityAbove or MarginAbove."
        )
    if not 0 <= loss <= 1 or (max_exits is not None and max_exits < 1):
        raise InputError(f"loss lies between 0 and 1 and max_exits is 1 or more; got {loss} and {max_exits}.")
    confidence, right = calibration.confidence(policy), calibration.right(policy)
    exits = len(confidence)
    allowed = _sizes(exits) <= (exits if max_exits is None else max_exits)  # (2 ** E,)
    floor = float(calibration.plain_right.mean()) - loss
    # Leaving never is always among the choices, and always meets the floor.
    best = (float(calibration.costs.plain), float(calibration.plain_right.mean()), 0, np.inf)
    for cut in np.unique(np.quantile(confidence, np.linspace(0, 1, THRESHOLDS), method="lower")):
        accuracies, costs = subset_outcomes(confidence > cut, right, calibration.costs.network, calibration.costs.heads)
        fits = np.where(allowed & (accuracies >= floor), costs, np.inf)
        cheapest = int(fits.argmin())
        if fits[cheapest] < best[0]:
            best = (float(costs[cheapest]), float(accuracies[cheapest]), cheapest, float(cut))
    macs, accuracy, subset, cut = best
    chosen = [bool(subset >> index & 1) for index in range(exits)]
    cuts = np.where(chosen, cut, np.inf)
    return Placement(
        names=tuple(name for name, is_in in zip(calibration.names, chosen, strict=False) if is_in),
        policy=policy.with_thresholds((cuts if policy.leaves_above else -cuts).tolist()),
        accuracy=accuracy,
        macs=macs,
    )


def _sizes(exits: int) -> NDArray[np.int64]:
    """How many exits each subset has, (2 ** E,)."""
    subsets = np.arange(1 << exits)
    sizes: NDArray[np.int64] = ((subsets[:, None] >> np.arange(exits)) & 1).sum(axis=1)
    return sizes
