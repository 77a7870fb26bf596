"""Which type this device multiplies fastest: measured once, not looked up in a list of names."""

from __future__ import annotations

import functools
import time

import torch

SIDE = 256
REPETITIONS = 3
WORTH_IT = 1.5


@functools.cache
def fastest_type(device: torch.device) -> torch.dtype:
    """bfloat16 where its products are clearly faster than those of float32, otherwise float32."""
    gain = _seconds(device, torch.float32) / _seconds(device, torch.bfloat16)
    return torch.bfloat16 if gain > WORTH_IT else torch.float32


def _seconds(device: torch.device, dtype: torch.dtype) -> float:
    factor = torch.ones(SIDE, SIDE, device=device, dtype=dtype)
    _finished(factor @ factor)
    times = []
    for _ in range(REPETITIONS):
        started = time.perf_counter()
        _finished(factor @ factor)
        times.append(time.perf_counter() - started)
    return min(times)


def _finished(product: torch.Tensor) -> None:
    """Wait for the device, which may only have been told."""
    product[0, 0].item()
