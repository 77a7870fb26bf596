"""What a recording needs, said before it runs: check_memory, check_disk."""

from __future__ import annotations

import math
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from layerwise.errors import ActivationsTooLargeError
from layerwise.recording.reduction import position_axes
from layerwise.taps import Tap


@dataclass(frozen=True)
class Stored:
    """What is kept of one tap for each example.

    Attributes:
        tap: the place.
        shape: of what is kept of one example.
        dtype: of what is kept.
    """

    tap: Tap
    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]

    def size_bytes(self, examples: int) -> int:
        """Bytes for that many examples."""
        return examples * math.prod(self.shape) * self.dtype.itemsize

    def pooled_bytes(self, examples: int, image_shape: tuple[int, ...]) -> int:
        """Bytes for that many examples if their means over positions were kept."""
        axes = position_axes(self.tap.shape, image_shape)
        kept = [length for axis, length in enumerate(self.tap.shape) if axis not in axes]
        return examples * math.prod(kept) * self.dtype.itemsize

    def in_words(self, examples: int) -> str:
        """The product that gives the size, as in "50000 × 64 × 32 × 32 float32"."""
        return f"{' × '.join(map(str, (examples, *self.shape)))} {self.dtype.name}"


def check_memory(
    stored: Sequence[Stored],
    *,
    image_shape: tuple[int, ...],
    examples: int,
    limit_bytes: float,
    pooled: bool,
    on_disk: bool = False,
) -> None:
    """Refuse what would not fit in memory.

    Args:
        stored: what is kept of each tap.
        image_shape: (C, H, W) of the network's input.
        examples: how many are held at once.
        limit_bytes: the most memory that they may take.
        pooled: a reduction is used already, so that it is not among the ways out.
        on_disk: the values go to files, so that only a batch is held at once.

    Raises:
        ActivationsTooLargeError: all taps together need more than `limit_bytes`; names the largest, and the ways out.
    """
    needed = sum(part.size_bytes(examples) for part in stored)
    if needed <= limit_bytes:
        return
    largest = max(stored, key=lambda part: part.size_bytes(examples))
    alone = largest.size_bytes(examples) > limit_bytes
    what = f'tap "{largest.tap.name}" needs {in_units(largest.size_bytes(examples))} ({largest.in_words(examples)})'
    message = f"{what}, over the limit of {in_units(limit_bytes)}."
    if not alone:
        message = (
            f"{len(stored)} taps need {in_units(needed)}, over the limit of {in_units(limit_bytes)}; {what} alone."
        )
    least = sum(part.pooled_bytes(examples, image_shape) for part in ([largest] if alone else stored))
    pool = "" if pooled else f'reduce="mean_pool" ({in_units(least)}), '
    smaller = "a smaller batch_size" if on_disk else "keep=DIR (on disk), fewer examples"
    raise ActivationsTooLargeError(f"{message}\n    Use {pool}{smaller}, or limit_bytes=...")


def check_disk(stored: Sequence[Stored], *, examples: int, folder: Path) -> None:
    """Refuse what would not fit on the disk.

    Raises:
        ActivationsTooLargeError: the folder's disk has less free space than the files need.
    """
    needed = sum(part.size_bytes(examples) for part in stored)
    existing = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(existing).free
    if needed > free:
        raise ActivationsTooLargeError(
            f"{len(stored)} taps need {in_units(needed)} on disk, but {folder} has {in_units(free)} free.\n"
            "    Free some space, choose another folder, or use a reduction, fewer taps or fewer examples."
        )


def in_units(size_bytes: float) -> str:
    """Bytes for people, in powers of 1000.

    >>> in_units(13_107_200_000), in_units(12_800_000), in_units(999)
    ('13.1 GB', '12.8 MB', '999 B')
    """
    if size_bytes < 1000:
        return f"{size_bytes:.0f} B"
    power = min(int(math.log10(size_bytes) // 3), 5)
    return f"{size_bytes / 1000**power:.1f} {' kMGTP'[power]}B"
