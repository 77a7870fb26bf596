"""compare_with: early exit against a smaller plain network, at equal MACs and at equal milliseconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from layerwise.arrays.intervals import mean_interval, wilson_interval
from layerwise.arrays.policies import ExitPolicy
from layerwise.errors import InputError, NotEnoughExamplesError
from layerwise.exits.budgets import choose_for_macs, choose_for_seconds, evaluate_on
from layerwise.exits.latency import SegmentTimes
from layerwise.exits.recorded import RecordedExits
from layerwise.exits.smaller import SmallerNetwork
from layerwise.exits.tried import ChosenPolicy

__all__ = ["Comparison", "compare_with"]

Verdict = Literal["early exit", "the smaller one", "not shown", "out of reach"]


@dataclass(frozen=True)
class Comparison:
    """A smaller network, and early exit that costs no more; on examples that chose neither.

    Attributes:
        smaller: its name.
        equal: "MACs", or "ms, batch 64".
        budget: what an image costs in the smaller network: MACs, or seconds.
        plain_budget: what it costs in the whole network without exits.
        smaller_accuracy: share of the examples.
        smaller_interval: 95 % (Wilson).
        exits_accuracy: of early exit with thresholds for this budget; None if no thresholds cost so little.
        gain: accuracy of early exit less that of the smaller network; None with it.
        gain_interval: 95 % (Student, of the paired differences): over examples, not over trainings.
    """

    smaller: str
    equal: str
    budget: float
    plain_budget: float
    smaller_accuracy: float
    smaller_interval: tuple[float, float]
    exits_accuracy: float | None = None
    gain: float | None = None
    gain_interval: tuple[float, float] | None = None

    @property
    def verdict(self) -> Verdict:
        """Which is more accurate, if the interval leaves out 0; "out of reach" if no thresholds cost so little."""
        if self.gain_interval is None:
            return "out of reach"
        low, high = self.gain_interval
        return "early exit" if low > 0 else "the smaller one" if high < 0 else "not shown"

    def to_dict(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        return {**vars(self), "verdict": self.verdict}


def compare_with(
    smaller: SmallerNetwork,
    calibration: RecordedExits,
    report: RecordedExits,
    policy: ExitPolicy,
    times: SegmentTimes,
    *,
    batch_size: int = 64,
) -> list[Comparison]:
    """Early exit with the MACs of the smaller network, and with its milliseconds.

    Args:
        smaller: measured on the reported examples.
        calibration: chooses the thresholds.
        report: other examples.
        policy: whose thresholds are chosen.
        times: of the network's parts.
        batch_size: for the milliseconds; one at which both were timed.

    Raises:
        NotEnoughExamplesError: there are no calibration examples.
        InputError: an example is in both splits, or the smaller network was measured on others.
    """
    if not len(calibration):
        raise NotEnoughExamplesError("choosing thresholds needs calibration examples; got none.")
    if not np.isin(report.ids, smaller.ids).all():
        raise InputError(f"{smaller.name} was not measured on all of the {report.split} examples.")
    order = np.argsort(smaller.ids)
    right = smaller.right[order[np.searchsorted(smaller.ids, report.ids, sorter=order)]]
    accuracy = float(right.mean())
    low, high = wilson_interval(right.sum(), len(right))
    seconds = smaller.seconds[batch_size]
    ways = (
        ("MACs", float(smaller.macs), float(report.costs.plain)),
        (f"ms, batch {batch_size}", seconds, times.plain_per_image(batch_size)),
    )
    found = []
    for equal, budget, plain in ways:
        known = Comparison(smaller.name, equal, budget, plain, accuracy, (float(low), float(high)))
        try:
            chosen: ChosenPolicy = (
                choose_for_macs(calibration, policy, macs=budget)
                if equal == "MACs"
                else choose_for_seconds(calibration, policy, seconds=budget, times=times, batch_size=batch_size)
            )
        except InputError:
            found.append(known)
            continue
        summary = evaluate_on(report, chosen)
        gain, *ends = mean_interval(summary.right.astype(np.float64) - right)
        found.append(
            Comparison(
                **{**vars(known), "exits_accuracy": summary.accuracy, "gain": gain, "gain_interval": tuple(ends)}
            )
        )
    return found
