"""The last word: squared distances of candidates by differences in float64."""

from __future__ import annotations

import torch
from torch import Tensor

from layerwise.neighbors.candidates import Candidates
from layerwise.neighbors.found import Neighbors, nearest_first
from layerwise.neighbors.tiles import MEASURE_BYTES

MOST_BYTES = 1 << 24


def measure(queries: Tensor, base: Tensor, candidates: Candidates, k: int, first_row: int) -> Neighbors:
    """The k nearest of those candidates that may be neighbours.

    Args:
        queries: shape (Q, D).
        base: shape (B, D).
        candidates: of these queries, all complete.
        k: how many neighbours.
        first_row: the number of the base's first row in the whole training set.
    """
    # Those ruled out last.
    rows = candidates.rows.masked_fill(~candidates.possible(k), -1).sort(dim=1, descending=True).values  # (Q, c)
    counts = (rows >= 0).sum(dim=1)  # (Q,)
    rows = rows[:, : max(k, int(counts.max()) if len(counts) else 0)]
    distances = torch.full(rows.shape, torch.inf, dtype=torch.float64, device="cpu")
    width = base.shape[1]
    columns_at_once = max(1, min(rows.shape[1], MOST_BYTES // (8 * width)))
    at_once = max(1, MEASURE_BYTES // (8 * width * columns_at_once))
    # Written to again and again: fresh memory for each part would cost more than the arithmetic.
    near = base.new_empty((at_once * columns_at_once, width))
    differences = near.new_empty(near.shape, dtype=torch.float64)
    # Queries with as many candidates go together, so that few are measured for nothing.
    for part in torch.split(counts.argsort(), at_once) if len(counts) else ():
        asked = queries[part, None].double()
        for start in range(0, int(counts[part].max()), columns_at_once):
            columns = slice(start, start + columns_at_once)
            chosen = rows[part, columns]  # (part, some)
            flat = chosen.clamp(min=0).flatten()
            torch.index_select(base, 0, flat, out=near[: len(flat)])
            off = differences[: len(flat)].copy_(near[: len(flat)]).view(*chosen.shape, width)
            squared = off.sub_(asked).square_().sum(dim=2).masked_fill_(chosen < 0, torch.inf)
            distances[part.cpu(), columns] = squared.cpu()
    return nearest_first(rows.cpu().numpy() + first_row, distances.numpy(), k)
