"""What images and labels must be, said once: every loader ends here, so that bad data stops before it is trained on.

`as_pixels`, `as_labels` and `as_class_names` bring what was given to one type; `check_lengths`, `check_content` and
`check_finite` refuse what cannot be used and list everything that is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from layerwise.errors import DataError, NonFiniteError, NotEnoughExamplesError, ShapeError, did_you_mean

SPLIT_NAMES = ("train", "validation", "test")

MOST_CLASSES = 1_000_000
"""Labels above are taken for something else (hashes, identifiers) rather than given a million names."""

LARGEST = 1e15
"""Pixels beyond are a mistake, and what is squared of them is no number in float32."""

CHUNK = 4096
"""Images looked at together for NaN: the mask stays small beside the data."""


def as_pixels(images: ArrayLike) -> NDArray[Any]:
    """Images as bytes or float32, shape (N, C, H, W).

    Raises:
        ShapeError: not four-dimensional, or with the channels last.
        DataError: not numbers, or whole numbers outside 0 to 255.
    """
    pixels = np.asarray(images)
    if pixels.ndim != 4 or 0 in pixels.shape[1:]:
        raise ShapeError(
            f"images have shape {pixels.shape}; expected (N, C, H, W): examples, channels, height, width.\n"
            "    Grey images need an axis of one channel: images[:, None]."
        )
    if channels_are_last(pixels.shape[1:]):
        raise ShapeError(
            f"images have shape {pixels.shape}, which looks like channels last; expected (N, C, H, W).\n"
            "    Turn them: images.transpose(0, 3, 1, 2)."
        )
    if pixels.dtype.kind in "iu" and pixels.dtype != np.uint8:
        return _as_bytes(pixels)
    if pixels.dtype.kind not in "uf":
        raise DataError(f"images are of type {pixels.dtype}; expected bytes (uint8) or floats.")
    return pixels if pixels.dtype == np.uint8 else pixels.astype(np.float32, copy=False)


def channels_are_last(shape: tuple[int, ...]) -> bool:
    """Whether an image of this shape is (H, W, C) rather than (C, H, W): a last axis of 1, 3 or 4 shorter than both.

    >>> channels_are_last((32, 32, 3)), channels_are_last((3, 32, 32)), channels_are_last((3, 4, 4))
    (True, False, False)
    """
    first, second, last = shape
    return last in (1, 3, 4) and last < min(first, second)


def _as_bytes(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    if pixels.size and (pixels.min() < 0 or pixels.max() > 255):
        raise DataError(
            f"images are whole numbers from {pixels.min()} to {pixels.max()}; expected 0 to 255.\n"
            "    Scale them to bytes, or give floats as the network takes them."
        )
    return pixels.astype(np.uint8)


def as_labels(labels: ArrayLike) -> NDArray[np.int64]:
    """Labels as int64, shape (N,).

    Raises:
        DataError: not whole numbers, or not one number an example.
    """
    values = np.asarray(labels)
    if values.ndim != 1:
        raise DataError(f"labels have shape {values.shape}; expected (N,): one whole number an example.")
    if values.dtype.kind not in "iu" and values.size:
        raise DataError(
            f"labels are of type {values.dtype}, the first is {values[0]!r}; expected whole numbers from 0.\n"
            "    Give class numbers, and the names as class_names."
        )
    return values.astype(np.int64, copy=False)


def as_class_names(names: Sequence[str] | None, labels: NDArray[np.int64]) -> tuple[str, ...]:
    """The names given, or "0" to the highest label.

    Raises:
        DataError: a name is used twice, or a label is so high that it is no class number.
    """
    if names is None:
        highest = int(labels.max(initial=-1))
        if highest >= MOST_CLASSES:
            raise DataError(f"the highest label is {highest}; expected numbers from 0 to the number of classes - 1.")
        return tuple(str(label) for label in range(highest + 1))
    given = tuple(str(name) for name in names)
    twice = sorted({name for name in given if given.count(name) > 1})
    if twice:
        raise DataError(f"class names are used twice: {', '.join(twice)}; each class needs its own.")
    return given


def check_lengths(count: int, columns: Mapping[str, NDArray[Any]]) -> None:
    """Refuse columns that are not one value an example.

    Raises:
        NotEnoughExamplesError: there is no example.
        DataError: a column is longer or shorter than the images; all such columns are named.
    """
    if count == 0:
        raise NotEnoughExamplesError("there is no image; expected at least one example of two classes.")
    wrong = [f"{name} {values.shape}" for name, values in columns.items() if values.shape != (count,)]
    if wrong:
        raise DataError(f"for {count} images, each column must have shape ({count},); got {', '.join(wrong)}.")


def check_content(
    pixels: NDArray[Any] | None,
    labels: NDArray[np.int64],
    ids: NDArray[np.str_],
    splits: NDArray[np.str_],
    class_names: tuple[str, ...],
) -> None:
    """Refuse labels, ids, splits and pixels that no later step could use; `pixels` is None for lazy images.

    Raises:
        NonFiniteError: pixels are NaN or infinite, and nothing else is wrong.
        DataError: whatever else; all faults are listed.
    """
    faults = [*_label_faults(labels, ids, class_names), *_id_faults(ids), *_split_faults(splits)]
    nonfinite = None if pixels is None else _nonfinite_fault(pixels, ids)
    if nonfinite and not faults:
        raise NonFiniteError(nonfinite)
    faults += [nonfinite] if nonfinite else []
    if len(faults) == 1:
        raise DataError(faults[0])
    if faults:
        raise DataError(f"the data has {len(faults)} faults:\n" + "\n".join(f"    - {fault}" for fault in faults))


def check_finite(pixels: NDArray[Any], ids: NDArray[np.str_]) -> None:
    """Refuse NaN and infinity.

    Raises:
        NonFiniteError: says how many images are affected, and the first one's id.
    """
    fault = _nonfinite_fault(pixels, ids)
    if fault:
        raise NonFiniteError(fault)


def _label_faults(labels: NDArray[np.int64], ids: NDArray[np.str_], class_names: tuple[str, ...]) -> list[str]:
    faults = []
    outside = np.flatnonzero((labels < 0) | (labels >= len(class_names)))
    if len(outside):
        first = outside[0]
        faults.append(
            f"{len(outside)} labels are out of range, the first is {labels[first]} "
            f'(example "{ids[first]}"); expected 0 to {len(class_names) - 1}.'
        )
    if len(np.unique(labels)) < 2:
        faults.append(f"all {len(labels)} examples have the label {labels[0]}; expected at least two classes.")
    return faults


def _id_faults(ids: NDArray[np.str_]) -> list[str]:
    values, counts = np.unique(ids, return_counts=True)
    twice = values[counts > 1]
    if not len(twice):
        return []
    return [f'{len(twice)} ids are used more than once, the first is "{twice[0]}"; expected a different one each.']


def _split_faults(splits: NDArray[np.str_]) -> list[str]:
    known = ", ".join(f'"{name}"' for name in SPLIT_NAMES)
    return [
        f'no split is named "{name}".{did_you_mean(name, SPLIT_NAMES)} Splits are {known}.'
        for name in np.unique(splits).tolist()
        if name not in SPLIT_NAMES
    ]


def _nonfinite_fault(pixels: NDArray[Any], ids: NDArray[np.str_]) -> str | None:
    if pixels.dtype.kind != "f":
        return None
    chunks = [pixels[start : start + CHUNK] for start in range(0, len(pixels), CHUNK)]
    bad = np.concatenate([~np.isfinite(chunk).all(axis=(1, 2, 3)) for chunk in chunks])  # (N,)
    if not bad.any():
        largest = max((float(np.abs(chunk).max()) for chunk in chunks if chunk.size), default=0.0)
        return _size_fault(largest)
    return (
        f"{np.count_nonzero(bad)} of {len(pixels)} images hold NaN or infinity, "
        f'the first is "{ids[int(bad.argmax())]}"; repair or drop them.'
    )


def _size_fault(largest: float) -> str | None:
    if largest <= LARGEST:
        return None
    return f"pixels are as large as {largest:.3g}, whose squares are no numbers any more; scale them to the order of 1."
