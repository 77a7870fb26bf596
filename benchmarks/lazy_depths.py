"""measure_lazily: what a user's `--depths-only` does, timed as a whole; compare_depths: is it right, and faster?

Recording is part of it: a lazy scan records early taps only for the examples that are still open.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.activations import LIMIT_BYTES, PLACE, Subject
from benchmarks.kept import Kept
from benchmarks.oracle import K
from benchmarks.tap_votes import NOT_ASKED, TapResult
from layerwise.arrays.depth import prediction_depth
from layerwise.difficulty.measuring import measure_depths
from layerwise.difficulty.settings import ProbeSettings

LAZY = "depths-alone"


@dataclass(frozen=True)
class Lazy:
    """What one call of `measure_depths` gave.

    Attributes:
        total_s: seconds of the whole call.
        recording_s: those of its recordings.
        search_s: those of its searches.
        asked: tap to about how many queries it was asked.
        depth: shape (Q,).
    """

    total_s: float
    recording_s: float
    search_s: float
    asked: dict[str, int]
    depth: NDArray[np.int64]


def measure_lazily(subject: Subject, kept: Kept) -> Lazy:
    """One call, unless an earlier run has finished it."""
    if not kept.has(LAZY):
        started = time.perf_counter()
        measured = measure_depths(
            subject.model,
            subject.base,
            subject.queries,
            place=PLACE,
            preprocessing=subject.preprocessing,
            settings=ProbeSettings(k=K, limit_bytes=LIMIT_BYTES),
        )
        total_s = time.perf_counter() - started
        seconds, asked = (measured.provenance[name] for name in ("seconds", "asked"))
        times = {
            "total_s": total_s,
            "recording_s": seconds["recording"],
            "search_s": sum(seconds["search"].values()),
        }
        kept.write(LAZY, {**times, "asked": asked}, measured.depth)
    numbers, depth = kept.read(LAZY)
    return Lazy(**numbers, depth=depth)


def compare_depths(
    results: list[TapResult], lazy: Lazy, predictions: NDArray[np.int64], recording_s: float
) -> dict[str, Any]:
    """What a lazy scan saves, in its searches alone and as a whole call; and whether depths are right.

    Args:
        results: of all taps, first tap first.
        lazy: depths alone.
        predictions: shape (Q,), the reference class.
        recording_s: seconds of recording all taps, without which scikit-learn has nothing to search.
    """
    sklearn_s = sum(result.seconds["sklearn"] for result in results)
    votes = {name: np.stack([result.votes[name] for result in results]) for name in ("layerwise", "sklearn", "oracle")}
    depths = {name: prediction_depth(by_tap == predictions) for name, by_tap in votes.items()}
    checked = (votes["oracle"] != NOT_ASKED).all(axis=0)
    wrong = {name: int((depth != depths["oracle"])[checked].sum()) for name, depth in depths.items()}
    return {
        "speedup_lazy": round(sklearn_s / lazy.search_s, 2),
        "e2e_speedup": round((recording_s + sklearn_s) / lazy.total_s, 2),
        "lazy_s": round(lazy.search_s, 3),
        "lazy_recording_s": round(lazy.recording_s, 2),
        "lazy_total_s": round(lazy.total_s, 2),
        "lazy_asked": lazy.asked,
        "wrong_depths_lazy": int((lazy.depth != depths["layerwise"]).sum()),
        "wrong_depths": wrong["layerwise"],
        "wrong_depths_sklearn": wrong["sklearn"],
        "checked_depths": int(checked.sum()),
    }
