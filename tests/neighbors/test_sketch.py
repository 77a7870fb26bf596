"""Sketches: a distance of sketches is never larger than that of the rows by more than their radii."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise.arrays.votes import nearest_rows, vote
from layerwise.neighbors import plan, sketch_pass
from layerwise.neighbors.effort import Effort
from layerwise.neighbors.frame import Frame
from layerwise.neighbors.search import find_neighbors
from layerwise.neighbors.sketch import Directions, Sketch, narrowed, principal_columns
from layerwise.neighbors.sketch_pass import SketchPass
from layerwise.neighbors.voting import find_votes

pytestmark = pytest.mark.slow


def activations(rows: int, width: int, *, seed: int, mean: float = 0.0) -> np.ndarray:
    """What a layer with a ReLU might give: a few patterns, each with its own strength, and noise."""
    rng = np.random.default_rng(seed)
    patterns = np.random.default_rng(1).normal(size=(20, width))
    values = rng.normal(size=(rows, 20)) @ patterns + 0.3 * rng.normal(size=(rows, width))
    return (np.maximum(values, 0) + mean).astype(np.float32)


def exact_distances(rows: np.ndarray, frame: Frame) -> np.ndarray:
    centred = rows.astype(np.float64) * frame.scale
    return np.sqrt(np.square(centred[:, None] - centred[None]).sum(axis=2))


def excess(sketch: Sketch, distances: np.ndarray) -> np.ndarray:
    """By how much distances of sketches are above what their radii allow: never positive."""
    vectors, radii = sketch.vectors.double().numpy(), sketch.radii.numpy()
    apart = np.sqrt(np.square(vectors[:, None] - vectors[None]).sum(axis=2))
    return apart - distances - radii[:, None] - radii[None]


@pytest.mark.parametrize("shortest_rest", [None, 1e-3, 0.5, 1e3])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("mean", [0.0, 1000.0])
def test_distances_of_sketches_are_lower_bounds(mean: float, dtype: torch.dtype, shortest_rest: float | None) -> None:
    rows = torch.from_numpy(activations(150, 700, seed=0, mean=mean))
    frame = Frame.over(rows, rows)
    directions = Directions.along(principal_columns(rows, frame, 64), shortest_rest=shortest_rest)
    sketch = narrowed(directions.sketch(rows, frame), dtype)
    # Centring rounds a value by half a unit in its last place, which the search's bound of distances allows for.
    rounding = 2 * frame.scale * 2.0**-24 * (abs(mean) + 10) * 700**0.5
    assert excess(sketch, exact_distances(rows.numpy(), frame)).max() <= rounding


def test_a_sketch_says_nearly_all_where_few_patterns_make_the_rows() -> None:
    rows = torch.from_numpy(activations(300, 700, seed=0))
    frame = Frame.over(rows, rows)
    sketch = Directions.along(principal_columns(rows, frame, 128), shortest_rest=0.1).sketch(rows, frame)
    distances = exact_distances(rows.numpy(), frame) + np.eye(300)
    assert np.median(excess(sketch, distances) / distances) > -0.1


def test_rows_that_the_directions_span_have_the_shortest_rest_and_small_radii() -> None:
    """The square root of a difference of squares would lose half the digits there."""
    rows = torch.from_numpy(activations(40, 700, seed=0))
    frame = Frame.over(rows, rows)
    columns = principal_columns(rows, frame, 39)
    norm = float(Directions.along(columns).sketch(rows, frame).norms.mean().sqrt())
    sketch = Directions.along(columns, shortest_rest=norm / 8).sketch(rows, frame)
    assert sketch.vectors[:, -1].numpy() == pytest.approx(norm / 8)
    assert (sketch.radii < 1e-2 * norm).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_where_sketches_lose_nothing_their_radii_cover_the_rounding(dtype: torch.dtype) -> None:
    rows = torch.from_numpy(activations(40, 700, seed=0))
    frame = Frame.over(rows, rows)
    sketch = narrowed(Directions.along(principal_columns(rows, frame, 39)).sketch(rows, frame), dtype)
    distances = exact_distances(rows.numpy(), frame)
    assert excess(sketch, distances).max() <= 0
    assert excess(Sketch(sketch.vectors, sketch.radii * 0, sketch.norms), distances).max() > 0


def test_directions_that_are_not_orthonormal_say_so() -> None:
    columns = torch.from_numpy(np.random.default_rng(0).normal(size=(500, 30)).astype(np.float32))
    directions = Directions.along(columns)
    gram = directions.matrix.double().T @ directions.matrix.double()
    assert float((gram - torch.eye(30)).norm()) <= directions.defect < 1e-5


@pytest.fixture
def always_sketched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Data of test size would never be worth it."""
    monkeypatch.setattr(plan, "SMALLEST_JOB", 0)
    monkeypatch.setattr(plan, "SMALLEST_WIDTH", 0)
    monkeypatch.setattr(plan, "SETUP", -1e30)
    monkeypatch.setattr(plan, "LENGTHS", (16, 64))


@pytest.mark.parametrize("most", [1 / 8, 1.0])
@pytest.mark.parametrize("kind", ["plain", "duplicates", "noise alone", "large mean", "one row far away"])
@pytest.mark.usefixtures("always_sketched")
def test_searches_with_sketches_give_brute_forces_rows_and_votes(
    kind: str, most: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sketch_pass, "MOST_CANDIDATES", most)
    base, queries = activations(400, 300, seed=2), activations(40, 300, seed=3)
    if kind == "duplicates":
        base = base[np.arange(400) % 50]
    if kind == "noise alone":
        base = np.random.default_rng(0).normal(size=base.shape).astype(np.float32)
    if kind == "large mean":
        base, queries = base + np.float32(1000), queries + np.float32(1000)
    if kind == "one row far away":
        base[7] *= 1000
    labels = np.random.default_rng(0).integers(0, 4, 400)
    truth = nearest_rows(queries, base, 30)
    tensors, effort = (torch.from_numpy(queries), torch.from_numpy(base)), Effort()
    assert (find_neighbors(*tensors, 30).rows == truth).all()
    assert (find_votes(*tensors, labels, 30, num_classes=4, effort=effort) == vote(labels[truth], 4)).all()
    assert effort.queries == 40
    if most == 1 and kind != "duplicates":
        assert effort.sketched == 40


@pytest.mark.parametrize("displaced", [slice(0, 400, 20), slice(None)])
def test_rows_whose_sketches_are_far_off_are_not_lost_if_their_radii_say_so(
    displaced: slice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sketch_pass, "MOST_CANDIDATES", 1.0)
    rows, queries = (torch.from_numpy(activations(count, 300, seed=seed)) for count, seed in ((400, 2), (40, 3)))
    frame = Frame.over(queries, rows)
    exact = SketchPass.over(rows, frame, 48, Directions.along(principal_columns(rows, frame, 64)))
    vectors, radii = exact.sketch.vectors.clone(), exact.sketch.radii.clone()
    away = torch.from_numpy(np.random.default_rng(0).normal(size=vectors.shape).astype(np.float32))[displaced]
    far = exact.sketch.norms.sqrt().mean()
    vectors[displaced] += away / away.norm(dim=1, keepdim=True) * far
    radii[displaced] += far * (1 + 1e-6)
    off = replace(exact, sketch=Sketch(vectors, radii, exact.sketch.norms))
    candidates = off.candidates(queries, 30, torch.full((40,), -1))
    truth = nearest_rows(queries.numpy(), rows.numpy(), 30)
    assert candidates.complete.all()
    for found, wanted in zip(candidates.rows.tolist(), truth.tolist(), strict=True):
        assert set(wanted) <= set(found)


@given(seed=st.integers(0, 2**32), width=st.integers(66, 200), rows=st.integers(40, 120), k=st.integers(1, 39))
@settings(max_examples=25, deadline=None)
def test_no_example_votes_for_itself_and_no_vote_is_wrong(seed: int, width: int, rows: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    base = np.rint(activations(rows, width, seed=seed) * rng.choice([1, 4, 1e-20, 1e15])).astype(np.float32)
    labels = rng.integers(0, 3, rows)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("SMALLEST_JOB", 0), ("SMALLEST_WIDTH", 0), ("SETUP", -1e30), ("LENGTHS", (16,))):
            patch.setattr(plan, name, value)
        found = find_votes(
            torch.from_numpy(base), torch.from_numpy(base), labels, k, num_classes=3, own_rows=np.arange(rows)
        )
    assert (found == vote(labels[nearest_rows(base, base, k, leave_one_out=True)], 3)).all()


def test_with_all_others_as_neighbours_no_row_is_its_own_candidate() -> None:
    rows = torch.from_numpy(activations(40, 300, seed=2))
    frame = Frame.over(rows, rows)
    sketched = SketchPass.over(rows, frame, 40, Directions.along(principal_columns(rows, frame, 16)))
    found = sketched.candidates(rows, 39, torch.arange(40))
    assert not (found.rows == torch.arange(40)[:, None])[found.complete].any()
