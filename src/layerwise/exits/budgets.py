"""Thresholds for a budget, chosen on a calibration split: for an accuracy, a mean cost, or milliseconds.

What is chosen on a split looks better there than elsewhere. `evaluate_on` therefore refuses to report on examples on
which the thresholds were chosen.
"""

from __future__ import annotations

import math

import numpy as np

from layerwise.arrays.policies import ExitPolicy
from layerwise.errors import BudgetError, InputError
from layerwise.exits.evaluation import ExitSummary, evaluate_policy
from layerwise.exits.latency import SegmentTimes
from layerwise.exits.prices import InSeconds
from layerwise.exits.recorded import RecordedExits
from layerwise.exits.tried import ChosenPolicy, TriedThresholds

__all__ = ["choose_for_accuracy", "choose_for_macs", "choose_for_seconds", "evaluate_on"]


def choose_for_accuracy(
    calibration: RecordedExits,
    policy: ExitPolicy,
    *,
    loss: float = 0.0,
    times: SegmentTimes | None = None,
    batch_size: int = 1,
) -> ChosenPolicy:
    """The cheapest thresholds that lose no more accuracy than `loss`, in shares, against the network without exits.

    Args:
        calibration: examples that are not those of the report.
        policy: whose thresholds are chosen, one for each exit.
        loss: 0.005 is half a point of accuracy.
        times: of the network's parts: the cheapest are then those that are predicted to take the least time. By default
            they are those with the fewest MACs, heads included.
        batch_size: with `times`: images that start together.

    Raises:
        InputError: `loss` is outside 0 to 1; and as `choose_for_seconds`.
        BudgetError: no thresholds lose so little; says the least that can be lost.
    """
    if not 0 <= loss <= 1:
        raise InputError(f"loss must be a share of the examples, from 0 to 1; got {loss}.")
    price = None if times is None else _in_seconds(times, batch_size, calibration)
    tried = TriedThresholds(calibration, policy, price=price)
    floor = tried.plain - loss
    if not (tried.accuracy >= floor).any():
        raise BudgetError(
            f"no thresholds lose at most {loss:.2%} of accuracy; the least that can be lost is "
            f"{tried.plain - tried.accuracy.max():.2%}.\n    Allow that much, or take a policy without an ensemble."
        )
    return tried.best(lambda accuracy, cost: np.where(accuracy >= floor, -cost, -np.inf))


def choose_for_macs(calibration: RecordedExits, policy: ExitPolicy, *, macs: float) -> ChosenPolicy:
    """The most accurate thresholds that cost no more than `macs` on average, heads included.

    Args and raises: as `choose_for_accuracy`.
    """
    _check_budget("macs", macs)
    tried = TriedThresholds(calibration, policy)
    if not (tried.cost <= macs).any():
        raise BudgetError(
            f"no thresholds keep the mean cost within {macs:,.0f} MACs an image; the least is "
            f"{tried.cost.min():,.0f}.\n    Put an exit earlier, or give a larger budget."
        )
    return _most_accurate(tried, macs)


def choose_for_seconds(
    calibration: RecordedExits, policy: ExitPolicy, *, seconds: float, times: SegmentTimes, batch_size: int
) -> ChosenPolicy:
    """The most accurate thresholds with which an image takes no longer than `seconds` on average, as predicted.

    Args:
        calibration: examples that are not those of the report.
        policy: whose thresholds are chosen, one for each exit.
        seconds: mean of an image.
        times: of the network's parts.
        batch_size: images that start together.

    Raises:
        InputError: `seconds` is no number above 0, the times are of other exits, or the batch size cannot be.
        BudgetError: no thresholds are so fast; says the fastest.
    """
    _check_budget("seconds", seconds)
    tried = TriedThresholds(calibration, policy, price=_in_seconds(times, batch_size, calibration))
    if not (tried.cost <= seconds).any():
        raise BudgetError(
            f"no thresholds keep the mean time within {1e3 * seconds:.3g} ms an image in batches of {batch_size}; the "
            f"least is {1e3 * tried.cost.min():.3g} ms.\n    Put an exit earlier, or give a larger budget."
        )
    return _most_accurate(tried, seconds)


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


def _most_accurate(tried: TriedThresholds, budget: float) -> ChosenPolicy:
    return tried.best(lambda accuracy, cost: np.where(cost <= budget, accuracy, -np.inf))


def _in_seconds(times: SegmentTimes, batch_size: int, calibration: RecordedExits) -> InSeconds:
    if times.names != calibration.names:
        raise InputError(
            f"the times are of the exits {', '.join(times.names)}; the logits of {', '.join(calibration.names)}.\n"
            "    Time the network whose exits were recorded."
        )
    return InSeconds(times, batch_size)


def _check_budget(name: str, budget: float) -> None:
    if not (math.isfinite(budget) and budget > 0):
        raise InputError(f"{name} must be a number above 0; got {budget:g}.")
