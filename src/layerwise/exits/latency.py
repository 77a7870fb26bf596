"""Milliseconds: SegmentTimes, how long each part of a network with exits takes at each batch size; time_calls.

MACs mispredict time: early layers have few channels and run slower for each MAC, and small batches waste the machine.
So each segment, from one exit to the next with its head and the policy's decision, is timed at several batch sizes. The
time of a routed run is then the sum over its batches and segments, each at as many images as are still there.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from layerwise.arrays.policies import ExitPolicy
from layerwise.errors import InputError, NotEnoughExamplesError, ShapeError
from layerwise.exits.network import ExitNetwork
from layerwise.exits.routing import Batch, Routing
from layerwise.progress import Progress, silent
from layerwise.taps.borrowing import borrowed
from layerwise.taps.finding import Images

__all__ = ["SegmentTimes", "time_calls", "time_segments"]

BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64)
LARGEST_BATCH = 1_000_000


@dataclass(frozen=True, eq=False)
class SegmentTimes:
    """Seconds of each part of a network with exits, nobody having left.

    Attributes:
        batch_sizes: shape (S,), increasing.
        segments: shape (S, E + 1), medians; segment e ends where exit e is.
        heads: shape (S, E), medians of each head with the policy's decision.
        plain: shape (S,), medians of the network without exits, timed in turn with the others.
        names: of the exits, E + 1 of them.
    """

    batch_sizes: NDArray[np.int64]
    segments: NDArray[np.float64]
    heads: NDArray[np.float64]
    plain: NDArray[np.float64]
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        shape = (len(self.batch_sizes), len(self.names))
        given = (self.segments.shape, self.heads.shape, self.plain.shape)
        if given != (shape, (shape[0], shape[1] - 1), shape[:1]):
            raise ShapeError(
                f"times of shapes {given} do not belong to {shape[0]} batch sizes and {shape[1]} exits: "
                "segments (S, E + 1), heads (S, E) and plain (S,) are needed."
            )
        increasing = len(self.batch_sizes) and self.batch_sizes[0] >= 1 and (np.diff(self.batch_sizes) > 0).all()
        measured = np.concatenate([self.segments.ravel(), self.heads.ravel(), self.plain])
        if not increasing or not np.isfinite(measured).all() or (measured < 0).any() or (self.plain == 0).any():
            raise InputError("batch sizes must increase from 1 or more, and times be numbers above 0.")

    def predict(self, exits: NDArray[np.integer], policy: ExitPolicy, *, batch_size: int) -> float:
        """Seconds of a routed run in which the images, in this order, leave at these exits (N,).

        A head is run only where the policy asks it. Between the batch sizes that were timed, times are interpolated;
        below the smallest they are its time, and beyond the largest in proportion to it.

        Raises:
            InputError: the batch size is not from 1 to LARGEST_BATCH.
            NotEnoughExamplesError: there is no image.
        """
        self._check(batch_size, len(exits))
        asked = [policy.asks(index) for index in range(len(self.names) - 1)]
        if not any(asked):
            return float(sum(self._at(self.plain, size) for size in _sizes(len(exits), batch_size)))
        starts = np.arange(0, len(exits), batch_size)
        # Those that take part in segment e are those that left at no earlier exit.
        present = np.stack(
            [np.add.reduceat(exits >= segment, starts, dtype=np.int64) for segment in range(len(self.names))]
        )
        counts, often = np.unique(present, axis=1, return_counts=True)  # many batches are alike
        parts = [*self.segments.T, *self.heads.T[asked]]
        there = np.concatenate([counts, counts[:-1][asked]])
        taken = [self._at(part, count) for part, count in zip(parts, there, strict=True)]
        return float((np.stack(taken) * often).sum())

    def per_image(self, exits: NDArray[np.integer], policy: ExitPolicy, *, batch_size: int) -> float:
        """Mean seconds of an image in full batches of images of this kind, which leave at these exits (N,).

        Raises:
            As `predict`.
        """
        self._check(batch_size, len(exits))
        full = np.resize(exits, -(-len(exits) // batch_size) * batch_size)  # the first ones once more
        return self.predict(full, policy, batch_size=batch_size) / len(full)

    def plain_per_image(self, batch_size: int) -> float:
        """Seconds of an image in the network without exits.

        Raises:
            InputError: as `predict`.
        """
        self._check(batch_size, 1)
        return float(self._at(self.plain, np.array(batch_size)) / batch_size)

    def to_dict(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        return {
            "batch_sizes": self.batch_sizes.tolist(),
            "segments": self.segments.tolist(),
            "heads": self.heads.tolist(),
            "plain": self.plain.tolist(),
            "names": list(self.names),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> SegmentTimes:
        """What `to_dict` gave.

        Raises:
            KeyError, TypeError, ValueError, OverflowError: it is something else.
        """
        segments, heads, plain = (np.array(values[name], np.float64) for name in ("segments", "heads", "plain"))
        sizes, names = np.array(values["batch_sizes"], np.int64), tuple(map(str, values["names"]))
        return cls(sizes, segments, heads, plain, names)

    def _check(self, batch_size: int, images: int) -> None:
        if not 1 <= batch_size <= LARGEST_BATCH:
            raise InputError(f"a batch has from 1 to {LARGEST_BATCH:,} images; got batch_size = {batch_size:,}.")
        if not images:
            raise NotEnoughExamplesError("the time of no image cannot be told. Give where some images leave.")

    def _at(self, seconds: NDArray[np.float64], counts: NDArray[np.integer]) -> NDArray[np.float64]:
        """Of one part's times (S,), those for so many images; nothing for none."""
        largest = self.batch_sizes[-1]
        within = np.interp(np.minimum(counts, largest), self.batch_sizes, seconds)
        return np.where(counts > 0, within * np.maximum(counts / largest, 1.0), 0.0)


def _sizes(count: int, batch_size: int) -> list[NDArray[np.int64]]:
    return [np.array(min(batch_size, count - start)) for start in range(0, count, batch_size)]


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
        repeats: rounds, each over all sizes, with and without exits; the median counts.
        progress: is shown the rounds.

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
    passes: list[list[NDArray[np.float64]]] = [[] for _ in sizes]

    def parts(place: int) -> Callable[[], object]:
        return lambda: passes[place].append(_one_pass(net, inputs[slice(0, sizes[place])], policy))

    def whole(place: int) -> Callable[[], object]:
        return lambda: net.model(inputs[slice(0, sizes[place])]).float().cpu()

    calls = [call for place in range(len(sizes)) for call in (parts(place), whole(place))]
    with borrowed(net):
        medians = time_calls(calls, repeats, inputs[slice(0, 1)].device, progress=progress)
    taken = np.stack([np.median(rounds[1:], axis=0) for rounds in passes])
    return SegmentTimes(np.array(sizes), taken[:, ::2], taken[:, 1::2], np.array(medians[1::2]), net.names)


def time_calls(
    calls: Sequence[Callable[[], object]], repeats: int, device: torch.device, *, progress: Progress = silent
) -> list[float]:
    """Medians of the seconds that each call takes, after a round to warm up.

    The calls take turns, so that a machine that is busy for a while is as busy for each.
    """
    seconds: list[list[float]] = [[] for _ in calls]
    for _ in progress(range(repeats + 1), total=repeats + 1, what="Timing"):
        for call, taken in zip(calls, seconds, strict=True):
            started = _now(device)
            call()
            taken.append(_now(device) - started)
    return [float(np.median(taken[1:])) for taken in seconds]


def _one_pass(net: ExitNetwork, images: Tensor, policy: ExitPolicy) -> NDArray[np.float64]:
    """Seconds of segment, head, segment, head … of one pass, (2 E + 1,)."""

    def read(tap: str, value: Tensor) -> None:
        stamps.append(_now(images.device))
        batch.at_tap(tap, value)
        stamps.append(_now(images.device))

    with net.taps.reader.open(net.model) as forward:
        batch = Batch(Routing(forward, net.heads_by_name, _nobody(policy), net.num_classes), len(images))
        stamps = [_now(images.device)]
        forward(images, read).float().cpu()
        stamps.append(_now(images.device))
    return np.diff(stamps)


def _nobody(policy: ExitPolicy) -> ExitPolicy:
    """The same decisions at the same exits, but nobody leaves."""
    sign = 1.0 if policy.leaves_above else -1.0
    never = sign * np.inf  # a head is not run where the threshold is this
    return policy.with_thresholds(np.where(policy.thresholds == never, never, sign * sys.float_info.max).tolist())


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()
