"""InputCache: the neighbours of the raw images, which are the same for every network, kept from one to the next."""

from __future__ import annotations

import contextlib
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from layerwise.data.images import ImageData
from layerwise.errors import FileError, RunError
from layerwise.runs import read_array, write_array

SEARCH_VERSION = 1
"""To be raised when the search gives other neighbours than before: what was kept is then not found any more."""


def cache_folder() -> Path:
    """Where the command line keeps it: $LAYERWISE_CACHE, else $XDG_CACHE_HOME/layerwise, else ~/.cache/layerwise."""
    if chosen := os.environ.get("LAYERWISE_CACHE"):
        return Path(chosen)
    shared = os.environ.get("XDG_CACHE_HOME")
    return (Path(shared) if shared else Path.home() / ".cache") / "layerwise"


@dataclass(frozen=True)
class InputCache:
    """The raw images' neighbours, for one pair of data sets and one k.

    What cannot be read is searched again, and what cannot be written is not kept: neither is an error.

    Attributes:
        folder: where it is kept; None keeps nothing.
        train: the training examples.
        examples: N examples to measure.
        k: neighbours of each.
    """

    folder: Path | None
    train: ImageData
    examples: ImageData
    k: int

    def read(self) -> NDArray[np.int32] | None:
        """The neighbours (N, k), or None where they are not known."""
        if self.folder is None:
            return None
        try:
            found = read_array(self._path(self.folder))
        except FileError:
            return None
        fits = found.dtype == np.int32 and found.shape == (len(self.examples), self.k)
        return found if fits and found.min() >= 0 and found.max() < len(self.train) else None

    def write(self, neighbors: NDArray[np.int32]) -> None:
        """Keep the neighbours (N, k)."""
        if self.folder is not None:
            with contextlib.suppress(OSError, RunError):
                write_array(self._path(self.folder), neighbors)

    def _path(self, folder: Path) -> Path:
        # Ids are part of the fingerprints, so these also say who is left out of its own vote.
        key = f"{SEARCH_VERSION} {self.train.fingerprint} {self.examples.fingerprint} {self.k}"
        return folder / "input-neighbors" / f"{hashlib.sha256(key.encode()).hexdigest()}.npy"
