"""measure_tap: everybody's votes at one tap, timed side by side and, for a sample, held against the float64 oracle."""

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

CONTENDERS = ("layerwise", *RIVALS)
PARTS = 8
NOT_ASKED = -1


@dataclass(frozen=True)
class Pace:
    """How long a contender may be asked: in parts until `limit_s` is over; ours as a whole, up to `repeats` times."""

    limit_s: float
    repeats: int


WHOLE = Pace(limit_s=float("inf"), repeats=1)


@dataclass(frozen=True)
class TapResult:
    """The numbers of one tap.

    Attributes:
        seconds: contender to seconds for all queries; scaled up from those it was asked if it was not asked all. The
            oracle's are for its sample.
        asked: contender to how many queries it was asked.
        checked: contender to how many of its votes were compared with the oracle's.
        wrong_votes: contender to how many of these differ.
        reranked: how many queries our first pass did not decide.
        sketched: how many queries got their candidates from sketches.
        peak_rss_gb: the process's own memory while ours ran, recorded activations included.
        added_gb: what the search adds to them.
        votes: contender to votes (Q,), NOT_ASKED where there is none.
    """

    tap: str
    features: int
    base: int
    queries: int
    seconds: dict[str, float]
    asked: dict[str, int]
    checked: dict[str, int]
    wrong_votes: dict[str, int]
    reranked: int
    sketched: int
    peak_rss_gb: float
    added_gb: float
    votes: dict[str, Classes]

    def numbers(self) -> dict[str, Any]:
        """Plain values: all but the votes."""
        plain = asdict(self)
        del plain["votes"]
        return plain


def measure_tap(
    tap: str,
    base: Values,
    queries: Values,
    labels: Classes,
    *,
    num_classes: int,
    checked_rows: NDArray[np.int64],
    pace: Pace = WHOLE,
) -> TapResult:
    """Ours first, so that nobody else's memory is counted as ours; then the rivals, and the oracle for some rows."""
    effort = Effort()
    with MemoryPeak() as memory:
        seconds, votes = {}, {}
        seconds["layerwise"], votes["layerwise"] = _timed_whole(
            layerwise(effort), base, queries, labels, num_classes, pace
        )
    repeats = effort.queries // len(queries)
    for name, contender in RIVALS.items():
        seconds[name], votes[name] = _timed_in_parts(contender, base, queries, labels, num_classes, pace)
    seconds["oracle"], truth = _timed_whole(float64, base, queries[checked_rows], labels, num_classes, WHOLE)
    votes["oracle"] = np.full(len(queries), NOT_ASKED)
    votes["oracle"][checked_rows] = truth
    compared = {name: np.minimum(votes[name], votes["oracle"]) != NOT_ASKED for name in CONTENDERS}
    return TapResult(
        tap=tap,
        features=base.shape[1],
        base=len(base),
        queries=len(queries),
        seconds=seconds,
        asked={name: int((made != NOT_ASKED).sum()) for name, made in votes.items()},
        checked={name: int(both.sum()) for name, both in compared.items()},
        wrong_votes={name: int((votes[name] != votes["oracle"])[both].sum()) for name, both in compared.items()},
        reranked=effort.reranked // repeats,
        sketched=effort.sketched // repeats,
        peak_rss_gb=memory.peak_bytes / 1e9,
        added_gb=memory.added_bytes / 1e9,
        votes=votes,
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
    parts = 1 if pace.limit_s == float("inf") else PARTS
    votes, asked, started = np.full(len(queries), NOT_ASKED), 0, time.perf_counter()
    for rows in np.array_split(np.arange(len(queries)), parts):
        votes[rows] = ask(queries[rows[0] : rows[-1] + 1])
        asked, asking_s = asked + len(rows), time.perf_counter() - started
        if asking_s > pace.limit_s:
            break
    return ready_s + asking_s * len(queries) / asked, votes
