"""Six grey shapes, each drawn from factors that are kept beside it.

    ShapeFactors      the ranges that factors are drawn from; the defaults are tuned
    sample_factors    ranges → factor columns
    draw_shapes       kinds and factor columns → images, the same bytes every time
    load_shapes       all of it: training and test images with labels, ids and factors

What makes an example hard can only be answered exactly where each image's making is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from layerwise.data.images import ImageData
from layerwise.data.outlines import CIRCLE, CLASS_NAMES, SQUARE, Float32, column, shape_coverage, turned
from layerwise.errors import DataError, ShapeError
from layerwise.seeds import stream

FACTOR_LIMITS: Final[Mapping[str, tuple[float, float]]] = {
    "size": (1e-3, 10.0),
    "aspect": (1.0, 100.0),
    "x": (-10.0, 10.0),
    "y": (-10.0, 10.0),
    "rotation": (-360.0, 360.0),
    "brightness": (0.0, 1.0),
    "contrast": (0.0, 1.0),
    "polarity": (-1.0, 1.0),
    "blur": (0.0, 100.0),
    "noise": (0.0, 10.0),
    "occlusion": (0.0, 0.95),
    "occlusion_angle": (-360.0, 360.0),
}
"""Factors that may make an image hard, with the values allowed, both ends included.

`noise_seed` is the one column that is not here: it names the noise and says nothing about difficulty.
"""

# Images at a time: the few arrays of a block stay in the processor's cache.
_BLOCK: Final = 128


@dataclass(frozen=True)
class ShapeFactors:
    """Ranges that the factors are drawn from, evenly and with both ends included.

    The defaults leave about one test image in eleven to be mistaken, mostly squares and circles against rectangles and
    ellipses of aspect near 1, and shapes under a card: a ResNet-18 with the CIFAR stem (10 epochs, 30,000 images, one
    seed, the averages of batch norm taken anew) was right on 0.912 of the 6,000 test images: 0.972 without a card,
    0.801 under one. Shapes are large and of clear contrast, so that networks made for larger images, which shrink these
    to 8×8 pixels at once, learn them too.

    Attributes:
        size: square root of the shape's area, as a share of the image's side: all kinds cover equally much.
        aspect: long over short axis; circles and squares have 1.
        x: centroid, as a share of the image's width from its left edge.
        y: centroid, as a share of the image's height from its top edge.
        rotation: degrees, clockwise on the screen.
        brightness: grey halfway between shape and background, 0 (black) to 1 (white); also the occluder's grey.
        contrast: how far the greys of shape and background lie apart, 0 to 1.
        blur: standard deviation of a Gaussian, in pixels.
        noise: standard deviation of what is added to each pixel, in greys of 0 to 1.
        occlusion: share of the shape's area that a card slid in from one side covers, where there is one.
        occluded: share of the images that have such a card.
        dark: share of the images whose shape is darker than its background.
    """

    size: tuple[float, float] = (0.4, 0.6)
    aspect: tuple[float, float] = (1.1, 1.5)
    x: tuple[float, float] = (0.42, 0.58)
    y: tuple[float, float] = (0.42, 0.58)
    rotation: tuple[float, float] = (0.0, 360.0)
    brightness: tuple[float, float] = (0.4, 0.6)
    contrast: tuple[float, float] = (0.3, 0.8)
    blur: tuple[float, float] = (0.0, 0.8)
    noise: tuple[float, float] = (0.0, 0.06)
    occlusion: tuple[float, float] = (0.05, 0.5)
    occluded: float = 0.35
    dark: float = 0.5

    def __post_init__(self) -> None:
        faults = [fault for field in fields(self) if (fault := _range_fault(field.name, getattr(self, field.name)))]
        if faults:
            raise DataError(f"These ranges cannot be drawn from: {'; '.join(faults)}.")


def _range_fault(name: str, given: float | tuple[float, float]) -> str | None:
    low, high = FACTOR_LIMITS.get(name, (0.0, 1.0))
    if isinstance(given, tuple):
        fits = len(given) == 2 and low <= given[0] <= given[1] <= high
        return None if fits else f"{name} is {given}: give (low, high) with {low:g} <= low <= high <= {high:g}"
    return None if low <= given <= high else f"{name} is {given}: give a share from 0 to 1"


def load_shapes(
    *, train: int = 30_000, test: int = 6_000, seed: int = 0, ranges: ShapeFactors | None = None, resolution: int = 32
) -> ImageData:
    """Training and test images of six shapes, equally many of each, with the factors that made them.

    Rows 6i to 6i + 5 of a split hold one image of each class in random order. The first rows of a larger set are
    those of a smaller one, and the test images do not depend on how many training images there are.

    Args:
        train: how many training images.
        test: how many test images.
        seed: decides every factor and all noise.
        ranges: what the factors are drawn from; `ShapeFactors()` when not given.
        resolution: the side of an image, in pixels.

    Returns:
        Images (N, 1, H, W) of bytes, N = train + test, training images first; the columns of `sample_factors`.

    Raises:
        DataError: a negative count, or no image at all.

    >>> data = load_shapes(train=12, test=6)
    >>> data.images.shape, data.ids[12].item(), round(data.factors["size"][0].item(), 3)
    ((18, 1, 32, 32), 'shapes-test-00000', ...)
    """
    counts = {"train": train, "test": test}
    if min(counts.values()) < 0 or sum(counts.values()) == 0:
        raise DataError(f"train = {train} and test = {test}: give counts of at least 0, and at least one image.")
    names = [(split, row) for split, count in counts.items() for row in range(count)]
    kinds = np.concatenate([_shuffled_kinds(count, seed, split) for split, count in counts.items()])  # (N,)
    parts = np.split(kinds, [train])
    drawn = [
        sample_factors(part, ranges or ShapeFactors(), seed=seed, split=split)
        for part, split in zip(parts, counts, strict=True)
    ]
    factors = {name: np.concatenate([columns[name] for columns in drawn]) for name in drawn[0]}
    return ImageData.create(
        images=draw_shapes(kinds, factors, resolution=resolution),
        labels=kinds,
        ids=np.array([f"shapes-{split}-{row:05d}" for split, row in names]),
        splits=np.array([split for split, _ in names]),
        class_names=CLASS_NAMES,
        factors=factors,
        name="shapes",
    )


def _shuffled_kinds(count: int, seed: int, split: str) -> NDArray[np.int64]:
    sixes = np.tile(np.arange(len(CLASS_NAMES)), (-(-count // len(CLASS_NAMES)), 1))
    return stream(seed, "shapes", split, "kinds").permuted(sixes, axis=1).reshape(-1)[:count]  # (count,)


def sample_factors(
    kinds: ArrayLike, ranges: ShapeFactors, *, seed: int, split: str = "train"
) -> dict[str, NDArray[np.generic]]:
    """Factor columns for shapes of given kinds.

    Each column has its own stream, so that another range for one factor leaves the others as they were.

    Args:
        kinds: shape (N,), places in `CLASS_NAMES`.
        ranges: what to draw from.
        seed: decides all values.
        split: another name, other values.

    Returns:
        The columns of `FACTOR_LIMITS`, each (N,) float64, and `noise_seed`, (N,) int64.

    >>> square, rectangle = CLASS_NAMES.index("square"), CLASS_NAMES.index("rectangle")
    >>> columns = sample_factors([square, rectangle], ShapeFactors(aspect=(1.5, 1.5)), seed=0)
    >>> columns["aspect"]
    array([1. , 1.5])
    """
    kinds = np.asarray(kinds)

    def draw(name: str, low: float, high: float) -> NDArray[np.float64]:
        steps = stream(seed, "shapes", split, name).integers(0, 2**32, kinds.size, endpoint=True)
        return low + (high - low) * (steps / 2**32)

    columns = {name: draw(name, *getattr(ranges, name, (0.0, 360.0))) for name in FACTOR_LIMITS}
    columns["aspect"][np.isin(kinds, (CIRCLE, SQUARE))] = 1.0
    columns["polarity"] = np.where(draw("polarity", 0.0, 1.0) < ranges.dark, -1.0, 1.0)
    columns["occlusion"][draw("occluded", 0.0, 1.0) >= ranges.occluded] = 0.0
    noise_seeds = stream(seed, "shapes", split, "noise_seed").integers(2**63, size=kinds.size)
    return {**columns, "noise_seed": noise_seeds}


def draw_shapes(kinds: ArrayLike, factors: Mapping[str, ArrayLike], *, resolution: int = 32) -> NDArray[np.uint8]:
    """Images of shapes, from their kinds and factor columns alone.

    Edges are anti-aliased by the signed distance to them, first-order where a curve has no simple one. What lies
    outside the image is cut off, and values are clipped before they become bytes.

    Args:
        kinds: shape (N,), places in `CLASS_NAMES`.
        factors: the columns that `sample_factors` gives, each (N,).
        resolution: the side of an image, in pixels.

    Returns:
        Shape (N, 1, resolution, resolution), bytes. The same columns give the same bytes, row by row.

    Raises:
        ShapeError: a column is missing or not as long as `kinds`.
        DataError: a kind or a factor out of its limits, or not a number.

    >>> heart = CLASS_NAMES.index("heart")
    >>> draw_shapes([heart], sample_factors([heart], ShapeFactors(), seed=0)).shape
    (1, 1, 32, 32)
    """
    kinds = np.asarray(kinds)
    _check_shapes(kinds, factors, resolution)
    _check_values(kinds, factors)
    columns = {name: np.asarray(factors[name], dtype=np.float64) for name in FACTOR_LIMITS}
    noise_seeds = np.asarray(factors["noise_seed"])
    images = np.empty((len(kinds), 1, resolution, resolution), dtype=np.uint8)
    for kind in range(len(CLASS_NAMES)):
        rows = np.flatnonzero(kinds == kind)
        for start in range(0, len(rows), _BLOCK):
            block = rows[start : start + _BLOCK]
            clean = _paint(kind, {name: values[block] for name, values in columns.items()}, resolution)  # (B, H, W)
            noisy = clean + column(columns["noise"][block]) * _noise(noise_seeds[block], resolution)
            images[block, 0] = np.rint(255 * noisy.clip(0, 1))
    return images


def _paint(kind: int, factors: Mapping[str, NDArray[np.float64]], resolution: int) -> Float32:
    """Greys without noise: background, then the shape, then the card over it, then blur: (B, H, W)."""
    coverage = shape_coverage(kind, factors, resolution)
    middle = column(factors["brightness"])
    from_middle = column(factors["polarity"] * factors["contrast"] / 2) * (2 * coverage - 1)
    hidden = factors["occlusion"] > 0
    if hidden.any():
        some = {name: values[hidden] for name, values in factors.items()}
        from_middle[hidden] *= 1 - _card(coverage[hidden], some, resolution)
    return _blurred(middle + from_middle, factors["blur"])


def _card(coverage: Float32, factors: Mapping[str, NDArray[np.float64]], resolution: int) -> Float32:
    """The share of each pixel under a card that is slid in until it covers the wanted share of the shape: (B, H, W)."""
    along, _ = turned(factors, factors["occlusion_angle"], resolution)
    wanted = factors["occlusion"] * coverage.sum((1, 2), dtype=np.float64)
    low, high = along.min((1, 2)).astype(np.float64) - 1, along.max((1, 2)).astype(np.float64) + 1
    for _ in range(16):  # each halves what is left of the image's extent
        edge = (low + high) / 2
        covered = np.einsum("bhw,bhw->b", coverage, _past(along, edge))
        low, high = np.where(covered >= wanted, edge, low), np.where(covered >= wanted, high, edge)
    return _past(along, (low + high) / 2)


def _past(along: Float32, edge: NDArray[np.float64]) -> Float32:
    """The share of each pixel that lies past a straight edge, given the place of its centre across that edge."""
    return (along - column(edge) + np.float32(0.5)).clip(0, 1)


def _blurred(images: Float32, sigma: NDArray[np.float64]) -> Float32:
    """Each image under its own Gaussian; at the border only pixels of the image are averaged."""
    places = np.arange(images.shape[-1], dtype=np.float32)
    apart = np.square(places[:, None] - places[None, :])
    # At a sigma this small the kernel is exactly the identity.
    weights = np.exp(-apart / (2 * np.square(column(np.maximum(sigma, 1e-2)))))
    weights /= weights.sum(-1, keepdims=True)  # (B, H, H)
    blurred: Float32 = weights @ images @ weights.transpose(0, 2, 1)
    return blurred


def _noise(seeds: NDArray[np.generic], resolution: int) -> Float32:
    """Standard normal values, each image's from its own seed: (B, H, W)."""
    noise = np.empty((len(seeds), resolution, resolution), dtype=np.float32)
    for row, seed in enumerate(seeds.tolist()):
        stream(seed, "noise").standard_normal(dtype=np.float32, out=noise[row])
    return noise


def _check_shapes(kinds: NDArray[np.generic], factors: Mapping[str, ArrayLike], resolution: int) -> None:
    if kinds.ndim != 1 or resolution < 1:
        raise ShapeError(
            f"kinds of shape {kinds.shape}, resolution {resolution}: give kinds (N,) and at least 1 pixel."
        )
    names = (*FACTOR_LIMITS, "noise_seed")
    name_to_shape = {name: np.shape(factors[name]) if name in factors else "missing" for name in names}
    wrong = [f"{name} ({shape})" for name, shape in name_to_shape.items() if shape != kinds.shape]
    if wrong:
        raise ShapeError(f"Factor columns must have shape {kinds.shape}, as kinds has. Not so: {', '.join(wrong)}.")


def _check_values(kinds: NDArray[np.generic], factors: Mapping[str, ArrayLike]) -> None:
    faults = []
    if not np.isin(kinds, range(len(CLASS_NAMES))).all():
        faults.append(f"kinds must be whole numbers from 0 to {len(CLASS_NAMES) - 1}")
    for name, (low, high) in FACTOR_LIMITS.items():
        values = np.asarray(factors[name])
        if not ((values >= low) & (values <= high)).all():  # so that NaN fails too
            faults.append(f"{name} must lie from {low:g} to {high:g}")
    if (np.asarray(factors["aspect"])[np.isin(kinds, (CIRCLE, SQUARE))] != 1).any():
        faults.append("aspect must be 1 for circles and squares")
    if np.asarray(factors["noise_seed"]).dtype.kind not in "iu":
        faults.append("noise_seed must be whole numbers")
    if faults:
        raise DataError(f"These images cannot be drawn: {'; '.join(faults)}.")
