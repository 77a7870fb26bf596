"""Frame: where products are made. Rows are scaled by a power of two and centred on the base's mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from layerwise.errors import NonFiniteError
from layerwise.neighbors.tiles import BASE_TILE_BYTES, MEASURE_BYTES, rows_in, tiles

ABSOLUTE_ERROR_OF_A_FEATURE = 2.0**-100


@dataclass(frozen=True)
class Frame:
    """A scale that is exact, and a centre that keeps a large common mean from costing digits.

    Attributes:
        scale: a power of two that brings the largest magnitude to at most 1 (at most 4 at the end of float32's range).
        center: shape (D,), float64, after scaling.
    """

    scale: float
    center: Tensor

    @classmethod
    def over(cls, queries: Tensor, base: Tensor) -> Frame:
        """The frame of one search.

        Raises:
            NonFiniteError: NaN or infinity among the values.
        """
        scale = _power_of_two_scale(queries, base)
        total = torch.zeros(base.shape[1], dtype=torch.float64, device=base.device)
        for tile in tiles(len(base), base.shape[1], MEASURE_BYTES):
            rows = base[tile] if base.dtype == torch.float64 else base[tile].float()
            # Scaled as they are summed, so that no sum overflows. Rounding is no matter: any centre will do.
            total += (rows.new_full((1, len(rows)), scale) @ rows)[0]
        return cls(scale, total / len(base))

    def centred(self, values: Tensor, dtype: torch.dtype, buffer: Tensor | None = None) -> Tensor:
        """Scaled and centred rows, in the memory of `buffer` if given: new memory costs as much as the sums."""
        rows = values.new_empty(values.shape, dtype=dtype) if buffer is None else shaped(buffer, *values.shape)
        return rows.copy_(values).mul_(self.scale).sub_(self.center.to(dtype))

    def of_features(self, features: slice) -> Frame:
        """The same frame for a slice of the features."""
        return Frame(self.scale, self.center[features])

    @property
    def absolute_error(self) -> float:
        """What underflow can change in a squared distance."""
        return len(self.center) * ABSOLUTE_ERROR_OF_A_FEATURE


def shaped(buffer: Tensor, rows: int, width: int) -> Tensor:
    """The first memory of a buffer as a matrix."""
    return buffer.view(-1)[: rows * width].view(rows, width)


def squared_norms(rows: Tensor) -> Tensor:
    """Summed in float64, shape (B,); few rows at a time, in memory that stays in the processor's cache."""
    norms = torch.empty(len(rows), dtype=torch.float64, device=rows.device)
    width = rows.shape[1]
    buffer = torch.empty(rows_in(MEASURE_BYTES // 2, width), width, dtype=torch.float64, device=rows.device)
    for tile in tiles(len(rows), width, MEASURE_BYTES // 2):
        some = rows[tile]
        torch.linalg.vector_norm(buffer[: len(some)].copy_(some), dim=1, out=norms[tile])
    return norms.square_()


def _power_of_two_scale(*parts: Tensor) -> float:
    largest = 0.0
    for values in parts:
        for tile in tiles(len(values), values.shape[1], BASE_TILE_BYTES):
            low, high = values[tile].aminmax()
            largest = max(largest, abs(float(low)), abs(float(high)))
            if not np.isfinite(largest) or low.isnan():
                raise NonFiniteError("NaN or infinity among the values; nearest neighbours need finite numbers.")
    if largest == 0:
        return 1.0
    # A float32 holds powers of two from -126 to 127.
    return float(2.0 ** np.clip(-np.ceil(np.log2(largest)), -126, 126))
