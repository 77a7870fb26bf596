"""Preprocessing: from pixels in [0, 1] to what a network was trained on; saved with the network."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from layerwise.errors import DataError, InputError, NonFiniteError, NotEnoughExamplesError, ShapeError

__all__ = ["Preprocessing"]


@dataclass(frozen=True)
class Preprocessing:
    """Subtract a mean from each channel and divide by a standard deviation.

    Attributes:
        mean: one number per channel, in pixel units of [0, 1].
        std: one number above 0 per channel.

    Raises:
        InputError: the two differ in length, are empty or not finite, or a standard deviation is not above 0.

    >>> Preprocessing(mean=(0.5,), std=(0.25,))(torch.ones(1, 1, 1, 2))
    tensor([[[[2., 2.]]]])
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "mean", _as_floats("mean", self.mean))
        object.__setattr__(self, "std", _as_floats("std", self.std))
        faults = _find_faults(self.mean, self.std)
        if faults:
            raise InputError(f"mean {self.mean} and std {self.std} cannot be used: {'; '.join(faults)}.")

    def __call__(self, images: Tensor) -> Tensor:
        """Standardise images.

        Args:
            images: shape (N, C, H, W), floats in [0, 1].

        Raises:
            ShapeError: the images have another number of channels.
        """
        if images.ndim != 4 or images.shape[1] != len(self.mean):
            raise ShapeError(
                f"the preprocessing has {len(self.mean)} channels, so it takes images of shape "
                f"(N, {len(self.mean)}, H, W); got {tuple(images.shape)}."
            )
        mean = torch.tensor(self.mean, dtype=images.dtype, device=images.device).view(-1, 1, 1)
        std = torch.tensor(self.std, dtype=images.dtype, device=images.device).view(-1, 1, 1)
        return (images - mean) / std

    @classmethod
    def of_images(cls, batches: Iterable[NDArray[np.floating[Any]]]) -> Preprocessing:
        """The mean and population standard deviation of each channel, over all pixels of all images, in float64.

        Args:
            batches: arrays of shape (B, C, H, W), floats; only one is held at a time. Give training images only.

        Raises:
            NotEnoughExamplesError: there is no image.
            ShapeError: a batch is not four-dimensional, or its channels are not those of the first.
            NonFiniteError: a pixel is NaN or infinite.
            DataError: a channel has the same value everywhere.

        >>> Preprocessing.of_images([np.array([0.0, 1.0]).reshape(2, 1, 1, 1)])
        Preprocessing(mean=(0.5,), std=(0.5,))
        """
        count, mean, squares = _sum_up(batches)
        constant = [str(channel) for channel in np.flatnonzero(squares == 0)]
        if constant:
            raise DataError(
                f"channel {', '.join(constant)} has the same value in every pixel of every image, so it cannot be "
                "standardised.\n    Leave the channel out, or give numbers of your own: Preprocessing(mean, std)."
            )
        return cls(mean=tuple(mean.tolist()), std=tuple(np.sqrt(squares / count).tolist()))

    def to_dict(self) -> dict[str, list[float]]:
        """As plain lists, for JSON."""
        return {"mean": list(self.mean), "std": list(self.std)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Preprocessing:
        """The opposite of `to_dict`.

        Raises:
            InputError: `mean` or `std` is missing, or cannot be used.
        """
        missing = [name for name in ("mean", "std") if name not in values]
        if missing:
            raise InputError(f"a preprocessing needs mean and std; {' and '.join(missing)} missing in {dict(values)}.")
        return cls(mean=values["mean"], std=values["std"])


def _as_floats(name: str, values: Iterable[float]) -> tuple[float, ...]:
    try:
        return tuple(float(value) for value in values)
    except (TypeError, ValueError):
        raise InputError(f"{name} must be numbers, one per channel; got {values!r}.") from None


def _find_faults(mean: tuple[float, ...], std: tuple[float, ...]) -> list[str]:
    faults = []
    if len(mean) != len(std):
        faults.append(f"{len(mean)} means but {len(std)} standard deviations")
    if not mean or not std:
        faults.append("at least one channel is needed")
    if not all(math.isfinite(value) for value in (*mean, *std)):
        faults.append("every number must be finite")
    if any(value <= 0 for value in std):
        faults.append("every standard deviation must be above 0")
    return faults


def _sum_up(batches: Iterable[NDArray[np.floating[Any]]]) -> tuple[int, NDArray[np.float64], NDArray[np.float64]]:
    """Pixels per channel, their mean (C,), and the sum of squares around it (C,).

    Batches are merged around their own means (Chan, Golub and LeVeque 1983): sums of raw squares would lose digits.
    """
    count, mean, squares = 0, np.zeros(0), np.zeros(0)
    for batch in batches:
        pixels = _pixels_by_channel(batch, channels=len(mean) if count else None)  # (C, B·H·W)
        if not pixels.shape[1]:
            continue
        if not count:
            mean, squares = np.zeros(len(pixels)), np.zeros(len(pixels))
        added = pixels.shape[1]
        shift = pixels.mean(axis=1) - mean
        squares = squares + pixels.var(axis=1) * added + shift**2 * count * added / (count + added)
        mean = mean + shift * added / (count + added)
        count += added
    if not count:
        raise NotEnoughExamplesError("no image: the mean and standard deviation need at least one.")
    return count, mean, squares


def _pixels_by_channel(batch: NDArray[np.floating[Any]], *, channels: int | None) -> NDArray[np.float64]:
    if batch.ndim != 4 or (channels is not None and batch.shape[1] != channels):
        raise ShapeError(f"each batch must have the shape (B, {channels or 'C'}, H, W); got {batch.shape}.")
    if not np.isfinite(batch).all():
        raise NonFiniteError("a pixel is NaN or infinite, so the mean and standard deviation are undefined.")
    return np.moveaxis(batch, 1, 0).reshape(batch.shape[1], -1).astype(np.float64)
