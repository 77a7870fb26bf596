"""groups_of_taps: which taps are recorded together, so that a limit of memory holds."""

from __future__ import annotations

import math
from collections.abc import Sequence

from layerwise.errors import ActivationsTooLargeError
from layerwise.recording.sizes import in_units
from layerwise.taps import Tap

BYTES_PER_NUMBER = 4


def groups_of_taps(
    taps: Sequence[Tap],
    examples: int,
    limit_bytes: float,
    *,
    width: int | None = None,
    at_least: int | None = None,
) -> list[list[Tap]]:
    """Taps that follow one another, and whose activations fit the limit together; one that is over it is alone.

    Args:
        taps: in the order in which they are wanted.
        examples: how many will be recorded.
        limit_bytes: the most memory for one group.
        width: wider taps are projected to so many numbers.
        at_least: how many examples of each tap must fit; by default all.

    Raises:
        ActivationsTooLargeError: they do not.
    """
    groups: list[list[Tap]] = []
    room = 0.0
    for tap in taps:
        size = size_bytes(tap, examples, width=width)
        _check_size(tap, examples, limit_bytes, width=width, at_least=at_least)
        if not groups or size > room:
            groups.append([])
            room = limit_bytes
        groups[-1].append(tap)
        room -= size
    return groups


def size_bytes(tap: Tap, examples: int, *, width: int | None = None) -> int:
    """Bytes of a tap's activations; if it is wider than `width`, it is projected to so many numbers."""
    return BYTES_PER_NUMBER * math.prod(_kept_shape(tap, width)) * examples


def _kept_shape(tap: Tap, width: int | None) -> tuple[int, ...]:
    return tap.shape if width is None or tap.features <= width else (width,)


def _check_size(tap: Tap, examples: int, limit_bytes: float, *, width: int | None, at_least: int | None) -> None:
    needed = examples if at_least is None else min(examples, at_least)
    size = size_bytes(tap, needed, width=width)
    if size <= limit_bytes:
        return
    shape = " × ".join(map(str, (needed, *_kept_shape(tap, width))))
    in_shards = at_least is not None
    needs = "needs at least" if in_shards else "needs"
    way_out = "use smaller batches (--batch-size)" if in_shards else "measure fewer examples"
    raise ActivationsTooLargeError(
        f'tap "{tap.name}" {needs} {in_units(size)} ({shape} float32), over the limit of {in_units(limit_bytes)}.\n'
        f"    Leave it out with a list of taps, {way_out}, keep activations in files (--keep-activations), or raise "
        "the limit (--limit-gb)."
    )
