"""ParametricTsne: a network that draws the t-SNE map, so that new vectors fall on it in one forward pass."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.cluster import KMeans
from torch import Tensor
from torch.nn import functional

from layerwise.arrays.affinities import gaussian_shares
from layerwise.errors import InputError, NonFiniteError, ShapeError
from layerwise.inside.embedding.reduction import first_plane, reduce_features
from layerwise.inside.embedding.tsne import NEIGHBORS_PER_PERPLEXITY, check_perplexity, draw_tsne
from layerwise.inside.encoders.base import Encoder, check_whole, check_widths
from layerwise.inside.encoders.training import descend, epochs_of, stack
from layerwise.models.catalog import seeded
from layerwise.neighbors.search import find_neighbors
from layerwise.progress import Progress, silent
from layerwise.seeds import stream_seed

__all__ = ["ParametricTsne"]

ROWS_AT_ONCE = 8192
LEAST_OF_A_PLACE = 8
"""Vectors for each place, on average: with fewer the network learns single examples."""


class ParametricTsne(Encoder):
    """A network from vectors to the plane that minimises the divergence of t-SNE.

    Its output is a softmax over places all over the map, and a vector falls where most of it gathers. So an image that
    could belong to two groups goes to one of them; a network with two outputs would put it between them.

    First it learns a map that openTSNE drew, by the cross-entropy to the places around each vector. Then it minimises
    t-SNE's own divergence: pairs of exact nearest neighbours attract one another, drawn as often as they attend to each
    other, and all points of a batch repel one another. `anchor` holds it at the map meanwhile, so that new images fall
    on the map that was drawn. Noise on the vectors keeps it from learning single examples by heart.

    Args:
        perplexity: about how many neighbours each point attends to.
        dims: principal components of the vectors that the network sees, and by which neighbours are found.
        hidden: widths of the layers.
        places: at most so many, and at most one for eight vectors; centres of clusters of the map.
        map_steps: of gradient descent, to learn the map; rounded up to whole passes over the vectors.
        steps: to minimise the divergence, as well.
        anchor: the weight of the cross-entropy beside the divergence; 0 lets the map go.
        noise: its standard deviation, in those of each component.
        batch_size: vectors in one step; each brings a neighbour in the second phase.
        learning_rate: of Adam, at the beginning of each phase.
        seed: draws weights, order, neighbours and noise.

    Attributes:
        losses_: the mean loss of each epoch, of both phases. The divergence is estimated on batches.
        map_: shape (N, 2), the map that it learned first; not in the file.

    Source: Van der Maaten (2009), Learning a parametric embedding by preserving local structure; there the network is
    warmed up by restricted Boltzmann machines, neighbours are those within a batch, and the output is two numbers.

    >>> points = np.random.default_rng(0).normal(size=(60, 5))
    >>> ParametricTsne(5, hidden=(8,), map_steps=1, steps=1).fit(points, start=points[:, :2]).transform(points).shape
    (60, 2)
    """

    def __init__(
        self,
        perplexity: float = 30.0,
        *,
        dims: int = 50,
        hidden: Sequence[int] = (512, 512),
        places: int = 1000,
        map_steps: int = 800,
        steps: int = 300,
        anchor: float = 1.0,
        noise: float = 0.5,
        batch_size: int = 256,
        learning_rate: float = 1e-3,
        seed: int = 0,
    ) -> None:
        self.perplexity = perplexity
        self.dims = dims
        self.hidden = hidden
        self.places = places
        self.map_steps = map_steps
        self.steps = steps
        self.anchor = anchor
        self.noise = noise
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.seed = seed

    def fit(
        self,
        X: ArrayLike,  # noqa: N803
        y: object = None,  # noqa: ARG002
        *,
        start: NDArray[np.floating] | None = None,
        progress: Progress = silent,
    ) -> Self:
        """Learn from vectors (N, D).

        Args:
            X: shape (N, D).
            y: ignored.
            start: shape (N, 2), the map to learn; by default one is drawn, which needs the extra "maps".
            progress: is shown the epochs.

        Raises:
            NotEnoughExamplesError: not more than three times as many vectors as the perplexity.
            InputError: a parameter out of its range.
            DataError: all vectors are the same.
            ShapeError: `start` is no map of these vectors.
            NonFiniteError: the loss became NaN or infinite, or `start` holds it.
        """
        self._check_parameters()
        vectors = self._checked(X, reset=True)
        check_perplexity(self.perplexity, len(vectors))
        reduction, values = reduce_features(vectors, dims=self.dims, seed=self.seed)
        if start is None:
            start = draw_tsne(
                values, start=first_plane(values), perplexity=self.perplexity, seed=self.seed, progress=progress
            ).coordinates
        if np.shape(start) != (len(values), 2):
            raise ShapeError(f"a map ({len(values)}, 2) is expected; got {np.shape(start)}.")
        if not np.isfinite(start).all():
            raise NonFiniteError("the map to learn holds NaN or infinity.")
        self.map_ = np.asarray(start, np.float32)
        along = torch.from_numpy(values)
        scale = _spread(along)
        with seeded(stream_seed(self.seed, "parametric t-SNE")), torch.enable_grad():
            self._train(along / scale, progress)
        self.tensors_ |= {
            "mean": torch.from_numpy(reduction.mean),
            "components": (torch.from_numpy(reduction.components) / scale).contiguous(),
        }
        return self

    def _encode(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        components, places = self.tensors_["components"], self.tensors_["places"]
        layers = stack([len(components), *self.hidden, len(places)])
        layers.load_state_dict({name: self.tensors_[f"layers.{name}"] for name in layers.state_dict()})
        values = (torch.from_numpy(vectors) - self.tensors_["mean"]) @ components.T
        with torch.no_grad():
            read = _Places(places, self.tensors_["reach"])
            return np.asarray(torch.cat([read.positions(layers(rows)) for rows in torch.split(values, ROWS_AT_ONCE)]))

    def _train(self, vectors: Tensor, progress: Progress) -> None:
        drawn = torch.from_numpy(self.map_)
        places = _Places.on(self.map_, min(self.places, max(len(vectors) // LEAST_OF_A_PLACE, 1)), self.seed)
        near, cumulative = self._neighbors(vectors)
        layers = stack([vectors.shape[1], *self.hidden, len(places.centres)])
        deviations = vectors.std(dim=0)

        def logits_of(rows: Tensor) -> Tensor:
            shaken = vectors[rows] + self.noise * deviations * torch.randn(len(rows), vectors.shape[1])
            logits: Tensor = layers(shaken)
            return logits

        def from_map(rows: Tensor, logits: Tensor) -> Tensor:
            return functional.cross_entropy(logits, places.around(drawn[rows]))

        def divergence(rows: Tensor) -> Tensor:
            drawn_at = torch.rand(len(rows), 1)
            column = torch.searchsorted(cumulative[rows], drawn_at).clamp(max=near.shape[1] - 1)
            pairs = torch.cat([rows, near[rows].gather(1, column).squeeze(1)])
            logits = logits_of(pairs)
            positions = places.positions(logits)
            loss = tsne_loss(positions[: len(rows)], positions[len(rows) :])
            return loss + self.anchor * from_map(pairs, logits) if self.anchor else loss

        order = torch.Generator().manual_seed(stream_seed(self.seed, "parametric t-SNE", "order"))
        self.losses_: list[float] = []
        for loss_of, steps, what in (
            (lambda rows: from_map(rows, logits_of(rows)), self.map_steps, "Learning the map"),
            (divergence, self.steps, "Parametric t-SNE"),
        ):
            self.losses_ += descend(
                layers,
                loss_of,
                len(vectors),
                epochs=epochs_of(steps, self.batch_size, len(vectors)),
                batch_size=self.batch_size,
                learning_rate=self.learning_rate,
                order=order,
                what=what,
                progress=progress,
            )
        weights = {f"layers.{name}": value.detach().clone() for name, value in layers.state_dict().items()}
        self.tensors_ = {**weights, "places": places.centres, "reach": places.reach}

    def _neighbors(self, vectors: Tensor) -> tuple[Tensor, Tensor]:
        """The exact nearest rows of each (N, k), and how much it attends to them, added up (N, k)."""
        k = int(NEIGHBORS_PER_PERPLEXITY * self.perplexity)
        found = find_neighbors(vectors, vectors, k, own_rows=np.arange(len(vectors)))
        shares = gaussian_shares(found.squared_distances, self.perplexity)
        return torch.from_numpy(np.asarray(found.rows, np.int64)), torch.from_numpy(shares).cumsum(dim=1).float()

    def _check_parameters(self) -> None:
        check_widths(self.hidden)
        check_whole(dims=self.dims, places=self.places)
        if self.batch_size < 2 or min(self.map_steps, self.steps) < 0 or self.map_steps + self.steps < 1:
            raise InputError(
                "batch_size must be at least 2, and one of map_steps and steps above 0; got "
                f"{self.batch_size}, {self.map_steps} and {self.steps}."
            )
        if not (0 < self.learning_rate < math.inf and 0 <= self.anchor < math.inf and 0 <= self.noise < math.inf):
            raise InputError(
                "learning_rate must be above 0, anchor and noise must not be below; got "
                f"{self.learning_rate:g}, {self.anchor:g} and {self.noise:g}."
            )


@dataclass(frozen=True, eq=False)
class _Places:
    """Places on a map, between which a softmax decides.

    Attributes:
        centres: shape (P, 2).
        reach: shape (1,), the mean squared distance of a point of the map to the nearest of them.
    """

    centres: Tensor
    reach: Tensor

    @classmethod
    def on(cls, drawn: NDArray[np.float32], count: int, seed: int) -> _Places:
        """The centres of so many clusters of a map (N, 2)."""
        clusters = KMeans(count, n_init=1, random_state=stream_seed(seed, "places", bits=32)).fit(drawn)
        reach = max(float(clusters.inertia_) / len(drawn), 1e-12)
        return cls(torch.from_numpy(clusters.cluster_centers_.astype(np.float32)), torch.tensor([reach]))

    @cached_property
    def _close(self) -> Tensor:
        """How far places count as one, shape (P, P): a Gaussian, twice as wide as a place reaches."""
        return torch.exp(-torch.cdist(self.centres, self.centres).square() / (2 * 2**2 * self.reach))

    def around(self, positions: Tensor) -> Tensor:
        """How much of each position (B, 2) belongs to each place, shape (B, P)."""
        return torch.softmax(-torch.cdist(positions, self.centres).square() / (2 * self.reach), dim=1)

    def positions(self, logits: Tensor) -> Tensor:
        """Where most of a softmax gathers (B, 2): the mean of the places around its mode, by their shares."""
        shares = torch.softmax(logits, dim=1)
        mode = (shares.detach() @ self._close).argmax(dim=1)
        weights = shares * self._close[mode]
        found: Tensor = weights @ self.centres / weights.sum(dim=1, keepdim=True)
        return found


def tsne_loss(first: Tensor, second: Tensor) -> Tensor:
    """t-SNE's divergence up to a constant, estimated on pairs that were drawn as often as they attend to each other.

    Σ p log(p / q) with q = w / Σ w and w = 1 / (1 + distance²) is Σ p log(1 + distance²) + log Σ w, and a constant. The
    first mean is over the pairs, the second over all points of the batch that are not paired with each other.

    Args:
        first, second: shape (B, 2) each, B at least 1.
    """
    count = len(first)
    attraction = torch.log1p((first - second).square().sum(dim=1)).mean()
    if count == 1:
        return attraction
    points = torch.cat([first, second])
    lengths = points.square().sum(dim=1)
    apart = (lengths[:, None] + lengths - 2 * points @ points.T).clamp(min=0)
    alone = ~torch.eye(count, dtype=torch.bool).repeat(2, 2)
    return attraction + torch.log((alone / (1 + apart)).sum() / alone.sum())


def _spread(values: Tensor) -> Tensor:
    """The root mean square, 1 where all are 0."""
    found = values.square().mean().sqrt().reshape(1)
    return torch.where(found > 0, found, torch.ones_like(found))
