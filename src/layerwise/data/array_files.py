"""Arrays of images in `.npz` files, and in the `.npy` files that hold a pickled dict {'x', 'y'}.

Arrays may be (N, H, W), (N, H, W, C) or (N, C, H, W); labels (N,) or (N, 1). Bytes stay bytes; floats are taken as the
network takes them.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from layerwise.data.images import ImageData
from layerwise.data.safe_npy import read_npy_dict, read_npy_header
from layerwise.data.split_files import by_split, numbered_ids, splits_of_files, train_and_test
from layerwise.data.validation import channels_are_last
from layerwise.errors import DataError, FileError, ShapeError, UnsafeFileError

SPLIT_KEYS = {
    "train": (("x_train", "y_train"), ("train_images", "train_labels")),
    "validation": (("x_val", "y_val"), ("x_valid", "y_valid"), ("val_images", "val_labels")),
    "test": (("x_test", "y_test"), ("test_images", "test_labels")),
}
"""Split to the names that its images and labels may have in a file."""

WHOLE_KEYS = (("x", "y"), ("images", "labels"), ("data", "target"))
"""The names of images and labels that come without splits."""


@dataclass(frozen=True)
class _Part:
    """Images and labels of one split, or of a file without splits."""

    split: str | None
    images: NDArray[Any]
    labels: NDArray[Any]


def load_npz(path: str | Path, *, test: float = 0.2, seed: int = 0) -> ImageData:
    """Load x_train, y_train, x_test, y_test (and x_val, y_val), or x, y, from a `.npz` file.

    Args:
        path: the file; names that MedMNIST and scikit-learn use are known too.
        test: the share of the examples that becomes "test" when the file has no splits.
        seed: decides which.

    Raises:
        UnsafeFileError: an array is pickled.
        FileError: the file is missing, truncated or of another kind.
        DataError: no arrays of these names, or what `ImageData.create` refuses.
    """
    file = Path(path)
    arrays = _read_npz(file)
    names = arrays.pop("class_names", None)
    parts = _find_parts(arrays, file)
    return _assemble(parts, name=file.stem, class_names=names, test=test, seed=seed)


def load_npy(path: str | Path, *, test: float = 0.2, seed: int = 0) -> ImageData:
    """Load `.npy` files that hold a pickled dict {'x', 'y'}, without executing the pickle.

    Args:
        path: a file, or a folder of files whose names begin with train, validation or test.
        test: the share of the examples that becomes "test" when no name says a split.
        seed: decides which.

    Raises:
        UnsafeFileError: a pickle would run something; nothing was run.
        FileError: a file is missing, truncated or of another kind.
        DataError: what `ImageData.create` refuses.
    """
    root = Path(path)
    files = by_split(root.glob("*.npy")) if root.is_dir() else [root]
    if not files:
        raise FileError(f"no .npy file in {root}.")
    splits: Sequence[str | None] = splits_of_files(files, where=str(root)) or [None] * len(files)
    parts = [
        replace(part, split=split or part.split)
        for file, split in zip(files, splits, strict=True)
        for part in _find_parts(read_npy_dict(file), file)
    ]
    return _assemble(parts, name=root.stem, class_names=None, test=test, seed=seed)


def _read_npz(file: Path) -> dict[str, NDArray[Any]]:
    if not file.is_file():
        raise FileError(f"no file {file}; expected a .npz file.")
    try:
        with zipfile.ZipFile(file) as archive:
            members = [name for name in archive.namelist() if name.endswith(".npy")]
            return {name.removesuffix(".npy"): _read_member(archive, name, file) for name in members}
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise FileError(f"{file} is truncated, or is not a .npz file ({error}).") from None


def _read_member(archive: zipfile.ZipFile, name: str, file: Path) -> NDArray[Any]:
    with archive.open(name) as stream:
        header = read_npy_header(stream, f"{name} in {file}")
        if header.dtype.hasobject:
            raise UnsafeFileError(
                f"{name} in {file} is pickled, and would have to be executed to be read; nothing was run.\n"
                "    Expected arrays of numbers."
            )
    with archive.open(name) as stream:
        try:
            array: NDArray[Any] = np.lib.format.read_array(stream, allow_pickle=False)
        except (ValueError, MemoryError) as error:
            raise FileError(f"{name} in {file} is truncated ({error}).") from None
    return array


def _find_parts(arrays: Mapping[str, Any], file: Path) -> list[_Part]:
    lower = {key.lower(): value for key, value in arrays.items()}
    pairs = [(split, *keys) for split, choices in SPLIT_KEYS.items() for keys in choices if _has_pair(lower, keys)]
    whole = [(None, *keys) for keys in WHOLE_KEYS if _has_pair(lower, keys)]
    found = pairs or whole[:1]
    if not found:
        raise DataError(
            f"{file} holds {', '.join(arrays) or 'nothing'}; expected x_train, y_train, x_test, y_test, or x, y."
        )
    return [_Part(split, _channels_first(lower[x], f"{x} in {file}"), _flat(lower[y])) for split, x, y in found]


def _has_pair(arrays: Collection[str], keys: tuple[str, str]) -> bool:
    return all(key in arrays for key in keys)


def _channels_first(values: ArrayLike, what: str) -> NDArray[Any]:
    images = np.asarray(values)
    if images.ndim == 3:
        return images[:, None]
    if images.ndim != 4:
        raise ShapeError(f"{what} has shape {images.shape}; expected (N, H, W), (N, H, W, C) or (N, C, H, W).")
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2)) if channels_are_last(images.shape[1:]) else images


def _flat(values: ArrayLike) -> NDArray[Any]:
    labels = np.asarray(values)
    return labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels


def _assemble(parts: list[_Part], *, name: str, class_names: NDArray[Any] | None, test: float, seed: int) -> ImageData:
    for part in parts:
        if len(part.images) != len(part.labels):
            split = part.split or "whole"
            raise DataError(f"{name} ({split}) has {len(part.images)} images, but {len(part.labels)} labels.")
    if len({part.images.shape[1:] for part in parts}) > 1:
        listed = ", ".join(str(part.images.shape) for part in parts)
        raise ShapeError(f"the splits of {name} have images of shapes {listed}; expected one (C, H, W).")
    images = np.concatenate([part.images for part in parts])
    labels = np.concatenate([part.labels for part in parts])
    drawn = all(part.split is None for part in parts)
    return ImageData.create(
        images,
        labels,
        ids=numbered_ids(name, len(labels)) if drawn else None,
        splits=train_and_test(labels, test_share=test, seed=seed)
        if drawn
        else np.repeat([str(part.split) for part in parts], [len(part.labels) for part in parts]),
        class_names=None if class_names is None else [str(class_name) for class_name in class_names],
        name=name,
    )
