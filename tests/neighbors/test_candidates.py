"""A vote that is called certain stands, whatever the distances are between their bounds."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise.arrays.votes import vote
from layerwise.neighbors.candidates import Candidates, certain_votes


@given(seed=st.integers(0, 2**32), count=st.integers(2, 12), k=st.integers(1, 6), wide=st.floats(0, 2))
@settings(max_examples=150, deadline=None)
def test_no_choice_of_distances_changes_a_certain_vote(seed: int, count: int, k: int, wide: float) -> None:
    rng = np.random.default_rng(seed)
    k = min(k, count - 1)
    distances = np.sort(rng.integers(0, 8, count) + 0.4 * rng.random(count))
    lower, upper = (distances + sign * wide * rng.random(count) for sign in (-1, 1))
    labels = rng.integers(0, 3, count)
    candidates = Candidates(
        torch.arange(count)[None], torch.from_numpy(lower)[None], torch.from_numpy(upper)[None], torch.tensor([True])
    )
    winners, certain = certain_votes(candidates, torch.from_numpy(labels), 3, k)
    if not certain:
        return
    choices = lower + (upper - lower) * np.concatenate([rng.random((200, count)), rng.integers(0, 2, (200, count))])
    nearest = np.argsort(choices, axis=1)[:, :k]
    assert (vote(labels[nearest], 3) == winners.item()).all()


def test_of_two_classes_with_as_many_voters_the_one_whose_nearest_is_surely_nearer_wins() -> None:
    lower = torch.tensor([[0.0, 1.0, 2.0, 3.0, 9.0], [0.0, 0.4, 2.0, 3.0, 9.0]])
    candidates = Candidates(torch.arange(5).repeat(2, 1), lower, lower + 0.5, torch.tensor([True, True]))
    winners, certain = certain_votes(candidates, torch.tensor([2, 1, 1, 2, 0]), 3, 4)
    assert certain.tolist() == [True, False]
    assert winners[0] == 2
