"""Packer: arrays into named packs of bytes, each with a note of where it lies."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

ITEM_TO_DTYPE = {"u1": np.uint8, "u2": np.uint16, "u4": np.uint32, "i4": np.int32, "f4": np.float32}
NOT_KNOWN = {"u1": 2**8 - 1, "u2": 2**16 - 1, "u4": 2**32 - 1, "i4": -(2**31)}
"""The whole number that stands for "not known" among numbers of a kind."""
ALIGNED_BYTES = 4
"""A typed array of a browser begins at a multiple of its item's size."""

ArrayRef = dict[str, Any]
"""`ArrayRef` of webapp/src/payload.ts."""


class Packer:
    """Puts arrays one after the other into packs.

    Attributes:
        packs: a pack's name to what makes its bytes.
    """

    def __init__(self) -> None:
        self.packs: dict[str, Callable[[], bytes]] = {}
        self._pack_to_parts: dict[str, list[bytes]] = {}

    def add(self, pack: str, values: NDArray[Any], item: str) -> ArrayRef:
        """Put an array behind the others of a pack."""
        stored = np.ascontiguousarray(values, np.dtype(ITEM_TO_DTYPE[item]).newbyteorder("<"))
        return self._append(pack, stored.tobytes(), item, stored.shape)

    def add_json(self, pack: str, values: list[str]) -> ArrayRef:
        """Put a list of words behind the others of a pack."""
        return self._append(pack, json.dumps(values, ensure_ascii=False).encode(), "json", (len(values),))

    def later(self, pack: str, shape: tuple[int, ...], item: str, make: Callable[[], NDArray[Any]]) -> ArrayRef:
        """A pack of one array, which is made when the pack is asked for."""
        dtype = np.dtype(ITEM_TO_DTYPE[item]).newbyteorder("<")
        self.packs[pack] = lambda: np.ascontiguousarray(make(), dtype).tobytes()
        return _reference(pack, item, shape, 0, int(np.prod(shape)) * dtype.itemsize)

    def _append(self, pack: str, stored: bytes, item: str, shape: tuple[int, ...]) -> ArrayRef:
        parts = self._pack_to_parts.setdefault(pack, [])
        offset = sum(map(len, parts))
        parts.append(stored + bytes(-len(stored) % ALIGNED_BYTES))
        self.packs[pack] = lambda: b"".join(parts)
        return _reference(pack, item, shape, offset, len(stored))


def smallest_item(count: int) -> str:
    """The smallest kind of whole number that counts to `count` - 1 and has one more, its largest, for "not known".

    >>> smallest_item(255), smallest_item(256)
    ('u1', 'u2')
    """
    return "u1" if count <= 255 else "u2" if count <= 65_535 else "u4"


def _reference(pack: str, item: str, shape: tuple[int, ...], offset: int, size_bytes: int) -> ArrayRef:
    return {"pack": pack, "dtype": item, "shape": list(shape), "offset": offset, "bytes": size_bytes}
