"""How fast are exact votes? `python -m benchmarks.votes [--quick] [--json] [--run RUN] [--folder DIR]`.

In one process, on the activations of one network: layerwise, scikit-learn's `KNeighborsClassifier(30)`, FAISS's
`IndexFlatL2` and a plain torch search, with equally many threads. At each tap a float64 oracle answers a seeded sample
of the queries, and everybody's votes for these are held against its.

The whole run is the reference job (30,000 × 6,000 at eleven taps), each contender once, and then one real call of
`measure_depths`, recording included. `--run` takes network and images from a finished run of `layerwise train`; without
it, a network is trained for an epoch. `--folder` keeps finished taps, and a killed run goes on from there. Activations
stay in memory, at most 5 GB of them at once.

`--quick` (under a minute) takes 8,000 × 1,600 at three taps. A rival whose time is up is asked no more queries; its
time is scaled to all of them, and `asked` says how many there were.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.activations import LIMIT_BYTES, Job, Recorded, Subject, load_subject, record_taps
from benchmarks.contenders import RIVALS, same_threads, warm_up
from benchmarks.gemm import SIDE, gemm_limit
from benchmarks.kept import Kept
from benchmarks.lazy_depths import compare_depths, measure_lazily
from benchmarks.machine import describe_machine
from benchmarks.tap_votes import CONTENDERS, WHOLE, Pace, TapResult, measure_tap
from layerwise import seeds
from layerwise.errors import LayerwiseError
from layerwise.models.saved import fingerprint

REFERENCE = Job(base=30_000, queries=6000, steps=235)
QUICK = Job(base=8000, queries=1600, steps=4, taps=("relu", "layer1", "layer4"), check=60)
QUICK_LIMIT_S = 1.5  # for each contender at the widest tap; at others in proportion to the features
QUICK_WIDTH = 16_384
LEAST_LIMIT_S = 0.3
QUICK_SIDE = SIDE // 2


def measure(job: Job, folder: Path, *, quick: bool, side: int = SIDE) -> dict[str, Any]:
    """All numbers of one run."""
    with same_threads() as threads:
        warm_up()
        subject = load_subject(job, folder)
        kept = Kept(folder, {**vars(job), "network": fingerprint(subject.model), "threads": threads})
        groups = subject.groups(job.taps)
        for group in groups:
            _measure_group(group, subject, kept, job, quick=quick)
        results = [kept.read_tap(tap) for tap in subject.taps.names if kept.has(tap)]
        recording_s = sum(kept.recordings().values())
        depths = {} if quick else _measure_depths(results, subject, kept, recording_s)
        limit, limit_type = gemm_limit(side)
    return {
        **summarize(results, limit),
        **depths,
        "gemm_limit_type": limit_type,
        "examples": [len(subject.base), len(subject.queries)],
        "data": "CIFAR-10" if job.cifar10 else subject.base.name,
        "network": job.run or f"ResNet-18 after {job.steps} steps",
        "recording_s": round(recording_s, 2),
        "recording_timed": (
            f"{sum(map(len, groups))} taps of all images, into memory, in {len(groups)} group(s) of at most "
            f"{LIMIT_BYTES / 1e9:.0f} GB: a forward pass of all images for each group"
        ),
        "taps": [_shown(result) for result in results],
        "threads": threads,
        "machine": describe_machine(),
        "versions": {name: metadata.version(name) for name in ("scikit-learn", "faiss-cpu", "torch", "numpy")},
    }


def _measure_group(group: list[str], subject: Subject, kept: Kept, job: Job, *, quick: bool) -> None:
    """Record those of the taps that no earlier run has finished, and measure them one by one."""
    still_open = [tap for tap in group if not kept.has(tap)]
    if not still_open:
        return
    recorded = record_taps(subject, still_open)
    _tell(f"recorded {', '.join(still_open)}: {recorded.seconds:.1f} s")
    if still_open == group:
        kept.note_recording(group, recorded.seconds, recorded.queries.logits.argmax(axis=1))
    for tap in still_open:
        result = _measure(tap, recorded, subject.base.num_classes, job, quick=quick)
        kept.write_tap(result)
        seconds = ", ".join(f"{name} {value:.2f} s" for name, value in result.seconds.items())
        _tell(f"{tap} ({result.features} features): {seconds}; wrong {result.wrong_votes}")


def _measure(tap: str, recorded: Recorded, num_classes: int, job: Job, *, quick: bool) -> TapResult:
    base, queries = recorded.base.flat(tap), recorded.queries.flat(tap)
    return measure_tap(
        tap,
        base,
        queries,
        recorded.base.labels,
        num_classes=num_classes,
        checked_rows=sample_rows(len(queries), job.check),
        pace=_quick_pace(base.shape[1]) if quick else WHOLE,
    )


def sample_rows(queries: int, count: int) -> NDArray[np.int64]:
    """The queries that the oracle answers, in order: the same at every tap, so that their depths are checked, too."""
    chosen = seeds.stream(0, "oracle").choice(queries, min(count, queries), replace=False)
    return np.sort(chosen)


def _quick_pace(features: int) -> Pace:
    return Pace(limit_s=max(LEAST_LIMIT_S, QUICK_LIMIT_S * features / QUICK_WIDTH), repeats=2)


def _measure_depths(results: list[TapResult], subject: Subject, kept: Kept, recording_s: float) -> dict[str, Any]:
    lazy = measure_lazily(subject, kept)
    _tell(f"depths alone: {lazy.total_s:.1f} s, of which recording {lazy.recording_s:.1f}, search {lazy.search_s:.1f}")
    return compare_depths(results, lazy, kept.predictions(), recording_s)


def summarize(results: list[TapResult], gemm_limit_gflops: float) -> dict[str, Any]:
    """Sums over taps, and what follows from them; `gflops` is the arithmetic of the plain product over our seconds."""
    seconds = {name: sum(result.seconds[name] for result in results) for name in CONTENDERS}
    wrong = {name: sum(result.wrong_votes[name] for result in results) for name in CONTENDERS}
    products = sum(2 * result.queries * result.base * result.features for result in results)
    gflops = products / seconds["layerwise"] / 1e9
    all_votes = sum(result.queries for result in results)
    return {
        **{f"speedup_{name}": round(seconds[name] / seconds["layerwise"], 2) for name in RIVALS},
        "wrong_votes": wrong["layerwise"],
        **{f"wrong_votes_{name}": wrong[name] for name in RIVALS},
        "checked_votes": sum(result.asked["oracle"] for result in results),
        "checked_votes_by_contender": {name: sum(result.checked[name] for result in results) for name in CONTENDERS},
        "all_votes": all_votes,
        "reranked_share": round(sum(result.reranked for result in results) / all_votes, 5),
        "sketched_share": round(sum(result.sketched for result in results) / all_votes, 5),
        "gflops": round(gflops, 1),
        "gemm_limit_gflops": round(gemm_limit_gflops, 1),
        "gemm_share": round(gflops / gemm_limit_gflops, 3),
        "peak_rss_gb": round(max(result.peak_rss_gb for result in results), 2),
        "seconds": {name: round(value, 3) for name, value in seconds.items()},
    }


def _shown(result: TapResult) -> dict[str, Any]:
    """A tap's numbers, rounded."""
    gflops = 2 * result.queries * result.base * result.features / result.seconds["layerwise"] / 1e9
    return result.numbers() | {
        "seconds": {name: round(value, 4) for name, value in result.seconds.items()},
        "gflops": round(gflops, 1),
        "peak_rss_gb": round(result.peak_rss_gb, 3),
        "added_gb": round(result.added_gb, 3),
    }


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


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
    parser.add_argument("--quick", action="store_true", help="three taps, a fourteenth of the pairs: under a minute")
    parser.add_argument("--json", action="store_true", help="one JSON object on one line")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--run", metavar="RUN", help="a trained network and its images, instead of training one")
    source.add_argument("--cifar10", metavar="DIR", help="CIFAR-10 as Parquet files, instead of shapes")
    parser.add_argument("--check", type=int, metavar="N", help="queries that the oracle answers at each tap")
    parser.add_argument("--folder", type=Path, help="keeps finished taps, for going on after a kill")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="for all contenders")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    job = QUICK if options.quick else REFERENCE
    check = job.check if options.check is None else options.check
    job = replace(job, cifar10=options.cifar10, run=options.run, check=check)
    try:
        with _working_folder(options.folder) as folder:
            side = QUICK_SIDE if options.quick else SIDE
            result = measure(job, folder, quick=options.quick, side=side)
    except LayerwiseError as error:
        sys.exit(str(error))
    print(json.dumps(result, indent=None if options.json else 2))


if __name__ == "__main__":
    main()
