"""ImageData: labelled images with ids, splits and factor columns, in memory or decoded when asked.

Everything after loading (recording, probes, reports) takes this one class, so that an example keeps its id, its split
and its label wherever it goes. `ImageData.create` checks what is given; `concatenate` joins several.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from layerwise.data.validation import (
    SPLIT_NAMES,
    as_class_names,
    as_labels,
    as_pixels,
    check_content,
    check_finite,
    check_lengths,
)
from layerwise.errors import DataError, NotEnoughExamplesError, ShapeError, UnknownNameError, did_you_mean

Index = NDArray[np.integer[Any]] | NDArray[np.bool_] | slice

CHUNK = 1024
"""Images hashed at a time: a few megabytes when small, never a whole lazy data set."""


@dataclass(frozen=True, eq=False)
class LazyImages:
    """Images decoded when they are asked for: looks like an array of shape (N, C, H, W), one axis deep.

    Attributes:
        shape: (N, C, H, W).
        dtype: uint8 or float32.
        load: rows (B,) to images (B, C, H, W) of that dtype.
    """

    shape: tuple[int, int, int, int]
    dtype: np.dtype[Any]
    load: Callable[[NDArray[np.int64]], NDArray[Any]]

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Index) -> NDArray[Any]:
        """Decode the images at `index`, a slice or an array of rows."""
        return self.load(_rows(index, len(self)))

    def select(self, index: Index) -> LazyImages:
        """The images at `index`, still undecoded."""
        rows = _rows(index, len(self))
        return replace(self, shape=(len(rows), *self.shape[1:]), load=lambda asked: self.load(rows[asked]))


@dataclass(frozen=True, eq=False)
class ImageData:
    """Labelled images; each example has a stable id, a split and a label.

    Attributes:
        images: shape (N, C, H, W), bytes 0 to 255, or float32 as the network takes them.
        labels: shape (N,), whole numbers 0 to K - 1.
        ids: shape (N,), unique strings.
        splits: shape (N,), "train", "validation" or "test".
        class_names: K names; a label is a place in it.
        factors: column name to values (N,): what is known of how each image was made.
        name: what the data is called in tables and reports.

    >>> data = ImageData.create(np.zeros((2, 1, 4, 4), np.uint8), [0, 1], splits=["train", "test"])
    >>> len(data), data.num_classes, data.image_shape, data.test.ids.tolist()
    (2, 2, (1, 4, 4), ['test-00000'])
    """

    images: NDArray[Any] | LazyImages
    labels: NDArray[np.int64]
    ids: NDArray[np.str_]
    splits: NDArray[np.str_]
    class_names: tuple[str, ...]
    factors: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    name: str = "images"

    @classmethod
    def create(
        cls,
        images: ArrayLike | LazyImages,
        labels: ArrayLike,
        *,
        ids: ArrayLike | None = None,
        splits: ArrayLike = "train",
        class_names: Sequence[str] | None = None,
        factors: Mapping[str, ArrayLike] | None = None,
        name: str = "images",
    ) -> ImageData:
        """Build from arrays, and refuse what no later step could use.

        Args:
            images: shape (N, C, H, W): bytes, whole numbers 0 to 255, floats as the network takes them, or lazy images.
            labels: shape (N,), whole numbers 0 to K - 1.
            ids: shape (N,); by default "SPLIT-NUMBER", counted within each split.
            splits: shape (N,), or one name for all.
            class_names: K names; by default "0" to the highest label.
            factors: column name to values (N,).
            name: what the data is called in tables and reports.

        Raises:
            ShapeError: the images are not four-dimensional, or have their channels last.
            NonFiniteError: pixels are NaN or infinite.
            DataError: lengths differ, labels are not whole numbers or out of range, an id is used twice,
                a split is unknown, or all examples are of one class. All that is wrong is listed.
        """
        pixels = images if isinstance(images, LazyImages) else as_pixels(images)
        count = len(pixels)
        label_of = as_labels(labels)
        split_of = np.asarray(splits, dtype=np.str_)
        split_of = np.full(count, split_of) if split_of.ndim == 0 else split_of
        id_of = _numbered_by_split(split_of) if ids is None else np.asarray(ids, dtype=np.str_)
        names = as_class_names(class_names, label_of)
        columns = {column: np.asarray(values) for column, values in (factors or {}).items()}
        check_lengths(count, {"labels": label_of, "ids": id_of, "splits": split_of, **columns})
        check_content(pixels if isinstance(pixels, np.ndarray) else None, label_of, id_of, split_of, names)
        return cls(pixels, label_of, id_of, split_of, names, columns, name)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def num_classes(self) -> int:
        """K, the number of class names (some may have no example)."""
        return len(self.class_names)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(C, H, W)."""
        _, channels, height, width = self.images.shape
        return channels, height, width

    @property
    def split_names(self) -> tuple[str, ...]:
        """The splits that hold at least one example, in the order train, validation, test."""
        present = set(self.splits.tolist())
        return tuple(name for name in SPLIT_NAMES if name in present)

    @property
    def train(self) -> ImageData:
        """The examples to train on; see `split`."""
        return self.split("train")

    @property
    def validation(self) -> ImageData:
        """The examples to choose with; see `split`."""
        return self.split("validation")

    @property
    def test(self) -> ImageData:
        """The examples to report on; see `split`."""
        return self.split("test")

    def split(self, name: str) -> ImageData:
        """The examples of one split.

        Raises:
            UnknownNameError: there is no split of that name anywhere.
            NotEnoughExamplesError: this data has no example in it; ask `split_names` first.
        """
        if name not in SPLIT_NAMES:
            known = ", ".join(f'"{known}"' for known in SPLIT_NAMES)
            raise UnknownNameError(
                f'no split is named "{name}".{did_you_mean(name, SPLIT_NAMES)}\n    Splits are {known}.'
            )
        if name not in self.split_names:
            raise NotEnoughExamplesError(
                f'{self.name} has no example in the split "{name}"; it has {self._splits_in_words()}.\n'
                f"    {_WAYS_TO_A_SPLIT[name]}"
            )
        return self.select(self.splits == name)

    def select(self, index: Index) -> ImageData:
        """The examples at `index`: rows, a mask, or a slice. Contiguous rows share memory with this data."""
        where = _as_slice(_rows(index, len(self)))
        images = self.images.select(where) if isinstance(self.images, LazyImages) else self.images[where]
        return replace(
            self,
            images=images,
            labels=self.labels[where],
            ids=self.ids[where],
            splits=self.splits[where],
            factors={column: values[where] for column, values in self.factors.items()},
        )

    def batch(self, index: Index) -> NDArray[np.float32]:
        """Images as the network takes them before its preprocessing.

        Returns:
            Shape (B, C, H, W): bytes divided by 255, floats as they are.

        Raises:
            NonFiniteError: a lazily loaded image holds NaN or infinity (others were checked when loaded).
            FileError: a lazily loaded image cannot be decoded.
        """
        rows = _as_slice(_rows(index, len(self)))
        images = self.images[rows]
        if images.dtype == np.uint8:
            return images.astype(np.float32) / np.float32(255)
        if isinstance(self.images, LazyImages):
            check_finite(images, self.ids[rows])
        return images.astype(np.float32, copy=False)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of images, labels and ids, in hexadecimal: equal exactly when all three are."""
        digest = hashlib.sha256(f"{self.images.shape} {self.images.dtype.name}\n".encode())
        for images in self._chunks():
            digest.update(np.ascontiguousarray(images).data)
        digest.update(np.ascontiguousarray(self.labels).data)
        digest.update("\0".join(self.ids.tolist()).encode())
        return digest.hexdigest()

    def _chunks(self) -> Iterator[NDArray[Any]]:
        for start in range(0, len(self), CHUNK):
            yield self.images[start : start + CHUNK]

    def _splits_in_words(self) -> str:
        return ", ".join(f'"{name}" ({np.count_nonzero(self.splits == name)})' for name in self.split_names) or "none"


_WAYS_TO_A_SPLIT = {
    "train": "Load the data's training files too.",
    "validation": 'Add "?validation=0.1" to its spec, or call hold_out(data, 0.1), to take some of "train".',
    "test": "Load the data's test files too.",
}


def concatenate(parts: Sequence[ImageData], *, name: str | None = None) -> ImageData:
    """Join data sets of one image shape and one list of classes, in order.

    Args:
        parts: at least one; ids must be unique over all of them, and all must have the same factor columns.
        name: by default the first part's.

    Raises:
        DataError: no part, other classes or factor columns, or an id used twice.
        ShapeError: images of other shapes or types.
    """
    if not parts:
        raise DataError("nothing to concatenate; expected at least one ImageData.")
    first = parts[0]
    for part in parts[1:]:
        _check_alike(first, part)
    return ImageData.create(
        _join_images([part.images for part in parts]),
        np.concatenate([part.labels for part in parts]),
        ids=np.concatenate([part.ids for part in parts]),
        splits=np.concatenate([part.splits for part in parts]),
        class_names=first.class_names,
        factors={column: np.concatenate([part.factors[column] for part in parts]) for column in first.factors},
        name=first.name if name is None else name,
    )


def _check_alike(first: ImageData, other: ImageData) -> None:
    kinds = [(part.image_shape, part.images.dtype.name) for part in (first, other)]
    if kinds[0] != kinds[1]:
        raise ShapeError(f"images of {first.name} are {kinds[0]}, those of {other.name} {kinds[1]}; expected the same.")
    if first.class_names != other.class_names:
        raise DataError(f"classes of {first.name} are {first.class_names}, those of {other.name} {other.class_names}.")
    if set(first.factors) != set(other.factors):
        raise DataError(
            f"factors of {first.name} are {sorted(first.factors)}, those of {other.name} {sorted(other.factors)}."
        )


def _join_images(parts: list[NDArray[Any] | LazyImages]) -> NDArray[Any] | LazyImages:
    arrays = [part for part in parts if isinstance(part, np.ndarray)]
    if len(arrays) == len(parts):
        return np.concatenate(arrays)
    ends = np.cumsum([len(part) for part in parts])

    def load(rows: NDArray[np.int64]) -> NDArray[Any]:
        images = np.empty((len(rows), *parts[0].shape[1:]), parts[0].dtype)
        part_of = np.searchsorted(ends, rows, side="right")
        for place in np.unique(part_of):
            here = part_of == place
            images[here] = parts[place][rows[here] - (ends[place] - len(parts[place]))]
        return images

    _, channels, height, width = parts[0].shape
    return LazyImages((int(ends[-1]), channels, height, width), parts[0].dtype, load)


def _rows(index: Index, count: int) -> NDArray[np.int64]:
    # Masks and negative rows go through NumPy, so that a wrong length or a row out of range is an error.
    return np.arange(count, dtype=np.int64)[index]


def _as_slice(rows: NDArray[np.int64]) -> slice | NDArray[np.int64]:
    if len(rows) and rows[-1] - rows[0] == len(rows) - 1 and bool((np.diff(rows) == 1).all()):
        return slice(int(rows[0]), int(rows[-1]) + 1)
    return rows


def _numbered_by_split(splits: NDArray[np.str_]) -> NDArray[np.str_]:
    ids = np.empty(len(splits), dtype=object)
    for name in np.unique(splits):
        here = np.flatnonzero(splits == name)
        ids[here] = [f"{name}-{number:05d}" for number in range(len(here))]
    return ids.astype(np.str_)
