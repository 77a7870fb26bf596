"""The contenders of the benchmarks give the same answers, so that their times can be compared."""

from __future__ import annotations

import numpy as np

from benchmarks import depth


def test_the_votes_that_are_timed_are_the_same() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 200)
    base = (rng.normal(size=(200, 40)) + labels[:, None]).astype(np.float32)
    queries = (rng.normal(size=(50, 40)) + 1).astype(np.float32)
    truth = depth.float64(base, queries, labels)
    assert (depth.layerwise(base, queries, labels) == truth).all()
    assert (depth.scikit_learn(base, queries, labels) == truth).mean() >= 0.96  # it breaks ties for low classes
