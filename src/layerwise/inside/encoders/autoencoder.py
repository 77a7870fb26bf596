"""Autoencoder: layers with activations between, down to few numbers and back; its reconstruction shows what is kept."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn
from torch.nn import functional

from layerwise.errors import InputError
from layerwise.inside.encoders.base import ReversibleEncoder, check_whole, check_widths
from layerwise.inside.encoders.training import descend, epochs_of, stack
from layerwise.models.catalog import seeded
from layerwise.progress import Progress, silent
from layerwise.seeds import stream_seed

__all__ = ["Autoencoder"]

ROWS_AT_ONCE = 8192


class Autoencoder(ReversibleEncoder):
    """A network that reconstructs vectors from few numbers: D → hidden → d → hidden → D, by the mean squared error.

    Vectors are centred and divided by one number, so that their own scale plays no part. Trained with Adam, a step a
    batch, the rate falling to 0 along a cosine.

    Args:
        dims: d, the numbers in the middle.
        hidden: widths of the layers on the way in; the way out has them backwards. Without any it is linear.
        steps: of gradient descent; rounded up to whole passes over the vectors.
        batch_size: vectors in one step.
        learning_rate: of Adam, at the beginning.
        seed: draws the weights and the order.

    Attributes:
        losses_: the mean squared error of each epoch, in shares of the variance: 1 is as good as the mean.

    >>> points = np.random.default_rng(0).normal(size=(200, 5)) * [5, 4, 0.1, 0.1, 0.1]
    >>> Autoencoder(2, hidden=(16,), steps=4).fit(points).transform(points).shape
    (200, 2)
    """

    def __init__(
        self,
        dims: int = 32,
        *,
        hidden: Sequence[int] = (512, 128),
        steps: int = 1500,
        batch_size: int = 128,
        learning_rate: float = 1e-3,
        seed: int = 0,
    ) -> None:
        self.dims = dims
        self.hidden = hidden
        self.steps = steps
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.seed = seed

    def fit(self, X: ArrayLike, y: object = None, *, progress: Progress = silent) -> Self:  # noqa: ARG002, N803
        """Learn from vectors (N, D); `y` is ignored; `progress` is shown the epochs.

        Raises:
            InputError: a parameter out of its range.
            NonFiniteError: the loss became NaN or infinite: lower the learning rate.
        """
        check_widths(self.hidden)
        check_whole(dims=self.dims, steps=self.steps, batch_size=self.batch_size)
        if not 0 < self.learning_rate < math.inf:
            raise InputError(f"learning_rate = {self.learning_rate:g}: give a number above 0.")
        vectors = torch.from_numpy(self._checked(X, reset=True))
        mean = vectors.mean(dim=0)
        scale = (vectors - mean).square().mean().sqrt().reshape(1)
        scale[scale == 0] = 1.0
        whitened = (vectors - mean) / scale
        with seeded(stream_seed(self.seed, "autoencoder")), torch.enable_grad():
            encoder, decoder = self._layers(vectors.shape[1])
            both = nn.Sequential(encoder, decoder)
            self.losses_ = descend(
                both,
                lambda rows: functional.mse_loss(both(whitened[rows]), whitened[rows]),
                len(vectors),
                epochs=epochs_of(self.steps, self.batch_size, len(vectors)),
                batch_size=self.batch_size,
                learning_rate=self.learning_rate,
                order=torch.Generator().manual_seed(stream_seed(self.seed, "autoencoder", "order")),
                what="Autoencoder",
                progress=progress,
            )
        self.tensors_ = {
            "mean": mean,
            "scale": scale,
            **{f"encoder.{name}": value.detach().clone() for name, value in encoder.state_dict().items()},
            **{f"decoder.{name}": value.detach().clone() for name, value in decoder.state_dict().items()},
        }
        return self

    @property
    def _code_dims(self) -> int:
        return int(self.dims)

    def _decode(self, codes: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(
            self._run("decoder", torch.from_numpy(codes)) * self.tensors_["scale"] + self.tensors_["mean"]
        )

    def _encode(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        whitened = (torch.from_numpy(vectors) - self.tensors_["mean"]) / self.tensors_["scale"]
        return np.asarray(self._run("encoder", whitened))

    def _run(self, part: str, values: Tensor) -> Tensor:
        layers = dict(zip(("encoder", "decoder"), self._layers(self.n_features_in_), strict=True))[part]
        prefix = f"{part}."
        weights = {name.removeprefix(prefix): value for name, value in self.tensors_.items() if name.startswith(prefix)}
        layers.load_state_dict(weights)
        with torch.no_grad():
            return torch.cat([layers(rows) for rows in torch.split(values, ROWS_AT_ONCE)])

    def _layers(self, features: int) -> tuple[nn.Sequential, nn.Sequential]:
        widths = [features, *self.hidden, self.dims]
        return stack(widths), stack(widths[::-1])
