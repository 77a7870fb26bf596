"""Milliseconds: SegmentTimes, how long each part of a network with exits takes at each batch size; time_calls.

MACs mispredict time: early layers have few channels and run slower for each MAC, and small batches waste the machine.
So each segment, from one exit to the next with its head and the policy's decision, is timed at several batch sizes. The
time of a routed run is then the sum over its batches and segments, each at as many images as are still there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from layerwise.arrays.policies import ExitPolicy
from layerwise.errors import InputError, NotEnoughExamplesError
from layerwise.exits.network import ExitNetwork
from layerwise.progress import Progress, silent
from layerwise.taps.borrowing import borrowed
from layerwise.taps.finding import Images

__all__ = ["SegmentTimes", "time_calls", "time_segments"]

BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64)


@dataclass(frozen=True, eq=False)
class SegmentTimes:
    """Seconds of each segment of a network with exits, nobody having left.

    Attributes:
        batch_sizes: shape (S,), increasing.
        seconds: shape (S, E + 1), medians; segment e ends with exit e, its head and the policy's decision.
        plain: shape (S,), medians of the network without exits, timed in turn with the others.
        names: of the exits.
    """

    batch_sizes: NDArray[np.int64]
    seconds: NDArray[np.float64]
    plain: NDArray[np.float64]
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
        starts = np.arange(0, len(exits), batch_size)
        # Those that take part in segment e are those that left at no earlier exit.
        present = np.stack(
            [np.add.reduceat(exits >= segment, starts, dtype=np.int64) for segment in range(len(self.names))]
        )
        counts, often = np.unique(present, axis=1, return_counts=True)  # many batches are alike
        return float(sum(times * self.at(count).sum() for count, times in zip(counts.T, often, strict=True)))

    def plain_per_image(self, batch_size: int) -> float:
        """Seconds of an image in the network without exits, in batches of a size that was timed."""
        return float(self.plain[np.searchsorted(self.batch_sizes, batch_size)] / batch_size)

    def to_dict(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        return {
            "batch_sizes": self.batch_sizes.tolist(),
            "seconds": self.seconds.tolist(),
            "plain": self.plain.tolist(),
            "names": list(self.names),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> SegmentTimes:
        """What `to_dict` gave.

        Raises:
            KeyError, TypeError, ValueError: it is something else.
        """
        seconds, plain = (np.array(values[name], np.float64) for name in ("seconds", "plain"))
        sizes, names = np.array(values["batch_sizes"], np.int64), tuple(map(str, values["names"]))
        if seconds.shape != (len(sizes), len(names)) or plain.shape != sizes.shape:
            raise ValueError(f"times of shape {seconds.shape} for {len(sizes)} batch sizes and {len(names)} exits")
        return cls(sizes, seconds, plain, names)


def time_segments(
    net: ExitNetwork,
    images: Images,
    policy: ExitPolicy,
    *,
    batch_sizes: Sequence[int] = BATCH_SIZES,
    repeats: int = 15,
    progress: Progress = silent,
) -> SegmentTimes:
    """Time each segment at each batch size, and the network without exits.

    Args:
        net: in evaluation mode.
        images: as `ExitNetwork.predict` takes them, as many as the largest batch size.
        policy: whose decisions are timed; nobody leaves. An exit that it does not ask has no head.
        batch_sizes: any order.
        repeats: passes at each size; the median counts.
        progress: is shown the batch sizes.

    Raises:
        InputError: a size or the repeats are below 1.
        NotEnoughExamplesError: there are fewer images than the largest batch size.
        ModelError: the network is in training mode.
        ShapeError: the images, or the thresholds, do not fit the network.
    """
    sizes = sorted(set(batch_sizes))
    if not sizes or sizes[0] < 1 or repeats < 1:
        raise InputError(f"batch sizes and repeats must be at least 1; got {tuple(batch_sizes)} and {repeats}.")
    if len(images) < sizes[-1]:
        raise NotEnoughExamplesError(f"timing batches of {sizes[-1]} needs as many images; got {len(images)}.")
    policy.check(len(net.heads), net.num_classes)
    inputs = net.inputs(images, sizes[-1])
    with borrowed(net):
        timed = [
            _time_size(net, inputs[slice(0, size)], policy, repeats)
            for size in progress(sizes, total=len(sizes), what="Timing segments")
        ]
    seconds, plain = zip(*timed, strict=True)
    return SegmentTimes(np.array(sizes), np.stack(seconds), np.array(plain), net.names)


def time_calls(calls: Sequence[Callable[[], object]], repeats: int, device: torch.device) -> list[float]:
    """Medians of the seconds that each call takes, after one to warm up.

    The calls take turns, so that a machine that is busy for a while is as busy for each.
    """
    seconds: list[list[float]] = [[] for _ in calls]
    for _ in range(repeats + 1):
        for call, taken in zip(calls, seconds, strict=True):
            started = _now(device)
            call()
            taken.append(_now(device) - started)
    return [float(np.median(taken[1:])) for taken in seconds]


def _time_size(net: ExitNetwork, images: Tensor, policy: ExitPolicy, repeats: int) -> tuple[NDArray[np.float64], float]:
    """Medians of each segment, (E + 1,), and of the network without exits."""
    passes: list[NDArray[np.float64]] = []
    calls = [lambda: passes.append(_one_pass(net, images, policy)), lambda: net.model(images).float().cpu()]
    _, plain = time_calls(calls, repeats, images.device)
    return np.median(passes[1:], axis=0), plain


def _one_pass(net: ExitNetwork, images: Tensor, policy: ExitPolicy) -> NDArray[np.float64]:
    """Seconds of each segment of one pass."""
    logits = np.zeros((len(net.names), len(images), net.num_classes), np.float32)
    heads = net.heads_by_name

    def read(tap: str, value: Tensor) -> None:
        index = net.names.index(tap)
        if policy.asks(index):
            logits[index] = heads[tap](value).float().cpu().numpy()
            policy.leaves(logits[: index + 1])
        stamps.append(_now(images.device))

    with net.taps.reader.open(net.model) as forward:
        stamps = [_now(images.device)]
        forward(images, read).float().cpu()
        stamps.append(_now(images.device))
    return np.diff(stamps)


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()
