"""find_filters: the weights of a convolution, as the pictures that it looks for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch import nn

from layerwise.errors import InputError, UnknownNameError, did_you_mean


@dataclass(frozen=True, eq=False)
class Filters:
    """Filters of one layer.

    Attributes:
        layer: its name.
        weights: shape (F, C, h, w): F filters on C channels (of a grouped convolution, those of one group).
    """

    layer: str
    weights: NDArray[np.float32]

    def table(self) -> pd.DataFrame:
        """A row per filter: `filter`, `norm`, `mean`, `low`, `high`."""
        flat = self.weights.reshape(len(self.weights), -1).astype(np.float64)
        return pd.DataFrame(
            {
                "filter": np.arange(len(flat)),
                "norm": np.linalg.norm(flat, axis=1),
                "mean": flat.mean(axis=1),
                "low": flat.min(axis=1),
                "high": flat.max(axis=1),
            }
        )


def find_filters(model: nn.Module, layer: str | None = None) -> Filters:
    """The filters of a two-dimensional convolution.

    Args:
        model: any network.
        layer: torch's dotted name; by default the first convolution that the network declares.

    Raises:
        UnknownNameError: no layer is called so.
        InputError: the layer has no filters, or the network has none; says which layers have.

    >>> import torch
    >>> find_filters(nn.Sequential(nn.Conv2d(3, 8, 5), nn.ReLU())).weights.shape
    (8, 3, 5, 5)
    """
    modules = dict(model.named_modules())
    found = [name for name, module in modules.items() if isinstance(module, nn.Conv2d)]
    if not found:
        raise InputError(f"{type(model).__name__} has no two-dimensional convolution, so it has no filters.")
    name = found[0] if layer is None else layer
    if name not in modules:
        raise UnknownNameError(
            f'no layer named "{name}" in {type(model).__name__}.{did_you_mean(name, found)}\n'
            f"    Convolutions: {', '.join(found[:8])}{' …' if len(found) > 8 else ''}"
        )
    module = modules[name]
    if not isinstance(module, nn.Conv2d):
        raise InputError(
            f'"{name}" is a {type(module).__name__}, which has no filters.\n'
            f"    Choose a convolution: {', '.join(found[:8])}{' …' if len(found) > 8 else ''}"
        )
    return Filters(name, module.weight.detach().float().cpu().numpy().copy())
