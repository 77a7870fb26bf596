"""Prediction depths again, from the files of a run alone: a check by other means, with NumPy and scikit-learn.

    layerwise difficulty RUN --keep-activations
    python examples/recompute_depths_from_files.py RUN

It reads RUN/activations/base (training images) and RUN/activations/held-out (the images measured), lets scikit-learn
find the neighbours, and compares the depths with those in RUN/examples.parquet.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors


def read_vectors(folder: Path, file: str) -> NDArray[np.float64]:
    """The values at one tap as vectors, shape (N, D)."""
    values = np.load(folder / file)
    vectors: NDArray[np.float64] = values.reshape(len(values), -1).astype(np.float64)
    return vectors


def vote(neighbor_labels: NDArray[np.int64]) -> int:
    """The class with most voters; of several, the one whose nearest voter is nearer."""
    counts = np.bincount(neighbor_labels)
    return int(neighbor_labels[counts[neighbor_labels].argmax()])


def recompute(run: Path) -> NDArray[np.int64]:
    """The depth of every measured image, shape (N,)."""
    base, held_out = run / "activations" / "base", run / "activations" / "held-out"
    k = json.loads((run / "run.json").read_text(encoding="utf-8"))["steps"]["difficulty"]["k"]
    labels = np.load(base / "labels.npy")
    predictions = np.load(held_out / "logits.npy").argmax(axis=1)
    votes = []
    for path in sorted(base.glob("[0-9][0-9]-*.npy")):
        probe = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(read_vectors(base, path.name))
        rows = probe.kneighbors(read_vectors(held_out, path.name), return_distance=False)  # (N, k)
        votes.append([vote(labels[nearest]) for nearest in rows])
    agrees = np.array(votes) == predictions  # (L, N)
    agrees_from_here_on = np.logical_and.accumulate(agrees[::-1])[::-1]
    depths: NDArray[np.int64] = (~agrees_from_here_on).sum(axis=0)
    return depths


def main(run: Path) -> None:
    """Recompute, compare, print."""
    ours = pd.read_parquet(run / "examples.parquet")["depth"].to_numpy()
    again = recompute(run)
    print(f"{(again == ours).sum()} of {len(ours)} depths are the same")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
