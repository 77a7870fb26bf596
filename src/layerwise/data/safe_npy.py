"""Arrays out of pickles, without executing them.

A pickle is a program: it may name any function and call it. Here every name but NumPy's few for arrays is refused, and
even those are not called: a stand-in notes what an array would be made of, and the array is made from the noted bytes
afterwards, when its type is one of plain numbers. (NumPy's own would also take types that turn bytes into pointers.)

`read_npy_dict` reads the `.npy` of a pickled dict; `read_pickled_dict` a bare pickle of one, such as CIFAR's batches;
`read_npy_header` says what a `.npy` holds.
"""

from __future__ import annotations

import io
import math
import pickle
import tokenize
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from layerwise.errors import FileError, UnsafeFileError

BROKEN_PICKLE = (
    pickle.UnpicklingError,
    EOFError,
    AttributeError,
    IndexError,
    KeyError,
    TypeError,
    ValueError,
    OverflowError,
    MemoryError,
)
"""What unpickling raises on bytes that are not a whole pickle."""

BROKEN_HEADER = (ValueError, TypeError, SyntaxError, tokenize.TokenError, EOFError)
"""What NumPy raises on headers that are none: it parses them as Python literals."""

PLAIN_KINDS = "biuf"
"""Kinds of NumPy types that are made: truth values, whole numbers and floats."""


class _ForbiddenGlobal(Exception):  # noqa: N818 - never leaves this file
    """A pickle names something that is not NumPy's."""


def read_npy_dict(path: str | Path) -> dict[str, Any]:
    """Read a `.npy` file that holds a pickled dict, without executing the pickle.

    Returns:
        Its entries: arrays of numbers as arrays, lists and plain values as they are.

    Raises:
        UnsafeFileError: the pickle names something else than NumPy's arrays; nothing was run.
        FileError: the file is missing, truncated, or not a `.npy` of a dict.

    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "digits.npy"
    >>> np.save(file, {"x": np.zeros((2, 4, 4)), "y": [0, 1]}, allow_pickle=True)
    >>> {key: np.shape(value) for key, value in read_npy_dict(file).items()}
    {'x': (2, 4, 4), 'y': (2,)}
    """
    file = io.BytesIO(_read_bytes(Path(path)))
    header = read_npy_header(file, str(path))
    if header != NpyHeader((), np.dtype(object)):
        found = f"an array of {header.dtype}, shape {header.shape}"
        raise FileError(f"{path} holds {found}; expected a pickled dict {{'x', 'y'}}.")
    pickled = _unpickle(file.read(), Path(path), encoding="ASCII")
    content = pickled.objects[0] if isinstance(pickled, _Array) and len(pickled.objects) == 1 else pickled
    return _dict_of_arrays(content, Path(path))


def read_pickled_dict(path: str | Path) -> dict[str, Any]:
    """Read a pickle of a dict, without executing it; keys written by Python 2 become text.

    Raises:
        UnsafeFileError: the pickle names something else than NumPy's arrays; nothing was run.
        FileError: the file is missing, truncated, or not a pickled dict.
    """
    return _dict_of_arrays(_unpickle(_read_bytes(Path(path)), Path(path), encoding="bytes"), Path(path))


@dataclass(frozen=True)
class NpyHeader:
    """What a `.npy` file says of its array before the array itself."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]


def read_npy_header(file: IO[bytes], what: str) -> NpyHeader:
    """Read the header of a `.npy` file, up to where its content begins; `what` names the file in messages.

    Raises:
        FileError: it is truncated or something else.
    """
    try:
        version = np.lib.format.read_magic(file)
        read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read_header(file)
    except BROKEN_HEADER as error:
        raise FileError(f"{what} is truncated, or is not a .npy file ({error}).") from None
    return NpyHeader(shape, dtype)


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise FileError(f"no file {path}.") from None
    except OSError as error:
        raise FileError(f"{path} cannot be read ({error}).") from None


def _unpickle(data: bytes, path: Path, *, encoding: str) -> Any:
    try:
        return _ArrayUnpickler(io.BytesIO(data), encoding=encoding).load()
    except _ForbiddenGlobal as error:
        raise UnsafeFileError(
            f"{path} would run {error} when it is read; nothing was run.\n"
            "    Expected a dict of NumPy arrays of numbers. Do not open this file with numpy.load or pickle."
        ) from None
    except BROKEN_PICKLE as error:
        raise FileError(f"{path} is truncated, or does not hold arrays of numbers ({error}).") from None


def _dict_of_arrays(content: Any, path: Path) -> dict[str, Any]:
    if not isinstance(content, dict):
        raise FileError(f"{path} holds a {type(content).__name__.lstrip('_')}; expected a dict.")
    entries = {key.decode("latin1") if isinstance(key, bytes) else str(key): value for key, value in content.items()}
    try:
        return {key: value.array() if isinstance(value, _Array) else value for key, value in entries.items()}
    except BROKEN_PICKLE as error:
        raise FileError(f"an array in {path} cannot be read ({error}).") from None


class _Callable:
    """Stands in for a function or class that a pickle names; it can be called, and not be changed."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def __call__(self, *arguments: Any) -> Any:
        return self._function(*arguments)

    def __setstate__(self, state: Any) -> None:
        raise pickle.UnpicklingError("a function cannot be changed")


class _Type:
    """Stands in for a NumPy type: its code, and its byte order once the state is set."""

    __slots__ = ("code",)

    def __init__(self, code: str, *_: Any) -> None:
        self.code = str(code, "latin1") if isinstance(code, bytes) else code

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        order = state[1].decode() if isinstance(state[1], bytes) else state[1]
        self.code = ("" if order == "|" else order) + self.code

    def dtype(self) -> np.dtype[Any]:
        """The type itself.

        Raises:
            ValueError: it is not one of plain numbers.
        """
        dtype = np.dtype(self.code)
        if dtype.kind not in PLAIN_KINDS or dtype.fields or dtype.subdtype:
            raise ValueError(f"its type is {dtype}, expected numbers")
        return dtype


class _Array:
    """Stands in for a NumPy array: its shape, type, order and bytes, or the objects it holds."""

    __slots__ = ("_data", "_fortran", "_shape", "_type", "objects")

    def __init__(self, *_: Any) -> None:
        self._shape: tuple[int, ...] = ()
        self._type = _Type("V")
        self._fortran = False
        self._data = b""
        self.objects: list[Any] = []

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, self._shape, self._type, self._fortran, data = state
        if isinstance(data, list):
            self.objects = data
        else:
            self._data = data.encode("latin1") if isinstance(data, str) else data

    @classmethod
    def from_buffer(cls, data: bytes, kind: _Type, shape: tuple[int, ...], order: str) -> _Array:
        """What NumPy's `_frombuffer` makes of pickle protocol 5."""
        array = cls()
        array.__setstate__((1, shape, kind, order == "F", data))
        return array

    def array(self) -> NDArray[Any]:
        """The array itself, its own copy.

        Raises:
            ValueError: it does not hold numbers, or bytes are missing.
        """
        dtype = self._type.dtype()
        if len(self._data) != math.prod(self._shape) * dtype.itemsize:
            raise ValueError(f"{len(self._data)} bytes for shape {self._shape} of {dtype}")
        flat = np.frombuffer(self._data, dtype)
        return flat.reshape(self._shape, order="F" if self._fortran else "C").astype(dtype.newbyteorder("="))


def _scalar(kind: _Type, data: bytes) -> Any:
    return np.frombuffer(data, kind.dtype(), count=1)[0]


def _latin1(text: str, encoding: str) -> bytes:
    # How Python 3 writes bytes in protocols that have no opcode for them.
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"bytes encoded as {encoding}")
    return text.encode("latin1")


def _allowed_globals() -> dict[tuple[str, str], Callable[..., Any]]:
    allowed: dict[tuple[str, str], Callable[..., Any]] = {
        ("numpy", "dtype"): _Type,
        ("numpy", "ndarray"): _Array,
        ("_codecs", "encode"): _latin1,
    }
    for package in ("numpy.core", "numpy._core"):  # the name before and since NumPy 2
        allowed[package + ".multiarray", "_reconstruct"] = _Array
        allowed[package + ".multiarray", "scalar"] = _scalar
        allowed[package + ".numeric", "_frombuffer"] = _Array.from_buffer
    return allowed


ALLOWED_GLOBALS = _allowed_globals()


class _ArrayUnpickler(pickle.Unpickler):
    """Knows NumPy's arrays of numbers and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        """A stand-in for one of the allowed names; the real one is never imported."""
        function = ALLOWED_GLOBALS.get((module, name))
        if function is None:
            raise _ForbiddenGlobal(f"{module}.{name}")
        return _Callable(function)
