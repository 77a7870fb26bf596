"""Activations: what a network computed for a data set, tap by tap; in memory, or in a folder of `.npy` files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from layerwise.errors import FileError, UnknownNameError
from layerwise.runs import as_file_name, read_array, read_json, write_array, write_json
from layerwise.taps import Tap
from layerwise.taps.tap import unknown_taps

INDEX = "activations.json"
COLUMNS = ("labels", "ids", "logits")


@dataclass(frozen=True, eq=False)
class Activations:
    """Values at taps: `activations["layer1"]` is an array (N, …); iteration gives the taps' names in order.

    Attributes:
        taps: the places that were kept, as the network has them: order and shape are those before any reduction.
        arrays: a tap's name to what was kept of its values, shape (N, …).
        labels: shape (N,), whole numbers 0 to K - 1, as given.
        ids: shape (N,), the examples' ids.
        logits: shape (N, K), float32, what the network gave.
        network: the network's class, for messages.
    """

    taps: tuple[Tap, ...]
    arrays: Mapping[str, NDArray[Any]]
    labels: NDArray[np.int64]
    ids: NDArray[np.str_]
    logits: NDArray[np.float32]
    network: str

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the taps in order of execution."""
        return tuple(tap.name for tap in self.taps)

    @property
    def size_bytes(self) -> int:
        """Bytes in all arrays of taps, in memory or on disk."""
        return sum(array.nbytes for array in self.arrays.values())

    def __getitem__(self, tap: str) -> NDArray[Any]:
        if tap not in self.arrays:
            raise UnknownNameError(unknown_taps([tap], self.names, self.network))
        return self.arrays[tap]

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __contains__(self, tap: object) -> bool:
        return tap in self.arrays

    def flat(self, tap: str) -> NDArray[Any]:
        """The tap's values as vectors, shape (N, D); shares memory with `self[tap]`.

        Raises:
            UnknownNameError: no such tap was recorded.
        """
        array = self[tap]
        return array.reshape(len(array), -1)

    def save(self, folder: Path | str) -> None:
        """Write one `.npy` file per tap, and those that `load` needs; an earlier recording there is replaced."""
        folder = Path(folder)
        (folder / INDEX).unlink(missing_ok=True)
        for tap in self.taps:
            write_array(folder / file_name(tap), self.arrays[tap.name])
        self.save_index(folder)

    def save_index(self, folder: Path | str) -> None:
        """Write all but the taps' arrays, the list of taps last: a folder without it holds no recording."""
        folder = Path(folder)
        for column in COLUMNS:
            write_array(folder / f"{column}.npy", getattr(self, column))
        expected = {file_name(tap) for tap in self.taps}
        for stale in folder.glob("[0-9][0-9]*-*.npy"):
            if stale.name not in expected:
                stale.unlink()
        taps = [{"order": tap.order, "name": tap.name, "shape": list(tap.shape)} for tap in self.taps]
        write_json(folder / INDEX, {"network": self.network, "taps": taps})

    @classmethod
    def load(cls, folder: Path | str) -> Activations:
        """Read what `save` or `record(..., keep=folder)` wrote; the taps' arrays stay on disk, mapped into memory.

        Raises:
            FileError: a file is missing, truncated, or does not belong to the others.
        """
        folder = Path(folder)
        index = read_json(folder / INDEX)
        try:
            taps = tuple(
                Tap(str(tap["name"]), int(tap["order"]), tuple(map(int, tap["shape"]))) for tap in index["taps"]
            )
            network = str(index["network"])
        except (KeyError, TypeError, ValueError):
            raise FileError(f"{folder / INDEX} does not list taps; record the activations again.") from None
        try:
            labels, ids, logits = (read_array(folder / f"{column}.npy") for column in COLUMNS)
            arrays = {tap.name: read_array(folder / file_name(tap), mapped=True) for tap in taps}
        except FileError as error:
            raise FileError(f"{error}\n    Record the activations again.") from None
        counts = {len(array) for array in (labels, ids, logits, *arrays.values())}
        if len(counts) > 1:
            raise FileError(
                f"the files in {folder} are of different numbers of examples; record the activations again."
            )
        return cls(taps, arrays, labels, ids, logits, network)


def file_name(tap: Tap) -> str:
    """The file of a tap's values; characters that file systems may refuse become "-".

    >>> file_name(Tap("features.1/conv", 3, (8,)))
    '03-features.1-conv.npy'
    """
    return f"{tap.order:02d}-{as_file_name(tap.name)}.npy"
