"""draw_tsne: t-SNE by openTSNE, on exact neighbours, from a given start."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from layerwise.errors import InputError, MissingExtraError, NotEnoughExamplesError
from layerwise.neighbors.search import find_neighbors
from layerwise.progress import Progress, silent
from layerwise.seeds import stream_seed

NEIGHBORS_PER_PERPLEXITY = 3  # as Van der Maaten (2014) has it, and every implementation since
START_SPREAD = 1e-4
"""The standard deviation of the points where they start (Kobak and Berens, 2019)."""

EXAGGERATION = 12.0
TREE_POINTS = 4000
ALONE_POINTS = 2000
"""For so few points one thread is faster than several, which wait for one another at each step."""

TOLD_EVERY = 25
MOMENTUM = 0.8


@dataclass(frozen=True)
class Schedule:
    """How many steps of gradient descent: first with clusters pulled together, then without."""

    exaggerated: int = 250
    plain: int = 500


@dataclass(frozen=True, eq=False)
class TsneMap:
    """What t-SNE gives: coordinates (N, 2), and the Kullback-Leibler divergence that was left."""

    coordinates: NDArray[np.float32]
    divergence: float


def draw_tsne(
    values: NDArray[np.float32],
    *,
    start: NDArray[np.floating],
    perplexity: float = 30.0,
    schedule: Schedule | None = None,
    seed: int = 0,
    threads: int | None = None,
    what: str = "t-SNE",
    progress: Progress = silent,
) -> TsneMap:
    """A t-SNE map.

    Args:
        values: shape (N, d).
        start: shape (N, 2), where the points begin; brought to a tiny spread, for only its shape matters.
        perplexity: about how many neighbours each point attends to.
        schedule: how long to go on.
        seed: openTSNE's; with a given start nothing is drawn from it.
        threads: for the gradient; by default torch's number.
        what: names the work in the progress.
        progress: is shown every 25 steps, with the divergence.

    Raises:
        NotEnoughExamplesError: not more than three times as many examples as the perplexity.
        InputError: the perplexity is below 1.
        MissingExtraError: openTSNE is not installed.
    """
    check_perplexity(perplexity, len(values))
    library = _library()
    steps = schedule or Schedule()
    jobs = (threads or torch.get_num_threads()) if len(values) > ALONE_POINTS else 1
    affinities = library.affinity.PerplexityBasedNN(
        perplexity=perplexity, knn_index=_exact_neighbors(values, perplexity), n_jobs=jobs
    )
    embedding = library.TSNEEmbedding(
        _tiny(start),
        affinities,
        # The cost of a grid hardly grows with the points, that of a tree does; both are as good.
        negative_gradient_method="fft" if len(values) > TREE_POINTS else "bh",
        n_jobs=jobs,
        random_state=stream_seed(seed, "tsne", bits=32),
    )
    told = _Told(steps.exaggerated + steps.plain, what, progress)
    callbacks = {"callbacks": told.note, "callbacks_every_iters": TOLD_EVERY}
    for count, exaggeration in ((steps.exaggerated, EXAGGERATION), (steps.plain, 1.0)):
        embedding.optimize(count, exaggeration=exaggeration, momentum=MOMENTUM, inplace=True, **callbacks)
    told.end()
    return TsneMap(np.asarray(embedding, np.float32), float(embedding.kl_divergence))


def check_perplexity(perplexity: float, count: int) -> None:
    """Refuse a perplexity for which there are too few examples.

    Raises:
        NotEnoughExamplesError, InputError: with what to do.
    """
    if not (math.isfinite(perplexity) and perplexity >= 1):
        raise InputError(f"perplexity = {perplexity:g}: give a number of at least 1, such as 30.")
    if count <= NEIGHBORS_PER_PERPLEXITY * perplexity:
        most = (count - 1) / NEIGHBORS_PER_PERPLEXITY
        raise NotEnoughExamplesError(
            f"perplexity {perplexity:g} needs more than {NEIGHBORS_PER_PERPLEXITY * perplexity:g} examples; "
            f"got {count}.\n    Lower the perplexity to at most {most:.3g}, or give more examples."
        )


def check_tsne() -> None:
    """Refuse to go on without openTSNE.

    Raises:
        MissingExtraError: it is not installed.
    """
    _library()


def _library() -> Any:
    try:
        import openTSNE
    except ModuleNotFoundError as error:
        raise MissingExtraError("openTSNE", "maps", "a t-SNE map") from error
    return openTSNE


def _exact_neighbors(values: NDArray[np.float32], perplexity: float) -> Any:
    from openTSNE.nearest_neighbors import PrecomputedNeighbors

    points = torch.from_numpy(np.ascontiguousarray(values))
    k = int(NEIGHBORS_PER_PERPLEXITY * perplexity)
    found = find_neighbors(points, points, k, own_rows=np.arange(len(values)))
    return PrecomputedNeighbors(found.rows, np.sqrt(found.squared_distances))


def _tiny(start: NDArray[np.floating]) -> NDArray[np.float64]:
    centred = start - start.mean(axis=0, dtype=np.float64)
    return np.ascontiguousarray(centred / (centred[:, 0].std() or 1.0) * START_SPREAD)


class _Told:
    """Tells a progress what openTSNE tells its callbacks; one instance for one map."""

    def __init__(self, steps: int, what: str, progress: Progress) -> None:
        self._what = self._words = what
        total = math.ceil(steps / TOLD_EVERY)
        self._ticks: Iterator[int] = iter(progress(range(total), total=total, what=lambda: self._words))
        next(self._ticks)

    def note(self, iteration: int, divergence: float, embedding: Any) -> None:  # noqa: ARG002
        """As openTSNE calls it."""
        self._words = f"{self._what}, KL {divergence:.2f}"
        next(self._ticks, None)

    def end(self) -> None:
        """The map is drawn."""
        for _ in self._ticks:
            pass
