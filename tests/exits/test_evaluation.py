"""Curves, oracles and budgets on recorded exits: by hand on small ones, by redraws of a known population."""

from __future__ import annotations

import re

import numpy as np
import pytest

from exits.populations import COSTS, drawn, recorded
from exits.toys import small_exits, some_images
from layerwise.arrays.exits import simulate
from layerwise.arrays.policies import EntropyBelow, ExitPolicy, GeometricEnsemble, MaxProbabilityAbove
from layerwise.data.images import ImageData
from layerwise.errors import InputError, NotEnoughExamplesError
from layerwise.exits.budgets import choose_for_accuracy, choose_for_macs, evaluate_on
from layerwise.exits.costs import ExitCosts
from layerwise.exits.evaluation import entropy_quartiles, evaluate_policy, exit_curve, oracles
from layerwise.exits.guarantee import choose_with_guarantee
from layerwise.exits.recorded import RecordedExits, record_exits

FOUR = recorded(
    np.array(
        [
            [[3, 0], [0, 3], [1, 0], [0, 1]],
            [[3, 0], [3, 0], [2, 0], [0, 2]],
            [[3, 0], [3, 0], [3, 0], [0, 3]],
        ]
    ),
    np.zeros(4, np.int64),
)


def test_a_policy_by_hand() -> None:
    summary = evaluate_policy(FOUR, MaxProbabilityAbove(0.9))
    assert summary.exit.tolist() == [0, 0, 2, 2]
    assert summary.accuracy == 0.5
    assert summary.plain_accuracy == 0.75
    assert summary.gain == -0.25
    assert summary.macs == (110 * 2 + 430 * 2) / 4
    assert summary.plain_macs == 400
    assert summary.mac_cut == pytest.approx(1 - 270 / 400)
    assert summary.mac_ratio == pytest.approx(400 / 270)
    table = summary.table()
    assert table["examples"].tolist() == [2, 0, 2]
    assert table["accuracy"].tolist()[::2] == [0.5, 0.5]
    assert np.isnan(table["accuracy"][1])


def test_oracles_by_hand() -> None:
    found = oracles(FOUR)
    assert found["first right"].exit.tolist() == [0, 1, 0, 2]
    assert found["first right"].accuracy == 0.75
    assert found["first right"].macs == (110 + 230 + 110 + 430) / 4
    assert found["first agreeing"].exit.tolist() == [0, 1, 0, 0]
    assert found["first agreeing"].accuracy == 0.75


def test_entropy_quartiles_of_each_exit() -> None:
    table = entropy_quartiles(FOUR)
    assert table["exit"].tolist() == ["one", "two", "softmax"]
    assert (table["least"] <= table["median"]).all()
    assert table["largest"][0] == pytest.approx(0.5822, abs=1e-4)  # of softmax(1, 0)


@pytest.mark.parametrize(
    "policy", [EntropyBelow(0), MaxProbabilityAbove(0), GeometricEnsemble(EntropyBelow(0))], ids=str
)
def test_every_point_of_a_curve_is_what_the_policy_gives_there(policy: ExitPolicy) -> None:
    examples = drawn(150, 0)
    curve = exit_curve(examples, policy, points=20)
    for threshold, accuracy, macs, shares in zip(
        curve.thresholds, curve.accuracy, curve.macs, curve.shares, strict=True
    ):
        there = evaluate_policy(examples, policy.with_thresholds(float(threshold)))
        assert accuracy == pytest.approx(there.accuracy)
        assert macs == pytest.approx(there.macs)
        assert shares.tolist() == pytest.approx(there.table()["share"].tolist())


def test_a_curve_goes_from_never_to_always_and_can_be_read() -> None:
    curve = exit_curve(drawn(150, 0), EntropyBelow(0.0), points=20)
    assert curve.macs[0] == curve.plain_macs == 400
    assert curve.macs[-1] == 110
    assert (np.diff(curve.macs[1:]) <= 0).all()
    best = curve.best_within(macs=300)
    assert best["macs"] <= 300
    assert best["accuracy"] == curve.accuracy[curve.macs <= 300].max()
    with pytest.raises(InputError, match="no threshold keeps the mean cost within 50 MACs an image; the least is 110"):
        curve.best_within(macs=50)
    with pytest.raises(InputError, match="points must be at least 1; got 0"):
        exit_curve(drawn(5, 0), EntropyBelow(0.0), points=0)


def test_recording_gives_the_logits_of_all_exits_and_their_costs() -> None:
    data = some_images(9, size=8)
    one_split = ImageData.create(
        data.batch(slice(0, 9)), data.labels, class_names=["a", "b", "c"], splits=np.full(9, "test")
    )
    net = small_exits()
    found = record_exits(net, one_split, batch_size=4)
    np.testing.assert_allclose(found.logits, net.all_logits(data), atol=1e-5)
    assert found.split == "test"
    assert found.names == net.names
    assert (found.select(np.array([2, 5])).logits == found.logits[:, [2, 5]]).all()
    two = ImageData.create(
        data.batch(slice(0, 9)), data.labels, class_names=["a", "b", "c"], splits=np.array(["train"] * 4 + ["test"] * 5)
    )
    with pytest.raises(InputError, match=r"exits are recorded on one split; got .* and .*\n    Give data.test"):
        record_exits(net, two)


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
    with pytest.raises(InputError, match="within 90 MACs an image; the least is 110, at which all leave"):
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
    dear = ExitCosts(network=COSTS.network, heads=np.array([1, 150]))  # of 100, 220 and 380
    examples = RecordedExits(examples.logits, examples.labels, examples.ids, "validation", examples.names, dear)
    chosen = choose_for_accuracy(examples, MaxProbabilityAbove(0), loss=0.05)
    # Without the second exit the best threshold of the first is the lowest that keeps the floor.
    scores = examples.confidence(MaxProbabilityAbove(0))[0]
    singles = [evaluate_policy(examples, MaxProbabilityAbove([cut, np.inf])) for cut in [*np.unique(scores), 0.0]]
    kept = [one.macs for one in singles if one.gain >= -0.05]
    assert chosen.on_calibration.macs <= min(kept) + 1e-9


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


def harm_of(policy: ExitPolicy, population: RecordedExits) -> float:
    _, answers = simulate(policy, population.logits)
    return float((population.plain_right & (answers.argmax(axis=1) != population.labels)).mean())


@pytest.mark.slow
def test_a_promise_is_kept_in_nine_of_ten_redraws_where_the_best_threshold_breaks_it() -> None:
    """300 redraws of 300 examples; the share of broken promises has a standard error of 1.7 points."""
    population = _with_disagreement(20_000, 0)
    broken = naive = 0
    random = np.random.default_rng(1)
    for redraw in range(300):
        calibration = population.select(random.choice(len(population), 300, replace=False))
        chosen = choose_with_guarantee(calibration, MaxProbabilityAbove(0), harm=0.05, risk=0.1, seed=redraw)
        broken += harm_of(chosen.policy, population) > 0.05
        if redraw < 60:
            naive += harm_of(_best_on(calibration), population) > 0.05
    assert broken / 300 <= 0.1
    assert naive / 60 > 0.2


def _with_disagreement(count: int, seed: int) -> RecordedExits:
    """Exits that err on their own: some examples are right at the last exit only, and early confidence tells little."""
    random = np.random.default_rng(seed)
    sure = 0.5 + 0.5 * random.random((3, count)) ** np.array([1.0, 0.6, 0.2])[:, None]
    right = random.random((3, count)) < sure
    logits = np.zeros((3, count, 2))
    logits[:, :, 0] = np.log(sure / (1 - sure + 1e-9)) * np.where(right, 1, -1)
    return recorded(logits, np.zeros(count, np.int64), split="validation")


def _best_on(calibration: RecordedExits) -> ExitPolicy:
    """The boldest single threshold that harms at most 5 % of the calibration examples themselves."""
    cuts = np.linspace(0.5, 1, 200)
    harms = [harm_of(MaxProbabilityAbove(float(cut)), calibration) for cut in cuts]
    return MaxProbabilityAbove(float(cuts[np.flatnonzero(np.array(harms) <= 0.05)[0]]))


def test_a_calibration_split_that_is_too_small_for_the_promise_says_how_many_are_needed() -> None:
    message = (
        "a promise of at most 2% harm with probability 90% needs 228 calibration examples (half to order the "
        "thresholds, half to prove them); got 100.\n    Give more, or promise less."
    )
    with pytest.raises(NotEnoughExamplesError, match=re.escape(message)):
        choose_with_guarantee(drawn(100, 0), EntropyBelow(0))
    assert 0.98**114 <= 0.1 < 0.98**113


@pytest.mark.parametrize(("harm", "risk"), [(0, 0.1), (0.02, 1.0)])
def test_harm_and_risk_lie_between_0_and_1(harm: float, risk: float) -> None:
    with pytest.raises(InputError, match="harm and risk lie between 0 and 1"):
        choose_with_guarantee(drawn(100, 0), EntropyBelow(0), harm=harm, risk=risk)


def test_a_loss_outside_0_to_1_and_an_empty_calibration_are_refused() -> None:
    with pytest.raises(InputError, match="loss must be a share of the examples, from 0 to 1; got 2"):
        choose_for_accuracy(drawn(10, 0), EntropyBelow(0), loss=2)
    with pytest.raises(NotEnoughExamplesError, match="exits are judged by examples; got none"):
        choose_for_accuracy(drawn(10, 0).select(np.array([], np.int64)), EntropyBelow(0))
