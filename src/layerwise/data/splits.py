"""Seeded, stratified splits: who is trained on, who chooses, who is reported.

`split_stratified` names a split for every label; `hold_out` takes a validation split from the training examples, so
that nothing has to be chosen on the split that is reported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from layerwise.data.images import ImageData
from layerwise.errors import DataError, NotEnoughExamplesError
from layerwise.seeds import stream


def split_stratified(labels: NDArray[np.int64], shares: Mapping[str, float], *, seed: int) -> NDArray[np.str_]:
    """A split for every example, such that each class is divided as the whole is.

    Args:
        labels: shape (N,).
        shares: split name to its share of the examples; they sum to 1.
        seed: the same labels, shares and seed give the same splits.

    Returns:
        Shape (N,), names of splits. Each split but the last has `round(share * N)` examples, the last has the rest; of
        a class with n examples, the first split named has less than 1 more or fewer than its share of n.

    Raises:
        DataError: shares that are negative or do not sum to 1.
        NotEnoughExamplesError: a split with a share above 0 would be empty.

    >>> splits = split_stratified(np.array([0, 0, 1, 1]), {"test": 0.5, "train": 0.5}, seed=0)
    >>> sorted(splits[:2].tolist()), sorted(splits[2:].tolist())
    (['test', 'train'], ['test', 'train'])
    """
    _check_shares(shares)
    generator = stream(seed, "split")
    *chosen, rest = shares
    splits = np.full(len(labels), rest, dtype=f"<U{max(map(len, shares))}")
    left = np.arange(len(labels))
    for name in chosen:
        taken = _sample_stratified(labels[left], round(shares[name] * len(labels)), generator)
        splits[left[taken]] = name
        left = left[~taken]
    _check_none_empty(splits, shares)
    return splits


def hold_out(data: ImageData, share: float = 0.1, *, seed: int = 0) -> ImageData:
    """The same data with a seeded, stratified share of "train" moved to "validation".

    Raises:
        DataError: the share is not between 0 and 1, or there is a validation split already.
        NotEnoughExamplesError: there is nothing to take, or nothing would be left.
    """
    if "validation" in data.split_names:
        raise DataError(
            f"{data.name} has a validation split of {len(data.validation)} already; leave out the hold-out share."
        )
    if not 0 < share < 1:
        raise DataError(f"a hold-out share of {share} was given; expected more than 0 and less than 1.")
    labels = data.train.labels
    splits = data.splits.astype("<U10")
    splits[data.splits == "train"] = split_stratified(labels, {"validation": share, "train": 1 - share}, seed=seed)
    return replace(data, splits=splits)


def _sample_stratified(labels: NDArray[np.int64], count: int, generator: np.random.Generator) -> NDArray[np.bool_]:
    """Mark `count` examples by walking through the classes, each shuffled, in equal steps from a random start.

    Equal steps take from any run of n neighbours, hence from any class, n * count / N examples rounded up or down, and
    exactly `count` over all; rounding class by class would not. Whole numbers only, so that nothing depends on a float.
    """
    total = len(labels)
    shuffled = generator.permutation(total)
    walk = shuffled[np.argsort(labels[shuffled], kind="stable")]
    start = int(generator.integers(total)) if total else 0
    steps = (np.arange(total + 1, dtype=np.int64) * count + start) // max(total, 1)
    taken = np.zeros(total, dtype=np.bool_)
    taken[walk] = np.diff(steps) > 0
    return taken


def _check_shares(shares: Mapping[str, float]) -> None:
    if not shares or min(shares.values()) < 0 or abs(sum(shares.values()) - 1) > 1e-9:
        raise DataError(f"shares are {dict(shares)}; expected numbers from 0 that sum to 1.")


def _check_none_empty(splits: NDArray[np.str_], shares: Mapping[str, float]) -> None:
    empty = [name for name, share in shares.items() if share > 0 and name not in splits]
    if empty:
        raise NotEnoughExamplesError(
            f"{len(splits)} examples are too few for the shares {dict(shares)}: {', '.join(empty)} would be empty."
        )


def limit_splits(data: ImageData, limit: int, *, seed: int = 0) -> ImageData:
    """At most so many examples of each split, drawn at random, in the order in which they stood.

    >>> data = ImageData.create(np.zeros((5, 1, 2, 2), np.uint8), [0, 1, 0, 1, 0])
    >>> len(limit_splits(data, 3)), len(limit_splits(data, 9))
    (3, 5)
    """
    kept = []
    for name in data.split_names:
        rows = np.flatnonzero(data.splits == name)
        kept.append(stream(seed, "limit", name).permutation(rows)[:limit])
    return data.select(np.sort(np.concatenate(kept)))
