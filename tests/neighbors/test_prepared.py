"""A base that was made ready gives a query the neighbours that a search gives."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from layerwise.arrays.votes import nearest_rows
from layerwise.errors import NonFiniteError, NotEnoughExamplesError, ShapeError
from layerwise.neighbors.prepared import PreparedBase
from layerwise.neighbors.search import find_neighbors


def patterned(rows: int, width: int, *, seed: int = 0) -> np.ndarray:
    """What a layer with a ReLU might give: a few patterns, each with its own strength, and noise."""
    rng = np.random.default_rng(seed)
    patterns = np.random.default_rng(1).normal(size=(20, width))
    return np.maximum(rng.normal(size=(rows, 20)) @ patterns + 0.3 * rng.normal(size=(rows, width)), 0).astype("f4")


@pytest.mark.parametrize("width", [5, 256, 300, 1500])
def test_the_neighbours_are_those_of_a_search_and_of_the_definition(width: int) -> None:
    base, queries = patterned(400, width), patterned(12, width, seed=2)
    prepared = PreparedBase.over(torch.from_numpy(base))
    found = np.concatenate([prepared.find(query, 7).rows for query in torch.from_numpy(queries)])
    assert (found == find_neighbors(torch.from_numpy(queries), torch.from_numpy(base), 7).rows).all()
    assert (found == nearest_rows(queries, base, 7)).all()


def test_bounds_hold_and_leave_few_rows_to_be_measured() -> None:
    base, query = patterned(2000, 3000) + 100, patterned(1, 3000, seed=2)[0] + 100
    prepared = PreparedBase.over(torch.from_numpy(base))
    lower, upper = (bound.numpy() / prepared.frame.scale**2 for bound in prepared._bounds(torch.from_numpy(query)))
    exact = np.square(base.astype("f8") - query).sum(axis=1)
    assert ((lower <= exact) & (exact <= upper)).all()
    assert (lower <= np.sort(upper)[9]).sum() < 40


def test_a_row_of_the_base_is_not_its_own_neighbour() -> None:
    base = torch.from_numpy(patterned(300, 400))
    prepared, own = PreparedBase.over(base), np.arange(300)
    found = np.concatenate([prepared.find(base[row], 6, own_row=row).rows for row in own])
    assert (found == find_neighbors(base, base, 6, own_rows=own).rows).all()


def test_equally_far_rows_come_in_the_order_of_the_search() -> None:
    base = torch.from_numpy(np.repeat(patterned(20, 300), 10, axis=0))
    found = PreparedBase.over(base).find(base[0], 30)
    assert (found.rows == find_neighbors(base[:1], base, 30).rows).all()


def test_a_base_of_equal_rows_has_neighbours_too() -> None:
    base = torch.ones(40, 300)
    assert (PreparedBase.over(base).find(base[0], 3).rows == find_neighbors(base[:1], base, 3).rows).all()


def test_a_query_far_outside_the_base_is_found_neighbours_too() -> None:
    base, query = torch.from_numpy(patterned(300, 400)), torch.full((400,), 1e6)
    assert (PreparedBase.over(base).find(query, 4).rows == find_neighbors(query[None], base, 4).rows).all()


def test_what_cannot_be_searched_is_refused() -> None:
    prepared = PreparedBase.over(torch.zeros(4, 2))
    with pytest.raises(NotEnoughExamplesError):
        prepared.find(torch.zeros(2), 4)
    with pytest.raises(ShapeError, match=r"one query \(D,\) is expected; got \(1, 2\)."):
        prepared.find(torch.zeros(1, 2), 1)
    with pytest.raises(NonFiniteError):
        PreparedBase.over(torch.full((4, 300), torch.nan))
