"""How much faster are depths than the notebook's way? `python -m benchmarks.depth [--quick] [--json]`.

Both get the same activations of the same torchvision ResNet-18 (shapes, eleven places, k = 30) in one run:
scikit-learn's `KNeighborsClassifier(30)` fitted and asked place by place, and layerwise's search and vote. Depths are
compared with those of a float64 search in NumPy. `--quick` takes 3,000 and 600 images, the whole run 30,000 and 6,000.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks import contenders, oracle
from benchmarks.machine import describe_machine
from benchmarks.oracle import Classes, K, Values
from layerwise.arrays.depth import prediction_depth
from layerwise.data.images import ImageData
from layerwise.data.shapes import load_shapes
from layerwise.models.catalog import load_model
from layerwise.neighbors.search import find_neighbors
from layerwise.recording import Activations, record
from layerwise.runs import peak_memory_bytes
from layerwise.taps import find_taps
from layerwise.training.fit import train

Votes = Callable[[Values, Values, Classes], Classes]


def scikit_learn(base: Values, queries: Values, labels: Classes) -> Classes:
    """The notebook's way."""
    return contenders.scikit_learn(base, labels, count_classes(labels))(queries)


def layerwise(base: Values, queries: Values, labels: Classes) -> Classes:
    """Ours."""
    found = find_neighbors(torch.from_numpy(queries), torch.from_numpy(base), K)
    return found.votes(labels, count_classes(labels))


def float64(base: Values, queries: Values, labels: Classes) -> Classes:
    """The truth."""
    return oracle.float64(base, labels, count_classes(labels))(queries)


def count_classes(labels: Classes) -> int:
    """K, as far as the labels show it."""
    return int(labels.max()) + 1


def depths_and_seconds(votes: Votes, base: Activations, queries: Activations) -> tuple[NDArray[np.int64], float]:
    """Depths (N,) against the network's prediction, and the seconds that the votes took."""
    seconds, by_tap = 0.0, []
    for tap in base.names:
        train_values, test_values = base.flat(tap), queries.flat(tap)
        started = time.perf_counter()
        by_tap.append(votes(train_values, test_values, base.labels))
        seconds += time.perf_counter() - started
    return prediction_depth(np.stack(by_tap) == queries.logits.argmax(axis=1)), seconds


def record_both(data: ImageData, *, epochs: int) -> tuple[Activations, Activations, float]:
    """Train briefly, and record training and test images at all eleven places."""
    model = load_model("resnet18", num_classes=data.num_classes, in_channels=1, seed=0)
    train(model, data, epochs=epochs, batch_size=128, seed=0)
    taps = find_taps(model, data.train, "children")
    started = time.perf_counter()
    base = record(model, data.train, taps, limit_bytes=12e9)
    queries = record(model, data.test, taps, limit_bytes=12e9)
    return base, queries, time.perf_counter() - started


def measure(*, quick: bool) -> dict[str, object]:
    """All numbers of one run."""
    data = load_shapes(train=3000, test=600) if quick else load_shapes()
    base, queries, recording_s = record_both(data, epochs=1)
    ours, ours_s = depths_and_seconds(layerwise, base, queries)
    peak_rss_gb = peak_memory_bytes() / 1e9  # taken here, so that neither rival's memory is counted as ours
    theirs, theirs_s = depths_and_seconds(scikit_learn, base, queries)
    truth, _ = depths_and_seconds(float64, base, queries)
    return {
        "examples": [len(base.labels), len(queries.labels)],
        "taps": len(base.names),
        "features": sum(base.flat(tap).shape[1] for tap in base.names),
        "recording_s": round(recording_s, 2),
        "layerwise_s": round(ours_s, 2),
        "scikit_learn_s": round(theirs_s, 2),
        "speedup": round(theirs_s / ours_s, 2),
        "wrong_depths": int((ours != truth).sum()),
        "wrong_depths_scikit_learn": int((theirs != truth).sum()),
        "peak_rss_gb": round(peak_rss_gb, 2),
        "machine": describe_machine(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the images: under a minute")
    parser.add_argument("--json", action="store_true", help="one JSON object on one line")
    options = parser.parse_args()
    print(json.dumps(measure(quick=options.quick), indent=None if options.json else 2))


if __name__ == "__main__":
    main()
