"""MNIST-1D: signals of 40 numbers that look like digits, made by the package `mnist1d`; nothing is downloaded.

    load_mnist1d      training and test signals with labels, as images one pixel high
    feature_order     a fixed shuffle of the 40 features; `np.argsort` of it undoes it

What tells the digits apart may be anywhere in a signal, so a network that looks for the same thing everywhere is ahead:
until the features are shuffled.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from layerwise.data.images import ImageData
from layerwise.errors import DataError, MissingExtraError
from layerwise.seeds import stream

FEATURES: Final = 40
CLASSES: Final = 10

_SEEDS: Final = 2**32


def load_mnist1d(*, train: int = 4000, test: int = 1000, permuted: bool = False, seed: int = 0) -> ImageData:
    """Signals of ten classes, all together mean 0 and standard deviation 1.

    The package makes equally many of each class, shuffles them, and the first are for training; so the classes of one
    split are only nearly balanced. Another number of signals gives other signals.

    Args:
        train, test: how many signals; those of the published data by default.
        permuted: shuffle the features of all signals alike, by `feature_order(seed)`.
        seed: decides the signals, and the shuffle. With 42, 4,000 and 1,000 the signals are those of the package's own
            defaults.

    Returns:
        Images (N, 1, 1, 40) of float32, not in [0, 1], without factors.

    Raises:
        MissingExtraError: mnist1d is not installed.
        DataError: a count below 1, or a seed that the package cannot take.

    Source: Greydanus and Kobak (2024), "Scaling down deep learning with MNIST-1D", ICML.

    >>> data = load_mnist1d(train=40, test=10)
    >>> data.image_shape, data.images.dtype, len(data.train), len(data.test)
    ((1, 1, 40), dtype('float32'), 40, 10)
    """
    _check(train, test, seed)
    signals, labels = _draw(train + test, seed)
    order = feature_order(seed) if permuted else np.arange(FEATURES)
    return ImageData.create(
        np.take(signals, order, axis=1)[:, None, None],  # a copy, so that the kept signals stay as they are
        labels,
        splits=np.repeat(["train", "test"], [train, test]),
        class_names=[str(digit) for digit in range(CLASSES)],
        name="mnist1d",
    )


def feature_order(seed: int) -> NDArray[np.int64]:
    """A shuffle of the features, shape (40,): feature i of a shuffled signal was feature `order[i]`.

    >>> order = feature_order(0)
    >>> signal = np.arange(40.0)
    >>> bool((signal[order][np.argsort(order)] == signal).all())
    True
    """
    return stream(seed, "mnist1d", "features").permutation(FEATURES)


@lru_cache(maxsize=2)  # about a millisecond a signal, and a study asks for them in order and shuffled
def _draw(count: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The first `count` of the fewest signals (N, 40) that can be equally many of each class, and their labels."""
    library = _library()
    settings = library.get_dataset_args()
    settings.num_samples = -(-count // CLASSES) * CLASSES
    settings.train_split = 1.0
    settings.seed = seed
    with _global_generators_kept():
        made = library.make_dataset(settings)
    return made["x"][:count].astype(np.float32), made["y"][:count].astype(np.int64)


@contextmanager
def _global_generators_kept() -> Iterator[None]:
    """Put back the generators of Python and NumPy that the package seeds and draws from."""
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002 - the package's, not ours
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002


def _library() -> Any:
    try:
        from mnist1d import data  # loads pyplot and requests, which nothing here needs
    except ModuleNotFoundError as error:
        raise MissingExtraError("mnist1d", "mnist1d", "the data mnist1d") from error
    return data


def _check(train: int, test: int, seed: int) -> None:
    faults = [f"{name} = {count}" for name, count in (("train", train), ("test", test)) if count < 1]
    if faults:
        raise DataError(f"{', '.join(faults)}: give at least one signal.")
    if not 0 <= seed < _SEEDS:
        raise DataError(f"seed = {seed}: MNIST-1D takes whole numbers from 0 to {_SEEDS - 1}.")
