"""The best subset of exits is the best of all subsets, each evaluated by its policy."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from exits.populations import drawn
from layerwise.arrays.policies import EntropyBelow, MaxProbabilityAbove, Patience
from layerwise.errors import InputError
from layerwise.exits.costs import ExitCosts
from layerwise.exits.evaluation import evaluate_policy
from layerwise.exits.placement import THRESHOLDS, best_placement
from layerwise.exits.recorded import RecordedExits


def ten_candidates(count: int = 60) -> RecordedExits:
    """Ten exits that get better, some of which cost more than they are worth."""
    random = np.random.default_rng(0)
    sure = 0.5 + 0.5 * random.random((11, count)) ** np.linspace(1.5, 0.1, 11)[:, None]
    right = random.random((11, count)) < sure
    logits = np.zeros((11, count, 2), np.float32)
    logits[:, :, 0] = np.log(sure / (1 - sure + 1e-9)) * np.where(right, 1, -1)
    costs = ExitCosts(np.arange(1, 12) * 100, np.array([5, 80, 5, 5, 200, 5, 5, 5, 90, 5]))
    names = (*(f"tap{e}" for e in range(10)), "softmax")
    return RecordedExits(logits, np.zeros(count, np.int64), np.arange(count).astype(str), "validation", names, costs)


def brute_force(recorded: RecordedExits, loss: float, most: int) -> float:
    """The least cost over all subsets and thresholds, each evaluated as a policy of its own."""
    candidates = len(recorded.names) - 1
    confidence = recorded.confidence(MaxProbabilityAbove(0))
    cuts = np.unique(np.quantile(confidence, np.linspace(0, 1, THRESHOLDS), method="lower"))
    best = float(recorded.costs.plain)
    for chosen in product([False, True], repeat=candidates):
        if sum(chosen) > most:
            continue
        for cut in cuts[::9]:
            thresholds = np.where(chosen, cut, np.inf).tolist()
            summary = evaluate_policy(recorded, MaxProbabilityAbove(thresholds))
            if summary.accuracy >= summary.plain_accuracy - loss:
                best = min(best, summary.macs)
    return best


@pytest.mark.parametrize("most", [1, 2])
def test_the_best_subset_is_no_worse_than_any_and_is_what_its_policy_gives(most: int) -> None:
    recorded = ten_candidates()
    found = best_placement(recorded, MaxProbabilityAbove(0), loss=0.05, max_exits=most)
    summary = evaluate_policy(recorded, found.policy)
    assert (summary.macs, summary.accuracy) == (pytest.approx(found.macs), pytest.approx(found.accuracy))
    assert summary.accuracy >= summary.plain_accuracy - 0.05
    assert len(found.names) <= most
    assert found.macs <= brute_force(recorded, 0.05, most) + 1e-9


def test_all_subsets_of_two_candidates_give_the_brute_force_optimum_exactly() -> None:
    recorded = drawn(200, 3)
    found = best_placement(recorded, EntropyBelow(0), loss=0.03)
    confidence = recorded.confidence(EntropyBelow(0))
    cuts = np.unique(np.quantile(confidence, np.linspace(0, 1, THRESHOLDS), method="lower"))
    outcomes = [
        evaluate_policy(recorded, EntropyBelow((-np.where(chosen, cut, np.inf)).tolist()))
        for chosen in product([False, True], repeat=2)
        for cut in cuts
    ]
    fits = [one.macs for one in outcomes if one.accuracy >= one.plain_accuracy - 0.03]
    assert found.macs == pytest.approx(min(fits))


def test_an_exit_whose_head_costs_more_than_it_saves_is_left_out() -> None:
    recorded = ten_candidates(400)
    assert "tap4" not in best_placement(recorded, MaxProbabilityAbove(0), loss=0.05).names


def test_what_cannot_be_placed_is_refused() -> None:
    with pytest.raises(InputError, match="Patience looks back at earlier exits"):
        best_placement(drawn(10, 0), Patience(0), loss=0.1)
    for options in ({"loss": -0.1}, {"loss": 0.1, "max_exits": 0}):
        with pytest.raises(InputError, match="loss lies between 0 and 1 and max_exits is 1 or more"):
            best_placement(drawn(10, 0), EntropyBelow(0), **options)  # type: ignore[arg-type]
