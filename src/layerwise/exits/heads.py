"""Heads: small classifiers on a tap's value. make_head builds one of HEADS for a shape.

- "linear": all numbers of the value, and one linear layer; the head of the reference notebook.
- "pooled": the mean over positions, and one linear layer; a few thousand MACs.
- "mixed": maps pooled to 4 × 4 by a learned mixture of maximum and mean, and one linear layer; after
  Kaya, Hong and Dumitras (2019), "Shallow-Deep Networks", section 4.1.
- "conv": a 3 × 3 convolution, batch norm and ReLU, then as "pooled"; after Teerapittayanon, McDanel and Kung (2016),
  "BranchyNet", section IV.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from layerwise.errors import UnknownNameError, did_you_mean
from layerwise.recording.reduction import position_axes

__all__ = ["HEADS", "make_head"]

HEADS = ("linear", "pooled", "mixed", "conv")
_MIXED_SIZE = 4


class _Pooled(nn.Module):
    """The mean over positions, as `mean_pool`."""

    def __init__(self, axes: tuple[int, ...]) -> None:
        super().__init__()
        self.axes = [axis + 1 for axis in axes]

    def forward(self, value: Tensor) -> Tensor:
        return value.mean(dim=self.axes)


class _MixedPooled(nn.Module):
    """Maps (B, C, H, W) pooled to at most 4 × 4: a learned mixture of their maximum and their mean."""

    def __init__(self) -> None:
        super().__init__()
        self.share_of_maximum = nn.Parameter(torch.tensor(0.5))

    def forward(self, value: Tensor) -> Tensor:
        size = _mixed_size(value.shape[2]), _mixed_size(value.shape[3])
        highest = functional.adaptive_max_pool2d(value, size)
        mean = functional.adaptive_avg_pool2d(value, size)
        return self.share_of_maximum * highest + (1 - self.share_of_maximum) * mean


def make_head(design: str, shape: tuple[int, ...], *, num_classes: int, image_shape: tuple[int, ...]) -> nn.Sequential:
    """A classifier on values of one shape. For values that are no maps (C, H, W), "mixed" and "conv" are "pooled".

    Args:
        design: one of HEADS.
        shape: of one example's value.
        num_classes: K.
        image_shape: (C, H, W) of the network's input, by which positions are told from features.

    Raises:
        UnknownNameError: no such design.

    >>> [sum(p.numel() for p in make_head(name, (8, 4, 4), num_classes=3, image_shape=(1, 8, 8)).parameters())
    ...  for name in HEADS]
    [387, 27, 388, 619]
    """
    if design not in HEADS:
        raise UnknownNameError(
            f'no design of heads is called "{design}".{did_you_mean(design, HEADS)}\n'
            f"    Give one of {', '.join(HEADS)}."
        )
    axes = position_axes(shape, image_shape)
    features = math.prod(size for axis, size in enumerate(shape) if axis not in axes)
    is_map = axes == (1, 2) and len(shape) == 3
    if design == "linear" or not axes:
        return nn.Sequential(nn.Flatten(), nn.Linear(math.prod(shape), num_classes))
    if design == "mixed" and is_map:
        numbers = features * _mixed_size(shape[1]) * _mixed_size(shape[2])
        return nn.Sequential(_MixedPooled(), nn.Flatten(), nn.Linear(numbers, num_classes))
    pooled = [_Pooled(axes), nn.Linear(features, num_classes)]
    if design == "conv" and is_map:
        convolution = nn.Conv2d(features, features, 3, padding=1, bias=False)
        return nn.Sequential(convolution, nn.BatchNorm2d(features), nn.ReLU(), *pooled)
    return nn.Sequential(*pooled)


def _mixed_size(size: int) -> int:
    return min(_MIXED_SIZE, size)
