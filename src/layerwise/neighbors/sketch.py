"""Sketch: short vectors whose distances are, up to a known radius, never larger than those of the rows.

A row a is split by d orthonormal directions W into its coordinates Wᵀa and the length of what they leave, or h if that
is longer: r. Neither Pythagoras nor the triangle inequality lets

    |Wᵀ(a − b)|² + (r_a − r_b)²  ≤  |a − b|²

fail. So distances of vectors of d + 1 numbers rule out rows for which D numbers would have to be multiplied. The
directions are the principal ones of a sample of the base; any would do, these rule out most. What rounding can do to a
row's sketch is its radius. The derivation is in docs/methods/votes.md.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from layerwise.arrays.votes import tie_key
from layerwise.neighbors.frame import Frame, squared_norms
from layerwise.neighbors.scores import PRODUCT_WIDTH, feature_blocks
from layerwise.neighbors.tiles import BASE_TILE_BYTES, rows_in, tiles

PROJECTION_WIDTH = 128
SAMPLE_BYTES = 1 << 28
SAMPLE_ROWS = 1024
SMALLEST_EIGENVALUE = 1e-5
UNIT = float(torch.finfo(torch.float32).eps) / 2


@dataclass(frozen=True)
class Sketch:
    """Sketches of B rows.

    Attributes:
        vectors: shape (B, d + 1), the coordinates and the length of the rest, in the type of the products.
        radii: shape (B,), float64; how far the vectors can be from those of exact arithmetic.
        norms: shape (B,), float64; the squared norms of the centred rows themselves.
    """

    vectors: Tensor
    radii: Tensor
    norms: Tensor

    @functools.cached_property
    def squared_lengths(self) -> Tensor:
        """|v|² of the vectors: shape (B,), float32."""
        return squared_norms(self.vectors).float()


@dataclass(frozen=True)
class Directions:
    """Orthonormal directions, up to a defect that is measured.

    Attributes:
        matrix: shape (D, d), float32, the most important direction first.
        shortest_rest: a sketch has the length of what the directions leave, too, but at least so much: the difference
            of squares that it comes from says little of shorter ones. None: it has not; worth it where all are short.
        defect: at least the distance of `matrix` from the nearest matrix with orthonormal columns, spectral norm.
    """

    matrix: Tensor
    shortest_rest: float | None
    defect: float

    @classmethod
    def along(cls, columns: Tensor, *, shortest_rest: float | None = None) -> Directions:
        """Orthonormal directions that span the columns of a matrix (D, d) of full rank."""
        exact = columns.double()
        factor = torch.linalg.cholesky(exact.T @ exact, upper=True)
        matrix = torch.linalg.solve_triangular(factor, exact, upper=True, left=False).float()
        exact.copy_(matrix)
        gram = exact.T @ exact
        # |V − V(VᵀV)^(-1/2)| is at most |VᵀV − 1| while that is small; the float64 Gram matrix is off by far less.
        defect = torch.linalg.matrix_norm(gram - torch.eye(gram.shape[0], dtype=gram.dtype, device=gram.device))
        return cls(matrix, shortest_rest, float(defect) * 1.01 + 1e-9)

    @property
    def relative_error(self) -> float:
        """How far computed coordinates can be from exact ones, as a share of the row's norm."""
        width, count = self.matrix.shape
        roundings = PROJECTION_WIDTH + PRODUCT_WIDTH // PROJECTION_WIDTH + -(-width // PRODUCT_WIDTH)
        return float(1.01 * roundings * UNIT * count**0.5 + self.defect)

    def sketch(self, rows: Tensor, frame: Frame) -> Sketch:
        """Sketches of rows (B, D), made tile by tile."""
        size = BASE_TILE_BYTES // 2
        buffer = rows.new_empty(rows_in(size, rows.shape[1]), rows.shape[1], dtype=torch.float32)
        every = tiles(len(rows), rows.shape[1], size)
        parts = [self._sketched(frame.centred(rows[tile], torch.float32, buffer)) for tile in every]
        return Sketch(*(torch.cat(columns) for columns in zip(*parts, strict=True)))

    def _sketched(self, centred: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        coordinates = _projected(centred, self.matrix)  # (B, d)
        norms = squared_norms(centred)
        error = self.relative_error * norms.sqrt()
        if self.shortest_rest is None:
            return coordinates, error, norms
        rest = (norms - squared_norms(coordinates)).clamp(min=self.shortest_rest**2).sqrt()
        rest_error = 3 * error * norms.sqrt() / (rest + self.shortest_rest)
        radii = (error.square() + (rest_error + 2 * UNIT * rest).square()).sqrt()
        return torch.cat([coordinates, rest[:, None].float()], dim=1), radii, norms


def narrowed(sketch: Sketch, dtype: torch.dtype) -> Sketch:
    """The same sketches in a narrower type; their radii grow by what the rounding moved each."""
    if dtype == sketch.vectors.dtype:
        return sketch
    vectors = sketch.vectors.to(dtype)
    moved = torch.empty_like(sketch.radii)
    for tile in tiles(len(vectors), vectors.shape[1], BASE_TILE_BYTES):
        off = sketch.vectors[tile].double() - vectors[tile].double()
        torch.linalg.vector_norm(off, dim=1, out=moved[tile])
    return Sketch(vectors, sketch.radii + moved * (1 + 1e-9), sketch.norms)


def principal_columns(base: Tensor, frame: Frame, count: int) -> Tensor:
    """The `count` principal directions of a fixed sample, or fewer, the largest first, nearly orthonormal: (D, d)."""
    rows = max(1, min(len(base), SAMPLE_ROWS, SAMPLE_BYTES // (4 * base.shape[1])))
    chosen = np.sort(tie_key(np.arange(len(base))).argsort()[:rows])
    sample = frame.centred(base[torch.from_numpy(chosen).to(base.device)], torch.float32)  # (m, D)
    values, vectors = torch.linalg.eigh(sample @ sample.T)
    usable = values > values[-1] * SMALLEST_EIGENVALUE
    leading = (vectors / values.sqrt())[:, usable].flip(1)[:, :count]
    columns: Tensor = sample.T @ leading
    return columns


def _projected(rows: Tensor, matrix: Tensor) -> Tensor:
    """rows (B, D) · matrix (D, d), summed in blocks of blocks: their rounding, times the root of d, is the radius."""
    total = rows.new_zeros(len(rows), matrix.shape[1])
    group, product = torch.empty_like(total), torch.empty_like(total)
    for features in feature_blocks(rows.shape[1]):
        group.zero_()
        row_blocks = torch.split(rows[:, features], PROJECTION_WIDTH, 1)
        for row_block, matrix_block in zip(row_blocks, torch.split(matrix[features], PROJECTION_WIDTH), strict=True):
            group.add_(torch.mm(row_block, matrix_block, out=product))
        total.add_(group)
    return total
