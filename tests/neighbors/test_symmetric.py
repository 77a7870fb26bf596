"""Leave-one-out over a whole training set multiplies each pair of tiles once, and finds the same."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from layerwise.arrays.votes import nearest_rows, vote
from layerwise.neighbors import symmetric
from layerwise.neighbors.search import find_neighbors
from layerwise.neighbors.voting import find_votes


def rows_with_duplicates(count: int, width: int) -> np.ndarray:
    rows = np.random.default_rng(0).normal(size=(count, width)).astype(np.float32)
    rows[count // 2 :: 7] = rows[0]
    return rows


@pytest.mark.parametrize("tile_bytes", [pytest.param(1, marks=pytest.mark.slow), 1 << 13, 1 << 27])
def test_tiles_of_any_size_give_brute_forces_rows_and_votes(tile_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(symmetric, "TILE_BYTES", tile_bytes)
    base, labels = rows_with_duplicates(120, 100), np.arange(120) % 4
    tensor, own = torch.from_numpy(base), np.arange(120)
    truth = nearest_rows(base, base, 20, leave_one_out=True)
    assert (find_neighbors(tensor, tensor, 20, own_rows=own).rows == truth).all()
    assert (find_votes(tensor, tensor, labels, 20, num_classes=4, own_rows=own) == vote(labels[truth], 4)).all()


@pytest.mark.parametrize("whole", [True, False])
def test_half_of_the_products_are_made_only_where_the_queries_are_the_base_in_its_order(
    whole: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []

    def counting(start: torch.Tensor, queries: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        made.append(len(queries) * len(rows))
        return start - 2 * queries @ rows.T

    monkeypatch.setattr(symmetric, "minus_twice_product", counting)
    monkeypatch.setattr(symmetric, "TILE_BYTES", 10 * 100 * 4)
    base = torch.from_numpy(rows_with_duplicates(120, 100))
    own = np.arange(120) if whole else np.arange(120)[::-1].copy()
    queries = base if whole else base.flip(0)
    find_neighbors(queries, base, 20, own_rows=own)
    assert sum(made) == (120 * 130 // 2 if whole else 0)
