"""Batches: epoch_order, cut_into_batches, load_training_batch, load_batch.

What a batch holds is a function of the seed, the epoch and its place in the epoch: neither the network, nor another
training before it, nor a resume in between can change it.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from layerwise.data.images import ImageData
from layerwise.seeds import stream
from layerwise.training.augment import flip_and_crop
from layerwise.training.settings import TrainSettings

__all__ = ["cut_into_batches", "epoch_order", "load_batch", "load_training_batch"]


def epoch_order(count: int, *, seed: int, epoch: int) -> NDArray[np.int64]:
    """The order of the training images in one epoch: shape (N,), each of 0 to N - 1 once."""
    return stream(seed, "order", epoch).permutation(count)


def cut_into_batches(order: NDArray[np.int64], batch_size: int) -> list[NDArray[np.int64]]:
    """The order cut into batches; a last one of a single image joins the one before it.

    Batch norm cannot train on one image, and leaving it out would hide an image from the epoch.

    >>> [batch.tolist() for batch in cut_into_batches(np.arange(5), 2)]
    [[0, 1], [2, 3, 4]]
    """
    starts = list(range(batch_size, len(order), batch_size))
    if starts and len(order) - starts[-1] == 1 and batch_size > 1:
        starts.pop()
    return np.split(order, starts)


def load_training_batch(
    data: ImageData, index: NDArray[np.int64], settings: TrainSettings, *, epoch: int, batch: int
) -> tuple[Tensor, Tensor]:
    """The images of one training step, augmented and preprocessed, and their labels: (B, C, H, W) and (B,)."""
    images = data.batch(index)
    if settings.augment == "flip-crop":
        images = flip_and_crop(images, stream(settings.seed, "augment", epoch, batch))
    return _to_tensors(images, data.labels[index], settings)


def load_batch(data: ImageData, index: NDArray[np.int64], settings: TrainSettings) -> tuple[Tensor, Tensor]:
    """Images as they are, preprocessed, and their labels: (B, C, H, W) and (B,)."""
    return _to_tensors(data.batch(index), data.labels[index], settings)


def _to_tensors(
    images: NDArray[np.float32], labels: NDArray[np.int64], settings: TrainSettings
) -> tuple[Tensor, Tensor]:
    pixels = torch.from_numpy(np.ascontiguousarray(images))
    if settings.preprocessing is not None:
        pixels = settings.preprocessing(pixels)
    return pixels, torch.from_numpy(np.ascontiguousarray(labels, dtype=np.int64))
