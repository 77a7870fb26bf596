"""Edges: grey images with a straight stripe, horizontal, vertical, turned, or none at all.

    EdgeFactors       the ranges that factors are drawn from
    sample_edges      a kind and ranges → factor columns
    draw_edges        factor columns → images, the same bytes every time
    load_edges        all of it: training, validation and test images with labels, ids and factors
    pixel_order       a fixed shuffle of the pixels; `np.argsort` of it undoes it

The data of the study of inductive bias: a network that looks for the same thing everywhere should need few of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from layerwise.data.images import ImageData
from layerwise.errors import DataError, UnknownNameError, did_you_mean
from layerwise.seeds import stream

CLASSES: Final[Mapping[str, tuple[str, ...]]] = {
    "horizontal": ("horizontal",),
    "vertical": ("vertical",),
    "none": (),
    "diagonal": ("diagonal",),
    "both": ("horizontal", "vertical"),
}
"""A class to the kinds of stripes in its images."""

STRIPE: Final = ("angle", "position", "width", "intensity")
"""The columns of a stripe; those of an image's second stripe are called angle_2 and so on."""

_BLOCK: Final = 1024


@dataclass(frozen=True)
class EdgeFactors:
    """What the factors are drawn from, evenly and with both ends included.

    Attributes:
        width: of a stripe, whole pixels.
        intensity: of a stripe, 0 (black) to 1 (white).
        background: one grey for the whole image.
        angles: of which a diagonal stripe has one, in degrees, counter-clockwise on the screen.
        location_ratio: the share of the rows (columns, for vertical stripes) in which training stripes lie; below 1 all
            others lie in the rest.
        horizontal, vertical, diagonal: how many stripes of a kind an image has that has any.
    """

    width: tuple[int, int] = (1, 4)
    intensity: tuple[float, float] = (0.25, 1.0)
    background: tuple[float, float] = (0.0, 0.2)
    angles: tuple[float, ...] = (30.0, 45.0, 120.0, 135.0)
    location_ratio: float = 1.0
    horizontal: int = 1
    vertical: int = 1
    diagonal: int = 1

    def __post_init__(self) -> None:
        faults = [
            f"{name} is {given}: give (low, high) with {least} <= low <= high{most}"
            for name, given, least, highest, most in (
                ("width", self.width, 1, np.inf, ""),
                ("intensity", self.intensity, 0, 1, " <= 1"),
                ("background", self.background, 0, 1, " <= 1"),
            )
            if not least <= given[0] <= given[1] <= highest
        ]
        if any(number != int(number) for number in self.width):
            faults.append(f"width is {self.width}: give whole pixels")
        if not self.angles:
            faults.append("angles are none: give at least one, in degrees")
        if not 0 < self.location_ratio <= 1:
            faults.append(f"location_ratio is {self.location_ratio}: give more than 0, at most 1")
        faults += [
            f"{name} is {count}: give a whole number from 1"
            for name in ("horizontal", "vertical", "diagonal")
            if (count := getattr(self, name)) < 1
        ]
        if faults:
            raise DataError(f"These edges cannot be drawn: {'; '.join(faults)}.")


def load_edges(
    *,
    train_per_class: int = 50,
    validation_per_class: int = 50,
    test_per_class: int = 1000,
    classes: Sequence[str] = ("horizontal", "vertical", "none"),
    resolution: int = 28,
    permuted: bool = False,
    seed: int = 0,
    ranges: EdgeFactors | None = None,
) -> ImageData:
    """Images of stripes, equally many of each class, with the factors that made them.

    The first images of a larger set are those of a smaller one, and no split or class depends on another.

    Args:
        train_per_class, validation_per_class, test_per_class: images of each class.
        classes: of `CLASSES`; a label is a place among them.
        resolution: the side of an image, in pixels.
        permuted: shuffle the pixels of all images alike, by `pixel_order(resolution, seed)`.
        seed: decides every factor, and the shuffle.
        ranges: what the factors are drawn from; `EdgeFactors()` when not given.

    Returns:
        Images (N, 1, H, W) of bytes; a class's first image, the next class's first … of each split.

    Raises:
        UnknownNameError: no such class.
        DataError: a class twice, fewer than two, a negative count, no image, or stripes too wide for their place.

    >>> data = load_edges(train_per_class=2, validation_per_class=1, test_per_class=1)
    >>> data.images.shape, data.class_names, data.train.factors["angle"].tolist()
    ((12, 1, 28, 28), ('horizontal', 'vertical', 'none'), [0.0, 90.0, nan, 0.0, 90.0, nan])
    """
    ranges = ranges or EdgeFactors()
    counts = {"train": train_per_class, "validation": validation_per_class, "test": test_per_class}
    _check(classes, counts, resolution, ranges)
    parts = [
        sample_edges(kind, count, ranges, seed=seed, split=split, resolution=resolution)
        for split, count in counts.items()
        for kind in classes
    ]
    names = list(dict.fromkeys(name for columns in parts for name in columns))
    missing = np.repeat(np.nan, max(counts.values()))
    columns = {
        name: np.concatenate([columns.get(name, missing[: len(columns["background"])]) for columns in parts])
        for name in names
    }
    labels = np.concatenate([np.repeat(np.arange(len(classes)), count) for count in counts.values()])
    splits = np.repeat(list(counts), [len(classes) * count for count in counts.values()])
    places = np.concatenate([np.tile(np.arange(count), len(classes)) for count in counts.values()])
    order = np.lexsort((labels, places, np.repeat(range(len(counts)), [len(classes) * c for c in counts.values()])))
    factors = {name: values[order] for name, values in columns.items()}
    images = draw_edges(factors, resolution=resolution)
    if permuted:
        shuffled = images.reshape(len(images), -1)[:, pixel_order(resolution, seed=seed)]
        images = shuffled.reshape(images.shape)
    return ImageData.create(
        images,
        labels[order],
        ids=np.array([f"edges-{split}-{row:05d}" for split, row in _numbered(counts, len(classes))]),
        splits=splits[order],
        class_names=classes,
        factors=factors,
        name="edges",
    )


def sample_edges(
    kind: str, count: int, ranges: EdgeFactors, *, seed: int, split: str, resolution: int = 28
) -> dict[str, NDArray[np.float64]]:
    """Factor columns of images of one class.

    Each column of a split and a class has its own stream, so that another range for one leaves the others as they were.

    Args:
        kind: of `CLASSES`.
        count: how many images.
        ranges: what to draw from.
        seed: decides all values.
        split: another name, other values.
        resolution: the side of an image, in pixels.

    Returns:
        `background`, and `STRIPE` of each stripe, each (count,): `position` is a stripe's first row, or column, before
        it is turned.
    """

    def draw(name: str, low: float, high: float) -> NDArray[np.float64]:
        return low + (high - low) * stream(seed, "edges", split, kind, name).random(count)

    def whole(name: str, low: int, high: int | NDArray[np.int64]) -> NDArray[np.float64]:
        drawn = stream(seed, "edges", split, kind, name).integers(low, high, count, endpoint=True)
        return drawn.astype(np.float64)

    start, end = _lines(ranges.location_ratio, resolution, split)
    columns = {"background": draw("background", *ranges.background)}
    for slot, stripe in enumerate(_stripes(kind, ranges)):
        ending = f"_{slot + 1}" if slot else ""
        width = whole(f"width{ending}", *map(int, ranges.width))
        turned = np.asarray(ranges.angles)[whole(f"angle{ending}", 0, len(ranges.angles) - 1).astype(int)]
        columns |= {
            f"angle{ending}": turned if stripe == "diagonal" else np.repeat(90.0 * (stripe == "vertical"), count),
            f"position{ending}": whole(f"position{ending}", start, end - width.astype(int)),
            f"width{ending}": width,
            f"intensity{ending}": draw(f"intensity{ending}", *ranges.intensity),
        }
    return columns


def draw_edges(factors: Mapping[str, ArrayLike], *, resolution: int = 28) -> NDArray[np.uint8]:
    """Images of stripes, from their factor columns alone.

    A stripe is as long as the image is wide, and turned about the image's middle; its sides are anti-aliased by the
    distance to them, and what it does not cover keeps the background. Values are clipped before they become bytes.

    Args:
        factors: the columns that `sample_edges` gives, each (N,); NaN where an image has no such stripe.
        resolution: the side of an image, in pixels.

    Returns:
        Shape (N, 1, resolution, resolution), bytes; the same columns give the same bytes, row by row.
    """
    columns = {name: np.asarray(values, np.float64) for name, values in factors.items()}
    endings = [name.removeprefix("angle") for name in columns if name.startswith("angle")]
    images = np.empty((len(columns["background"]), 1, resolution, resolution), np.uint8)
    for first in range(0, len(images), _BLOCK):
        rows = slice(first, first + _BLOCK)
        grey = np.repeat(columns["background"][rows], resolution**2).reshape(-1, resolution, resolution)
        for ending in endings:
            _draw_stripes(grey, *(columns[name + ending][rows] for name in STRIPE))
        images[rows, 0] = np.rint(255 * np.clip(grey, 0, 1)).astype(np.uint8)
    return images


def pixel_order(resolution: int, *, seed: int) -> NDArray[np.int64]:
    """A shuffle of the pixels of an image, shape (resolution²,): pixel i of a shuffled image was pixel `order[i]`.

    >>> order = pixel_order(2, seed=0)
    >>> image = np.array([10, 20, 30, 40])
    >>> image[order][np.argsort(order)]
    array([10, 20, 30, 40])
    """
    return stream(seed, "edges", "pixels").permutation(resolution**2)


def _draw_stripes(grey: NDArray[np.float64], *stripe: NDArray[np.float64]) -> None:
    """Draw a stripe onto each image (B, H, W) that has one; its columns are those of `STRIPE`, each (B,)."""
    angles, position, width, intensity = stripe
    resolution = grey.shape[1]
    middle = (resolution - 1) / 2
    y, x = np.mgrid[:resolution, :resolution] - middle
    for angle in np.unique(angles[~np.isnan(angles)]):
        rows = np.flatnonzero(angles == angle)
        # Sines of 90 degrees must be whole, so that straight stripes have sharp sides.
        sine, cosine = (round(float(turn(np.radians(angle))), 12) for turn in (np.sin, np.cos))
        place = (position[rows] + (width[rows] - 1) / 2 - middle)[:, None, None]
        across = np.abs(sine * x + cosine * y - place)
        along = np.clip(0.5 + resolution / 2 - np.abs(cosine * x - sine * y), 0, 1)
        # The share of each pixel that is covered; to first order where the stripe is turned.
        cover = np.clip(0.5 + width[rows, None, None] / 2 - across, 0, 1) * along
        grey[rows] += cover * (intensity[rows, None, None] - grey[rows])


def _stripes(kind: str, ranges: EdgeFactors) -> list[str]:
    return [stripe for stripe in CLASSES[kind] for _ in range(getattr(ranges, stripe))]


def _lines(location_ratio: float, resolution: int, split: str) -> tuple[int, int]:
    """The rows in which the stripes of a split lie: the first, and the one after the last."""
    cut = round(location_ratio * resolution)
    if cut == resolution:
        return 0, resolution
    return (0, cut) if split == "train" else (cut, resolution)


def _numbered(counts: Mapping[str, int], classes: int) -> Iterator[tuple[str, int]]:
    for split, count in counts.items():
        yield from zip(repeat(split), range(count * classes))


def _check(classes: Sequence[str], counts: Mapping[str, int], resolution: int, ranges: EdgeFactors) -> None:
    unknown = [name for name in classes if name not in CLASSES]
    if unknown:
        raise UnknownNameError(
            f'no class of edges is called "{unknown[0]}".{did_you_mean(unknown[0], CLASSES)}\n'
            f"    Choose among: {', '.join(CLASSES)}."
        )
    if len(classes) < 2 or len(set(classes)) < len(classes):
        raise DataError(f"classes are {', '.join(classes) or 'none'}: give at least two, each once.")
    if min(counts.values()) < 0 or not sum(counts.values()):
        told = ", ".join(f"{split}_per_class = {count}" for split, count in counts.items())
        raise DataError(f"{told}: give counts of at least 0, and at least one image.")
    for split, count in counts.items():
        start, end = _lines(ranges.location_ratio, resolution, split)
        if count and end - start < ranges.width[1]:
            raise DataError(
                f"stripes of {ranges.width[1]} pixels do not fit into the {end - start} lines that {split} images have "
                f"at resolution {resolution} and location_ratio {ranges.location_ratio:g}.\n"
                "    Make the stripes thinner, or the image larger."
            )
