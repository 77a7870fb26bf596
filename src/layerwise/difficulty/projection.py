"""Projection: wide activations folded into fewer numbers, for measurements that may be approximate.

Each feature is added, with a random sign, to one of the sums that are kept, a random one of equally many features each.
Squared distances between folded values are right on average; how often the votes are right has to be measured.

Source: the count sketch of Charikar, Chen and Farach-Colton (2002), section 3, with sums of equal size.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn.functional import pad

from layerwise.errors import InputError
from layerwise.seeds import stream_seed
from layerwise.taps import Tap


@dataclass(frozen=True)
class Projection:
    """Folds each example's features into `width` sums; values that have no more stay as they are.

    The same width folds in the same way, everywhere and always.

    Attributes:
        width: numbers that are kept of an example.

    Raises:
        InputError: `width` is below 1.

    >>> Projection(2)(torch.ones(1, 3, 1)).shape, Projection(3)(torch.ones(1, 3, 1)).shape
    (torch.Size([1, 2]), torch.Size([1, 3, 1]))
    """

    width: int

    def __post_init__(self) -> None:
        if self.width < 1:
            raise InputError(f"fast = {self.width}: of each tap at least one number must be kept, such as fast=512.")

    def changes(self, tap: Tap) -> bool:
        """Whether the tap has more features than are kept."""
        return tap.features > self.width

    def __call__(self, value: Tensor) -> Tensor:
        """Fold values (B, …) to (B, width)."""
        flat = value.flatten(1)
        features = flat.shape[1]
        if features <= self.width:
            return value
        order, signs = (part.to(value.device) for part in _folding(features, self.width))
        filled = pad(flat.float(), (0, len(order) - features))
        return (filled[:, order] * signs).view(len(flat), -1, self.width).sum(dim=1)


@lru_cache(maxsize=8)
def _folding(features: int, width: int) -> tuple[Tensor, Tensor]:
    """The order in which features, filled up to a multiple of `width`, are dealt out, and their signs."""
    generator = torch.Generator().manual_seed(stream_seed(0, "projection", features, width))
    filled = -(-features // width) * width
    order = torch.randperm(filled, generator=generator)
    return order, torch.randint(0, 2, (filled,), generator=generator).float().mul_(2).sub_(1)
