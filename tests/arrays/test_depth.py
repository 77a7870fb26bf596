"""The definition of prediction depth, against a loop that spells it out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from layerwise.arrays.depth import prediction_depth, reference_classes
from layerwise.errors import InputError, ShapeError


def depth_by_definition(agrees: np.ndarray) -> list[int]:
    taps = len(agrees)
    return [next((start for start in range(taps) if all(agrees[start:, n])), taps) for n in range(agrees.shape[1])]


@given(arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=9)))
def test_depth_is_the_first_tap_from_which_all_agree(agrees: np.ndarray) -> None:
    assert prediction_depth(agrees).tolist() == depth_by_definition(agrees)


def test_disagreeing_only_at_the_input_and_never_disagreeing_are_told_apart() -> None:
    agrees = np.array([[False, True], [True, True], [True, True]])
    assert prediction_depth(agrees).tolist() == [1, 0]


def test_an_example_whose_last_probe_disagrees_is_unresolved_not_the_deepest() -> None:
    agrees = np.array([[True, False], [True, False], [False, True]])
    assert prediction_depth(agrees).tolist() == [3, 2]


@pytest.mark.parametrize("shape", [(0, 3), (3,), (2, 2, 2)])
def test_arrays_without_taps_or_of_other_dimensions_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match=r"agrees needs shape \(L, N\) with L at least 1"):
        prediction_depth(np.ones(shape, bool))


@given(st.integers(0, 4), st.integers(1, 6))
def test_the_last_probe_as_reference_leaves_nothing_unresolved(seed: int, taps: int) -> None:
    votes = np.random.default_rng(seed).integers(0, 3, size=(20, taps))
    reference = reference_classes("last-probe", votes=votes, predictions=votes[:, 0], labels=votes[:, 0])
    assert (prediction_depth(reference == votes.T) < taps).all()


def test_each_reference_gives_its_own_classes() -> None:
    given_classes = {"votes": np.array([[0, 1], [2, 0]]), "predictions": np.array([2, 2]), "labels": np.array([0, 0])}
    assert reference_classes("prediction", **given_classes).tolist() == [2, 2]
    assert reference_classes("last-probe", **given_classes).tolist() == [1, 0]
    assert reference_classes("label", **given_classes).tolist() == [0, 0]


def test_an_unknown_reference_is_refused_with_a_near_name() -> None:
    with pytest.raises(InputError) as caught:
        reference_classes("labels", votes=np.zeros((1, 1), int), predictions=np.zeros(1, int), labels=np.zeros(1, int))  # type: ignore[arg-type]
    assert str(caught.value) == (
        'agree_with = "labels" is no reference class. Did you mean "label"?\n'
        "    Choose one of: prediction, last-probe, label."
    )
