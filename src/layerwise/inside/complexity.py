"""measure_complexity: how complex a network a data set needs, from its pixels alone, before anyone trains."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from layerwise.arrays.intervals import wilson_interval
from layerwise.arrays.intrinsic_dimension import Dimension, levina_bickel, two_nn
from layerwise.data.images import ImageData
from layerwise.errors import NotEnoughExamplesError
from layerwise.inside.pixels import is_shrunk, small_pixels
from layerwise.neighbors.search import find_neighbors
from layerwise.seeds import stream

NEIGHBORS = 20
VOTERS = 10
SPECTRUM_EXAMPLES = 3000
"""Images from which the explained variance is computed: its curve hardly changes with more."""

MOST_ITERATIONS = 60
"""Of logistic regression: on 10,000 CIFAR-10 images 60 steps and 116 (the optimum) are right equally often, 40 %."""

NEARLY_ALL, LITTLE = 0.9, 0.25
"""How far from chance to 1 the better of the two simple classifiers comes."""

SHARES = (0.5, 0.8, 0.9, 0.95, 0.99)


@dataclass(frozen=True)
class ProbeAccuracy:
    """How often a simple classifier on pixels is right on images that it did not learn from."""

    right: int
    total: int

    @property
    def accuracy(self) -> float:
        """The share."""
        return self.right / self.total

    @property
    def interval(self) -> tuple[float, float]:
        """95 %, Wilson, over the images."""
        low, high = wilson_interval(self.right, self.total)
        return float(low), float(high)


@dataclass(frozen=True, eq=False)
class Complexity:
    """What pixels alone can tell.

    Attributes:
        knn: the vote of the 10 nearest training images.
        linear: logistic regression on the pixels.
        chance: the share of the largest class among the images asked.
        explained: shape (P,), the share of the variance that the first 1, 2, … P components hold.
        local_dimension, dimension: estimates at the smallest scale and at that of 20 neighbours; None if all are alike.
        train, asked: how many images the classifiers learned from, and were asked about.
        note: which images were taken.
    """

    knn: ProbeAccuracy
    linear: ProbeAccuracy
    chance: float
    explained: NDArray[np.float64]
    local_dimension: Dimension | None
    dimension: Dimension | None
    train: int
    asked: int
    note: str

    @property
    def reading(self) -> str:
        """What the accuracies say of the network that is needed, in a sentence."""
        best = max(self.knn.accuracy, self.linear.accuracy)
        gained = (best - self.chance) / max(1 - self.chance, 1e-9)
        if gained >= NEARLY_ALL:
            return "Pixels alone are nearly enough: a small network will do."
        if gained <= LITTLE:
            return "Pixels alone tell little: whatever is right has to come from what a network makes of them."
        return "Pixels alone tell a part: a network has to find the rest."

    def components(self) -> dict[float, int]:
        """A share of the variance to how many components hold it."""
        return {share: int(np.searchsorted(self.explained, share - 1e-9)) + 1 for share in SHARES}


def measure_complexity(data: ImageData, *, limit: int = 10_000, seed: int = 0) -> Complexity:
    """Ask simple classifiers, principal components and neighbours of the pixels; large images are averaged to 32 × 32.

    Args:
        data: labelled images; learned from "train" and asked about "test" (or "validation"); without these, a fifth
            that is drawn at random is asked.
        limit: the most images to learn from, and a fifth of it to ask; drawn at random where there are more.
        seed: draws them.

    Raises:
        NotEnoughExamplesError: 30 images or fewer to learn from, fewer than one to ask, or one class only.
    """
    learned, asked, note = _parts(data, limit, seed)
    if len(learned) <= NEIGHBORS + VOTERS or not len(asked) or len(np.unique(learned.labels)) < 2:
        raise NotEnoughExamplesError(
            f"the pixels of {data.name} can be judged with more than {NEIGHBORS + VOTERS} training images of at least "
            f"two classes, and one other; got {len(learned)} of {len(np.unique(learned.labels))} and {len(asked)}."
        )
    base, queries = small_pixels(learned).reshape(len(learned), -1), small_pixels(asked).reshape(len(asked), -1)
    points = torch.from_numpy(base)
    votes = find_neighbors(torch.from_numpy(queries), points, VOTERS).votes(learned.labels, data.num_classes)
    near = find_neighbors(points, points, NEIGHBORS, own_rows=np.arange(len(base)))
    distances = np.sqrt(near.squared_distances)
    return Complexity(
        knn=ProbeAccuracy(int((votes == asked.labels).sum()), len(asked)),
        linear=ProbeAccuracy(int((_linear(base, learned.labels, queries) == asked.labels).sum()), len(asked)),
        chance=float(np.bincount(asked.labels).max() / len(asked)),
        explained=_explained(base, seed),
        local_dimension=_or_none(two_nn, distances),
        dimension=_or_none(levina_bickel, distances),
        train=len(learned),
        asked=len(asked),
        note=note,
    )


def _parts(data: ImageData, limit: int, seed: int) -> tuple[ImageData, ImageData, str]:
    names = data.split_names
    other = next((name for name in ("test", "validation") if name in names), None)
    if "train" in names and other is not None:
        learned, asked, words = data.train, data.split(other), f"train and {other} images"
    else:
        order = stream(seed, "complexity", "parts").permutation(len(data))
        cut = len(data) // 5
        learned, asked = data.select(np.sort(order[cut:])), data.select(np.sort(order[:cut]))
        words = "images, a fifth of them held out"
    whole = len(learned) + len(asked)
    learned, asked = _some(learned, limit, seed, "learned"), _some(asked, limit // 5, seed, "asked")
    drawn = ", drawn at random" if len(learned) + len(asked) < whole else ""
    small = ", averaged to at most 32 pixels a side" if is_shrunk(data) else ""
    return learned, asked, f"{len(learned):,} and {len(asked):,} {words}{drawn}{small}"


def _some(data: ImageData, most: int, seed: int, name: str) -> ImageData:
    if len(data) <= most:
        return data
    return data.select(np.sort(stream(seed, "complexity", name).permutation(len(data))[:most]))


def _linear(base: NDArray[np.float32], labels: NDArray[np.int64], queries: NDArray[np.float32]) -> NDArray[np.int64]:
    """Logistic regression on pixels of mean 0 and standard deviation 1; the penalty grows with their number."""
    mean, std = base.mean(axis=0), base.std(axis=0)
    std[std == 0] = 1
    model = LogisticRegression(max_iter=MOST_ITERATIONS, C=1.0 / base.shape[1])
    with warnings.catch_warnings():
        # A few steps short of the optimum the accuracy is the same.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit((base - mean) / std, labels)
    return np.asarray(model.predict((queries - mean) / std), np.int64)


def _explained(base: NDArray[np.float32], seed: int) -> NDArray[np.float64]:
    rows = np.sort(stream(seed, "complexity", "spectrum").permutation(len(base))[:SPECTRUM_EXAMPLES])
    centred = base[rows] - base[rows].mean(axis=0, dtype=np.float64).astype(np.float32)
    small = centred.T @ centred if centred.shape[1] <= len(centred) else centred @ centred.T
    variances = np.maximum(np.linalg.eigvalsh(small.astype(np.float64))[::-1], 0)
    total = variances.sum()
    return np.cumsum(variances) / total if total > 0 else np.ones(1)


def _or_none(estimate: Callable[[NDArray[np.floating]], Dimension], distances: NDArray[np.float64]) -> Dimension | None:
    try:
        return estimate(distances)
    except NotEnoughExamplesError:
        return None
