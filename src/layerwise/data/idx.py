"""The idx files that MNIST and its relatives are given away in, plain or gzipped, read byte by byte."""

from __future__ import annotations

import gzip
import math
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from layerwise.data.images import ImageData
from layerwise.errors import FileError

FILE_WORDS = {"train": "train", "test": "t10k"}
"""Split to the word that its files' names begin with."""

UNSIGNED_BYTE = 0x08


def load_idx(path: str | Path, *, class_names: Sequence[str] | None = None, name: str | None = None) -> ImageData:
    """Load train-images-idx3-ubyte, train-labels-idx1-ubyte and their t10k counterparts; each may end in .gz.

    Args:
        path: the folder that holds them.
        class_names: by default "0" to the highest label.
        name: by default the folder's.

    Raises:
        FileError: a file is missing, truncated or of another kind.
        DataError: what `ImageData.create` refuses.
    """
    root = Path(path)
    splits = [split for split in FILE_WORDS if _find(root, split, "images")]
    if not splits:
        raise FileError(
            f"no idx files in {root}; expected train-images-idx3-ubyte and train-labels-idx1-ubyte,"
            " t10k-… likewise, plain or .gz."
        )
    images = [_read(root, split, "images") for split in splits]
    labels = [_read(root, split, "labels") for split in splits]
    return ImageData.create(
        np.concatenate(images)[:, None],
        np.concatenate(labels),
        splits=np.repeat(splits, [len(part) for part in images]),
        class_names=class_names,
        name=name or root.resolve().name,
    )


def read_idx(path: Path, *, axes: int) -> NDArray[np.uint8]:
    """Read one idx file of bytes with this many axes.

    Raises:
        FileError: the file is missing, truncated, or something else.
    """
    data = _read_bytes(path)
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] != UNSIGNED_BYTE or data[3] != axes:
        raise FileError(
            f"{path} is not an idx file of bytes with {axes} axes: it begins with {data[:4].hex() or 'nothing'};"
            f" expected 000008{axes:02x}."
        )
    start = 4 + 4 * axes
    shape = tuple(int(length) for length in np.frombuffer(data[4:start], ">u4", count=len(data[4:start]) // 4))
    expected = start + math.prod(shape)
    if len(shape) < axes or len(data) != expected:
        raise FileError(f"{path} has {len(data)} bytes, its header says {expected}; it is truncated or overwritten.")
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)


def _read(root: Path, split: str, content: str) -> NDArray[np.uint8]:
    file = _find(root, split, content)
    if file is None:
        raise FileError(f"no file {root / _file_name(split, content)}, plain or .gz; it goes with the split's images.")
    return read_idx(file, axes=_axes(content))


def _find(root: Path, split: str, content: str) -> Path | None:
    name = _file_name(split, content)
    spellings = [name, name.replace("-idx", ".idx")]
    candidates = [root / f"{spelling}{ending}" for spelling in spellings for ending in ("", ".gz")]
    return next((file for file in candidates if file.is_file()), None)


def _file_name(split: str, content: str) -> str:
    return f"{FILE_WORDS[split]}-{content}-idx{_axes(content)}-ubyte"


def _axes(content: str) -> int:
    return {"images": 3, "labels": 1}[content]


def _read_bytes(path: Path) -> bytes:
    try:
        return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except FileNotFoundError:
        raise FileError(f"no file {path}.") from None
    except (OSError, EOFError, zlib.error) as error:
        raise FileError(f"{path} cannot be read, or is truncated ({error}).") from None
