"""Which split a file belongs to, by its name, and what is done when names say nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from layerwise.data.splits import split_stratified
from layerwise.data.validation import SPLIT_NAMES
from layerwise.errors import DataError

SPLIT_WORDS = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}
"""The words that files and folders are named by, to the splits they mean."""


def split_of_name(name: str) -> str | None:
    """The split that a file or folder name begins with, or None.

    >>> split_of_name("train-00000-of-00001.parquet"), split_of_name("val.npz"), split_of_name("trainspotting.npz")
    ('train', 'validation', None)
    """
    word = re.match(r"[a-z]*", name.lower())
    return SPLIT_WORDS.get(word.group()) if word else None


def by_split(files: Iterable[Path]) -> list[Path]:
    """Files in the order train, validation, test, those of one split (or of none) by path."""
    order: list[str | None] = [*SPLIT_NAMES, None]
    return sorted(files, key=lambda file: (order.index(split_of_name(file.name)), file))


def splits_of_files(files: Sequence[Path], *, where: str) -> list[str] | None:
    """A split for each file, or None when no name says one.

    Raises:
        DataError: some names say a split and others do not.
    """
    splits = [split_of_name(file.name) for file in files]
    unknown = [file.name for file, split in zip(files, splits, strict=True) if split is None]
    if len(unknown) == len(files):
        return None
    if unknown:
        raise DataError(
            f"the split of these files in {where} is not known: {', '.join(unknown)}.\n"
            "    Begin their names with train, validation or test, or move them away."
        )
    return [split for split in splits if split is not None]


def train_and_test(labels: NDArray[np.int64], *, test_share: float, seed: int) -> NDArray[np.str_]:
    """Seeded, stratified "train" and "test" for data that comes without splits.

    Raises:
        NotEnoughExamplesError: one of the two would be empty.
    """
    return split_stratified(labels, {"test": test_share, "train": 1 - test_share}, seed=seed)


def numbered_ids(prefix: str, count: int) -> NDArray[np.str_]:
    """Ids by row, for data whose split is drawn: they stay the same when the seed changes."""
    return np.array([f"{prefix}-{row:05d}" for row in range(count)], dtype=np.str_)
