"""Milliseconds: SegmentTimes, how long each part of a network with exits takes at each batch size; and predictions.

MACs mispredict time: early layers have few channels and run slower for each MAC, and small batches waste the machine.
So each segment, from one exit to the next with its head and the policy's decision, is timed at several batch sizes. The
time of a routed run is then the sum over its batches and segments, each at as many images as are still there.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from layerwise.arrays.policies import ExitPolicy
from layerwise.errors import InputError
from layerwise.exits.network import ExitNetwork
from layerwise.progress import Progress, silent
from layerwise.taps.borrowing import borrowed

__all__ = ["SegmentTimes", "time_segments"]

BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64)


@dataclass(frozen=True, eq=False)
class SegmentTimes:
    """Seconds of each segment of a network with exits, nobody having left.

    Attributes:
        batch_sizes: shape (S,), increasing.
        seconds: shape (S, E + 1), medians; segment e ends with exit e, its head and the policy's decision.
        names: of the exits.
    """

    batch_sizes: NDArray[np.int64]
    seconds: NDArray[np.float64]
    names: tuple[str, ...]

    def at(self, counts: NDArray[np.integer]) -> NDArray[np.float64]:
        """Seconds of each segment (E + 1,) for so many images (E + 1,): linear in between, nothing for none.

        Beyond the largest batch size that was timed, in proportion to it.
        """
        largest = self.batch_sizes[-1]
        within = np.minimum(counts, largest)
        found = np.array(
            [np.interp(count, self.batch_sizes, column) for count, column in zip(within, self.seconds.T, strict=True)]
        )
        return np.where(counts > 0, found * np.maximum(counts / largest, 1.0), 0.0)

    def predict(self, exits: NDArray[np.integer], *, batch_size: int) -> float:
        """Seconds of a routed run in which the images, in this order, leave at these exits (N,)."""
        last = len(self.names) - 1
        parts = np.split(exits, range(batch_size, len(exits), batch_size))
        # Those that take part in segment e are those that left at no earlier exit.
        present = [[int((part >= segment).sum()) for segment in range(last + 1)] for part in parts]
        return float(sum(self.at(np.array(counts)).sum() for counts in present))


def time_segments(
    net: ExitNetwork,
    images: Tensor,
    policy: ExitPolicy,
    *,
    batch_sizes: Sequence[int] = BATCH_SIZES,
    repeats: int = 15,
    progress: Progress = silent,
) -> SegmentTimes:
    """Time each segment at each batch size.

    Args:
        net: in evaluation mode.
        images: as the network takes them (N, C, H, W), as many as the largest batch size.
        policy: whose decisions are timed; nobody leaves. An exit that it does not ask has no head.
        batch_sizes: increasing.
        repeats: passes at each size; the median counts.
        progress: is shown the batch sizes.

    Raises:
        InputError: there are fewer images than the largest batch size, or a size or the repeats are below 1.
    """
    sizes = sorted(set(batch_sizes))
    if not sizes or sizes[0] < 1 or repeats < 1:
        raise InputError(f"batch sizes and repeats must be at least 1; got {tuple(batch_sizes)} and {repeats}.")
    if len(images) < sizes[-1]:
        raise InputError(f"timing batches of {sizes[-1]} needs as many images; got {len(images)}.")
    with borrowed(net):
        seconds = [
            np.median([_one_pass(net, images[:size], policy) for _ in range(repeats + 1)][1:], axis=0)
            for size in progress(sizes, total=len(sizes), what="Timing segments")
        ]
    return SegmentTimes(np.array(sizes), np.stack(seconds), net.names)


def _one_pass(net: ExitNetwork, images: Tensor, policy: ExitPolicy) -> NDArray[np.float64]:
    """Seconds of each segment of one pass."""
    so_far: list[NDArray[np.floating]] = []
    heads = net.heads_by_name

    def read(tap: str, value: Tensor) -> None:
        if policy.asks(net.names.index(tap)):
            so_far.append(heads[tap](value).float().cpu().numpy())
            policy.leaves(np.stack(so_far) if policy.looks_back else so_far[-1][None])
        stamps.append(_now(images))

    with net.taps.reader.open(net.model) as forward:
        stamps = [_now(images)]
        forward(images, read).float().cpu()
        stamps.append(_now(images))
    return np.diff(stamps)


def _now(images: Tensor) -> float:
    if images.is_cuda:
        torch.cuda.synchronize(images.device)
    return time.perf_counter()
