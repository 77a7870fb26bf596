"""read_inert: a torch file of any origin, read without importing or calling anything that it names.

A pickle is a program: it may name any function of any installed package, and call it. Here a name means one of the few
builders of plain values and tensors listed below, or else a placeholder that does nothing when it is called. So the
weights in a checkpoint can be had although an optimiser or a configuration lies beside them; what is left out is told.
"""

from __future__ import annotations

import pickle
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any

import torch
from torch import Tensor

__all__ = ["Placeholder", "read_inert"]


def read_inert(path: Path) -> tuple[object, tuple[str, ...]]:
    """What a torch file holds, on the CPU, and the names in it that were replaced by placeholders, sorted.

    torch reads the container (zip, or the stream of files before torch 1.6) and asks us about every name.

    Raises:
        Exception: of almost any kind, if the file is damaged; the caller knows what to call that.
    """
    names: set[str] = set()

    class Unpickler(_InertUnpickler):
        replaced = names

    def load(file: IO[bytes], **options: Any) -> object:
        return Unpickler(file, **options).load()

    reader = SimpleNamespace(__name__="inert_pickle", Unpickler=Unpickler, load=load)
    content: object = torch.load(path, map_location="cpu", pickle_module=reader, weights_only=False)
    return content, tuple(sorted(names))


class Placeholder:
    """Stands for an object whose class we do not know. It takes whatever a pickle does to it, and keeps its state only.

    Attributes:
        state: what the object's `__dict__` would have been, or None.
    """

    state: object = None

    def __new__(cls, *_: object, **__: object) -> Placeholder:  # noqa: D102
        return super().__new__(cls)

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def __call__(self, *_: object, **__: object) -> Placeholder:  # noqa: D102
        return self

    def __setstate__(self, state: object) -> None:
        self.state = state

    def __setitem__(self, key: object, value: object) -> None:
        pass

    def append(self, item: object) -> None:
        """Take an item of a list, and forget it."""

    def extend(self, items: object) -> None:
        """Take the items of a list, and forget them."""

    def add(self, item: object) -> None:
        """Take an item of a set, and forget it."""


class _Builder:
    """A function that a pickle may call but cannot change: without attributes there is nothing to set."""

    __slots__ = ("_build",)
    _build: Callable[..., object]

    def __init__(self, build: Callable[..., object]) -> None:
        object.__setattr__(self, "_build", build)

    def __setattr__(self, name: str, value: object) -> None:
        raise pickle.UnpicklingError(f"the file tries to change {name} of a function")

    def __call__(self, *arguments: object) -> object:
        return self._build(*arguments)


class _InertUnpickler(pickle.Unpickler):
    replaced: set[str]

    def find_class(self, module: str, name: str, /) -> Any:
        module = "builtins" if module == "__builtin__" else module
        if (module, name) in _KNOWN:
            return _KNOWN[module, name]
        if module == "torch" and isinstance(getattr(torch, name, None), torch.dtype):
            return getattr(torch, name)
        self.replaced.add(f"{module}.{name}")
        # A class of its own for each name: a pickle can change no more than that.
        return type(name, (Placeholder,), {"__module__": module})


def _build_tensor(storage: Any, offset: Any, size: Any, stride: Any, *_: object) -> Tensor:
    if not isinstance(storage, torch.storage.TypedStorage):
        raise pickle.UnpicklingError("a tensor without a storage")
    # torch would make the storage longer, with whatever stood in that memory before.
    last = offset + sum((length - 1) * step for length, step in zip(size, stride, strict=True))
    if last >= max(storage._size(), 1):  # type: ignore[no-untyped-call]
        raise pickle.UnpicklingError("a tensor that reaches beyond its storage")
    tensor: Tensor = torch._utils._rebuild_tensor(storage, offset, size, stride)  # type: ignore[no-untyped-call]
    return tensor


def _build_parameter(data: object, *_: object) -> object:
    return data


def _build_bytes(text: Any, encoding: object = "latin1") -> bytes:
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"bytes in the encoding {encoding!r}")
    return bytes(text.encode("latin1"))


def _build_dict(*arguments: Any) -> dict[object, object]:
    """A Counter's counts, or nothing for a defaultdict: its items follow."""
    return dict(arguments[0]) if arguments and isinstance(arguments[0], dict) else {}


# Types written in C, which nobody can change, and builders. No function of torch's: a pickle could set its attributes.
_KNOWN: dict[tuple[str, str], object] = {
    ("builtins", "dict"): dict,
    ("builtins", "list"): list,
    ("builtins", "set"): set,
    ("builtins", "frozenset"): frozenset,
    ("builtins", "complex"): complex,
    ("builtins", "slice"): slice,
    ("builtins", "range"): range,
    ("collections", "OrderedDict"): OrderedDict,
    ("collections", "defaultdict"): _Builder(_build_dict),
    ("collections", "Counter"): _Builder(_build_dict),
    ("_codecs", "encode"): _Builder(_build_bytes),
    ("torch", "Size"): _Builder(tuple),
    ("torch", "device"): _Builder(lambda *place: ":".join(map(str, place))),
    ("torch._utils", "_rebuild_tensor"): _Builder(_build_tensor),
    ("torch._utils", "_rebuild_tensor_v2"): _Builder(_build_tensor),
    ("torch._utils", "_rebuild_parameter"): _Builder(_build_parameter),
    ("torch._utils", "_rebuild_parameter_with_state"): _Builder(_build_parameter),
}
