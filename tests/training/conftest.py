"""Small images and networks that train in well under a second."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn

from layerwise.data.images import ImageData

MakeNet = Callable[..., nn.Module]


@pytest.fixture(scope="session")
def digits() -> ImageData:
    """203 training images, 50 to validate and 30 to test: 203 is no multiple of any batch size used here."""
    source = load_digits()
    images = np.asarray(source.images[:283, None] * 15, dtype=np.uint8)
    splits = np.repeat(["train", "validation", "test"], [203, 50, 30])
    return ImageData.create(images, source.target[:283], splits=splits, name="digits")


@pytest.fixture(scope="session")
def make_net() -> MakeNet:
    """A network with batch norm and dropout, whose weights depend on the seed."""

    def make(seed: int = 0, classes: int = 10) -> nn.Module:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return nn.Sequential(
                nn.Conv2d(1, 4, 3),
                nn.BatchNorm2d(4),
                nn.ReLU(),
                nn.Dropout(0.2),
                nn.Flatten(),
                nn.Linear(4 * 36, classes),
            )

    return make


@pytest.fixture(scope="session")
def weight_bytes() -> Callable[[nn.Module], bytes]:
    """All parameters and buffers of a network, as bytes."""
    return lambda model: b"".join(value.numpy().tobytes() for value in model.state_dict().values())
