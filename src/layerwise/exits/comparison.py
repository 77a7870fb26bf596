"""compare_with: early exit against smaller plain networks, at their MACs and at their milliseconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from layerwise.arrays.intervals import holm_adjusted, mean_interval, wilson_interval
from layerwise.arrays.policies import ExitPolicy
from layerwise.errors import BudgetError, InputError
from layerwise.exits.budgets import choose_for_macs, choose_for_seconds, evaluate_on
from layerwise.exits.latency import SegmentTimes
from layerwise.exits.recorded import RecordedExits
from layerwise.exits.smaller import SmallerNetwork

__all__ = ["Comparison", "compare_with"]

Verdict = Literal["early exit", "the smaller one", "not shown", "out of reach"]


@dataclass(frozen=True)
class Comparison:
    """A smaller network, and early exit with thresholds chosen for its cost; on examples that chose neither.

    Attributes:
        smaller: its name.
        cost: "MACs", or "ms, batch 64".
        plain_cost: of an image in the whole network without exits: MACs, or milliseconds.
        smaller_cost: of an image in the smaller network.
        smaller_accuracy: share of the examples.
        smaller_interval: 95 % (Wilson).
        exits_cost: what an image costs with early exit, on these examples; None if no thresholds cost so little.
        exits_accuracy: None with it, and so are the others.
        gain: accuracy of early exit less that of the smaller network.
        gain_interval: 95 % (Student, of the paired differences): over examples, not over trainings.
        p_value: that both are as often right: exact McNemar test, corrected by Holm for all comparisons made together.
    """

    smaller: str
    cost: str
    plain_cost: float
    smaller_cost: float
    smaller_accuracy: float
    smaller_interval: tuple[float, float]
    exits_cost: float | None = None
    exits_accuracy: float | None = None
    gain: float | None = None
    gain_interval: tuple[float, float] | None = None
    p_value: float | None = None

    @property
    def verdict(self) -> Verdict:
        """Which is more accurate, if the interval leaves out 0 and the p-value is below 0.05."""
        if self.gain_interval is None or self.p_value is None:
            return "out of reach"
        low, high = self.gain_interval
        if self.p_value >= 0.05 or low <= 0 <= high:
            return "not shown"
        return "early exit" if low > 0 else "the smaller one"

    def to_dict(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        return {**vars(self), "verdict": self.verdict}


def compare_with(
    smaller: Sequence[SmallerNetwork],
    calibration: RecordedExits,
    report: RecordedExits,
    policy: ExitPolicy,
    times: SegmentTimes,
    *,
    batch_size: int = 64,
) -> list[Comparison]:
    """Early exit with the MACs of each smaller network, and with its milliseconds.

    Args:
        smaller: measured on the reported examples.
        calibration: chooses the thresholds.
        report: other examples.
        policy: whose thresholds are chosen.
        times: of the network's parts.
        batch_size: for the milliseconds; one at which the smaller networks were timed.

    Raises:
        NotEnoughExamplesError: there are no calibration examples.
        InputError: an example is in both splits, or a smaller network was measured on others, or at other batch sizes.
    """
    found: list[Comparison] = []
    for network in smaller:
        right = _right(network, report)
        if batch_size not in network.seconds:
            raise InputError(f"{network.name} was not timed in batches of {batch_size}.")
        low, high = wilson_interval(right.sum(), len(right))
        known = Comparison(
            smaller=network.name,
            cost="MACs",
            plain_cost=float(report.costs.plain),
            smaller_cost=float(network.macs),
            smaller_accuracy=float(right.mean()),
            smaller_interval=(float(low), float(high)),
        )
        seconds = network.seconds[batch_size]
        in_time = replace(
            known,
            cost=f"ms, batch {batch_size}",
            plain_cost=1e3 * times.plain_per_image(batch_size),
            smaller_cost=1e3 * seconds,
        )
        try:
            chosen = choose_for_macs(calibration, policy, macs=network.macs)
            summary = evaluate_on(report, chosen)
            found.append(_compared(known, summary.right, right, cost=summary.macs))
        except BudgetError:
            found.append(known)
        try:
            chosen = choose_for_seconds(calibration, policy, seconds=seconds, times=times, batch_size=batch_size)
            summary = evaluate_on(report, chosen)
            taken = times.per_image(summary.exit, chosen.policy, batch_size=batch_size)
            found.append(_compared(in_time, summary.right, right, cost=1e3 * taken))
        except BudgetError:
            found.append(in_time)
    return _corrected(found)


def _right(network: SmallerNetwork, report: RecordedExits) -> NDArray[np.bool_]:
    """Whether the network classifies the reported examples rightly, in their order."""
    if not np.isin(report.ids, network.ids).all():
        raise InputError(f"{network.name} was not measured on all of the {report.split} examples.")
    order = np.argsort(network.ids)
    right: NDArray[np.bool_] = network.right[order[np.searchsorted(network.ids, report.ids, sorter=order)]]
    return right


def _compared(known: Comparison, exits: NDArray[np.bool_], smaller: NDArray[np.bool_], *, cost: float) -> Comparison:
    gain, *ends = mean_interval(exits.astype(np.float64) - smaller)
    won, lost = int((exits & ~smaller).sum()), int((smaller & ~exits).sum())
    p_value = float(stats.binomtest(won, won + lost).pvalue) if won + lost else 1.0
    return replace(
        known,
        exits_cost=float(cost),
        exits_accuracy=float(exits.mean()),
        gain=gain,
        gain_interval=(ends[0], ends[1]),
        p_value=p_value,
    )


def _corrected(found: list[Comparison]) -> list[Comparison]:
    values = iter(holm_adjusted([one.p_value for one in found if one.p_value is not None]))
    return [one if one.p_value is None else replace(one, p_value=float(next(values))) for one in found]
