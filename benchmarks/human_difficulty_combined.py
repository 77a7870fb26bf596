"""One number for how hard an image is, from one network: parts, ways to put them together, and the choice among these.

A part is a score of its own kind, and a combination is the mean of the ranks of its parts. Nothing is fitted. The
choice among combinations is made on training images 40,000 to 42,999, none of which is reported: the one whose rank
correlation with C-scores, and with the entropy of three people's labels, is highest on average.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr, softmax
from scipy.stats import rankdata, spearmanr

from benchmarks.human_difficulty_runs import Asked, Memory

Values = NDArray[np.float64]

TEMPERATURE = 3.0
NEAREST = 10
"""Training images of each class whose mean distance is the distance of the class."""

COMBINATIONS = {
    "views": ("views, label",),
    "distances": ("distances, label",),
    "views and distances": ("views, label", "distances, label"),
    "views, distances, neighbours": ("views, label", "distances, label", "neighbours, label"),
    "views, distances, neighbours, adapted": (
        "views, label", "distances, label", "neighbours, label", "adapted views, label", "adapted distances, label",
    ),
    "the same without labels": (
        "views", "distances", "neighbours", "adapted views", "adapted distances",
    ),
    "with and without labels": (
        "views, label", "distances, label", "neighbours, label", "adapted views, label", "adapted distances, label",
        "views", "distances", "neighbours", "adapted views", "adapted distances",
    ),
}  # fmt: skip
"""Every combination that was tried, by name."""


def parts_of(asked: Asked) -> dict[str, Values]:
    """Scores that combinations are made of, all turned so that high is hard; with the label, and without it."""
    if asked.memory is None or asked.adapted is None:
        return {}
    shares = np.stack([(asked.neighbor_labels[:, -2] == label).mean(axis=1) for label in range(10)], axis=1)
    probabilities = {
        "views": _over_views(asked.logits),
        "neighbours": shares,
        "adapted views": _over_views(asked.adapted.logits),
    }
    distances = {
        "distances": class_distances(asked.features, asked.memory),
        "adapted distances": np.mean(
            [class_distances(given, asked.adapted.memory) for given in asked.adapted.features], axis=0
        ),
    }
    rows, labels = np.arange(len(asked.labels)), asked.labels
    parts = {}
    for name, given in probabilities.items():
        parts |= {f"{name}, label": 1.0 - given[rows, labels], name: entr(given).sum(axis=1)}
    for name, given in distances.items():
        others, in_order = given.copy(), np.sort(given, axis=1)
        others[rows, labels] = np.inf
        parts[f"{name}, label"] = np.log(given[rows, labels] / others.min(axis=1))
        parts[name] = np.log(in_order[:, 0] / in_order[:, 1])
    return parts


def combined_scores(asked: Asked) -> dict[str, Values]:
    """Every combination by name, (N,) each; none where the parts are not known."""
    parts = parts_of(asked)
    return (
        {}
        if not parts
        else {name: np.mean([rankdata(parts[one]) for one in chosen], axis=0) for name, chosen in COMBINATIONS.items()}
    )


def choose(scores: Mapping[str, Values], targets: Mapping[str, Values]) -> tuple[str, dict[str, float]]:
    """The combination with the highest mean of its rank correlations with the targets, and that mean of each."""
    means = {
        name: float(np.mean([spearmanr(values, target).statistic for target in targets.values()]))
        for name, values in scores.items()
    }
    return max(means, key=lambda name: means[name]), means


def class_distances(features: Values, memory: Memory) -> Values:
    """The mean distance to the nearest images of each class in what the last layer is given, (N, K)."""
    parts = []
    for given in np.array_split(features, max(1, len(features) // 500)):
        squares = (given**2).sum(axis=1)[:, None] + (memory.features**2).sum(axis=1) - 2 * given @ memory.features.T
        away = np.sqrt(np.maximum(squares, 0.0))  # (B, M)
        by_class = [away[:, memory.labels == label] for label in range(10)]
        parts.append(np.stack([np.sort(one, axis=1)[:, :NEAREST].mean(axis=1) for one in by_class], axis=1))
    return np.concatenate(parts)


def _over_views(logits: Values) -> Values:
    """The mean over views of softened probabilities: (V, N, K) → (N, K)."""
    mean: Values = softmax(logits / TEMPERATURE, axis=2).mean(axis=0)
    return mean
