"""The tiled search against brute force in float64, on data made to break it."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import NearestNeighbors

from layerwise.arrays.votes import nearest_rows
from layerwise.errors import NonFiniteError, NotEnoughExamplesError, ShapeError
from layerwise.neighbors import measuring, scores, tiles
from layerwise.neighbors.found import merge_neighbors
from layerwise.neighbors.search import find_neighbors


def random_rows(rows: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(rows, width)).astype(np.float32)


def wrong_rows(queries: np.ndarray, base: np.ndarray, k: int, *, leave_one_out: bool = False) -> int:
    own = np.arange(len(base)) if leave_one_out else None
    found = find_neighbors(torch.from_numpy(queries), torch.from_numpy(base), k, own_rows=own).rows
    return int((found != nearest_rows(queries, base, k, leave_one_out=leave_one_out)).sum())


HOSTILE = {
    "plain": lambda rows: rows,
    "large common mean": lambda rows: rows + np.float32(1000),
    "tiny": lambda rows: rows * np.float32(1e-20),
    "huge": lambda rows: rows * np.float32(1e18),
    "subnormal": lambda rows: rows * np.float32(1e-40),
    "as large as float32 can be": lambda rows: rows * np.float32(6e37),
    "duplicates": lambda rows: rows[np.arange(len(rows)) % 10],
    "few whole numbers": lambda rows: np.rint(rows),
    "zero almost everywhere": lambda rows: np.where(rows > 2.5, rows, 0).astype(np.float32),
    "all zero": np.zeros_like,
}


@pytest.mark.parametrize("width", [1, 3, 65, 2500])
@pytest.mark.parametrize("kind", HOSTILE)
def test_rows_equal_brute_force_in_float64(kind: str, width: int) -> None:
    base, queries = HOSTILE[kind](random_rows(150, width)), HOSTILE[kind](random_rows(20, width, seed=1))
    assert wrong_rows(queries, base, 30) == 0
    assert wrong_rows(base, base, 30, leave_one_out=True) == 0


@pytest.mark.parametrize("k", [1, 148, 149])
def test_the_smallest_and_the_largest_k_are_exact(k: int) -> None:
    base = random_rows(150, 70)
    assert wrong_rows(random_rows(20, 70, seed=1), base, k) == 0
    assert wrong_rows(base, base, k, leave_one_out=True) == 0


def test_float32_alone_would_have_been_wrong_where_activations_share_a_large_mean() -> None:
    base, queries = random_rows(150, 70) / 50 + np.float32(1000), random_rows(20, 70, seed=1) / 50 + np.float32(1000)
    x, y = torch.from_numpy(queries), torch.from_numpy(base)
    naive = (x.square().sum(1)[:, None] + y.square().sum(1) - 2 * x @ y.T).topk(30, largest=False).indices.numpy()
    assert (naive != nearest_rows(queries, base, 30)).any()
    assert wrong_rows(queries, base, 30) == 0


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 10**6), st.integers(2, 60), st.integers(1, 12), st.integers(1, 130), st.floats(-3, 3), st.booleans()
)
def test_any_data_gives_the_rows_of_brute_force(
    seed: int, rows: int, k: int, width: int, mean: float, rounded: bool
) -> None:
    rng = np.random.default_rng(seed)
    base = (rng.normal(size=(rows, width)) + 10**mean).astype(np.float32)
    base = np.rint(base) if rounded else base
    assert wrong_rows(base[: rows // 2 + 1], base, min(k, rows - 1)) == 0


def test_tiles_smaller_than_the_data_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiles, "MOST_ROWS", 7)
    monkeypatch.setattr(scores, "PRODUCT_WIDTH", 16)
    base = random_rows(100, 70)
    assert wrong_rows(random_rows(30, 70, seed=1), base, 5) == 0
    assert wrong_rows(base, base, 5, leave_one_out=True) == 0


def test_distances_are_scikit_learns() -> None:
    base, queries = random_rows(200, 80), random_rows(30, 80, seed=1)
    found = find_neighbors(torch.from_numpy(queries), torch.from_numpy(base), 10)
    theirs, _ = NearestNeighbors(n_neighbors=10, algorithm="brute").fit(base.astype(np.float64)).kneighbors(queries)
    np.testing.assert_allclose(np.sqrt(found.squared_distances), theirs, rtol=1e-7)


def test_no_example_is_its_own_neighbour_even_with_duplicates() -> None:
    base = torch.zeros(40, 3)
    found = find_neighbors(base, base, 5, own_rows=np.arange(40)).rows
    assert not (found == np.arange(40)[:, None]).any()


def test_some_queries_may_be_training_examples_and_others_not() -> None:
    base = random_rows(60, 4)
    queries, own = np.concatenate([base[10:12], base[10:12]]), np.array([10, 11, -1, -1])
    found = find_neighbors(torch.from_numpy(queries), torch.from_numpy(base), 1, own_rows=own).rows.ravel()
    assert found[2:].tolist() == [10, 11]
    assert found[0] != 10
    assert found[1] != 11


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.lists(st.integers(6, 49), min_size=1, max_size=3, unique=True))
def test_shards_merged_in_any_order_give_the_whole(seed: int, cuts: list[int]) -> None:
    rng = np.random.default_rng(seed)
    base, queries = np.rint(random_rows(55, 3, seed)), np.rint(random_rows(9, 3, seed + 1))
    whole = find_neighbors(torch.from_numpy(queries), torch.from_numpy(base), 5)
    edges = [0, *sorted(cut for cut in cuts if all(abs(cut - other) > 5 for other in cuts if other < cut)), 55]
    parts = [
        find_neighbors(torch.from_numpy(queries), torch.from_numpy(base[start:stop]), 5, first_row=start)
        for start, stop in itertools.pairwise(edges)
    ]
    merged = parts.pop(rng.integers(len(parts)))
    while parts:
        merged = merge_neighbors(parts.pop(rng.integers(len(parts))), merged, 5)
    assert merged.rows.tolist() == whole.rows.tolist()
    assert merged.squared_distances.tolist() == whole.squared_distances.tolist()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("where", ["queries", "base"])
def test_values_that_are_not_finite_are_refused(bad: float, where: str) -> None:
    arrays = {"queries": random_rows(5, 4), "base": random_rows(50, 4)}
    arrays[where][3, 2] = bad
    with pytest.raises(NonFiniteError, match="NaN or infinity among the values"):
        find_neighbors(torch.from_numpy(arrays["queries"]), torch.from_numpy(arrays["base"]), 3)


def test_too_few_rows_and_other_widths_are_refused() -> None:
    with pytest.raises(NotEnoughExamplesError, match="k = 30 needs more than 30 training examples; got 30"):
        find_neighbors(torch.zeros(1, 2), torch.zeros(30, 2), 30)
    with pytest.raises(ShapeError, match=r"need the same D; got \(1, 2\) and \(30, 3\)"):
        find_neighbors(torch.zeros(1, 2), torch.zeros(30, 3), 3)


@pytest.mark.parametrize("mean", [0.0, 1e6])
def test_activations_in_float64_are_not_rounded_to_float32_first(mean: float) -> None:
    base = np.random.default_rng(0).normal(size=(150, 100)) * 3 + mean
    queries = np.random.default_rng(1).normal(size=(20, 100)) * 3 + mean
    before = base.copy()
    found = find_neighbors(torch.from_numpy(queries), torch.from_numpy(base), 30).rows
    assert (base == before).all()
    assert (found == nearest_rows(queries, before, 30)).all()


def test_the_callers_precision_and_autocast_do_not_reach_the_products() -> None:
    base = random_rows(200, 300) + np.float32(3)
    torch.set_float32_matmul_precision("medium")
    try:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            assert wrong_rows(random_rows(30, 300, seed=1) + np.float32(3), base, 10) == 0
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision("highest")


KINDS = {
    "queries in float64": lambda base, queries: (base.float(), queries),
    "base in float64": lambda base, queries: (base, queries.float()),
    "float16": lambda base, queries: ((base - 1e4).half(), (queries - 1e4).half()),
    "bfloat16": lambda base, queries: ((base - 1e4).bfloat16(), (queries - 1e4).bfloat16()),
    "rows that are not contiguous": lambda base, queries: (base.float().T.contiguous().T, queries.float()),
    "values with a gradient": lambda base, queries: (base.float().requires_grad_(), queries.float().requires_grad_()),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("default", [torch.float32, torch.bfloat16])
def test_all_types_and_layouts_of_floats_give_brute_forces_rows(kind: str, default: torch.dtype) -> None:
    generator = torch.Generator().manual_seed(0)
    rows = 1e4 + 0.01 * torch.randn(340, 100, dtype=torch.float64, generator=generator)
    base, queries = KINDS[kind](rows[:300], rows[300:])
    before = torch.get_default_dtype()
    torch.set_default_dtype(default)
    try:
        found = find_neighbors(queries, base, 10).rows
    finally:
        torch.set_default_dtype(before)
    exact = (part.detach().double().numpy() for part in (queries, base))
    assert (found == nearest_rows(*exact, 10)).all()


def test_many_equal_candidates_are_measured_in_parts() -> None:
    """All rows may be neighbours: together their differences would be larger than the base."""
    base = torch.ones(700, 5000)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measuring, "MOST_BYTES", 1 << 20)
        found = find_neighbors(base[:3] + torch.tensor([[0.0], [1.0], [2.0]]), base, 20).rows
    assert (found == nearest_rows(np.zeros((3, 1)), np.ones((700, 1)), 20)).all()
