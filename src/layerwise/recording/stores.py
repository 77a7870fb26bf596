"""Store: where values go batch by batch: MemoryStore fills arrays, FolderStore files that appear at the end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from layerwise.recording.activations import file_name
from layerwise.recording.sizes import Stored
from layerwise.runs import atomic_path, read_array


class Store(ABC):
    """Takes each tap's values in the examples' order. Used in a `with`: an error in it leaves nothing behind."""

    @abstractmethod
    def put(self, tap: str, start: int, values: Tensor) -> None:
        """Keep a copy of values (B, …) for the examples from `start` on."""

    @abstractmethod
    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """A tap's name to all its values (N, …); to be called after the `with`."""

    @abstractmethod
    def __enter__(self) -> Self: ...

    @abstractmethod
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class MemoryStore(Store):
    """Keeps values in arrays that are made once, so that no batch is copied twice."""

    def __init__(self, stored: Sequence[Stored], *, examples: int) -> None:
        self._arrays = {part.tap.name: np.empty((examples, *part.shape), part.dtype) for part in stored}
        # Tensors on the same memory: torch copies from any device, type and layout.
        self._targets = {name: torch.from_numpy(array) for name, array in self._arrays.items()}

    def put(self, tap: str, start: int, values: Tensor) -> None:
        """See Store.put."""
        self._targets[tap][start : start + len(values)].copy_(values)

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """See Store.arrays."""
        return dict(self._arrays)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._arrays.clear()
            self._targets.clear()


class FolderStore(Store):
    """Appends values to temporary files, and gives them their names when all is written."""

    def __init__(self, stored: Sequence[Stored], *, examples: int, folder: Path) -> None:
        self._stored = {part.tap.name: part for part in stored}
        self._examples = examples
        self._folder = folder
        self._files: Mapping[str, BinaryIO] = {}
        self._open = ExitStack()

    def __enter__(self) -> Self:
        self._remove_leftovers()
        with ExitStack() as opened:
            self._files = {tap: self._begin(part, opened) for tap, part in self._stored.items()}
            self._open = opened.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.__exit__(kind, error, trace)

    def put(self, tap: str, start: int, values: Tensor) -> None:  # noqa: ARG002
        """See Store.put; batches must come in order."""
        array = values.cpu().numpy().astype(self._stored[tap].dtype, order="C", copy=False)
        self._files[tap].write(np.ascontiguousarray(array).data)

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """See Store.arrays; mapped into memory, not read."""
        return {tap: read_array(self._path(part), mapped=True) for tap, part in self._stored.items()}

    def _begin(self, part: Stored, opened: ExitStack) -> BinaryIO:
        path = opened.enter_context(atomic_path(self._path(part)))
        file = opened.enter_context(path.open("wb"))
        header = {
            "descr": np.lib.format.dtype_to_descr(part.dtype),
            "fortran_order": False,
            "shape": (self._examples, *part.shape),
        }
        np.lib.format.write_array_header_1_0(file, header)
        return file

    def _path(self, part: Stored) -> Path:
        return self._folder / file_name(part.tap)

    def _remove_leftovers(self) -> None:
        """A recording that was killed leaves its temporary files, which may be large."""
        for part in self._stored.values():
            for leftover in self._folder.glob(f".{self._path(part).name}.*.tmp"):
                leftover.unlink(missing_ok=True)
