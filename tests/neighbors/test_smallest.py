"""The smallest scores are those of sorting them all, however they are cut into tiles."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise.neighbors.smallest import Smallest


@given(
    seed=st.integers(0, 2**32),
    rows=st.integers(1, 300),
    kept=st.integers(1, 20),
    step=st.integers(1, 120),
    order=st.sampled_from(["any", "falling", "rising", "few values"]),
)
@settings(max_examples=60, deadline=None)
def test_tiles_of_any_size_give_what_sorting_gives(seed: int, rows: int, kept: int, step: int, order: str) -> None:
    scores = np.random.default_rng(seed).normal(size=(5, rows)).astype(np.float32)
    if order in ("falling", "rising"):
        scores = np.sort(scores, axis=1)[:, :: -1 if order == "falling" else 1]
    if order == "few values":
        scores = np.rint(scores)
    scores[0, :: rows // 3 + 1] = np.inf
    table = torch.from_numpy(scores.copy())
    smallest = Smallest.of(5, kept, table)
    for start in range(0, rows, step):
        smallest.take(table[:, start : start + step].contiguous(), start)
    expected = np.sort(np.pad(scores, ((0, 0), (0, kept)), constant_values=np.inf), axis=1)[:, :kept]
    assert np.array_equal(smallest.scores.numpy(), expected)
    there = np.isfinite(expected)
    assert np.array_equal(np.take_along_axis(scores, smallest.rows.numpy(), axis=1)[there], expected[there])
    for found, finite in zip(smallest.rows.numpy(), there, strict=True):
        assert len(set(found[finite])) == finite.sum()


def test_only_the_queries_that_met_a_tile_keep_of_it() -> None:
    smallest = Smallest.of(4, 2, torch.empty(0))
    smallest.take(torch.tensor([[3.0, 1.0, 2.0]]), 10, slice(2, 3))
    assert smallest.rows[2].tolist() == [11, 12]
    assert smallest.scores[[0, 1, 3]].isinf().all()
