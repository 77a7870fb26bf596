"""Difficulty: depths, votes and neighbours of every example, and the tables made of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from layerwise.arrays.depth import Reference, prediction_depth, reference_classes
from layerwise.arrays.intervals import wilson_interval
from layerwise.arrays.label_quality import knn_disagreement
from layerwise.arrays.soft_depth import soft_depth, sure_agreement, survival, vote_entropies, vote_margins
from layerwise.arrays.votes import vote, vote_counts
from layerwise.difficulty.depths import Depths, short, tap_columns
from layerwise.taps import Tap


@dataclass(frozen=True, eq=False)
class Difficulty:
    """What the probes say of N examples at L taps.

    Attributes:
        taps: L places in order of execution, input first and softmax last.
        class_names: K names.
        ids: shape (N,).
        splits: shape (N,). Examples of the probes' own training set were left out of their vote.
        labels: shape (N,), as given.
        logits: shape (N, K), the network's own.
        neighbors: shape (N, L, k), rows of the probes' training set, nearest first.
        base_ids: shape (B,), the ids of that training set.
        base_labels: shape (B,), its labels.
        agree_with: the reference class: "prediction", "last-probe" or "label".
        factors: column name to values (N,), what is known of how each image was made.
        provenance: how it was measured: k, versions, fingerprints of network and data, seconds.
    """

    taps: tuple[Tap, ...]
    class_names: tuple[str, ...]
    ids: NDArray[np.str_]
    splits: NDArray[np.str_]
    labels: NDArray[np.int64]
    logits: NDArray[np.float32]
    neighbors: NDArray[np.int32]
    base_ids: NDArray[np.str_]
    base_labels: NDArray[np.int64]
    agree_with: Reference = "prediction"
    factors: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        counted = short(self.splits, self.taps, self.class_names)
        return f"Difficulty({counted}, k = {self.k}, agree_with = {self.agree_with!r})"

    @property
    def k(self) -> int:
        """Neighbours in a vote."""
        return int(self.neighbors.shape[2])

    @cached_property
    def votes(self) -> NDArray[np.int64]:
        """The class that the probe at each tap gives each example, shape (N, L)."""
        classes = len(self.class_names)
        by_tap = [vote(self.base_labels[self.neighbors[:, tap]], classes) for tap in range(len(self.taps))]
        return np.stack(by_tap, axis=1)

    @cached_property
    def predictions(self) -> NDArray[np.int64]:
        """The class that the network gives each example, shape (N,)."""
        predictions: NDArray[np.int64] = self.logits.argmax(axis=1)
        return predictions

    @property
    def confidence(self) -> NDArray[np.float32]:
        """The network's probability of its prediction, shape (N,)."""
        return self.depths.confidence

    @cached_property
    def reference(self) -> NDArray[np.int64]:
        """The class with which the probes are compared, shape (N,)."""
        return reference_classes(self.agree_with, votes=self.votes, predictions=self.predictions, labels=self.labels)

    @cached_property
    def agrees(self) -> NDArray[np.bool_]:
        """Whether the probe at tap l gives example n its reference class, shape (L, N)."""
        agrees: NDArray[np.bool_] = self.reference == self.votes.T
        return agrees

    @cached_property
    def depth(self) -> NDArray[np.int64]:
        """The first tap from which every probe agrees, shape (N,), 0 to L; L is unresolved."""
        return prediction_depth(self.agrees)

    @cached_property
    def soft_depth(self) -> NDArray[np.float64]:
        """The depth with the certainty of each vote instead of yes and no, shape (N,), 0 to L."""
        return soft_depth(self.sure_agreement)

    @cached_property
    def sure_agreement(self) -> NDArray[np.float64]:
        """How surely the probe at tap l gives example n its reference class, shape (L, N), 0 to 1."""
        return np.stack([sure_agreement(counts, self.reference) for counts in self._counts()])

    @property
    def survival(self) -> NDArray[np.float64]:
        """The share of examples that are undecided at each tap, votes counted as sure as they are: shape (L,), falling.

        Its sum is the mean soft depth.
        """
        return survival(self.sure_agreement)

    @cached_property
    def vote_margins(self) -> NDArray[np.float64]:
        """By what share of the votes the reference class is ahead at each tap, shape (N, L), -1 to 1. High is easy."""
        return np.stack([vote_margins(counts, self.reference) for counts in self._counts()], axis=1)

    @cached_property
    def vote_entropies(self) -> NDArray[np.float64]:
        """How divided the neighbours are at each tap, in nats, shape (N, L), 0 to log K. High is hard."""
        return np.stack([vote_entropies(counts) for counts in self._counts()], axis=1)

    def _counts(self) -> Iterator[NDArray[np.int64]]:
        """The votes of each class, (N, K), tap by tap."""
        for tap in range(len(self.taps)):
            yield vote_counts(self.base_labels[self.neighbors[:, tap]], len(self.class_names))

    @cached_property
    def knn_disagreement(self) -> NDArray[np.float64]:
        """The share of the neighbours at each tap that have another label than the example, shape (N, L). High is hard.

        Source: see `layerwise.arrays.label_quality.knn_disagreement`.
        """
        labels = self.base_labels[self.neighbors]  # (N, L, k)
        return np.stack([knn_disagreement(labels[:, tap], self.labels) for tap in range(len(self.taps))], axis=1)

    @property
    def resolved(self) -> NDArray[np.bool_]:
        """Whether the last probe agrees with the reference class, shape (N,)."""
        return self.depths.resolved

    @cached_property
    def depths(self) -> Depths:
        """The depths alone."""
        return Depths(
            taps=self.taps,
            class_names=self.class_names,
            ids=self.ids,
            splits=self.splits,
            labels=self.labels,
            logits=self.logits,
            reference=self.reference,
            depth=self.depth,
            asked=np.full(len(self.taps), len(self)),
            agree_with=self.agree_with,
            factors=self.factors,
            provenance=self.provenance,
        )

    def compared_with(self, agree_with: Reference) -> Difficulty:
        """The same votes, compared with another reference class.

        Raises:
            InputError: there is no such reference.
        """
        reference_classes(agree_with, votes=self.votes[:0], predictions=self.predictions[:0], labels=self.labels[:0])
        return replace(self, agree_with=agree_with)

    def table(self) -> pd.DataFrame:
        """A row for each example: id, split, label, prediction, confidence, depth, resolved, reference, factors, and
        soft_depth.
        """
        return self.depths.table().assign(soft_depth=self.soft_depth)

    def tap_table(self) -> pd.DataFrame:
        """A row for each tap: order, name, shape, features; for each split the probe's accuracy with its 95 % interval
        (Wilson), and the share of examples to which the probe gives their reference class.
        """
        table = tap_columns(self.taps, self.provenance)
        for split in dict.fromkeys(self.splits.tolist()):
            here = self.splits == split
            right = (self.votes[here] == self.labels[here, None]).sum(axis=0)  # (L,)
            low, high = wilson_interval(right, here.sum())
            table[f"probe_accuracy_{split}"] = right / here.sum()
            table[f"probe_accuracy_low_{split}"], table[f"probe_accuracy_high_{split}"] = low, high
            table[f"agreement_{split}"] = self.agrees[:, here].mean(axis=1)
        return table
