"""The bounds of float32 products hold for every pair, and are not so wide that they would say nothing."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from layerwise.neighbors.frame import Frame
from layerwise.neighbors.product import ProductPass


@pytest.mark.slow
@pytest.mark.parametrize("mean", [0.0, 300.0])
@pytest.mark.parametrize("width", [70, 5000])
def test_every_squared_distance_lies_between_its_bounds(width: int, mean: float) -> None:
    rng = np.random.default_rng(0)
    base, queries = ((rng.normal(size=(rows, width)) + mean).astype(np.float32) for rows in (200, 50))
    frame = Frame.over(torch.from_numpy(queries), torch.from_numpy(base))
    product = ProductPass.over(torch.from_numpy(base), frame, torch.float32, kept=200)
    found = product.candidates(torch.from_numpy(queries), 5, torch.full((50,), -1))
    exact = np.square(queries[:, None].astype(np.float64) - base[found.rows.numpy()]).sum(axis=2) * frame.scale**2
    centred = queries.astype(np.float64) * frame.scale - frame.center.numpy()
    constant = (1 - product.relative_error) * np.square(centred).sum(axis=1)[:, None]
    lower, upper = found.lower.double().numpy() + constant, found.upper.double().numpy() + constant
    # What the test adds to both is itself rounded to some 1e-12 of the norms.
    assert (lower <= exact * (1 + 1e-9)).all()
    assert (exact <= upper * (1 + 1e-9)).all()
    assert (upper - lower).max() < 0.01 * exact.mean()
