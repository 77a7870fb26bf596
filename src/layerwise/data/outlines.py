"""The outlines of six shapes, as the share of each pixel that they cover.

    CLASS_NAMES       the six kinds; a kind is a place in it
    shape_coverage    kind and factor columns → coverage, anti-aliased
    turned            pixel centres in the axes of a turned shape

Edges are anti-aliased by the signed distance to them: a pixel half a pixel inside is full, half a pixel outside empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

CLASS_NAMES: Final = ("circle", "square", "rectangle", "right_triangle", "heart", "ellipse")
CIRCLE, SQUARE, RECTANGLE, RIGHT_TRIANGLE, HEART, ELLIPSE = range(len(CLASS_NAMES))

# Area of each kind over the product of its two half axes (legs, for the triangle).
_UNIT_AREA: Final[NDArray[np.float64]] = np.array([np.pi, 4.0, 4.0, 0.5, 2 + np.pi / 2, np.pi])
# How far a heart's centroid lies from the middle of its rhombus, over the half axis towards the lobes.
_HEART_CENTROID: Final = (np.pi / 4 + 1 / 3) / (2 + np.pi / 2)

Float32 = NDArray[np.float32]


def shape_coverage(kind: int, factors: Mapping[str, NDArray[np.float64]], resolution: int) -> Float32:
    """The share of each pixel that a shape covers, before occlusion, blur and noise: (B, H, W), 0 to 1."""
    u, v = turned(factors, factors["rotation"], resolution)
    area = np.square(factors["size"] * resolution)
    short = np.sqrt(area / (_UNIT_AREA[kind] * factors["aspect"]))
    distance = _signed_distance(kind, u, v, column(short * factors["aspect"]), column(short))
    return (0.5 - distance).clip(0, 1)


def column(values: NDArray[np.generic]) -> Float32:
    """One value per image, ready to meet images (B, H, W)."""
    return values.astype(np.float32)[:, None, None]  # (B, 1, 1)


def turned(
    factors: Mapping[str, NDArray[np.float64]], degrees: NDArray[np.float64], resolution: int
) -> tuple[Float32, Float32]:
    """Pixel centres in axes that start at the shape's centroid and are turned by an angle: twice (B, H, W)."""
    places = np.arange(resolution, dtype=np.float32) + np.float32(0.5)
    across = places[None, None, :] - column(factors["x"] * resolution)
    down = places[None, :, None] - column(factors["y"] * resolution)
    cosine, sine = column(np.cos(np.radians(degrees))), column(np.sin(np.radians(degrees)))
    return cosine * across + sine * down, cosine * down - sine * across


def _signed_distance(kind: int, u: Float32, v: Float32, long: Float32, short: Float32) -> Float32:
    """Pixels from the outline, negative inside; `long` and `short` are half axes, or a triangle's legs."""
    if kind in (CIRCLE, ELLIPSE):
        return _ellipse(u, v, long, short)
    if kind in (SQUARE, RECTANGLE):
        return np.maximum(np.abs(u) - long, np.abs(v) - short)
    if kind == RIGHT_TRIANGLE:
        hypotenuse = (u / long + v / short - 1 / 3) / np.sqrt(1 / long**2 + 1 / short**2)
        return np.maximum(np.maximum(-u - long / 3, -v - short / 3), hypotenuse)
    return _heart(u + np.float32(_HEART_CENTROID) * long, np.abs(v), long, short)


def _heart(u: Float32, v: Float32, long: Float32, short: Float32) -> Float32:
    """A rhombus with half an ellipse on each of two neighbouring sides; `v` is the distance from the axis of symmetry.

    The other half of each ellipse lies inside the rhombus, so that the whole one does no harm.
    """
    rhombus = (np.abs(u) / long + v / short - 1) / np.sqrt(1 / long**2 + 1 / short**2)
    half, root_half = np.float32(0.5), np.float32(np.sqrt(0.5))
    return np.minimum(rhombus, _ellipse(u - half * long, v - half * short, root_half * long, root_half * short))


def _ellipse(u: Float32, v: Float32, long: Float32, short: Float32) -> Float32:
    level = np.sqrt(np.square(u / long) + np.square(v / short))
    slope = np.sqrt(np.square(u / long**2) + np.square(v / short**2))
    # To first order. At the very centre the slope is 0, and any clearly negative distance is right.
    return np.where(slope > 0, (level - 1) * level / np.maximum(slope, np.float32(1e-12)), -short)
