"""The model of cost: seconds for N base rows, Q queries and D features, fitted, and what ImageNet would take by it.

t = a·N·Q·D  (the products)  +  b·N·Q  (choosing among scores)  +  c·(N + Q)·D  (reading the activations)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

Sizes = NDArray[np.float64]  # (M, 3): N, Q, D of M measurements


@dataclass(frozen=True)
class CostModel:
    """Coefficients in seconds; `relative_error` is the median of |model − measured| / measured."""

    a: float
    b: float
    c: float
    relative_error: float

    def seconds(self, sizes: Sizes) -> NDArray[np.float64]:
        """For sizes (M, 3), seconds (M,)."""
        seconds: NDArray[np.float64] = work(sizes) @ np.array([self.a, self.b, self.c])
        return seconds


def work(sizes: Sizes) -> NDArray[np.float64]:
    """What the three coefficients multiply, shape (M, 3)."""
    base, queries, features = sizes.T
    return np.stack([base * queries * features, base * queries, (base + queries) * features], axis=1)


def fit(sizes: Sizes, seconds: NDArray[np.float64]) -> CostModel:
    """Least squares of relative errors with no coefficient below zero."""
    columns = work(sizes)
    # Columns of like size: the products are billions of times the coefficients that multiply them.
    scale = columns.max(axis=0)
    coefficients = nnls(columns / scale / seconds[:, None], np.ones(len(seconds)))[0] / scale
    errors = np.abs(columns @ coefficients - seconds) / seconds
    a, b, c = map(float, coefficients)
    return CostModel(a, b, c, relative_error=float(np.median(errors)))


# ResNet-50 at 224 × 224, place "blocks": the places' names, how many there are, and the features of each.
RESNET50_BLOCKS = (
    ("input", 1, 3 * 224 * 224),
    ("maxpool", 1, 64 * 56 * 56),
    ("layer1", 3, 256 * 56 * 56),
    ("layer2", 4, 512 * 28 * 28),
    ("layer3", 6, 1024 * 14 * 14),
    ("layer4", 3, 2048 * 7 * 7),
    ("softmax", 1, 1000),
)
IMAGENET_TRAINING, IMAGENET_VALIDATION = 1_281_167, 50_000
RESNET50_MACS = 4_089_184_256  # of one forward pass, by layerwise.count_macs
CANDIDATES = 48
CANDIDATE_BYTES = 12  # a distance and a row


@dataclass(frozen=True)
class Accelerator:
    """An assumption, not a measurement: what one GPU does.

    Attributes:
        flops: dense bfloat16 operations a second that a large product sustains.
        share: what part of it the search reaches.
        bytes_per_s: of its memory.
        score_passes: how often a score is written or read while the best are chosen.
        held_bytes: the queries' activations that its memory holds beside everything else.
    """

    flops: float = 400e12
    share: float = 0.4
    bytes_per_s: float = 3e12
    score_passes: int = 8
    held_bytes: float = 60e9


def imagenet(model: CostModel, gpu: Accelerator, *, grid: tuple[int, int] = (16, 4)) -> dict[str, Any]:
    """ImageNet's validation images against its training images, at all blocks of a ResNet-50: extrapolated.

    Args:
        model: of this machine.
        gpu: what one GPU is taken to do.
        grid: the cluster: in how many parts the base is cut, and in how many the queries.
    """
    taps = sum(count for _, count, _ in RESNET50_BLOCKS)
    features = sum(count * width for _, count, width in RESNET50_BLOCKS)
    images = IMAGENET_TRAINING + IMAGENET_VALIDATION
    machines = math.prod(grid)
    alone, together = _gpu_seconds(gpu, 1, 1), _gpu_seconds(gpu, *grid)
    each = np.array([[IMAGENET_TRAINING, IMAGENET_VALIDATION, width] for _, _, width in RESNET50_BLOCKS], dtype=float)
    counts = np.array([count for _, count, _ in RESNET50_BLOCKS])
    return {
        "taps": taps,
        "features": features,
        "operations": 2.0 * IMAGENET_TRAINING * IMAGENET_VALIDATION * features,
        "bytes_float32": 4 * images * features,
        "bytes_bfloat16": 2 * images * features,
        "queries_bytes_bfloat16": 2 * IMAGENET_VALIDATION * features,
        "merged_bytes": grid[0] * taps * IMAGENET_VALIDATION * CANDIDATES * CANDIDATE_BYTES,
        "gpu_assumed": vars(gpu),
        "gpu_s": alone,
        "gpu_total_s": math.fsum(alone.values()),
        "grid": grid,
        "machines": machines,
        "machine_s": together,
        "machine_total_s": math.fsum(together.values()),
        "this_machine_s": float(counts @ model.seconds(each)),
    }


def _gpu_seconds(gpu: Accelerator, base_parts: int, query_parts: int) -> dict[str, float]:
    """What each GPU of a grid does: its products, choosing the best, and the network, as often as memory demands."""
    taps = sum(count for _, count, _ in RESNET50_BLOCKS)
    features = sum(count * width for _, count, width in RESNET50_BLOCKS)
    base, queries = IMAGENET_TRAINING / base_parts, IMAGENET_VALIDATION / query_parts
    network_passes = math.ceil(2 * queries * features / gpu.held_bytes)
    return {
        "products": 2 * base * queries * features / (gpu.flops * gpu.share),
        "choosing": 4 * base * queries * taps * gpu.score_passes / gpu.bytes_per_s,
        "network": 2 * network_passes * (base + queries) * RESNET50_MACS / (gpu.flops * gpu.share),
    }
