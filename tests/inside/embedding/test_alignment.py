"""A map is turned onto another without changing a distance in it."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import pdist

from layerwise.inside.embedding.alignment import aligned_to
from layerwise.seeds import stream


@given(seed=st.integers(0, 20), angle=st.floats(0, 7), mirrored=st.booleans())
def test_a_turned_mirrored_and_shifted_map_comes_back(seed: int, angle: float, mirrored: bool) -> None:
    reference = stream(seed, "map").normal(size=(30, 2))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = reference @ turn * ([1, -1] if mirrored else [1, 1]) + 7
    np.testing.assert_allclose(aligned_to(reference, moved), reference, atol=1e-5)


def test_distances_stay_and_the_other_map_is_as_near_as_can_be() -> None:
    reference, coordinates = (stream(seed, "map").normal(size=(40, 2)) for seed in (0, 1))
    turned = aligned_to(reference, coordinates)
    np.testing.assert_allclose(pdist(turned), pdist(coordinates), rtol=1e-4, atol=1e-5)
    own = float(np.square(turned - reference).sum())
    centred = turned - turned.mean(axis=0)
    for angle in np.linspace(0, 2 * np.pi, 50):
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        assert np.square(centred @ turn + reference.mean(axis=0) - reference).sum() >= own - 1e-4
