"""Calibration by brute force."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from layerwise.arrays.calibration import cross_entropy, fit_temperature, reliability, scaled_loss
from layerwise.errors import ShapeError
from layerwise.seeds import stream


def test_bins_and_error_are_those_of_a_loop() -> None:
    shares = stream(0, "shares").dirichlet([1, 1, 1], size=500)
    labels = stream(0, "labels").integers(0, 3, 500)
    found = reliability(shares, labels, bins=10)
    expected = 0.0
    for place in range(10):
        inside = [row for row in range(500) if place / 10 < shares[row].max() <= (place + 1) / 10]
        assert found.counts[place] == len(inside)
        if inside:
            confidence = np.mean([shares[row].max() for row in inside])
            accuracy = np.mean([shares[row].argmax() == labels[row] for row in inside])
            assert found.confidence[place] == pytest.approx(confidence)
            assert found.accuracy[place] == pytest.approx(accuracy)
            expected += len(inside) / 500 * abs(confidence - accuracy)
        else:
            assert np.isnan(found.accuracy[place])
    assert found.error == pytest.approx(expected)


def test_what_is_as_sure_as_it_is_right_has_no_error() -> None:
    shares = np.tile([0.75, 0.25], (4, 1))
    assert reliability(shares, [0, 0, 0, 1]).error == 0
    assert reliability(shares, [1, 1, 1, 1]).error == 0.75
    assert reliability(np.array([[1.0, 0.0]]), [0]).counts[-1] == 1


def test_other_shapes_are_refused() -> None:
    with pytest.raises(ShapeError) as refused:
        reliability([0.5, 0.5], [0])
    assert str(refused.value) == "probabilities (N, K) and labels (N,) are expected; got (2,) and (1,)."
    for measure in (cross_entropy, fit_temperature, scaled_loss):
        with pytest.raises(ShapeError) as refused:
            measure([[0.5, 0.5]], [0, 1])
        assert str(refused.value) == "logits (N, K) and labels (N,) are expected; got (1, 2) and (2,)."


def test_the_temperature_is_that_of_a_fine_grid() -> None:
    logits = 6 * stream(0, "logits").normal(size=(400, 4))
    labels = stream(0, "labels").integers(0, 4, 400)
    labels[:250] = logits[:250].argmax(axis=1)
    grid = np.geomspace(0.05, 50, 20_001)
    losses = [cross_entropy(logits, labels, temperature=one) for one in grid[::20]]
    near = grid[::20][int(np.argmin(losses))]
    fine = grid[(grid > near / 1.02) & (grid < near * 1.02)]
    best = fine[int(np.argmin([cross_entropy(logits, labels, temperature=one) for one in fine]))]
    assert fit_temperature(logits, labels) == pytest.approx(best, rel=1e-3)


def test_the_cross_entropy_is_that_of_torch() -> None:
    logits = stream(1, "logits").normal(size=(50, 3))
    labels = stream(1, "labels").integers(0, 3, 50)
    expected = torch.nn.functional.cross_entropy(torch.from_numpy(logits / 2.5), torch.from_numpy(labels))
    assert cross_entropy(logits, labels, temperature=2.5) == pytest.approx(float(expected), rel=1e-12)


def test_logits_that_are_too_sure_by_a_factor_are_scaled_back_by_it() -> None:
    draw = stream(2, "logits")
    logits = draw.normal(size=(40_000, 3))
    labels = (logits + draw.gumbel(size=logits.shape)).argmax(axis=1)  # by the softmax of the logits
    temperature, loss = scaled_loss(5 * logits, labels)
    assert temperature == pytest.approx(5, rel=0.03)
    assert loss == pytest.approx(cross_entropy(logits, labels), abs=1e-4)
    assert cross_entropy(5 * logits, labels) > loss + 0.5


def test_labels_that_take_turns_are_scaled_as_shuffled_ones_are() -> None:
    draw = stream(3, "logits")
    labels = np.arange(4_000) % 2
    sure_of_one = np.array([1.0, -1.0]) + draw.normal(size=(4_000, 2))
    sure_of_one[labels == 1, 1] += 2.0
    shuffled = draw.permutation(4_000)
    taking_turns = scaled_loss(4 * sure_of_one, labels)
    assert taking_turns == pytest.approx(scaled_loss(4 * sure_of_one[shuffled], labels[shuffled]), rel=0.02)
    best = fit_temperature(4 * sure_of_one, labels)
    assert taking_turns[0] == pytest.approx(best, rel=0.02)


def test_of_fewer_than_two_images_no_half_can_scale_the_other() -> None:
    assert np.isnan(scaled_loss([[1.0, 0.0]], [0])).all()


def test_what_is_all_right_gets_the_coldest_temperature() -> None:
    assert fit_temperature([[1.0, 0.0], [0.0, 1.0]], [0, 1]) == pytest.approx(0.01, rel=0.01)
