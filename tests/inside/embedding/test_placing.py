"""New points fall where openTSNE's own transform puts them, on many maps at once."""

from __future__ import annotations

import numpy as np
import pytest
from openTSNE import TSNEEmbedding
from openTSNE.affinity import PerplexityBasedNN

from inside.embedding.test_tsne import digits
from layerwise.errors import InputError, NotEnoughExamplesError
from layerwise.inside.embedding.placing import Ground, place_points
from layerwise.inside.embedding.tsne import draw_tsne

pytestmark = pytest.mark.slow


def test_points_fall_where_opentsne_puts_them() -> None:
    values, labels = digits(440)
    old, new = values[:400], values[400:]
    coordinates = draw_tsne(old, start=old[:, :2]).coordinates
    placed = place_points([new, new], [Ground(old, coordinates), Ground(old, -coordinates)])
    np.testing.assert_allclose(placed[0], -placed[1], atol=1e-3)
    affinities = PerplexityBasedNN(old, perplexity=30, method="exact")
    theirs = TSNEEmbedding(coordinates.astype(np.float64), affinities, negative_gradient_method="bh").transform(new)
    # openTSNE 1.0.4 shifts all points of a transform alike, also those of the map itself; ours stay (see below).
    apart = placed[0] - theirs
    distances = np.linalg.norm(apart - np.median(apart, axis=0), axis=1)
    width = np.ptp(coordinates)
    assert np.median(distances) < 0.001 * width
    assert (distances < 0.01 * width).mean() > 0.8  # a few may have two places that are as good
    nearest = np.linalg.norm(placed[0][:, None] - coordinates, axis=2).argmin(axis=1)
    assert (labels[:400][nearest] == labels[400:]).mean() > 0.85


def test_a_point_of_the_map_falls_near_itself() -> None:
    values, _ = digits(200)
    coordinates = draw_tsne(values, start=values[:, :2]).coordinates
    placed = place_points([values[:20]], [Ground(values, coordinates)])[0]
    distances = np.linalg.norm(placed - coordinates[:20], axis=1)
    assert np.median(distances) < 0.02 * np.ptp(coordinates)
    assert np.linalg.norm((placed - coordinates[:20]).mean(axis=0)) < 0.02 * np.ptp(coordinates)


def test_what_cannot_be_placed_is_refused() -> None:
    values = np.zeros((30, 4))
    ground = Ground(values, values[:, :2])
    with pytest.raises(InputError, match="give new values for each map"):
        place_points([values], [ground, ground])
    few = Ground(values[:10], values[:10, :2])
    with pytest.raises(NotEnoughExamplesError, match="maps of more than 15 points; these have 10"):
        place_points([values], [few])
