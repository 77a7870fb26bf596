"""Votes without the order of the neighbours are those of brute force in float64, on data made to break them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import KNeighborsClassifier

from layerwise.arrays.votes import nearest_rows, vote
from layerwise.errors import NonFiniteError, NotEnoughExamplesError, ShapeError
from layerwise.neighbors import plan, sketch_pass
from layerwise.neighbors.effort import Effort
from layerwise.neighbors.voting import find_votes

BASE, QUERIES = 150, 25


def spread(rows: int, width: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(rows, width)).astype(np.float32)


HOSTILE = {
    "plain": lambda rows: rows,
    "a common mean of 1,000 times the spread": lambda rows: rows + np.float32(1000),
    "rows in many copies": lambda rows: rows[np.arange(len(rows)) % 10],
    "distances equal to the last bit": lambda rows: np.roll(np.sign(rows[:1]), 1, axis=1) * np.sign(rows),
    "zero almost everywhere": lambda rows: np.where(rows > 2.5, rows, 0).astype(np.float32),
    "zero everywhere": np.zeros_like,
    "magnitudes of 1e-20": lambda rows: rows * np.float32(1e-20),
    "magnitudes of 1e20": lambda rows: rows * np.float32(1e18) * np.float32(100),
    "both, feature by feature": lambda rows: rows * np.where(np.arange(rows.shape[1]) % 2, 1e-20, 1e18).astype("f4"),
    "one row far from all": lambda rows: np.concatenate([rows[:1] * np.float32(1e6), rows[1:]]),
}


def wrong_votes(kind: str, width: int, k: int, labels: np.ndarray, *, leave_one_out: bool = False) -> int:
    base = HOSTILE[kind](spread(BASE, width, 0))
    queries = base if leave_one_out else HOSTILE[kind](spread(QUERIES, width, 1))
    own = np.arange(BASE) if leave_one_out else None
    tensor = torch.from_numpy(base)
    asked = tensor if leave_one_out else torch.from_numpy(queries)
    classes = int(labels.max()) + 1
    found = find_votes(asked, tensor, labels, k, num_classes=classes, own_rows=own)
    return int((found != vote(labels[nearest_rows(queries, base, k, leave_one_out=leave_one_out)], classes)).sum())


@pytest.mark.parametrize("sketched", ["no sketches", "sketches", "sketches in bfloat16"])
@pytest.mark.parametrize("width", [1, 3, 65, 2500])
@pytest.mark.parametrize("kind", HOSTILE)
def test_no_vote_is_wrong(kind: str, width: int, sketched: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if sketched != "no sketches":
        for name, value in (("SMALLEST_JOB", 0), ("SMALLEST_WIDTH", 0), ("SETUP", -1e30), ("LENGTHS", (16,))):
            monkeypatch.setattr(plan, name, value)
    if sketched == "sketches in bfloat16":
        monkeypatch.setattr(sketch_pass, "fastest_type", lambda device: torch.bfloat16)
    labels = np.random.default_rng(2).integers(0, 3, BASE)
    assert wrong_votes(kind, width, 30, labels) == 0
    assert wrong_votes(kind, width, 30, labels, leave_one_out=True) == 0


@pytest.mark.parametrize("k", [1, 2, BASE - 1])
@pytest.mark.parametrize("kind", ["plain", "rows in many copies"])
def test_the_smallest_and_the_largest_k_give_no_wrong_vote(kind: str, k: int) -> None:
    one_of_a_class = np.r_[2, np.arange(BASE - 1) % 2]
    for width, leave_one_out in itertools.product([1, 70, 300], [False, True]):
        assert wrong_votes(kind, width, k, one_of_a_class, leave_one_out=leave_one_out) == 0


def test_votes_are_scikit_learns_where_nothing_ties() -> None:
    base, queries = spread(300, 90, 0), spread(40, 90, 1)
    labels = np.arange(300) % 2
    found = find_votes(torch.from_numpy(queries), torch.from_numpy(base), labels, 15, num_classes=2)
    theirs = KNeighborsClassifier(15, algorithm="brute").fit(base.astype(np.float64), labels).predict(queries)
    assert (found == theirs).all()


@given(
    seed=st.integers(0, 2**32),
    width=st.sampled_from([1, 2, 64, 65, 130]),
    rows=st.integers(12, 60),
    k=st.integers(1, 11),
    classes=st.integers(1, 5),
    levels=st.sampled_from([1, 2, 5, 1000]),
)
@settings(max_examples=40, deadline=None)
def test_any_data_gives_brute_forces_votes(seed: int, width: int, rows: int, k: int, classes: int, levels: int) -> None:
    rng = np.random.default_rng(seed)
    base, queries = (rng.integers(0, levels, (count, width)).astype(np.float32) for count in (rows, 6))
    labels = rng.integers(0, classes, rows)
    found = find_votes(torch.from_numpy(queries), torch.from_numpy(base), labels, k, num_classes=classes)
    assert (found == vote(labels[nearest_rows(queries, base, k)], classes)).all()


def test_a_clear_majority_is_certain_without_distances_in_float64() -> None:
    base = spread(200, 100, 0)
    base[:100] += 3
    effort = Effort()
    find_votes(
        torch.from_numpy(base[:50]), torch.from_numpy(base), np.arange(200) // 100, 30, num_classes=2, effort=effort
    )
    assert (effort.queries, effort.reranked) == (50, 0)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("where", ["queries", "base"])
def test_values_that_are_not_finite_are_refused(bad: float, where: str) -> None:
    arrays = {"queries": spread(5, 100, 0), "base": spread(50, 100, 1)}
    arrays[where][3, 7] = bad
    with pytest.raises(NonFiniteError, match="NaN or infinity among the values; nearest neighbours need finite"):
        find_votes(
            torch.from_numpy(arrays["queries"]), torch.from_numpy(arrays["base"]), np.arange(50) % 2, 3, num_classes=2
        )


def test_too_few_rows_and_other_widths_are_refused() -> None:
    with pytest.raises(NotEnoughExamplesError, match="k = 30 needs more than 30 training examples; got 30"):
        find_votes(torch.zeros(1, 2), torch.zeros(30, 2), np.zeros(30, dtype=int), 30, num_classes=1)
    with pytest.raises(ShapeError, match=r"need the same D; got \(1, 2\) and \(30, 3\)"):
        find_votes(torch.zeros(1, 2), torch.zeros(30, 3), np.zeros(30, dtype=int), 3, num_classes=1)
