"""How much memory does a tap of 65,536 features need? `python -m benchmarks.wide_tap --cifar10 DIR [--json]`.

The tap is the stem's output of a ResNet-18 as it is used for CIFAR-10, with random weights: 15.7 GB in float32 for the
50,000 training and 10,000 test images. It is searched in shards. The process's own memory is watched every 5 ms, from
before the images are read. The neighbours of some queries are compared with a search in float64.
"""

from __future__ import annotations

import argparse
import json
import time
from functools import reduce
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from torch import nn

from benchmarks.machine import describe_machine
from benchmarks.memory import MemoryPeak
from layerwise import seeds
from layerwise.data.images import ImageData
from layerwise.data.parquet import load_parquet
from layerwise.data.shapes import load_shapes
from layerwise.difficulty.measuring import measure_difficulty
from layerwise.difficulty.result import Difficulty
from layerwise.difficulty.settings import ProbeSettings
from layerwise.models.catalog import load_model
from layerwise.neighbors.found import Neighbors, merge_neighbors, nearest_first
from layerwise.recording import record
from layerwise.taps import find_taps

TAP = "relu"
K = 30
AT_ONCE = 500


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cifar10", help="a folder of Parquet files; without it, 2,000 shapes are drawn")
    parser.add_argument("--limit-gb", type=float, default=2.0, help="for activations")
    parser.add_argument("--check", type=int, default=20, help="queries that are compared with float64")
    parser.add_argument("--json", action="store_true", help="one JSON object on one line")
    options = parser.parse_args()
    with MemoryPeak() as memory:
        data = load_parquet(options.cifar10) if options.cifar10 else load_shapes(train=1500, test=500)
        torch.manual_seed(0)
        model = load_model("resnet18-cifar", num_classes=data.num_classes, in_channels=data.image_shape[0])
        started = time.perf_counter()
        settings = ProbeSettings(K, limit_bytes=options.limit_gb * 1e9)
        measured = measure_difficulty(model, data.train, data.test, place=[TAP], settings=settings)
        seconds = time.perf_counter() - started
    checked = seeds.stream(0, "checked").choice(len(data.test), options.check, replace=False)
    result = {
        **_facts(measured, seconds),
        "limit_gb": options.limit_gb,
        "peak_rss_gb": round(memory.peak_bytes / 1e9, 3),
        "checked": len(checked),
        "wrong_neighbors": int((_found(measured, checked) != _true_neighbors(model, data, checked)).sum()),
        "machine": describe_machine(),
    }
    print(json.dumps(result, indent=None if options.json else 2))


def _facts(measured: Difficulty, seconds: float) -> dict[str, Any]:
    (tap,) = (tap for tap in measured.taps if tap.name == TAP)
    spent = measured.provenance["seconds"]
    return {
        "base": len(measured.base_labels),
        "queries": len(measured.ids),
        "features": tap.features,
        "seconds": round(seconds, 1),
        "recording_s": round(spent["recording"], 1),
        "search_s": {name: round(search_s, 1) for name, search_s in spent["search"].items()},
    }


def _found(measured: Difficulty, checked: NDArray[np.int64]) -> NDArray[np.int64]:
    place = [tap.name for tap in measured.taps].index(TAP)
    return measured.neighbors[checked, place].astype(np.int64)


def _true_neighbors(model: nn.Module, data: ImageData, checked: NDArray[np.int64]) -> NDArray[np.int64]:
    """By distances in float64 of a few hundred rows at a time: shape (C, K)."""
    taps = find_taps(model, data.train.select(slice(0, 1)), [TAP])
    queries = record(model, data.test.select(checked), taps, only=[TAP], logits=False).flat(TAP)

    def nearest_of(start: int) -> Neighbors:
        rows = np.arange(start, min(start + AT_ONCE, len(data.train)))
        base = record(model, data.train.select(rows), taps, only=[TAP], logits=False).flat(TAP)
        return nearest_first(np.tile(rows, (len(queries), 1)), cdist(queries, base, "sqeuclidean"), K)

    parts = (nearest_of(start) for start in range(0, len(data.train), AT_ONCE))
    return reduce(lambda first, second: merge_neighbors(first, second, K), parts).rows


if __name__ == "__main__":
    main()
