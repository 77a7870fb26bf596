"""Does recording cost more than the plain forward pass? `python -m benchmarks.recording [--json]`.

Times, alternately so that a busy machine slows both alike: a plain loop of forward passes, and `record` with mean
pooling at all `blocks` taps (input and softmax included). Reports the ratio of the medians, of wall time and of
processor time; on a machine that others use, the second is the one to trust.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from benchmarks.machine import describe_machine
from layerwise import seeds
from layerwise.data.images import ImageData
from layerwise.models.catalog import load_model
from layerwise.recording import record
from layerwise.taps import Taps, find_taps


def measure(*, network: str, examples: int, batch_size: int, repeats: int, place: str) -> dict[str, Any]:
    """Median times in seconds of both, and their ratio."""
    model = load_model(network, num_classes=10).eval()
    pixels = seeds.stream(0, "benchmark").integers(0, 256, (examples, 3, 32, 32), dtype=np.uint8)
    data = ImageData.create(pixels, np.arange(examples) % 10)
    taps = find_taps(model, data, place)
    contenders: dict[str, Callable[[], None]] = {
        "forward": lambda: run_plainly(model, data, batch_size),
        "record": lambda: run_recording(model, data, taps, batch_size),
    }
    wall, processor = time_alternately(contenders, repeats=repeats)
    medians = {name: statistics.median(times) for name, times in wall.items()}
    work = {name: statistics.median(times) for name, times in processor.items()}
    return {
        "network": network,
        "place": place,
        "taps": len(taps),
        "reader": type(taps.reader).__name__,
        "examples": examples,
        "batch_size": batch_size,
        "repeats": repeats,
        "forward_s": round(medians["forward"], 4),
        "record_s": round(medians["record"], 4),
        "ratio": round(medians["record"] / medians["forward"], 3),
        "ratio_processor_time": round(work["record"] / work["forward"], 3),
        "ratio_of_each_pair": [round(b / a, 3) for a, b in zip(wall["forward"], wall["record"], strict=True)],
    }


def run_plainly(model: nn.Module, data: ImageData, batch_size: int) -> None:
    """What a user would write: the same batches, nothing kept but the logits."""
    with torch.no_grad():
        for start in range(0, len(data), batch_size):
            model(torch.from_numpy(data.batch(slice(start, start + batch_size))))


def run_recording(model: nn.Module, data: ImageData, taps: Taps, batch_size: int) -> None:
    """The same with pooled activations of all taps."""
    record(model, data, taps, batch_size=batch_size, reduce="mean_pool")


Times = dict[str, list[float]]


def time_alternately(contenders: dict[str, Callable[[], None]], *, repeats: int) -> tuple[Times, Times]:
    """Seconds of wall and of processor time of each run, in turns, after one run of each that is not counted."""
    wall: Times = {name: [] for name in contenders}
    processor: Times = {name: [] for name in contenders}
    for _ in range(repeats + 1):
        for name, run in contenders.items():
            start, start_processor = time.perf_counter(), time.process_time()
            run()
            wall[name].append(time.perf_counter() - start)
            processor[name].append(time.process_time() - start_processor)
    return {name: taken[1:] for name, taken in wall.items()}, {name: taken[1:] for name, taken in processor.items()}


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", default="resnet20")
    parser.add_argument("--place", default="blocks")
    parser.add_argument("--examples", type=int, default=512)
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    result = measure(
        network=options.network,
        examples=options.examples,
        batch_size=options.batch_size,
        repeats=options.repeats,
        place=options.place,
    )
    result |= describe_machine()
    print(json.dumps(result) if options.json else "\n".join(f"{name:20} {value}" for name, value in result.items()))


if __name__ == "__main__":
    main()
