"""How fast are maps and units, what does alignment cost? `python -m benchmarks.maps [--quick] [--json] [--run RUN]`.

In one process, with equally many threads, on the pixels of one data set and the taps of one network:

- `tsne_speedup`: scikit-learn's t-SNE over ours (neighbours included), same perplexity, on the same 50 components; with
  the k-NN recall of both. The whole run does it for 50,000 images too, if there are so many (`tsne_speedup_50k`).
- `alignment_cost`: by how many points aligned maps have less k-NN recall than maps that each start from their own
  components, the mean over taps; `taps_s` is what all aligned maps took, recording and quality included.
- `place_ms`: one new image on the maps of all taps, the median of many.
- `encoder_gap`: how many points fewer of the held-out images have neighbours of their class where parametric t-SNE puts
  them than where openTSNE's `transform` does: the larger of two gaps, on the pixels and on the last tap before the
  softmax (with `--quick`, on the digits, with half the steps for the map); `encoder_s` is what the training took,
  openTSNE's map not counted.
- `principal_angle_deg`: the largest angle between what the linear autoencoder of the digits spans, and PCA.
- `units_over_forward`: what units cost, over two passes of the plain network over the same images.

`--run` takes network and images from a finished run of `layerwise train`; without it, an untrained ResNet-20 on drawn
shapes. `--quick` (under a minute) takes few images.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.manifold import TSNE
from torch import nn

from benchmarks.encoders import against_transform, principal_angle
from benchmarks.machine import describe_machine
from benchmarks.recording import run_plainly
from layerwise.arrays.map_quality import map_quality
from layerwise.cli.sources import source_of_run
from layerwise.data.images import ImageData
from layerwise.data.shapes import load_shapes
from layerwise.errors import LayerwiseError
from layerwise.inside.embedding.new_images import MapPlacer
from layerwise.inside.embedding.reduction import reduce_features
from layerwise.inside.embedding.result import TapMaps
from layerwise.inside.embedding.taps import MapSettings, embed_taps
from layerwise.inside.embedding.tsne import draw_tsne
from layerwise.inside.units import measure_units
from layerwise.models.catalog import load_model
from layerwise.recording import record
from layerwise.seeds import stream
from layerwise.taps import INPUT, SOFTMAX, find_taps
from layerwise.taps.borrowing import Preprocess

PERPLEXITY = 30.0
LARGE = 50_000
PLACED = 25
UNIT_ROUNDS = 3


@dataclass(frozen=True)
class Job:
    """How much is done."""

    images: int
    place: str | list[str]
    unit_images: int


WHOLE = Job(images=10_000, place="blocks", unit_images=2000)
QUICK = Job(images=600, place=["layer2.0.relu2"], unit_images=96)


def measure(job: Job, run: Path | None) -> dict[str, Any]:
    """All numbers of one run."""
    model, preprocessing, data = _subject(run)
    data = data.select(np.flatnonzero(data.splits != "test"))
    some = data.select(slice(0, job.images))
    result = {"images": len(some), **_against_scikit_learn(_pixels(some), some.labels)}
    if job is WHOLE and len(data) >= LARGE:
        large = _against_scikit_learn(_pixels(data.select(slice(0, LARGE))), data.labels[:LARGE])
        result |= {f"{name}_50k": value for name, value in large.items()}
    settings = MapSettings(("tsne",), perplexity=PERPLEXITY)
    started = time.perf_counter()
    aligned = _drawn(model, some, job.place, preprocessing, settings)
    taps_s = time.perf_counter() - started
    alone = _drawn(
        model,
        some,
        job.place,
        preprocessing,
        MapSettings(("tsne",), perplexity=PERPLEXITY, aligned=False),
        finished={aligned[0].tap: aligned[0]},  # which starts from its own components either way
    )
    result |= {
        "taps": len(aligned),
        "taps_s": round(taps_s, 1),
        "recall_aligned": [round(_recall(maps), 4) for maps in aligned],
        "recall_alone": [round(_recall(maps), 4) for maps in alone],
        "alignment_cost": round(100 * (_mean_recall(alone[1:]) - _mean_recall(aligned[1:])), 3),
        "place_ms": round(_place_ms(model, aligned, some, preprocessing), 1),
    }
    if job is WHOLE:
        place = INPUT, aligned[-2].tap if aligned[-1].tap == SOFTMAX else aligned[-1].tap
        result |= _encoders(model, some, place, preprocessing)
    else:
        result |= _encoders_of_digits()
    return {**result, **principal_angle(), **_units(data.select(slice(0, job.unit_images)))}


def _subject(run: Path | None) -> tuple[nn.Module, Preprocess | None, ImageData]:
    if run is None:
        data = load_shapes(train=LARGE // 5, test=6)
        return load_model("resnet20", num_classes=data.num_classes, in_channels=1).eval(), None, data
    source = source_of_run(run, None, seed=0, model=None, trust_code=False, may_ask=False)
    return source.model.eval(), source.description.preprocessing, source.data


def _pixels(data: ImageData) -> NDArray[np.float32]:
    return data.batch(slice(0, len(data))).reshape(len(data), -1)


def _against_scikit_learn(features: NDArray[np.float32], labels: NDArray[np.int64]) -> dict[str, Any]:
    _, values = reduce_features(features)
    started = time.perf_counter()
    ours = draw_tsne(values, start=values[:, :2], perplexity=PERPLEXITY).coordinates
    ours_s = time.perf_counter() - started
    _tell(f"t-SNE of {len(values):,} points: {ours_s:.1f} s")
    started = time.perf_counter()
    theirs = TSNE(perplexity=PERPLEXITY, random_state=0, n_jobs=torch.get_num_threads()).fit_transform(values)
    theirs_s = time.perf_counter() - started
    _tell(f"scikit-learn's: {theirs_s:.1f} s")
    recalls = [map_quality(values, one, labels).summary()["recall"] for one in (ours, theirs)]
    return {
        "tsne_speedup": round(theirs_s / ours_s, 2),
        "tsne_s": round(ours_s, 2),
        "tsne_sklearn_s": round(theirs_s, 2),
        "tsne_recall": round(recalls[0], 4),
        "tsne_recall_sklearn": round(recalls[1], 4),
    }


def _drawn(
    model: nn.Module,
    data: ImageData,
    place: str | list[str],
    preprocessing: Preprocess | None,
    settings: MapSettings,
    finished: Mapping[str, TapMaps] | None = None,
) -> list[TapMaps]:
    drawn = []
    for maps in embed_taps(model, data, place, preprocessing=preprocessing, settings=settings, finished=finished):
        _tell(f"{maps.tap}: {maps.maps[0].facts['seconds']:.1f} s, recall {_recall(maps):.3f}")
        drawn.append(maps)
    return drawn


def _recall(maps: TapMaps) -> float:
    return float(maps.maps[0].quality.recall.mean())


def _mean_recall(drawn: list[TapMaps]) -> float:
    return float(np.mean([_recall(maps) for maps in drawn]))


def _place_ms(model: nn.Module, maps: list[TapMaps], data: ImageData, preprocessing: Preprocess | None) -> float:
    placer = MapPlacer(model, maps, image_shape=data.image_shape, preprocessing=preprocessing)
    taken = []
    for row in range(PLACED):
        image = data.batch(slice(row, row + 1))
        started = time.perf_counter()
        placer.place(image)
        taken.append(time.perf_counter() - started)
    return 1e3 * statistics.median(taken[1:])


def _encoders(
    model: nn.Module, data: ImageData, place: tuple[str, str], preprocessing: Preprocess | None
) -> dict[str, Any]:
    """A fifth of the images held out, drawn at random."""
    order = stream(0, "benchmark of encoders").permutation(len(data))
    new, learned = order[: len(data) // 5], order[len(data) // 5 :]
    taps = find_taps(model, data.select(slice(0, 1)), [place[1]], preprocessing=preprocessing)
    recorded = record(model, data, taps, only=place, preprocessing=preprocessing)
    rows = {}
    for tap in place:
        values = np.asarray(recorded.flat(tap), np.float32)
        rows[tap] = against_transform(
            values[learned], data.labels[learned], values[new], data.labels[new], perplexity=PERPLEXITY
        )
        _tell(f"{tap}: {rows[tap]}")
    return _gap(rows)


def _encoders_of_digits() -> dict[str, Any]:
    """Few of other images would be all noise; of the digits 397 are held out."""
    pixels, labels = load_digits(return_X_y=True)
    order = stream(0, "benchmark of encoders").permutation(len(pixels))
    learned, new = order[:1400], order[1400:]
    row = against_transform(
        pixels[learned].astype(np.float32), labels[learned], pixels[new].astype(np.float32), labels[new],
        perplexity=PERPLEXITY, map_steps=400,
    )  # fmt: skip
    return _gap({"digits": row})


def _gap(rows: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    return {
        "encoder_gap": round(100 * max(row["transform"] - row["encoder"] for row in rows.values()), 2),
        "encoder_s": round(max(row["seconds"] for row in rows.values()), 1),
        "encoders": {tap: {name: round(value, 4) for name, value in row.items()} for tap, row in rows.items()},
    }


def _units(data: ImageData) -> dict[str, Any]:
    """In turns, so that a busy machine slows both alike; an untrained ResNet-18 does the same work as a trained one."""
    network = load_model("resnet18-cifar", num_classes=10, in_channels=data.image_shape[0]).eval()
    ratios = []
    for _ in range(UNIT_ROUNDS):
        started = time.perf_counter()
        run_plainly(network, data, 256)
        plain = time.perf_counter() - started
        started = time.perf_counter()
        measure_units(network, data)
        ratios.append((time.perf_counter() - started) / (2 * plain))
    return {
        "units_over_forward": round(statistics.median(ratios), 3),
        "units_over_forward_each": np.round(ratios, 3).tolist(),
        "units_images": len(data),
    }


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few images: under a minute")
    parser.add_argument("--json", action="store_true", help="one JSON object on one line")
    parser.add_argument("--run", type=Path, metavar="RUN", help="a trained network and its images")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="for both sides")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    try:
        result = measure(QUICK if options.quick else WHOLE, options.run)
    except LayerwiseError as error:
        sys.exit(str(error))
    result |= {
        "perplexity": PERPLEXITY,
        "machine": describe_machine(),
        "versions": {name: metadata.version(name) for name in ("openTSNE", "scikit-learn", "torch", "numpy")},
    }
    print(json.dumps(result, indent=None if options.json else 2))


if __name__ == "__main__":
    main()
