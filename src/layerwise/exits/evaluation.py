"""What a policy does on recorded exits: evaluate_policy for one, exit_curve for all thresholds; and the two oracles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from layerwise.arrays.exits import first_agreeing, first_right, first_sure, simulate
from layerwise.arrays.intervals import mean_interval, wilson_interval
from layerwise.arrays.policies import ExitPolicy, MaxProbabilityAbove
from layerwise.arrays.scores import entropy
from layerwise.data.images import ImageData
from layerwise.errors import InputError
from layerwise.exits.latency import SegmentTimes
from layerwise.exits.network import ExitNetwork
from layerwise.exits.recorded import RecordedExits, record_exits
from layerwise.progress import Progress, silent

__all__ = ["ExitCurve", "ExitSummary", "evaluate_exits", "evaluate_policy", "exit_curve"]

CURVE_POINTS = 200


@dataclass(frozen=True, eq=False)
class ExitSummary:
    """What leaving early gives and costs on one split.

    Attributes:
        name: of the policy or oracle.
        examples: N.
        accuracy: of the answers.
        accuracy_interval: 95 % (Wilson).
        gain: accuracy less that of the network without exits.
        gain_interval: 95 % (Student, of the paired differences).
        macs: mean of an image, heads included.
        macs_interval: 95 % (Student).
        plain_accuracy: of the network without exits.
        plain_macs: of it.
        exit: shape (N,), where each example leaves.
        right: shape (N,), whether its answer is right.
        names: of the exits.
    """

    name: str
    examples: int
    accuracy: float
    accuracy_interval: tuple[float, float]
    gain: float
    gain_interval: tuple[float, float]
    macs: float
    macs_interval: tuple[float, float]
    plain_accuracy: float
    plain_macs: int
    exit: NDArray[np.int64]
    right: NDArray[np.bool_]
    names: tuple[str, ...]

    @property
    def mac_cut(self) -> float:
        """Share of the network's MACs that is saved; below 0 if the heads cost more than leaving saves."""
        return 1 - self.macs / self.plain_macs

    @property
    def mac_ratio(self) -> float:
        """How many times fewer MACs."""
        return self.plain_macs / self.macs

    def table(self) -> pd.DataFrame:
        """One row for each exit: how many leave there, their share, and what share of them is right (Wilson)."""
        counts = np.bincount(self.exit, minlength=len(self.names))
        right = np.bincount(self.exit, weights=self.right, minlength=len(self.names))
        low, high = wilson_interval(right, counts)
        return pd.DataFrame(
            {
                "exit": self.names,
                "examples": counts,
                "share": counts / self.examples,
                "accuracy": np.divide(right, counts, out=np.full(len(counts), np.nan), where=counts > 0),
                "accuracy_low": low,
                "accuracy_high": high,
            }
        )


@dataclass(frozen=True, eq=False)
class ExitCurve:
    """Accuracy against cost, over one threshold for all exits.

    Attributes:
        policy: the policy whose threshold is moved; its own thresholds play no part.
        split: on which it was measured.
        thresholds: shape (T,), from leaving never to leaving always.
        accuracy: shape (T,).
        macs: shape (T,), mean of an image, heads included.
        exits: shape (T, N), where each example leaves.
        shares: shape (T, E + 1), of the examples that leave at each exit.
        plain_accuracy: of the network without exits.
        plain_macs: of it.
        oracles: the first exit that is right, and the first that agrees with the last, by name.
        names: of the exits.
    """

    policy: ExitPolicy
    split: str
    thresholds: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    macs: NDArray[np.float64]
    exits: NDArray[np.integer]
    shares: NDArray[np.float64]
    plain_accuracy: float
    plain_macs: int
    oracles: dict[str, ExitSummary]
    names: tuple[str, ...]

    def table(self) -> pd.DataFrame:
        """One row for each threshold: accuracy, mean MACs, their ratio to the plain network's, and a share per exit."""
        columns = {
            "threshold": self.thresholds,
            "accuracy": self.accuracy,
            "macs": self.macs,
            "mac_ratio": self.plain_macs / self.macs,
        }
        shares = {f"share_{name}": self.shares[:, index] for index, name in enumerate(self.names)}
        return pd.DataFrame(columns | shares)

    def seconds(self, times: SegmentTimes, *, batch_size: int) -> NDArray[np.float64]:
        """Predicted mean seconds of an image at each threshold, (T,), in full batches of so many."""
        policies = (self.policy.with_thresholds(float(threshold)) for threshold in self.thresholds)
        return np.array(
            [
                times.per_image(exits, policy, batch_size=batch_size)
                for exits, policy in zip(self.exits, policies, strict=True)
            ]
        )

    def best_within(self, *, macs: float) -> pd.Series:
        """The most accurate row that costs no more on average; a reading of this split, not a choice for it.

        Raises:
            InputError: no threshold costs so little; says the least that one costs.
        """
        fits = self.macs <= macs
        if not fits.any():
            raise InputError(
                f"no threshold keeps the mean cost within {macs:,.0f} MACs an image; the least is "
                f"{self.macs.min():,.0f}."
            )
        return self.table().iloc[int(np.where(fits, self.accuracy, -np.inf).argmax())]


def evaluate_exits(
    net: ExitNetwork,
    data: ImageData,
    policy: ExitPolicy | None = None,
    *,
    batch_size: int = 256,
    progress: Progress = silent,
) -> ExitCurve:
    """Run all exits on one split, and give accuracy against cost over one threshold: record_exits, then exit_curve.

    Args:
        net: in evaluation mode.
        data: one split, such as `data.test`.
        policy: whose threshold is moved; by default the highest probability.
        batch_size: images in one forward pass.
        progress: is shown the batches.

    Raises:
        InputError: the data holds several splits; and what `ExitNetwork.all_logits` raises.
    """
    recorded = record_exits(net, data, batch_size=batch_size, progress=progress)
    return exit_curve(recorded, policy or MaxProbabilityAbove(0.0))


def evaluate_policy(recorded: RecordedExits, policy: ExitPolicy) -> ExitSummary:
    """What a policy, with its thresholds, gives and costs.

    Raises:
        ShapeError: it has thresholds for another number of exits.
    """
    exits, answers = simulate(policy, recorded.logits)
    right: NDArray[np.bool_] = answers.argmax(axis=1) == recorded.labels
    return _summary(type(policy).__name__, recorded, exits, right, recorded.costs.of_exits(policy))


def exit_curve(recorded: RecordedExits, policy: ExitPolicy, *, points: int = CURVE_POINTS) -> ExitCurve:
    """Accuracy and cost over one threshold for all exits, at quantiles of the scores.

    Args:
        recorded: all exits on one split.
        policy: whose threshold is moved.
        points: how many thresholds, besides never and always.

    Raises:
        InputError: fewer than one point.
    """
    if points < 1:
        raise InputError(f"points must be at least 1; got {points}.")
    confidence, right = recorded.confidence(policy), recorded.right(policy)
    cuts = np.unique(np.quantile(confidence, np.linspace(0, 1, points), method="lower"))[::-1]
    cuts = np.concatenate([[np.inf], cuts, [-np.inf]])  # (T,)
    exits = first_sure(confidence, np.broadcast_to(cuts[:, None], (len(cuts), len(confidence))))  # (T, N)
    costs = recorded.costs.with_all_heads
    plain = recorded.costs.of_exits(policy.with_thresholds(np.inf if policy.leaves_above else -np.inf))
    macs = costs[exits].mean(axis=1)
    macs[0] = plain[-1]  # where nobody may leave, heads that no later exit looks back at are not run
    return ExitCurve(
        policy=policy,
        split=recorded.split,
        thresholds=cuts if policy.leaves_above else -cuts,
        accuracy=right[exits, np.arange(len(recorded))].mean(axis=1),
        macs=macs,
        exits=exits.astype(np.min_scalar_type(len(recorded.names))),
        shares=np.stack([(exits == index).mean(axis=1) for index in range(len(recorded.names))], axis=1),
        plain_accuracy=float(recorded.plain_right.mean()),
        plain_macs=recorded.costs.plain,
        oracles=oracles(recorded),
        names=recorded.names,
    )


def oracles(recorded: RecordedExits) -> dict[str, ExitSummary]:
    """What leaving would give if it were known which exit is right, or agrees with the last; all heads are run."""
    costs = recorded.costs.with_all_heads
    found = {
        "first right": first_right(recorded.predictions, recorded.labels),
        "first agreeing": first_agreeing(recorded.predictions),
    }
    columns = np.arange(len(recorded))
    return {
        name: _summary(name, recorded, exits, recorded.predictions[exits, columns] == recorded.labels, costs)
        for name, exits in found.items()
    }


def entropy_quartiles(recorded: RecordedExits) -> pd.DataFrame:
    """The least, the quartiles and the largest entropy (natural logarithm) at each exit: one row for each."""
    quartiles = np.quantile(entropy(recorded.logits), [0, 0.25, 0.5, 0.75, 1], axis=1).T
    table = pd.DataFrame(quartiles, columns=["least", "lower_quartile", "median", "upper_quartile", "largest"])
    table.insert(0, "exit", recorded.names)
    return table


def _summary(
    name: str,
    recorded: RecordedExits,
    exits: NDArray[np.int64],
    right: NDArray[np.bool_],
    costs: NDArray[np.int64],
) -> ExitSummary:
    low, high = wilson_interval(right.sum(), len(right))
    gain, *gain_ends = mean_interval(right.astype(np.float64) - recorded.plain_right)
    macs, *mac_ends = mean_interval(costs[exits])
    return ExitSummary(
        name=name,
        examples=len(recorded),
        accuracy=float(right.mean()),
        accuracy_interval=(float(low), float(high)),
        gain=gain,
        gain_interval=(gain_ends[0], gain_ends[1]),
        macs=macs,
        macs_interval=(mac_ends[0], mac_ends[1]),
        plain_accuracy=float(recorded.plain_right.mean()),
        plain_macs=recorded.costs.plain,
        exit=exits,
        right=right,
        names=recorded.names,
    )
