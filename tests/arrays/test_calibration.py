"""Calibration by brute force."""

from __future__ import annotations

import numpy as np
import pytest

from layerwise.arrays.calibration import reliability
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
    with pytest.raises(ShapeError, match=r"probabilities \(N, K\) and labels \(N,\) are expected"):
        reliability([0.5, 0.5], [0])
