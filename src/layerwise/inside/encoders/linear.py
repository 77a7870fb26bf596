"""LinearAutoencoder: two matrices, learned by gradient, that find the subspace of the principal components."""

from __future__ import annotations

from typing import Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from layerwise.inside.encoders.base import ReversibleEncoder, check_whole
from layerwise.seeds import stream_seed

__all__ = ["LinearAutoencoder"]


class LinearAutoencoder(ReversibleEncoder):
    """An encoder (d, D) and a decoder (D, d) without activation, with the least squared error of the reconstruction.

    At the least error the decoder spans the subspace of the first d principal components (Baldi and Hornik, 1989), but
    in no particular basis: codes are no components. The error depends on the data through their covariance alone, so
    each step of L-BFGS costs D² d, whatever N is.

    Args:
        dims: d.
        steps: of L-BFGS, at most.
        tolerance: of the gradient, at which it ends.
        seed: draws the first weights.

    Attributes:
        n_steps_: how many steps it took.
        reconstruction_error_: mean squared error of a number, on what it was fitted to.

    Source: Baldi and Hornik (1989), Neural networks and principal component analysis: learning from examples without
    local minima.

    >>> points = np.random.default_rng(0).normal(size=(100, 5)) * [5, 4, 0.1, 0.1, 0.1]
    >>> LinearAutoencoder(2).fit(points).transform(points).shape
    (100, 2)
    """

    def __init__(self, dims: int = 50, *, steps: int = 500, tolerance: float = 1e-9, seed: int = 0) -> None:
        self.dims = dims
        self.steps = steps
        self.tolerance = tolerance
        self.seed = seed

    def fit(self, X: ArrayLike, y: object = None) -> Self:  # noqa: ARG002, N803
        """Learn from vectors (N, D); `y` is ignored.

        Raises:
            InputError: `dims` or `steps` is no whole number from 1.
        """
        check_whole(dims=self.dims, steps=self.steps)
        vectors = torch.from_numpy(self._checked(X, reset=True)).double()
        count, width = vectors.shape
        mean = vectors.mean(dim=0)
        centred = vectors - mean
        scale = float(centred.square().mean().sqrt()) or 1.0
        covariance = (centred.T @ centred) / (count * scale**2)  # (D, D)
        dims = min(self.dims, width)
        draw = torch.Generator().manual_seed(stream_seed(self.seed, "linear autoencoder"))
        encoder = (torch.randn(dims, width, generator=draw, dtype=torch.float64) / width**0.5).requires_grad_()
        decoder = encoder.detach().T.contiguous().requires_grad_()
        search = torch.optim.LBFGS(
            [encoder, decoder],
            max_iter=self.steps,
            max_eval=2 * self.steps,
            tolerance_grad=self.tolerance,
            tolerance_change=0.0,
            history_size=20,
            line_search_fn="strong_wolfe",
        )

        def error() -> Tensor:
            """E‖x − D E x‖² = tr C − 2 tr(D E C) + tr(D E C Eᵀ Dᵀ)."""
            search.zero_grad()
            coded = encoder @ covariance  # (d, D)
            cross, square = (decoder.T * coded).sum(), ((decoder.T @ decoder) * (coded @ encoder.T)).sum()
            loss: Tensor = covariance.trace() - 2 * cross + square
            loss.backward()  # type: ignore[no-untyped-call]
            return loss

        with torch.enable_grad():
            search.step(error)  # type: ignore[no-untyped-call]
            least = float(error().detach())
        self.n_steps_ = int(search.state[encoder]["n_iter"])
        self.reconstruction_error_ = least * scale**2 / width
        self.tensors_ = {
            "mean": mean.float(),
            "encoder": encoder.detach().float(),
            "decoder": decoder.detach().float(),
        }
        return self

    @property
    def _code_dims(self) -> int:
        return len(self.tensors_["encoder"])

    def _decode(self, codes: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(torch.from_numpy(codes) @ self.tensors_["decoder"].T + self.tensors_["mean"])

    def _encode(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray((torch.from_numpy(vectors) - self.tensors_["mean"]) @ self.tensors_["encoder"].T)
