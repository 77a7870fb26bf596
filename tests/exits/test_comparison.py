"""Early exit against a smaller network: what is compared with what, and what counts as better."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from exits.populations import COSTS, drawn
from layerwise.arrays.policies import MaxProbabilityAbove
from layerwise.errors import BudgetError, InputError, NotEnoughExamplesError
from layerwise.exits.budgets import choose_for_accuracy, choose_for_macs, choose_for_seconds, evaluate_on
from layerwise.exits.comparison import Comparison, compare_with
from layerwise.exits.latency import SegmentTimes
from layerwise.exits.recorded import RecordedExits
from layerwise.exits.smaller import SmallerNetwork

POLICY = MaxProbabilityAbove(0)
TIMES = SegmentTimes(
    batch_sizes=np.array([1, 64]),
    segments=np.array([[0.9, 0.9, 2.0], [57.6, 57.6, 128.0]]),
    heads=np.array([[0.1, 0.1], [6.4, 6.4]]),
    plain=np.array([3.5, 224.0]),
    names=("one", "two", "softmax"),
)


def smaller(report: RecordedExits, right: np.ndarray, *, macs: int = 250, seconds: float = 2.5) -> SmallerNetwork:
    return SmallerNetwork("half", macs, 10, {1: seconds, 64: seconds}, report.ids, right)


def test_thresholds_are_chosen_for_the_cost_of_the_smaller_network() -> None:
    calibration, report = drawn(2000, 0), drawn(500, 1, split="test")
    by_macs, by_time = compare_with([smaller(report, np.ones(500, bool))], calibration, report, POLICY, TIMES)
    expected = evaluate_on(report, choose_for_macs(calibration, POLICY, macs=250))
    assert by_macs.exits_accuracy == expected.accuracy
    assert by_macs.gain == pytest.approx(expected.accuracy - 1)
    assert (by_macs.smaller_cost, by_macs.plain_cost, by_macs.exits_cost) == (250, COSTS.plain, expected.macs)
    timed = choose_for_seconds(calibration, POLICY, seconds=2.5, times=TIMES, batch_size=64)
    assert by_time.exits_accuracy == evaluate_on(report, timed).accuracy
    assert (by_time.smaller_cost, by_time.plain_cost) == (2500, 3500)
    assert by_time.exits_cost == pytest.approx(2500, rel=0.1)


def test_the_smaller_network_is_read_by_id() -> None:
    calibration, report = drawn(300, 0), drawn(500, 1, split="test")
    right = np.random.default_rng(0).random(500) < 0.7
    order = np.random.default_rng(1).permutation(500)
    shuffled = replace(smaller(report, right[order]), ids=report.ids[order])
    straight = compare_with([smaller(report, right)], calibration, report, POLICY, TIMES)
    assert compare_with([shuffled], calibration, report, POLICY, TIMES) == straight
    half = report.select(np.arange(250))
    assert compare_with([shuffled], calibration, half, POLICY, TIMES)[0].smaller_accuracy == right[:250].mean()
    with pytest.raises(InputError, match="half was not measured on all of the test examples"):
        compare_with([smaller(half, right[:250])], calibration, report, POLICY, TIMES)


def test_a_network_that_is_cheaper_than_the_first_exit_is_not_compared() -> None:
    calibration, report = drawn(300, 0), drawn(500, 1, split="test")
    cheap = smaller(report, np.ones(500, bool), macs=90, seconds=0.5)
    for one in compare_with([cheap], calibration, report, POLICY, TIMES):
        assert (one.exits_accuracy, one.gain, one.gain_interval) == (None, None, None)
        assert one.verdict == "out of reach"
    with pytest.raises(NotEnoughExamplesError, match="got none"):
        compare_with([cheap], calibration.select(np.arange(0)), report, POLICY, TIMES)


@pytest.mark.parametrize(
    ("interval", "p_value", "better"),
    [
        ((0.01, 0.02), 0.01, "early exit"),
        ((-0.02, -0.01), 0.01, "the smaller one"),
        ((-0.01, 0.02), 0.01, "not shown"),
        ((0.01, 0.02), 0.06, "not shown"),
    ],
)
def test_a_difference_counts_outside_its_interval_and_by_an_exact_test(
    interval: tuple[float, float], p_value: float, better: str
) -> None:
    found = Comparison("half", "MACs", 2, 1, 0.8, (0.7, 0.9), 1, 0.8, 0.0, interval, p_value)
    assert found.verdict == better
    assert found.to_dict()["verdict"] == better


@pytest.mark.slow
def test_p_values_are_exact_and_corrected_for_all_comparisons() -> None:
    calibration, report = drawn(2000, 0), drawn(500, 1, split="test")
    networks = [smaller(report, np.random.default_rng(seed).random(500) < 0.8) for seed in range(3)]
    together = compare_with(networks, calibration, report, POLICY, TIMES)
    exits = evaluate_on(report, choose_for_macs(calibration, POLICY, macs=250)).right
    alone = compare_with(networks[:1], calibration, report, POLICY, TIMES)
    won, lost = int((exits & ~networks[0].right).sum()), int((~exits & networks[0].right).sum())
    exact = stats.binomtest(won, won + lost).pvalue
    assert exact <= alone[0].p_value <= 2 * exact * (1 + 1e-12)
    assert all(one.p_value >= other.p_value for one, other in zip(together, alone, strict=False))


def test_the_time_of_the_plain_network_buys_its_accuracy() -> None:
    calibration = drawn(1000, 0)
    chosen = choose_for_seconds(calibration, POLICY, seconds=3.5, times=TIMES, batch_size=64)
    assert chosen.on_calibration.gain >= 0


def test_a_budget_of_time_is_kept_and_spent() -> None:
    calibration = drawn(1000, 0)
    accuracies = []
    for seconds in (1.5, 2.5, 3.9):
        chosen = choose_for_seconds(calibration, POLICY, seconds=seconds, times=TIMES, batch_size=64)
        taken = TIMES.per_image(chosen.on_calibration.exit, chosen.policy, batch_size=64)
        assert 0.8 * seconds < taken <= seconds
        accuracies.append(chosen.on_calibration.accuracy)
    assert accuracies == sorted(accuracies)
    with pytest.raises(BudgetError, match=r"within 900 ms an image in batches of 64; the least is 1e\+03 ms"):
        choose_for_seconds(calibration, POLICY, seconds=0.9, times=TIMES, batch_size=64)


@pytest.mark.parametrize("batch_size", [1, 64])
def test_the_fastest_thresholds_within_a_loss_are_faster_than_those_with_the_fewest_macs(batch_size: int) -> None:
    calibration = drawn(1000, 0)
    heads = np.array([[0.01, 0.9], [0.64, 57.6]])  # the second takes far longer than its MACs
    times = replace(TIMES, heads=heads)
    by_macs = choose_for_accuracy(calibration, POLICY, loss=0.02)
    by_time = choose_for_accuracy(calibration, POLICY, loss=0.02, times=times, batch_size=batch_size)
    macs_s, time_s = (
        times.per_image(one.on_calibration.exit, one.policy, batch_size=batch_size) for one in (by_macs, by_time)
    )
    assert by_time.on_calibration.gain >= -0.02
    assert by_time.policy.asks(0)
    assert not by_time.policy.asks(1)
    assert time_s < macs_s
    with pytest.raises(InputError, match="the times are of the exits a, b, softmax"):
        choose_for_accuracy(calibration, POLICY, times=replace(times, names=("a", "b", "softmax")))
