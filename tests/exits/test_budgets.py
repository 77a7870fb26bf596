"""Thresholds for a budget: on recorded exits whose costs and luck are known."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from exits.populations import COSTS, drawn, recorded
from layerwise.arrays.policies import EntropyBelow, GeometricEnsemble, MaxProbabilityAbove
from layerwise.errors import InputError
from layerwise.exits.budgets import choose_for_accuracy, choose_for_macs, choose_for_seconds, evaluate_on
from layerwise.exits.costs import ExitCosts
from layerwise.exits.evaluation import evaluate_policy, exit_curve
from layerwise.exits.latency import SegmentTimes
from layerwise.exits.recorded import RecordedExits


def test_an_accuracy_floor_is_met_as_cheaply_as_a_single_threshold_can_or_cheaper() -> None:
    calibration = drawn(600, 1)
    chosen = choose_for_accuracy(calibration, MaxProbabilityAbove(0), loss=0.02)
    assert chosen.on_calibration.accuracy >= chosen.on_calibration.plain_accuracy - 0.02
    curve = exit_curve(calibration, MaxProbabilityAbove(0))
    assert chosen.on_calibration.macs <= curve.macs[curve.accuracy >= curve.plain_accuracy - 0.02].min()


def test_a_mac_budget_is_kept() -> None:
    calibration = drawn(600, 1)
    chosen = choose_for_macs(calibration, EntropyBelow(0), macs=250)
    assert chosen.on_calibration.macs <= 250
    assert (
        chosen.on_calibration.accuracy > choose_for_macs(calibration, EntropyBelow(0), macs=150).on_calibration.accuracy
    )
    with pytest.raises(InputError, match="within 90 MACs an image; the least is 110"):
        choose_for_macs(calibration, EntropyBelow(0), macs=90)


def with_dear_heads(recorded: RecordedExits) -> RecordedExits:
    costs = ExitCosts(network=COSTS.network, heads=np.array([150, 150]))
    return RecordedExits(recorded.logits, recorded.labels, recorded.ids, recorded.split, recorded.names, costs)


@pytest.mark.parametrize("seed", range(5))
def test_a_choice_never_costs_more_than_running_no_head_at_all(seed: int) -> None:
    chosen = choose_for_accuracy(with_dear_heads(drawn(100, seed)), MaxProbabilityAbove(0), loss=0.0)
    assert chosen.on_calibration.macs <= COSTS.plain
    assert chosen.on_calibration.gain >= 0


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("budget", [380.0, 400.0, 500.0])
def test_a_budget_that_the_plain_network_keeps_is_spent_no_worse_than_by_it(seed: int, budget: float) -> None:
    examples = with_dear_heads(drawn(100, seed))
    chosen = choose_for_macs(examples, MaxProbabilityAbove(0), macs=budget).on_calibration
    assert chosen.macs <= budget
    if budget >= COSTS.plain:
        assert chosen.gain >= 0


@pytest.mark.parametrize("seed", range(5))
def test_a_head_that_costs_more_than_its_exit_saves_is_closed(seed: int) -> None:
    examples = drawn(400, seed)
    dear = ExitCosts(network=COSTS.network, heads=np.array([1, 150]))
    examples = RecordedExits(examples.logits, examples.labels, examples.ids, "validation", examples.names, dear)
    chosen = choose_for_accuracy(examples, MaxProbabilityAbove(0), loss=0.05)
    # Without the second exit the best threshold of the first is the lowest that keeps the floor.
    scores = examples.confidence(MaxProbabilityAbove(0))[0]
    singles = [evaluate_policy(examples, MaxProbabilityAbove([cut, np.inf])) for cut in [*np.unique(scores), 0.0]]
    kept = [one.macs for one in singles if one.gain >= -0.05]
    assert chosen.on_calibration.macs <= min(kept) + 1e-9


def test_the_least_that_can_be_kept_closes_what_it_can() -> None:
    examples = replace(drawn(400, 0), costs=ExitCosts(network=np.array([100, 105, 400]), heads=np.array([50, 1])))
    policy = MaxProbabilityAbove(0)
    assert choose_for_macs(examples, policy, macs=106).on_calibration.macs == 106
    assert choose_for_macs(examples, policy, macs=120).on_calibration.macs <= 120
    with pytest.raises(InputError, match="within 105 MACs an image; the least is 106"):
        choose_for_macs(examples, policy, macs=105)


def test_an_exit_at_which_all_leave_may_be_closed() -> None:
    """As cheap as the best of 12 × 12 × 12 thresholds, on a population where the search once got stuck at 222 MACs."""
    random = np.random.default_rng(23)
    ease = random.random(120)
    sure = 0.5 + 0.5 * (1 - np.exp(-np.linspace(1, 4, 4)[:, None] * ease))
    right = random.random((4, 120)) < sure
    logits = np.stack([np.log(sure / (1 - sure)) * np.where(right, 1, -1), np.zeros_like(sure)], axis=-1)
    costs = ExitCosts(network=np.array([150, 156, 168, 358]), heads=np.array([3, 77, 54]))
    names, ids = ("a", "b", "c", "softmax"), np.arange(120).astype(str)
    examples = RecordedExits(logits.astype(np.float32), np.zeros(120, np.int64), ids, "validation", names, costs)
    policy = MaxProbabilityAbove(0)
    chosen = choose_for_accuracy(examples, policy, loss=0.1).on_calibration
    grids = [np.quantile(one, np.linspace(0, 1, 12)).tolist() for one in examples.confidence(policy)]
    triples = product(*([np.inf, *grid] for grid in grids))
    tried = [evaluate_policy(examples, MaxProbabilityAbove(list(cuts))) for cuts in triples]
    assert chosen.gain >= -0.1
    assert chosen.macs <= min(one.macs for one in tried if one.gain >= -0.1)


def test_a_head_in_front_of_everything_that_costs_nothing() -> None:
    free = replace(drawn(300, 1), costs=ExitCosts(network=np.array([0, 10, 100]), heads=np.array([0, 5])))
    assert choose_for_accuracy(free, MaxProbabilityAbove(0), loss=0.5).on_calibration.macs == 0


@pytest.mark.parametrize("seed", range(4))
def test_seconds_of_batches_which_do_not_add_up_are_spent_as_well_as_can_be(seed: int) -> None:
    """As good as the best of 30 × 30 pairs; a sum over images, not scaled, finds less."""
    times = SegmentTimes(
        batch_sizes=np.array([1, 64]),
        segments=np.array([[1.0, 1.0, 2.0], [6.0, 6.0, 20.0]]),
        heads=np.array([[0.1, 0.1], [1.0, 1.0]]),
        plain=np.array([4.0, 32.0]),
        names=("one", "two", "softmax"),
    )
    seconds = 0.7 * times.plain_per_image(64)
    policy = MaxProbabilityAbove(0)
    examples = drawn(200, seed)
    chosen = choose_for_seconds(examples, policy, seconds=seconds, times=times, batch_size=64)
    assert times.per_image(chosen.on_calibration.exit, chosen.policy, batch_size=64) <= seconds
    grids = [np.quantile(one, np.linspace(0, 1, 30)).tolist() for one in examples.confidence(policy)]
    pairs = [MaxProbabilityAbove(list(pair)) for pair in product(*([np.inf, *grid] for grid in grids))]
    tried = [(evaluate_policy(examples, pair), pair) for pair in pairs]
    kept = [one.accuracy for one, pair in tried if times.per_image(one.exit, pair, batch_size=64) <= seconds]
    assert chosen.on_calibration.accuracy >= max(kept)


def test_an_ensemble_that_cannot_meet_the_floor_says_what_can_be_met() -> None:
    logits = np.stack([np.tile([0.0, 5.0], (20, 1)), np.tile([0.0, 5.0], (20, 1)), np.tile([1.0, 0.0], (20, 1))])
    bad = recorded(logits, np.zeros(20, np.int64))
    message = "no thresholds lose at most 0.00% of accuracy; the least that can be lost is 100.00%"
    with pytest.raises(InputError, match=re.escape(message)):
        choose_for_accuracy(bad, GeometricEnsemble(EntropyBelow(0)))


def test_what_chose_the_thresholds_may_not_be_reported() -> None:
    calibration, report = drawn(300, 1), drawn(300, 2, split="test")
    chosen = choose_for_accuracy(calibration, EntropyBelow(0), loss=0.01)
    assert evaluate_on(report, chosen).examples == 300
    with pytest.raises(InputError, match="300 of the 300 validation examples are among those on which"):
        evaluate_on(calibration, chosen)
