"""How does the cost of votes grow? `python -m benchmarks.votes_growth [--json] [--plot FILE.png]`.

Times `find_votes` and its memory against N (rows of the base), Q (queries) and D (features), one at a time, on
clustered activations like those behind a ReLU; fits the model of `benchmarks.growth_model`, and says what it makes of
ImageNet. Measured is what stands under "points"; "imagenet" is extrapolated.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.contenders import layerwise, same_threads, warm_up
from benchmarks.growth_model import Accelerator, Sizes, fit, imagenet
from benchmarks.growth_plot import plot_growth, save
from benchmarks.machine import describe_machine
from benchmarks.memory import MemoryPeak
from benchmarks.oracle import Classes, Values
from layerwise.neighbors.effort import Effort

CENTER = (8192, 2048, 2048)  # N, Q, D
SWEEPS = (
    (1024, 2048, 4096, 8192, 16384, 32768, 65536),
    (256, 512, 1024, 2048, 4096, 8192, 16384),
    (64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384),
)
CLUSTERS = 300
RANK = 16
NOISE = 0.3
CLASSES = 10
ENOUGH_S = 2.0
MOST_REPEATS = 5


def activations(rows: int, features: int, *, part: int) -> tuple[Values, Classes]:
    """Values (rows, features) and labels: clusters of one class, varied in a few directions, cut off below zero."""
    shared = torch.Generator().manual_seed(0)
    centers = torch.randn((CLUSTERS, features), generator=shared)
    directions = torch.randn((RANK, features), generator=shared) / RANK**0.5
    own = torch.Generator().manual_seed(1 + part)
    clusters = torch.randint(CLUSTERS, (rows,), generator=own)
    values = torch.randn((rows, RANK), generator=own) @ directions
    values += centers[clusters]
    values += NOISE * torch.randn((rows, features), generator=own)
    return values.relu_().numpy(), clusters.numpy() % CLASSES


def measure_point(rows: int, queries: int, features: int) -> dict[str, float]:
    """Median seconds, and the megabytes that the search needs beside the activations."""
    base, labels = activations(rows, features, part=0)
    asking, _ = activations(queries, features, part=1)
    taken: list[float] = []
    with MemoryPeak() as memory:
        while not taken or (len(taken) < MOST_REPEATS and sum(taken) < ENOUGH_S):
            started = time.perf_counter()
            layerwise(Effort())(base, labels, CLASSES)(asking)
            taken.append(time.perf_counter() - started)
    return {"seconds": statistics.median(taken), "added_mb": memory.added_bytes / 1e6, "repeats": len(taken)}


def sizes_of(axis: int, center: tuple[int, ...], sweep: tuple[int, ...]) -> Sizes:
    """The sizes (M, 3) of one sweep: N, Q or D varies, the others stay."""
    sizes = np.tile(np.array(center, dtype=np.float64), (len(sweep), 1))
    sizes[:, axis] = sweep
    return sizes


def measure(
    *, center: tuple[int, ...] = CENTER, sweeps: tuple[tuple[int, ...], ...] = SWEEPS, plot: Path | None = None
) -> dict[str, Any]:
    """All points, the model and the estimate; the figure, if a file is named for it."""
    sizes = [sizes_of(axis, center, sweep) for axis, sweep in enumerate(sweeps)]
    with same_threads() as threads:
        warm_up()
        points = [[_told(*map(int, row)) for row in rows] for rows in sizes]
    seconds = np.array([point["seconds"] for row in points for point in row])
    model = fit(np.concatenate(sizes), seconds)
    if plot is not None:
        columns = [{name: np.array([point[name] for point in row]) for name in row[0]} for row in points]
        save(plot_growth(sizes, columns, model), plot)
    return {
        "points": [point for row in points for point in row],
        "model": asdict(model),
        "imagenet": imagenet(model, Accelerator()),
        "threads": threads,
        "machine": describe_machine(),
    }


def _told(rows: int, queries: int, features: int) -> dict[str, float]:
    point = {"N": rows, "Q": queries, "D": features} | measure_point(rows, queries, features)
    line = f"N {rows:6}  Q {queries:6}  D {features:6}  {point['seconds']:8.3f} s  {point['added_mb']:8.1f} MB"
    print(line, file=sys.stderr, flush=True)
    return point


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object on one line")
    parser.add_argument("--plot", type=Path, metavar="FILE.png", help="draw points and model")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(json.dumps(measure(plot=options.plot), indent=None if options.json else 2))


if __name__ == "__main__":
    main()
