"""Soft depth: what it is at its ends, where it is the prediction depth, and how reliable depths over runs are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from layerwise.arrays.depth import prediction_depth
from layerwise.arrays.soft_depth import (
    depth_over_runs,
    runs_needed,
    soft_depth,
    sure_agreement,
    survival,
    vote_entropies,
    vote_margins,
)
from layerwise.errors import InputError, NotEnoughExamplesError, ShapeError
from layerwise.seeds import stream

agreements = arrays.arrays(bool, st.tuples(st.integers(1, 6), st.integers(1, 8)))


@given(agreements)
def test_where_every_probe_is_sure_soft_depth_is_the_prediction_depth(agrees: np.ndarray) -> None:
    assert soft_depth(agrees.astype(np.float64)).tolist() == prediction_depth(agrees).tolist()
    undecided = [(prediction_depth(agrees) > tap).mean() for tap in range(len(agrees))]
    assert survival(agrees.astype(np.float64)) == pytest.approx(undecided)


@given(arrays.arrays(np.float64, (4, 5), elements=st.floats(0, 1)), st.integers(0, 3))
def test_a_surer_probe_never_makes_an_example_deeper(agreement: np.ndarray, tap: int) -> None:
    surer = agreement.copy()
    surer[tap] = 1.0
    assert (soft_depth(surer) <= soft_depth(agreement) + 1e-12).all()
    assert (np.diff(survival(agreement)) <= 1e-12).all()


def test_margins_and_entropies_of_votes() -> None:
    counts = np.array([[10, 0, 0], [4, 6, 0], [5, 5, 0], [0, 3, 7]])
    reference = np.zeros(4, np.int64)
    assert vote_margins(counts, reference).tolist() == [1.0, -0.2, 0.0, -0.7]
    shares = np.array([0.4, 0.6])
    assert vote_entropies(counts)[:3] == pytest.approx([0.0, -(shares * np.log(shares)).sum(), np.log(2)])


def test_agreement_is_as_sure_as_drawing_the_neighbours_again_says() -> None:
    counts = np.array([[18, 12, 0], [14, 9, 7], [10, 20, 0]])
    again = np.stack([stream(0, "votes").multinomial(30, row / 30, 40_000) for row in counts])  # (3, draws, K)
    ahead = again[:, :, 0] - again[:, :, 1]
    simulated = (ahead > 0).mean(axis=1) + 0.5 * (ahead == 0).mean(axis=1)
    assert sure_agreement(counts, np.zeros(3, np.int64)) == pytest.approx(simulated, abs=0.015)


@settings(deadline=None)
@given(st.floats(0.05, 0.95))
def test_so_many_runs_are_enough_and_one_fewer_is_not(reliability: float) -> None:
    runs = runs_needed(reliability, of_mean=0.9)
    assert runs is not None

    def of_mean(count: int) -> float:
        return count * reliability / (1 + (count - 1) * reliability)

    assert of_mean(runs) >= 0.9 - 1e-9
    assert runs == 1 or of_mean(runs - 1) < 0.9 + 1e-9


def test_the_reliability_of_made_up_depths_is_what_they_were_made_with() -> None:
    generator = stream(0, "depths")
    example, noise = generator.normal(5, 2.0, (1, 4000)), generator.normal(0, 1.0, (6, 4000))
    found = depth_over_runs(example + noise)
    assert found.reliability == pytest.approx(4.0 / 5.0, abs=0.01)
    assert found.reliability_of(6) == pytest.approx(24 / 25, abs=0.005)
    held = (found.low <= example[0]) & (example[0] <= found.high)
    assert held.mean() == pytest.approx(0.95, abs=0.012)
    assert runs_needed(0.0) is None
    assert depth_over_runs(noise).reliability == pytest.approx(0.0, abs=0.02)


def test_inputs_that_cannot_be_used_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"agreement needs shape \(L, N\) with L at least 1; got \(3,\)"):
        soft_depth(np.zeros(3))
    with pytest.raises(NotEnoughExamplesError, match="at least two runs and two examples; got 1 and 3"):
        depth_over_runs(np.zeros((1, 3)))
    with pytest.raises(ShapeError, match=r"depths need shape \(R, N\)"):
        depth_over_runs(np.zeros(3))
    with pytest.raises(InputError, match="reliabilities lie between 0 and 1"):
        runs_needed(1.2)
