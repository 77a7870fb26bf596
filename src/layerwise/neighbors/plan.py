"""Whether sketches pay, and how long they should be: a guess from a sample, on which nothing but the speed depends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from layerwise.arrays.votes import tie_key
from layerwise.neighbors.candidates import farthest_possible
from layerwise.neighbors.frame import Frame, squared_norms
from layerwise.neighbors.scores import minus_twice_product
from layerwise.neighbors.sketch import Directions, principal_columns
from layerwise.neighbors.tiles import BASE_TILE_BYTES, sketched_at_once, tiles

# Costs in units of one multiply-accumulate of a float32 matrix product.
SCORE = 150  # to look at one pair's score
SKETCHED_SCORE = 500  # the same in a search with sketches, where it is kept, too
PAIR = 7  # a feature of a sampled pair
TOUCH = 90  # a feature of a row: to centre it, its norm, its sketch beside the products
CENTRE = 80  # a feature of a row, centred twice for each tile of queries
SETUP = 6e6  # a feature, of sample, directions and trial

SMALLEST_JOB = 2e11
SMALLEST_WIDTH = 2048
LONG_REST = 0.03  # as a share of the mean squared norm
SHORT_REST = 1 / 8  # as a share of a norm
LENGTHS = (128, 256, 512, 1024)
PROBES = 96
TRIAL_ROWS = 2048


def useful_directions(query_count: int, base: Tensor, frame: Frame, k: int, *, halved: bool) -> Directions | None:
    """The directions for which a search with sketches is expected to cost least; None if products alone cost less.

    Args:
        query_count: Q.
        base: shape (B, D).
        frame: the search's.
        k: how many neighbours are wanted.
        halved: whether products alone would be made once for each two rows.
    """
    rows, width = base.shape
    plain = query_count * rows * (width / (2 if halved else 1) + SCORE)
    if plain < SMALLEST_JOB or width < SMALLEST_WIDTH:
        return None
    columns = principal_columns(base, frame, min(LENGTHS[-1], width // 2))
    trial = _Trial.of(base, frame, k, columns)
    best, least = None, plain
    query_tiles = -(-query_count // sketched_at_once(rows, width))
    fixed = (SETUP + TOUCH * (query_count + rows) + CENTRE * rows * query_tiles) * width
    for length in LENGTHS:
        if length <= columns.shape[1]:
            each = length + SKETCHED_SCORE + trial.share_left(length) * width * PAIR
            cost = fixed + query_count * rows * each + (query_count + rows) * width * length
            best, least = (length, cost) if cost < least else (best, least)
    if best is None:
        return None
    return Directions.along(columns[:, :best], shortest_rest=trial.shortest_rest(best))


@dataclass(frozen=True)
class _Trial:
    """A few rows as queries against a few thousand others, by sketches of the greatest length."""

    coordinates: Tensor  # (T, d)
    norms: Tensor  # (T,)
    nearest: Tensor  # (P, 1), the squared distance within which a neighbour would be

    @classmethod
    def of(cls, base: Tensor, frame: Frame, k: int, columns: Tensor) -> _Trial:
        order = tie_key(np.arange(len(base))).argsort()[::-1]  # from the other end than the directions' sample
        chosen = torch.from_numpy(order[:TRIAL_ROWS].copy()).to(base.device)
        probes = frame.centred(base[chosen[:PROBES]], torch.float32)
        parts = []
        for tile in tiles(len(chosen), base.shape[1], BASE_TILE_BYTES):
            rows = frame.centred(base[chosen[tile]], torch.float32)
            norms = squared_norms(rows).float()
            parts.append((rows @ columns, norms, minus_twice_product(norms, probes, rows)))
        coordinates, norms = (torch.cat([part[number] for part in parts]) for number in (0, 1))
        squared = _without_self(torch.cat([scores for *_, scores in parts], dim=1), norms)
        rank = max(1, round(k * len(chosen) / len(base)))
        return cls(coordinates, norms, farthest_possible(squared, rank))

    def share_left(self, length: int) -> float:
        """The share of the base that sketches of this length would not rule out."""
        coordinates = self.coordinates[:, :length].contiguous()
        inside = squared_norms(coordinates).float()
        rest = (self.norms - inside).clamp(min=0).sqrt()
        scores = minus_twice_product(inside, coordinates[:PROBES], coordinates)
        lower = _without_self(scores, inside) + (rest[: len(self.nearest), None] - rest).square()
        return float((lower <= self.nearest).float().mean())

    def shortest_rest(self, length: int) -> float | None:
        """The shortest rest worth telling from shorter ones; None if rests are not worth measuring."""
        mean, inside = self.norms.mean(), squared_norms(self.coordinates[:, :length]).mean()
        return float(mean.sqrt()) * SHORT_REST if 1 - inside / mean > LONG_REST else None


def _without_self(scores: Tensor, norms: Tensor) -> Tensor:
    """Squared distances (P, T), infinite between a row and itself, from |y|² − 2 x · y and all squared norms (T,)."""
    squared = scores + norms[: len(scores), None]
    return squared.fill_diagonal_(torch.inf)
