"""reduce_features: the principal components of a tap's values, which every other method starts from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from layerwise.errors import DataError, InputError, NotEnoughExamplesError, ShapeError
from layerwise.seeds import stream_seed

EXACT_SIDE = 1000
"""Up to so many features or examples the components are exact; beyond, they are found by random projections."""

POWER_ITERATIONS = 4


@dataclass(frozen=True, eq=False)
class Reduction:
    """Principal components: the d directions in which vectors (N, D) differ most.

    Attributes:
        mean: shape (D,).
        components: shape (d, D), orthonormal rows, the largest first, each with its largest number positive.
        explained: shape (d,), the share of the variance along each, 0 to 1.
        exact: whether they were computed exactly; if not, by random projections (Halko, Martinsson and Tropp, 2011).
    """

    mean: NDArray[np.float32]
    components: NDArray[np.float32]
    explained: NDArray[np.float64]
    exact: bool

    def apply(self, features: NDArray[np.floating]) -> NDArray[np.float32]:
        """Vectors (N, D) along the components: shape (N, d).

        Raises:
            ShapeError: they are of another width.
        """
        if features.ndim != 2 or features.shape[1] != len(self.mean):
            raise ShapeError(f"vectors of {len(self.mean)} features are expected; got {features.shape}.")
        return ((features - self.mean) @ self.components.T).astype(np.float32)


def reduce_features(
    features: NDArray[np.floating], *, dims: int = 50, seed: int = 0
) -> tuple[Reduction, NDArray[np.float32]]:
    """The principal components of vectors, and the vectors along them.

    Args:
        features: shape (N, D).
        dims: d; fewer where there are no more examples or features.
        seed: draws the projections where the components are not exact.

    Returns:
        The components, and shape (N, d).

    Raises:
        NotEnoughExamplesError: fewer than 3 examples.
        DataError: all examples are the same.
        InputError: `dims` is below 2.
    """
    count, width = features.shape
    if dims < 2:
        raise InputError(f"a map needs at least 2 dimensions to start from; got dims = {dims}.")
    if count < 3:
        raise NotEnoughExamplesError(f"a map needs at least 3 examples; got {count}.")
    kept = min(dims, count - 1, width)
    exact = min(count, width) <= EXACT_SIDE
    pca = PCA(
        kept,
        svd_solver="full" if exact else "randomized",
        iterated_power=POWER_ITERATIONS,
        random_state=stream_seed(seed, "reduction", bits=32),
    )
    values = np.asarray(features, np.float32)
    if is_constant(values):
        raise DataError(f"all {count} examples have the same values: there is nothing to draw.")
    along = pca.fit_transform(values)
    # Turned as scikit-learn's newer versions do, whichever is installed: a map must not be mirrored by an update.
    signs = np.sign(np.take_along_axis(pca.components_, np.abs(pca.components_).argmax(axis=1)[:, None], axis=1))
    reduction = Reduction(
        pca.mean_.astype(np.float32),
        (signs * pca.components_).astype(np.float32),
        pca.explained_variance_ratio_.astype(np.float64),
        exact,
    )
    return reduction, (along * signs[:, 0]).astype(np.float32)


def is_constant(features: NDArray[np.floating]) -> bool:
    """Whether all vectors (N, D) are the same."""
    return bool((features == features[:1]).all())


def first_plane(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The first two columns (N, 2) of vectors along their components; the only one twice where there is no second."""
    return values[:, :2] if values.shape[1] > 1 else np.repeat(values, 2, axis=1)
