"""What a measurement says of its votes: margins, entropies, and how many examples are undecided still, tap by tap."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import layerwise as lw
from layerwise.difficulty.result import Difficulty


@pytest.fixture(scope="module")
def measured() -> Difficulty:
    data = lw.load_data("digits?limit=90")
    model = lw.load_model("two-layer-mlp?side=8&hidden=16", num_classes=10, in_channels=1)
    return lw.measure_difficulty(model, data.train, data.test.select(slice(0, 12)), place=["relu1"], k=7)


def test_margins_and_entropies_are_of_the_votes_at_each_tap(measured: Difficulty) -> None:
    for row, tap in np.ndindex(len(measured), len(measured.taps)):
        counts = np.bincount(measured.base_labels[measured.neighbors[row, tap]], minlength=10)
        own = counts[measured.reference[row]]
        ahead = own - np.delete(counts, measured.reference[row]).max()
        assert measured.vote_margins[row, tap] == pytest.approx(ahead / 7)
        assert measured.vote_entropies[row, tap] == pytest.approx(stats.entropy(counts))


def test_the_undecided_of_all_taps_sum_up_to_the_mean_soft_depth(measured: Difficulty) -> None:
    assert measured.survival.shape == (len(measured.taps),)
    assert (np.diff(measured.survival) <= 0).all()
    assert measured.survival.sum() == pytest.approx(measured.soft_depth.mean())
