"""Parametric t-SNE against openTSNE's own `transform`, the linear autoencoder against PCA; for `benchmarks.maps`."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from openTSNE import TSNEEmbedding
from openTSNE.affinity import PerplexityBasedNN
from scipy.linalg import subspace_angles
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier

from layerwise.inside.embedding.reduction import reduce_features
from layerwise.inside.embedding.tsne import draw_tsne
from layerwise.inside.encoders.linear import LinearAutoencoder
from layerwise.inside.encoders.parametric_tsne import ParametricTsne

VOTERS = 10
ANGLE_DIMS = 10


def against_transform(
    learned: NDArray[np.float32],
    learned_labels: NDArray[np.int64],
    new: NDArray[np.float32],
    new_labels: NDArray[np.int64],
    *,
    perplexity: float,
    map_steps: int = 800,
) -> dict[str, float]:
    """How often the 10 nearest learned images on the map have a held-out image's class, placed by either.

    Both place on the same map, drawn from the same 50 components; the encoder's neighbours are asked where it puts the
    learned images itself, openTSNE's where they lie on its map. That map is read after `transform`, for openTSNE 1.0.4
    shifts it together with the new points; against the map as it was, its accuracy would be up to 9 points too low.
    """
    reduction, values = reduce_features(learned)
    drawn = draw_tsne(values, start=values[:, :2], perplexity=perplexity).coordinates
    affinities = PerplexityBasedNN(values, perplexity=perplexity, n_jobs=torch.get_num_threads(), random_state=0)
    theirs = TSNEEmbedding(drawn.astype(np.float64), affinities, negative_gradient_method="fft", random_state=0)
    placed = np.asarray(theirs.transform(reduction.apply(new)))
    started = time.perf_counter()
    encoder = ParametricTsne(perplexity, map_steps=map_steps).fit(learned, start=drawn)
    seconds = time.perf_counter() - started

    def voted(base: NDArray[np.floating], queries: NDArray[np.floating]) -> float:
        return float(KNeighborsClassifier(VOTERS).fit(base, learned_labels).score(queries, new_labels))

    return {
        "transform": voted(np.asarray(theirs), placed),
        "encoder": voted(encoder.transform(learned), encoder.transform(new)),
        "encoder_on_map": voted(drawn, encoder.transform(new)),
        "seconds": seconds,
    }


def principal_angle() -> dict[str, Any]:
    """The largest principal angle on the digits, in degrees."""
    pixels = load_digits().data
    decoder = LinearAutoencoder(ANGLE_DIMS).fit(pixels).tensors_["decoder"].double().numpy()
    return {
        "principal_angle_deg": float(
            np.rad2deg(subspace_angles(decoder, PCA(ANGLE_DIMS).fit(pixels).components_.T).max())
        )
    }
