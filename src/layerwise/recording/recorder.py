"""record: one forward pass over a data set that keeps the values at all taps.

Each value is copied, or reduced, at the moment it is made: a later in-place operation must not rewrite what was read.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from layerwise.data.images import ImageData
from layerwise.errors import FileError, InputError, ModelError, NonFiniteError, NotEnoughExamplesError, ShapeError
from layerwise.models.layout import fast_layout, laid_out
from layerwise.progress import Progress, silent
from layerwise.recording.activations import INDEX, Activations
from layerwise.recording.reduction import Reduce, reducer
from layerwise.recording.sizes import Stored, check_disk, check_memory
from layerwise.recording.stores import FolderStore, MemoryStore, Store
from layerwise.taps import INPUT, SOFTMAX, Tap, Taps
from layerwise.taps.borrowing import Preprocess, borrowed, prepare
from layerwise.taps.calls import times
from layerwise.taps.readers import Forward, Receive

DEFAULT_LIMIT_BYTES = 4e9
_FIRST = 2
"""Examples that are run through a network to see what it does with them."""


def record(
    model: nn.Module,
    data: ImageData,
    taps: Taps,
    *,
    only: Collection[str] | None = None,
    logits: bool = True,
    preprocessing: Preprocess | None = None,
    batch_size: int = 256,
    reduce: Reduce = None,
    limit_bytes: float = DEFAULT_LIMIT_BYTES,
    keep: Path | str | None = None,
    device: torch.device | str | None = None,
    progress: Progress = silent,
) -> Activations:
    """Run a network over a data set once, and keep the values at its taps.

    Args:
        model: the network in which the taps were found; left as it was (mode, hooks, gradients, device, random state).
        data: N images with labels.
        taps: from `find_taps`.
        only: names of the taps whose values are kept; by default all.
        logits: whether the network's output is needed. If not, each pass ends at the last tap whose values are kept,
            the logits may be NaN, and what comes later is not looked at.
        preprocessing: what the network expects to be done to pixels in [0, 1]; the tap "input" is read before it.
        batch_size: images in one forward pass.
        reduce: None keeps values whole; "mean_pool" keeps the mean over positions (vectors stay as they are);
            a function from (B, …) to (B, …) is applied to every tap's values.
        limit_bytes: the most memory that the arrays may take; with `keep`, that one batch of all taps may.
        keep: a folder (path or string); values go to files there, which are mapped into memory. An earlier recording
            is replaced.
        device: where to compute; by default where the model is.
        progress: is shown the batches.

    Returns:
        Activations: arrays (N, …) in the network's number type (float32 for bfloat16), logits in float32.

    Raises:
        ActivationsTooLargeError: the memory limit, or the disk, is too small; said before anything is recorded.
        NonFiniteError: NaN or infinity at a tap; names the first such tap and the first such example.
        ModelError: the taps were found on another network, or a tap was not reached.
        ShapeError: the images have another shape than those with which the taps were found.
        NotEnoughExamplesError: there is no image.
        UnknownNameError: `only` names a tap that is not among `taps`.
        FileError: `keep` is a file.
        InputError: batch size or limit below 1, no such reduction, or a device that cannot be used.
    """
    keep = None if keep is None else Path(keep)
    _check_request(data, taps, batch_size=batch_size, limit_bytes=limit_bytes, keep=keep)
    kept = reducer(reduce, image_shape=data.image_shape)
    with borrowed(model, device=device), ExitStack() as opened:
        layout = fast_layout(model, prepare(_first_pixels(data), model, preprocessing))
        forward = opened.enter_context(taps.reader.open(model))
        run = _Pass(model, data, taps, _wanted(taps, only), forward, preprocessing, layout, logits)
        stored = run.sizes(kept)
        at_once = len(data) if keep is None else min(batch_size, len(data))
        check_memory(
            stored,
            image_shape=data.image_shape,
            examples=at_once,
            limit_bytes=limit_bytes,
            pooled=reduce is not None,
            on_disk=keep is not None,
        )
        if keep is not None:
            check_disk(stored, examples=len(data), folder=keep)
        outputs = np.empty((len(data), taps[SOFTMAX].shape[0]), dtype=np.float32)  # (N, K)
        with _store(stored, examples=len(data), folder=keep) as store:
            starts = range(0, len(data), batch_size)
            for start in progress(starts, total=len(starts), what=f"Recording {len(run.wanted)} taps"):
                rows = slice(start, min(start + batch_size, len(data)))
                outputs[rows] = run.batch(rows, kept, store)
            if keep is not None:
                # From here to the new list of taps, the folder holds no recording.
                (keep / INDEX).unlink(missing_ok=True)
    activations = Activations(run.wanted, store.arrays(), data.labels, data.ids, outputs, taps.network)
    if keep is not None:
        activations.save_index(keep)
    return activations


class _AllReached(BaseException):
    """Ends a pass; not an Exception, which a network may catch."""


@dataclass(frozen=True)
class _Pass:
    """A network, its taps and the data, ready to be run."""

    model: nn.Module
    data: ImageData
    taps: Taps
    wanted: tuple[Tap, ...]
    forward: Forward
    preprocessing: Preprocess | None
    layout: torch.memory_format
    logits: bool

    def sizes(self, kept: Callable[[Tensor], Tensor]) -> list[Stored]:
        """What will be kept of each tap, from the first examples."""
        seen: dict[str, Tensor] = {}

        def note(tap: str, value: Tensor) -> None:
            if self.wants(tap):
                seen[tap] = _as_rows(tap, kept(value), len(value))

        with suppress(_AllReached):
            self.run(slice(0, min(_FIRST, len(self.data))), note)
        return [Stored(tap, tuple(seen[tap.name].shape[1:]), _numpy_type(seen[tap.name])) for tap in self.wanted]

    def wants(self, tap: str) -> bool:
        """Whether the tap's values are kept."""
        return any(tap == wanted.name for wanted in self.wanted)

    def batch(self, rows: slice, kept: Callable[[Tensor], Tensor], store: Store) -> NDArray[np.float32]:
        """Record the examples of one batch; gives their logits (B, K), or NaN if the pass ended before them."""
        waiting: list[tuple[str, Tensor]] = []

        def keep(tap: str, value: Tensor) -> None:
            if not self.wants(tap):
                # So that the first tap is named where it begins, not the first of those that are kept.
                self._check_finite(f'tap "{tap}"', value, rows)
                return
            reduced = kept(value)
            if reduced.is_cuda and not _share_memory(reduced, value):
                # Copying now would make the device wait for each tap in turn.
                waiting.append((tap, reduced))
            else:
                put(tap, reduced)

        def put(tap: str, value: Tensor) -> None:
            on_cpu = value.cpu()
            self._check_finite(f'tap "{tap}"', on_cpu, rows)
            store.put(tap, rows.start, on_cpu.float() if on_cpu.dtype == torch.bfloat16 else on_cpu)

        try:
            logits = self.run(rows, keep)
        except _AllReached:
            logits = None
        for tap, value in waiting:
            put(tap, value)
        if logits is None:
            return np.full((1, *self.taps[SOFTMAX].shape), np.nan, dtype=np.float32)
        self._check_finite("the network's output", logits, rows)
        return logits.numpy()

    def run(self, rows: slice, receive: Receive) -> Tensor:
        """One forward pass; gives the logits (B, K), float32, on the CPU.

        Raises:
            _AllReached: all wanted taps were received, and the logits are not needed.
        """
        reached: set[str] = set()
        awaited = None if self.logits else {tap.name for tap in self.wanted}

        def note(tap: str, value: Tensor) -> None:
            reached.add(tap)
            receive(tap, value)
            if awaited is not None and tap != SOFTMAX and awaited <= reached:
                raise _AllReached

        # A copy: a network whose first operation is in place would rewrite the data set.
        pixels = torch.tensor(self.data.batch(rows))
        note(INPUT, pixels)
        images = laid_out(prepare(pixels, self.model, self.preprocessing), self.layout)
        output = self.forward(images, note)
        expected = (len(pixels), *self.taps[SOFTMAX].shape)
        if not isinstance(output, Tensor) or tuple(output.shape) != expected:
            given = times(output.shape) if isinstance(output, Tensor) else type(output).__name__
            raise ModelError(f"{self.taps.network} gives {given} for {len(pixels)} images; expected {times(expected)}.")
        logits = output.float()
        note(SOFTMAX, logits.softmax(dim=1))
        unreached = [tap.name for tap in self.taps if tap.name not in reached]
        if unreached:
            raise ModelError(
                f"{self.taps.network} did not reach {', '.join(unreached)} in the first {rows.stop} examples.\n"
                "    A tap must be reached by every image: leave these out."
            )
        return logits.cpu()

    def _check_finite(self, place: str, values: Tensor, rows: slice) -> None:
        # Any NaN or infinity makes the sum so, and a sum is far cheaper than a mask.
        if not values.is_floating_point() or math.isfinite(values.sum(dtype=torch.float32)):
            return
        bad = (~torch.isfinite(values)).reshape(len(values), -1).any(dim=1)  # (B,)
        if bool(bad.any()):
            first = self.data.ids[rows][int(bad.nonzero()[0])]
            raise NonFiniteError(
                f"{place} holds NaN or infinity for {int(bad.sum())} of the first {rows.stop} examples "
                f'(the first is "{first}").\n    Look for them in the weights, the preprocessing and the images.'
            )


def _first_pixels(data: ImageData) -> Tensor:
    return torch.tensor(data.batch(slice(0, min(_FIRST, len(data)))))


def _wanted(taps: Taps, only: Collection[str] | None) -> tuple[Tap, ...]:
    if only is None:
        return taps.taps
    names = {taps[name].name for name in only}
    return tuple(tap for tap in taps if tap.name in names)


def _check_request(data: ImageData, taps: Taps, *, batch_size: int, limit_bytes: float, keep: Path | None) -> None:
    if batch_size < 1 or not limit_bytes >= 1:
        raise InputError(f"batch_size and limit_bytes must be at least 1; got {batch_size} and {limit_bytes}.")
    if keep is not None and keep.exists() and not keep.is_dir():
        raise FileError(f"{keep} is a file; activations are kept in a folder. Give another name.")
    if not len(data):
        raise NotEnoughExamplesError("recording needs at least one image; got none.")
    if data.image_shape != taps[INPUT].shape:
        raise ShapeError(
            f"the images have the shape {times(data.image_shape)}; "
            f"the taps were found with {times(taps[INPUT].shape)}.\n"
            "    Call find_taps with images of this data set."
        )


def _store(stored: list[Stored], *, examples: int, folder: Path | None) -> Store:
    if folder is None:
        return MemoryStore(stored, examples=examples)
    return FolderStore(stored, examples=examples, folder=folder)


def _as_rows(tap: str, value: object, examples: int) -> Tensor:
    if isinstance(value, Tensor) and value.ndim and len(value) == examples:
        return value
    given = f"a tensor of shape {times(value.shape)}" if isinstance(value, Tensor) else f"a {type(value).__name__}"
    raise ShapeError(
        f'the reduction gives {given} for {examples} examples of tap "{tap}"; expected a tensor with {examples} rows.'
    )


def _numpy_type(value: Tensor) -> np.dtype[np.generic]:
    kept = torch.float32 if value.dtype == torch.bfloat16 else value.dtype
    return torch.empty(0, dtype=kept).numpy().dtype


def _share_memory(one: Tensor, other: Tensor) -> bool:
    return one.untyped_storage().data_ptr() == other.untyped_storage().data_ptr()
