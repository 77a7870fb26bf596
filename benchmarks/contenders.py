"""Who takes part in the benchmarks of votes: scikit-learn, FAISS, a plain torch search, and layerwise.

Each takes the base's values (B, D), labels (B,) and the number of classes, and gives a function from queries (Q, D) to
classes (Q,): so that getting ready and answering can be timed apart. All use the same number of threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import faiss
import torch
from sklearn.neighbors import KNeighborsClassifier
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from benchmarks.oracle import Ask, Classes, K, Values
from layerwise.arrays.votes import vote
from layerwise.neighbors.effort import Effort
from layerwise.neighbors.voting import find_votes

TORCH_SCORES = 1 << 26

Contender = Callable[[Values, Classes, int], Ask]


@contextmanager
def same_threads() -> Iterator[int]:
    """Everybody may use as many threads as torch does, which is the number given."""
    threads = torch.get_num_threads()
    faiss.omp_set_num_threads(threads)
    with threadpool_limits(threads):
        yield threads


def scikit_learn(base: Values, labels: Classes, num_classes: int) -> Ask:  # noqa: ARG001
    """The notebook's way; its ties go to low classes."""
    ask: Ask = KNeighborsClassifier(K).fit(base, labels).predict
    return ask


def faiss_flat(base: Values, labels: Classes, num_classes: int) -> Ask:
    """An exact index of FAISS."""
    index = faiss.IndexFlatL2(base.shape[1])
    index.add(base)
    return lambda queries: vote(labels[index.search(queries, K)[1]], num_classes)


def plain_torch(base: Values, labels: Classes, num_classes: int) -> Ask:
    """What a good user of torch writes: a float32 product and top-k, in tiles of queries."""
    rows, classes = torch.from_numpy(base), torch.from_numpy(labels)
    norms = rows.square().sum(dim=1)  # (B,)
    one_hot = torch.nn.functional.one_hot(classes, num_classes)  # (B, K)

    def ask(queries: Values) -> Classes:
        tiles = torch.split(torch.from_numpy(queries), max(1, TORCH_SCORES // len(base)))
        nearest = [torch.addmm(norms, tile, rows.T, alpha=-2).topk(K, largest=False).indices for tile in tiles]
        votes: Classes = one_hot[torch.cat(nearest)].sum(dim=1).argmax(dim=1).numpy()
        return votes

    return ask


def layerwise(effort: Effort) -> Contender:
    """Ours; `effort` counts the queries that its first pass did not decide."""

    def ready(base: Values, labels: Classes, num_classes: int) -> Ask:
        rows = torch.from_numpy(base)

        def ask(queries: Values) -> Classes:
            return find_votes(torch.from_numpy(queries), rows, labels, K, num_classes=num_classes, effort=effort)

        return ask

    return ready


RIVALS: dict[str, Contender] = {"sklearn": scikit_learn, "faiss": faiss_flat, "torch": plain_torch}


def warm_up() -> None:
    """Ask everybody something small, so that nobody's first call pays for starting threads and loading code."""
    values = torch.randn((256, 128), generator=torch.Generator().manual_seed(0)).numpy()
    labels = torch.arange(256).numpy() % 2
    for contender in (layerwise(Effort()), *RIVALS.values()):
        contender(values, labels, 2)(values)
