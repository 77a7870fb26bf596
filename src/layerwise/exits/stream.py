"""BudgetTracker: one threshold that follows a stream without labels, so that the mean cost stays at a budget."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from layerwise.arrays.policies import ExitPolicy
from layerwise.errors import InputError
from layerwise.exits.costs import ExitCosts

__all__ = ["BudgetTracker"]


class BudgetTracker:
    """Moves a threshold against the cost that was paid: up a little where there was budget left, down where not.

    Whatever the stream does, also when it changes, the mean cost over T batches differs from the budget by at most
    (range of the scores + 2 · step) / (step · T), in shares of the network's cost: the threshold can only drift as far
    as the scores reach. That holds while the budget lies between what leaving always and leaving never cost.

    Args:
        policy: of one threshold for all exits, where it begins.
        costs: of the network's exits.
        macs: the budget, mean MACs of an image.
        step: how far one batch moves the threshold, in units of the score: 0.02 suits probabilities.

    Raises:
        InputError: the policy has several thresholds, the budget cannot be kept by any, or the step is not above 0.

    Source: the quantile tracking of Angelopoulos, Candès and Tibshirani (2023), "Conformal PID control", section 2.1.
    """

    def __init__(self, policy: ExitPolicy, costs: ExitCosts, *, macs: float, step: float = 0.02) -> None:
        paid = costs.with_all_heads
        if policy.thresholds.ndim:
            raise InputError(f"{type(policy).__name__} has several thresholds; a stream moves one for all exits.")
        if not paid[0] <= macs <= paid[-1]:
            raise InputError(
                f"a budget of {macs:,.0f} MACs an image cannot be kept: leaving always costs {paid[0]:,}, never "
                f"{paid[-1]:,}."
            )
        if not (math.isfinite(step) and step > 0):
            raise InputError(f"step must be a number above 0; got {step}.")
        self._policy = policy
        self._paid = paid
        self._macs = macs
        self._plain = costs.plain
        self._step = step
        self._threshold = float(policy.thresholds)

    @property
    def policy(self) -> ExitPolicy:
        """The policy for the next batch."""
        return self._policy.with_thresholds(self._threshold)

    def saw(self, exits: NDArray[np.integer]) -> None:
        """Tell where the examples of a batch left, (B,).

        Raises:
            InputError: there is no such exit.
        """
        if not len(exits):
            return
        if not 0 <= exits.min() <= exits.max() < len(self._paid):
            raise InputError(f"exits are numbered from 0 to {len(self._paid) - 1}; got {exits.min()} to {exits.max()}.")
        over = (float(self._paid[exits].mean()) - self._macs) / self._plain
        # Where too much was paid more must leave: a lower bar for scores that must be above it, a higher one below.
        self._threshold -= self._step * over if self._policy.leaves_above else -self._step * over
