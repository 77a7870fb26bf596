"""Faults made on purpose, so that one knows where they are: flip_labels (three kinds of noise), blend_images."""

from __future__ import annotations

from dataclasses import replace
from numbers import Real
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from layerwise.data.images import ImageData
from layerwise.errors import DataError, InputError, did_you_mean
from layerwise.seeds import stream

__all__ = ["NOISE_KINDS", "NoiseKind", "blend_images", "flip_labels"]

NoiseKind = Literal["uniform", "pair", "instance"]
NOISE_KINDS: tuple[str, ...] = get_args(NoiseKind)

SPREAD = 0.1
"""Standard deviation of the chance to be flipped, from image to image, of instance-dependent noise."""

CHUNK = 1024


def flip_labels(data: ImageData, rate: float, kind: NoiseKind = "uniform", *, seed: int = 0) -> ImageData:
    """Give a share of the images another class than theirs.

    Args:
        data: the images; all of them may be flipped.
        rate: the share that is flipped, from 0 to below 1; exactly, up to rounding, but for "instance", where it is the
            mean.
        kind: "uniform", any other class alike; "pair", the next class, and the first after the last; "instance", images
            differ in how likely they are flipped, and what to depends on their pixels.
        seed: which ones, and to what.

    Returns:
        The same images with labels as flipped, and a factor `true_label` (N,) with those that they had.

    Raises:
        InputError: no such rate or kind.

    Source: "instance" is after Xia and others (2020), "Part-dependent label noise", algorithm 2. Projections have a
    standard deviation of 1 here, so that an image leans to some classes; there it is all but sure which one it gets.
    Chances to be flipped are cut at 0 and 1 and scaled to the mean rate; there they are drawn between 0 and 1.

    >>> import layerwise as lw
    >>> noisy = flip_labels(lw.load_data("digits").train, 0.2, seed=0)
    >>> float((noisy.labels != noisy.factors["true_label"]).mean().round(3))
    0.2
    """
    _check_rate(rate)
    if kind not in NOISE_KINDS:
        raise InputError(
            f'no noise is named "{kind}".{did_you_mean(str(kind), NOISE_KINDS)}\n'
            f"    Choose one of: {', '.join(NOISE_KINDS)}."
        )
    true, classes = data.labels, data.num_classes
    generator = stream(seed, "label noise", kind)
    if kind == "instance":
        flipped = _by_instance(data, rate, generator)
    else:
        wrong = generator.permutation(len(true))[: round(rate * len(true))]
        step = generator.integers(1, classes, len(wrong)) if kind == "uniform" else 1
        flipped = true.copy()
        flipped[wrong] = (true[wrong] + step) % classes
    return replace(data, labels=flipped, factors={**data.factors, "true_label": true})


def _check_rate(rate: float) -> None:
    if not (isinstance(rate, Real) and 0 <= rate < 1):
        raise InputError(f"rate = {rate}: give the share of images to be changed, from 0 to below 1, such as 0.1.")


def _by_instance(data: ImageData, rate: float, generator: np.random.Generator) -> NDArray[np.int64]:
    """Each image's own chance to be flipped, and a class drawn by a random projection of its pixels for its class."""
    count, classes = len(data), data.num_classes
    chance = np.clip(generator.normal(rate, SPREAD if rate else 0.0, count), 0.0, 1.0)
    chance = np.minimum(chance * rate / max(chance.mean(), 1e-12), 1.0)  # cut at 0, its mean would be above the rate
    features = int(np.prod(data.image_shape))
    weights = generator.normal(size=(classes, features, classes)) / np.sqrt(features)
    flipped = data.labels.copy()
    for start in range(0, count, CHUNK):
        rows = np.arange(start, min(start + CHUNK, count))
        flipped[rows] = _draw(data, rows, chance[rows], weights, generator)
    return flipped


def _draw(
    data: ImageData,
    rows: NDArray[np.int64],
    chance: NDArray[np.float64],
    weights: NDArray[np.float64],
    generator: np.random.Generator,
) -> NDArray[np.int64]:
    pixels = data.batch(rows).reshape(len(rows), -1).astype(np.float64)
    pixels = (pixels - pixels.mean(axis=1, keepdims=True)) / (pixels.std(axis=1, keepdims=True) + 1e-12)
    own, at = data.labels[rows], np.arange(len(rows))
    logits = np.stack([pixels[row] @ weights[label] for row, label in enumerate(own)])  # (B, K)
    logits[at, own] = -np.inf
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares *= (chance / shares.sum(axis=1))[:, None]
    shares[at, own] = 1.0 - chance
    drawn: NDArray[np.int64] = (shares.cumsum(axis=1) > generator.random((len(rows), 1))).argmax(axis=1)
    return drawn


def blend_images(data: ImageData, rate: float, *, seed: int = 0) -> ImageData:
    """Make a share of the images ambiguous: each is blended, half and half, with one of another class.

    The label stays that of the first image, and the other would have been as right.

    Args:
        data: the images.
        rate: the share that is blended, from 0 to below 1.
        seed: which ones, and with what.

    Returns:
        The same labels and ids, and a factor `blended_with` (N,): the other class, or -1.

    Raises:
        InputError: no such rate.
        DataError: images of one class only.

    >>> import layerwise as lw
    >>> mixed = blend_images(lw.load_data("digits").train, 0.1)
    >>> float((mixed.factors["blended_with"] >= 0).mean().round(3))
    0.1
    """
    _check_rate(rate)
    generator = stream(seed, "blends")
    count = len(data)
    chosen = generator.permutation(count)[: round(rate * count)]
    if len(chosen) and len(np.unique(data.labels)) < 2:
        raise DataError(f"images are blended with those of another class; {data.name} has images of one alone.")
    images = data.batch(slice(0, count))
    others = np.array([generator.choice(np.flatnonzero(data.labels != data.labels[row])) for row in chosen], np.int64)
    mixed = images.copy()
    mixed[chosen] = (images[chosen] + images[others]) / 2.0
    blended_with = np.full(count, -1)
    blended_with[chosen] = data.labels[others]
    return replace(data, images=mixed, factors={**data.factors, "blended_with": blended_with})
