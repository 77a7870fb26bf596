"""How fast are exact votes? `python -m benchmarks.votes [--quick] [--json] [--cifar10 DIR] [--folder DIR]`.

In one process, on the activations of one network: layerwise, scikit-learn's `KNeighborsClassifier(30)`, FAISS's
`IndexFlatL2` and a plain torch search, with equally many threads; every vote is held against a float64 oracle.

The whole run is the reference job (30,000 × 6,000 at eleven taps, after an epoch of training) and also scans lazily:
from the last tap to the input, only examples that still agree with the network are asked. Each contender runs once.
`--folder` keeps activations (10 GB) and finished taps, and a killed run goes on from there.

`--quick` (under a minute) takes 10,000 × 2,000 at three taps. A rival whose time is up is asked no more queries; its
time is scaled to all of them, and `asked` says how many there were.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.activations import Job, Recorded, record_job
from benchmarks.contenders import RIVALS, same_threads, warm_up
from benchmarks.gemm import SIDE, gemm_limit
from benchmarks.machine import describe_machine
from benchmarks.tap_votes import WHOLE, Pace, TapResult, measure_tap
from layerwise.arrays.depth import prediction_depth
from layerwise.runs import read_json, write_json

REFERENCE = Job(base=30_000, queries=6000, steps=235)
QUICK = Job(base=10_000, queries=2000, steps=4, taps=("relu", "layer1", "layer4"))
QUICK_LIMIT_S = 2.0  # for each contender at the widest tap; at others in proportion to the features
QUICK_WIDTH = 16_384
LEAST_LIMIT_S = 0.5
FINISHED_TAPS = "taps.json"


def measure(job: Job, folder: Path, *, quick: bool, side: int = SIDE) -> dict[str, Any]:
    """All numbers of one run."""
    with same_threads() as threads:
        warm_up()
        recorded = record_job(job, folder)
        results = list(_measure_taps(job, recorded, folder, quick=quick))
        limit, limit_type = gemm_limit(side)
    return {
        **summarize(results, limit),
        **({} if quick else summarize_depths(results, recorded)),
        "gemm_limit_type": limit_type,
        "examples": [len(recorded.base.labels), len(recorded.queries.labels)],
        "data": "CIFAR-10" if job.cifar10 else "shapes",
        "recording_s": round(recorded.seconds, 2),
        "taps": [_shown(result) for result in results],
        "threads": threads,
        "machine": describe_machine(),
        "versions": {name: metadata.version(name) for name in ("scikit-learn", "faiss-cpu", "torch", "numpy")},
    }


def _measure_taps(job: Job, recorded: Recorded, folder: Path, *, quick: bool) -> Iterator[TapResult]:
    """From the last tap to the first; those that an earlier call has finished are read."""
    finished = _finished_taps(job, folder)
    agreeing = np.arange(len(recorded.predictions))
    for tap in reversed(recorded.base.names):
        if tap in finished:
            result = TapResult(**finished[tap])
        else:
            base, queries = recorded.read(tap)
            result = measure_tap(
                tap,
                base,
                queries,
                recorded.base.labels,
                num_classes=recorded.num_classes,
                pace=_quick_pace(base.shape[1]) if quick else WHOLE,
                lazy_rows=None if quick else agreeing,
            )
            finished[tap] = result.as_json()
            write_json(folder / FINISHED_TAPS, {"job": job.facts(), "taps": finished})
        if result.lazy_votes is not None:
            agreeing = agreeing[np.array(result.lazy_votes) == recorded.predictions[agreeing]]
        _tell(result)
        yield result


def _finished_taps(job: Job, folder: Path) -> dict[str, Any]:
    """Tap to its numbers, from an earlier call for the same job."""
    file = folder / FINISHED_TAPS
    kept = read_json(file) if file.exists() else {}
    return dict(kept["taps"]) if kept.get("job") == job.facts() else {}


def _quick_pace(features: int) -> Pace:
    return Pace(limit_s=max(LEAST_LIMIT_S, QUICK_LIMIT_S * features / QUICK_WIDTH), repeats=3)


def summarize(results: list[TapResult], gemm_limit_gflops: float) -> dict[str, Any]:
    """Sums over taps, and what follows from them; `gflops` is the arithmetic of the plain product over our seconds."""
    seconds = {name: sum(result.seconds[name] for result in results) for name in ("layerwise", *RIVALS)}
    wrong = {name: sum(result.wrong_votes[name] for result in results) for name in ("layerwise", *RIVALS)}
    products = sum(2 * result.queries * result.base * result.features for result in results)
    gflops = products / seconds["layerwise"] / 1e9
    asked = sum(result.queries for result in results)
    return {
        **{f"speedup_{name}": round(seconds[name] / seconds["layerwise"], 2) for name in RIVALS},
        "wrong_votes": wrong["layerwise"],
        **{f"wrong_votes_{name}": wrong[name] for name in RIVALS},
        "checked_votes": sum(result.asked["oracle"] for result in results),
        "reranked_share": round(sum(result.reranked for result in results) / asked, 5),
        "sketched_share": round(sum(result.sketched for result in results) / asked, 5),
        "gflops": round(gflops, 1),
        "gemm_limit_gflops": round(gemm_limit_gflops, 1),
        "gemm_share": round(gflops / gemm_limit_gflops, 3),
        "peak_rss_gb": round(max(result.peak_rss_gb for result in results), 2),
        "seconds": {name: round(value, 3) for name, value in seconds.items()},
    }


def summarize_depths(results: list[TapResult], recorded: Recorded) -> dict[str, Any]:
    """What a lazy scan saves, alone and with the recording, which both sides need; and whether depths are right.

    The notebook's way is charged layerwise's recording, so that `e2e_speedup` compares the searches alone.
    """
    lazy_s = sum(result.seconds["lazy"] for result in results)
    theirs_s = sum(result.seconds["sklearn"] for result in results)
    in_order = results[::-1]  # first tap first
    truth, theirs = (
        prediction_depth(np.stack([result.votes[name] for result in in_order]) == recorded.predictions)
        for name in ("oracle", "sklearn")
    )
    agrees = np.zeros((len(results), len(recorded.predictions)), dtype=np.bool_)
    for here, result in zip(agrees, in_order, strict=True):
        here[result.lazy_rows] = np.array(result.lazy_votes) == recorded.predictions[result.lazy_rows]
    return {
        "speedup_lazy": round(theirs_s / lazy_s, 2),
        "e2e_speedup": round((recorded.seconds + theirs_s) / (recorded.seconds + lazy_s), 2),
        "lazy_s": round(lazy_s, 3),
        "wrong_depths": int((prediction_depth(agrees) != truth).sum()),
        "wrong_depths_sklearn": int((theirs != truth).sum()),
    }


def _shown(result: TapResult) -> dict[str, Any]:
    """A tap's numbers without the votes themselves, rounded."""
    row = {name: value for name, value in result.as_json().items() if "votes" not in name or name == "wrong_votes"}
    del row["lazy_rows"]
    gflops = 2 * result.queries * result.base * result.features / result.seconds["layerwise"] / 1e9
    return row | {
        "seconds": {name: round(value, 4) for name, value in result.seconds.items()},
        "gflops": round(gflops, 1),
        "peak_rss_gb": round(result.peak_rss_gb, 3),
        "added_gb": round(result.added_gb, 3),
    }


def _tell(result: TapResult) -> None:
    seconds = ", ".join(f"{name} {value:.2f} s" for name, value in result.seconds.items())
    print(f"{result.tap} ({result.features} features): {seconds}", file=sys.stderr, flush=True)


@contextmanager
def _working_folder(folder: Path | None) -> Iterator[Path]:
    """The folder that was asked for, or one that is removed at the end."""
    if folder is not None:
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="layerwise-votes-") as temporary:
        yield Path(temporary)


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="three taps, a ninth of the pairs: under a minute")
    parser.add_argument("--json", action="store_true", help="one JSON object on one line")
    parser.add_argument("--cifar10", metavar="DIR", help="CIFAR-10 as Parquet files, instead of shapes")
    parser.add_argument("--folder", type=Path, help="keeps activations and finished taps, for going on after a kill")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="for all contenders")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    job = QUICK if options.quick else REFERENCE
    job = Job(**{**vars(job), "cifar10": options.cifar10})
    with _working_folder(options.folder) as folder:
        result = measure(job, folder, quick=options.quick)
    print(json.dumps(result, indent=None if options.json else 2))


if __name__ == "__main__":
    main()
