"""What every subset of exits gives and costs, against a loop over subsets and examples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise.arrays.placement import subset_outcomes
from layerwise.errors import InputError


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 6))
def test_every_subset_is_what_a_loop_over_examples_gives(seed: int, exits: int) -> None:
    random = np.random.default_rng(seed)
    count = 9
    sure, right = random.random((exits, count)) < 0.4, random.random((exits + 1, count)) < 0.7
    network, heads = np.cumsum(random.integers(1, 9, exits + 1)), random.integers(1, 5, exits)
    accuracy, cost = subset_outcomes(sure, right, network, heads)
    assert len(accuracy) == len(cost) == 2**exits
    for subset in range(2**exits):
        chosen = [e for e in range(exits) if subset >> e & 1]
        total_right = total_cost = 0
        for n in range(count):
            left = next((e for e in chosen if sure[e, n]), exits)
            total_right += right[left, n]
            total_cost += network[left] + sum(heads[e] for e in chosen if e <= left)
        assert accuracy[subset] == pytest.approx(total_right / count)
        assert cost[subset] == pytest.approx(total_cost / count)


def test_too_many_exits_are_refused() -> None:
    with pytest.raises(InputError, match="all subsets of at most 12 exits are tried; got 13"):
        subset_outcomes(np.ones((13, 2), bool), np.ones((14, 2), bool), np.arange(14), np.ones(13, int))
