"""A tracked threshold keeps the budget on a stream, also when the stream changes."""

from __future__ import annotations

import numpy as np
import pytest

from exits.populations import COSTS, drawn
from layerwise.arrays.exits import simulate
from layerwise.arrays.policies import EntropyBelow, ExitPolicy, MaxProbabilityAbove
from layerwise.errors import InputError
from layerwise.exits.stream import BudgetTracker


@pytest.mark.parametrize("policy", [MaxProbabilityAbove(0.99), EntropyBelow(0.01)], ids=str)
@pytest.mark.parametrize("budget", [180.0, 300.0])
def test_the_mean_cost_stays_at_the_budget_when_the_stream_gets_harder(policy: ExitPolicy, budget: float) -> None:
    easy = drawn(20_000, 0)
    order = np.argsort(-easy.confidence(MaxProbabilityAbove(0))[0])  # the hardest come last
    tracker = BudgetTracker(policy, COSTS, macs=budget, step=0.05)
    paid = COSTS.of_exits(policy)
    costs = []
    for rows in np.split(order, 1000):
        exits, _ = simulate(tracker.policy, easy.logits[:, rows])
        tracker.saw(exits)
        costs.append(paid[exits].mean())
    # The scores reach over at most 1: (1 + 2 · 0.05) / (0.05 · 1000) of the network's 400 MACs.
    assert abs(np.mean(costs) - budget) <= 400 * 1.1 / 50


def test_an_empty_batch_moves_nothing() -> None:
    tracker = BudgetTracker(EntropyBelow(0.3), COSTS, macs=200)
    tracker.saw(np.array([], np.int64))
    assert float(tracker.policy.thresholds) == 0.3


def test_what_cannot_be_tracked_is_refused() -> None:
    with pytest.raises(InputError, match="EntropyBelow has several thresholds"):
        BudgetTracker(EntropyBelow([0.1, 0.2]), COSTS, macs=200)
    with pytest.raises(
        InputError, match="a budget of 50 MACs an image cannot be kept: leaving always costs 110, never 430"
    ):
        BudgetTracker(EntropyBelow(0.1), COSTS, macs=50)
    with pytest.raises(InputError, match="step must be a number above 0; got 0"):
        BudgetTracker(EntropyBelow(0.1), COSTS, macs=200, step=0)
    with pytest.raises(InputError, match="exits are numbered from 0 to 2; got -1 to 9"):
        BudgetTracker(EntropyBelow(0.1), COSTS, macs=200).saw(np.array([-1, 9]))
