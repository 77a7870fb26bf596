"""The most that a product of matrices reaches on this machine: what a search by products is measured against."""

from __future__ import annotations

import time

import torch

SIDE = 4096
PROBE = 512
REPEATS = 3


def gemm_limit(side: int = SIDE) -> tuple[float, str]:
    """GFLOP/s of the best square product, and its type: "float32", or "bfloat16" where that is faster."""
    rates = {_name(dtype): _best_rate(dtype, side) for dtype in _worth_trying()}
    fastest = max(rates, key=rates.__getitem__)
    return rates[fastest], fastest


def _worth_trying() -> list[torch.dtype]:
    # Without instructions for it, a large bfloat16 product can take minutes.
    faster = _best_rate(torch.bfloat16, PROBE) > _best_rate(torch.float32, PROBE) / 2
    return [torch.float32, torch.bfloat16] if faster else [torch.float32]


def _best_rate(dtype: torch.dtype, side: int) -> float:
    generator = torch.Generator().manual_seed(0)
    left, right = (torch.randn(side, side, generator=generator).to(dtype) for _ in range(2))
    return max(_rate(left, right) for _ in range(REPEATS))


def _rate(left: torch.Tensor, right: torch.Tensor) -> float:
    start = time.perf_counter()
    left @ right
    return 2 * len(left) ** 3 / (time.perf_counter() - start) / 1e9


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
