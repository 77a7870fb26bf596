"""describe_data: what a data set holds, before anyone trains on it."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from layerwise.data.images import ImageData

ROWS_AT_ONCE = 1024


@dataclass(frozen=True)
class DataDescription:
    """What a data set holds.

    Attributes:
        name: what it is called.
        image_shape: (C, H, W).
        dtype: bytes or floats.
        lowest, highest: over all pixels, as the network gets them (bytes divided by 255).
        mean, std: of each channel over all pixels of the training split (of all, if there is none).
        counts: a row per class and a column per split.
        duplicates: a row per group of identical images: ids, splits and labels.
    """

    name: str
    image_shape: tuple[int, int, int]
    dtype: str
    lowest: float
    highest: float
    mean: tuple[float, ...]
    std: tuple[float, ...]
    counts: pd.DataFrame
    duplicates: pd.DataFrame

    @property
    def duplicated_images(self) -> int:
        """Images that are the same, to the bit, as an earlier one."""
        return int(self.duplicates["copies"].sum() - len(self.duplicates))

    @property
    def groups_across_splits(self) -> int:
        """Groups of identical images that stand in more than one split: what is tested was trained on."""
        return int((self.duplicates["distinct_splits"] > 1).sum())

    @property
    def groups_across_labels(self) -> int:
        """Groups of identical images with different labels: at least one label is wrong."""
        return int((self.duplicates["distinct_labels"] > 1).sum())


def describe_data(data: ImageData) -> DataDescription:
    """Count classes, find the range of the pixels, and find identical images; two passes over the images."""
    digests, lowest, highest = _scan(data)
    mean, std = _channel_moments(data)
    return DataDescription(
        name=data.name,
        image_shape=data.image_shape,
        dtype=str(data.images.dtype),
        lowest=lowest,
        highest=highest,
        mean=mean,
        std=std,
        counts=class_counts(data),
        duplicates=_duplicates(data, digests),
    )


def class_counts(data: ImageData) -> pd.DataFrame:
    """How many examples of each class stand in each split: a row per class, a column per split."""
    return pd.DataFrame(
        {
            "class": data.class_names,
            **{
                split: np.bincount(data.labels[data.splits == split], minlength=data.num_classes)
                for split in data.split_names
            },
        }
    )


def _scan(data: ImageData) -> tuple[list[bytes], float, float]:
    digests: list[bytes] = []
    lowest, highest = np.inf, -np.inf
    for start in range(0, len(data), ROWS_AT_ONCE):
        images = data.batch(slice(start, start + ROWS_AT_ONCE))
        lowest, highest = min(lowest, float(images.min())), max(highest, float(images.max()))
        digests += [hashlib.blake2b(image.tobytes(), digest_size=16).digest() for image in images]
    return digests, lowest, highest


def _channel_moments(data: ImageData) -> tuple[tuple[float, ...], tuple[float, ...]]:
    of = data.train if "train" in data.split_names else data
    total, squares, pixels = np.zeros(of.image_shape[0]), np.zeros(of.image_shape[0]), 0
    for start in range(0, len(of), ROWS_AT_ONCE):
        images = of.batch(slice(start, start + ROWS_AT_ONCE)).astype(np.float64)
        total += images.sum(axis=(0, 2, 3))
        squares += np.square(images).sum(axis=(0, 2, 3))
        pixels += images[:, 0].size
    mean = total / pixels
    std = np.sqrt(np.maximum(squares / pixels - mean**2, 0))
    return tuple(mean.tolist()), tuple(std.tolist())


def _duplicates(data: ImageData, digests: list[bytes]) -> pd.DataFrame:
    digest_to_rows: dict[bytes, list[int]] = defaultdict(list)
    for row, digest in enumerate(digests):
        digest_to_rows[digest].append(row)
    groups = [np.array(rows) for rows in digest_to_rows.values() if len(rows) > 1]
    return pd.DataFrame(
        {
            "copies": pd.Series([len(rows) for rows in groups], dtype=np.int64),
            "ids": pd.Series([", ".join(data.ids[rows]) for rows in groups], dtype=str),
            "splits": pd.Series([_distinct(data.splits[rows]) for rows in groups], dtype=str),
            "distinct_splits": pd.Series([len(set(data.splits[rows])) for rows in groups], dtype=np.int64),
            "distinct_labels": pd.Series([len(set(data.labels[rows])) for rows in groups], dtype=np.int64),
            "labels": pd.Series(
                [_distinct(np.asarray(data.class_names)[data.labels[rows]]) for rows in groups], dtype=str
            ),
        }
    )


def _distinct(values: NDArray[np.str_]) -> str:
    return ", ".join(sorted(set(values.tolist())))
