"""The four kinds of difficulty: deep and shallow where trained on and where held out, and where the cut is."""

from __future__ import annotations

import numpy as np
import pytest

from layerwise.arrays.kinds import EXAMPLE_KINDS, four_kinds
from layerwise.errors import ShapeError


def test_each_pair_of_deep_and_shallow_is_a_kind_of_its_own() -> None:
    training, held_out = [0, 0, 0, 0, 0, 2, 0, 2], [0, 0, 0, 0, 0, 0, 2, 2]
    assert four_kinds(training, held_out).tolist()[4:] == list(EXAMPLE_KINDS)


def test_an_example_as_deep_as_the_median_is_shallow() -> None:
    assert four_kinds([1.0, 2.0, 3.0], [3, 3, 3]).tolist() == ["easy", "easy", "looks like another class"]


def test_depths_of_other_numbers_of_examples_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"^both depths need shape \(N,\); got \(2,\) and \(3,\)\.$"):
        four_kinds(np.zeros(2), np.zeros(3))
