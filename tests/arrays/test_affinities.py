"""The shares of neighbours are those of openTSNE and of the definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq

from layerwise.arrays.affinities import gaussian_shares
from layerwise.seeds import stream


@pytest.mark.parametrize("perplexity", [2.0, 5.0, 25.0])
def test_the_shares_are_those_of_a_root_finder(perplexity: float) -> None:
    distances = stream(0, "shares").gamma(2.0, 3.0, size=(20, 60))

    def surplus(log_beta: float, row: np.ndarray) -> float:
        p = np.exp(-np.exp(log_beta) * (row - row.min()))
        p /= p.sum()
        return float(-(p * np.log(np.maximum(p, 1e-300))).sum() - np.log(perplexity))

    shares = gaussian_shares(distances, perplexity)
    for row, found in zip(distances, shares, strict=True):
        beta = np.exp(brentq(surplus, -10, 10, args=(row,), xtol=1e-12))
        expected = np.exp(-beta * (row - row.min()))
        np.testing.assert_allclose(found, expected / expected.sum(), atol=1e-5)


@given(st.integers(0, 1000), st.floats(1e-6, 1e6))
def test_the_unit_of_the_distances_plays_no_part(seed: int, unit: float) -> None:
    distances = stream(seed, "unit").uniform(size=(4, 30))
    np.testing.assert_allclose(gaussian_shares(unit * distances, 8.0), gaussian_shares(distances, 8.0), atol=1e-5)


def test_neighbours_equally_far_are_attended_to_alike() -> None:
    np.testing.assert_allclose(gaussian_shares(np.full((3, 15), 7.0), 5.0), 1 / 15)
    np.testing.assert_allclose(gaussian_shares(np.zeros((3, 15)), 5.0), 1 / 15)
