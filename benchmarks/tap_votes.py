"""measure_tap: everybody's votes at one tap, timed side by side and held against the float64 oracle."""

from __future__ import annotations

import statistics
import time
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.contenders import RIVALS, Contender, layerwise
from benchmarks.memory import MemoryPeak
from benchmarks.oracle import Classes, Values, float64
from layerwise.neighbors.effort import Effort

PARTS = 8


@dataclass(frozen=True)
class Pace:
    """How long a contender may be asked: in parts until `limit_s` is over; ours as a whole, up to `repeats` times."""

    limit_s: float
    repeats: int


WHOLE = Pace(limit_s=float("inf"), repeats=1)


@dataclass(frozen=True)
class TapResult:
    """The numbers of one tap; `votes` and `lazy_votes` are kept for the depths.

    Attributes:
        seconds: contender to seconds for all queries; scaled up from those it was asked if it was not asked all.
        asked: contender to how many queries it was asked; the oracle's is how many votes were checked.
        wrong_votes: contender to how many of the checked votes differ from the oracle's.
        reranked: how many queries our first pass did not decide.
        sketched: how many queries got their candidates from sketches.
        peak_rss_gb: the process's own memory while ours ran, activations included; `added_gb` is what the search adds.
        lazy_rows: the queries that a lazy scan asks here; `lazy_votes` are theirs. None where nothing is lazy.
    """

    tap: str
    features: int
    base: int
    queries: int
    seconds: dict[str, float]
    asked: dict[str, int]
    wrong_votes: dict[str, int]
    reranked: int
    sketched: int
    peak_rss_gb: float
    added_gb: float
    votes: dict[str, list[int]]
    lazy_rows: list[int] | None = None
    lazy_votes: list[int] | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def measure_tap(
    tap: str,
    base: Values,
    queries: Values,
    labels: Classes,
    *,
    num_classes: int,
    pace: Pace = WHOLE,
    lazy_rows: NDArray[np.int64] | None = None,
) -> TapResult:
    """Ours first, so that nobody else's memory is counted as ours; then the rivals and the oracle."""
    effort = Effort()
    with MemoryPeak() as memory:
        seconds, asked, votes = {}, {}, {}
        ours = _timed_whole(layerwise(effort), base, queries, labels, num_classes, pace)
        seconds["layerwise"], votes["layerwise"], asked["layerwise"] = *ours, len(queries)
    repeats = effort.queries // len(queries)
    lazy_votes = None
    if lazy_rows is not None:
        few = queries[lazy_rows]
        seconds["lazy"], lazy_votes = _timed_whole(layerwise(Effort()), base, few, labels, num_classes, WHOLE)
        asked["lazy"] = len(lazy_rows)
    for name, contender in {**RIVALS, "oracle": float64}.items():
        seconds[name], votes[name] = _timed_in_parts(contender, base, queries, labels, num_classes, pace)
        asked[name] = len(votes[name])
    return TapResult(
        tap=tap,
        features=base.shape[1],
        base=len(base),
        queries=len(queries),
        seconds=seconds,
        asked=asked,
        wrong_votes={name: _differing(votes[name], votes["oracle"]) for name in ("layerwise", *RIVALS)},
        reranked=effort.reranked // repeats,
        sketched=effort.sketched // repeats,
        peak_rss_gb=memory.peak_bytes / 1e9,
        added_gb=memory.added_bytes / 1e9,
        votes={name: made.tolist() for name, made in votes.items()},
        lazy_rows=None if lazy_rows is None else lazy_rows.tolist(),
        lazy_votes=None if lazy_votes is None else lazy_votes.tolist(),
    )


def _timed_whole(
    contender: Contender, base: Values, queries: Values, labels: Classes, num_classes: int, pace: Pace
) -> tuple[float, Classes]:
    """Median seconds of getting ready and answering all, and the votes."""
    taken: list[float] = []
    while not taken or (len(taken) < pace.repeats and sum(taken) < pace.limit_s):
        started = time.perf_counter()
        votes = contender(base, labels, num_classes)(queries)
        taken.append(time.perf_counter() - started)
    return statistics.median(taken), votes


def _timed_in_parts(
    contender: Contender, base: Values, queries: Values, labels: Classes, num_classes: int, pace: Pace
) -> tuple[float, Classes]:
    """Seconds for all queries, and the votes of those that could be asked in time."""
    started = time.perf_counter()
    ask = contender(base, labels, num_classes)
    ready_s = time.perf_counter() - started
    parts = [queries] if pace.limit_s == float("inf") else np.array_split(queries, PARTS)
    started, votes = time.perf_counter(), []
    for part in parts:
        votes.append(ask(part))
        asking_s = time.perf_counter() - started
        if asking_s > pace.limit_s:
            break
    made = np.concatenate(votes)
    return ready_s + asking_s * len(queries) / len(made), made


def _differing(votes: Classes, truth: Classes) -> int:
    both = min(len(votes), len(truth))
    return int((votes[:both] != truth[:both]).sum())
