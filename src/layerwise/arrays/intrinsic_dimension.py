"""How many dimensions a cloud of points has, whatever the width of its vectors: two estimates from neighbours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from layerwise.errors import DataError, NotEnoughExamplesError, ShapeError

NORMAL_95 = 1.959964


@dataclass(frozen=True)
class Dimension:
    """An estimate with its 95 % interval over the points, as if they were drawn independently.

    Attributes:
        estimate: dimensions.
        low, high: the interval.
        points: how many had a say; duplicates have none.
    """

    estimate: float
    low: float
    high: float
    points: int


def two_nn(distances: NDArray[np.floating]) -> Dimension:
    """The dimension at the smallest scale, from how much further the second neighbour is than the first.

    Args:
        distances: shape (N, k) with k at least 2, ascending: of each point to its nearest others.

    Raises:
        ShapeError: there are fewer than two columns.
        NotEnoughExamplesError: fewer than three points have two neighbours at different places.
        DataError: distances are negative or not ascending.

    Source: Facco, d'Errico, Rodriguez and Laio (2017), Estimating the intrinsic dimension of datasets by a minimal
    neighborhood information, by maximum likelihood: under it the estimate varies by 1 / √N of itself.
    """
    checked = _checked(distances, 2)
    ratios = checked[:, 1] / checked[:, 0]
    logarithms = np.log(ratios)
    return _from_rate(float(logarithms.sum()), len(logarithms))


def levina_bickel(distances: NDArray[np.floating]) -> Dimension:
    """The dimension at the scale of k neighbours, from how their distances grow.

    Args:
        distances: shape (N, k) with k at least 3, ascending: of each point to its nearest others.

    Raises:
        As `two_nn`, with three columns.

    Source: Levina and Bickel (2004), Maximum likelihood estimation of intrinsic dimension, with the inverses averaged
    over the points, as MacKay and Ghahramani (2005) propose in their comments on it: that has less bias.
    """
    checked = _checked(distances, 3)
    k = checked.shape[1]
    inverse = np.log(checked[:, -1:] / checked[:, :-1]).sum(axis=1) / (k - 1)  # (N,), on average 1 / d
    mean = float(inverse.mean()) if len(inverse) > 2 else 0.0
    if mean <= 0:
        raise NotEnoughExamplesError(
            f"the dimension needs at least 3 points whose neighbours are not equally far; got {len(inverse)}."
        )
    # Neighbours are shared, so points say less than independent ones would: the interval is over N / k of them.
    error = float(inverse.std(ddof=1)) / max(len(inverse) / k, 1) ** 0.5
    low = 1 / (mean + NORMAL_95 * error)
    high = 1 / (mean - NORMAL_95 * error) if mean > NORMAL_95 * error else np.inf
    return Dimension(1 / mean, low, float(high), len(inverse))


def _from_rate(total: float, count: int) -> Dimension:
    if count < 3 or total <= 0:
        raise NotEnoughExamplesError(
            f"the dimension needs at least 3 points whose first two neighbours are not equally far; got {count}."
        )
    estimate = (count - 1) / total
    half = NORMAL_95 * estimate / count**0.5
    return Dimension(estimate, estimate - half, estimate + half, count)


def _checked(distances: NDArray[np.floating], least: int) -> NDArray[np.float64]:
    values = np.asarray(distances, np.float64)
    if values.ndim != 2 or values.shape[1] < least:
        raise ShapeError(f"distances need shape (N, k) with k of at least {least}; got {values.shape}.")
    if not np.isfinite(values).all() or (values < 0).any() or (np.diff(values, axis=1) < 0).any():
        raise DataError("distances must be numbers of at least 0, ascending in each row.")
    return values[values[:, 0] > 0]  # a duplicate has a neighbour at no distance, and tells nothing
