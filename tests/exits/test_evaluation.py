"""Curves, oracles and budgets on recorded exits: by hand on small ones, by redraws of a known population."""

from __future__ import annotations

import numpy as np
import pytest

from exits.populations import drawn, recorded
from exits.toys import small_exits, some_images
from layerwise.arrays.policies import EntropyBelow, ExitPolicy, GeometricEnsemble, MaxProbabilityAbove
from layerwise.data.images import ImageData
from layerwise.errors import InputError, NotEnoughExamplesError
from layerwise.exits.budgets import choose_for_accuracy
from layerwise.exits.evaluation import entropy_quartiles, evaluate_policy, exit_curve, oracles
from layerwise.exits.recorded import record_exits

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


def test_a_loss_outside_0_to_1_and_an_empty_calibration_are_refused() -> None:
    with pytest.raises(InputError, match="loss must be a share of the examples, from 0 to 1; got 2"):
        choose_for_accuracy(drawn(10, 0), EntropyBelow(0), loss=2)
    with pytest.raises(NotEnoughExamplesError, match="exits are judged by examples; got none"):
        choose_for_accuracy(drawn(10, 0).select(np.array([], np.int64)), EntropyBelow(0))
