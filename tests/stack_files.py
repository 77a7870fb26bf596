"""Networks of one kind with images, labels and orders of their own, as stacks take them."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from layerwise.models.catalog import load_model
from layerwise.seeds import stream

SHAPE = (1, 12, 12)
COUNT, BATCH, CLASSES = 13, 5, 3


def networks(name: str, count: int) -> list[nn.Module]:
    """As many, each drawn with its place as the seed."""
    return [load_model(name, num_classes=CLASSES, in_channels=1, seed=seed) for seed in range(count)]


def images(place: int) -> np.ndarray:
    """A network's images: (COUNT, pixels)."""
    return stream(place, "images").random((COUNT, int(np.prod(SHAPE))), dtype=np.float32)


def labels_of(width: int) -> np.ndarray:
    """Labels for the images of each network: (COUNT, width)."""
    return stream(0, "labels").integers(0, CLASSES, (COUNT, width)).astype(np.int32)


def orders_of(width: int) -> np.ndarray:
    """An order of the images for each network: (COUNT, width)."""
    return np.stack([stream(place, "order").permutation(COUNT) for place in range(width)], axis=1).astype(np.int32)


def batch(place: int, rows: np.ndarray) -> torch.Tensor:
    """Some of a network's images as torch takes them, in float64."""
    return torch.from_numpy(images(place)[rows].reshape(len(rows), *SHAPE)).double()
