"""Depths: the depth of every example, and the table of examples; what a whole Difficulty and a lazy search share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import softmax

from layerwise.arrays.depth import Reference
from layerwise.arrays.intervals import wilson_interval
from layerwise.taps import Tap


@dataclass(frozen=True, eq=False)
class Depths:
    """Where each of N examples is decided along L taps.

    Attributes:
        taps: L places in order of execution, input first and softmax last.
        class_names: K names.
        ids: shape (N,).
        splits: shape (N,). Examples of the probes' own training set were left out of their vote.
        labels: shape (N,), as given.
        logits: shape (N, K), the network's own.
        reference: shape (N,), the class with which the probes were compared.
        depth: shape (N,), the first tap from which every probe agrees, 0 to L; L is unresolved.
        asked: shape (L,), about how many examples each tap's probe was asked.
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
    reference: NDArray[np.int64]
    depth: NDArray[np.int64]
    asked: NDArray[np.int64]
    agree_with: Reference = "prediction"
    factors: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        return f"Depths({short(self.splits, self.taps, self.class_names)}, agree_with = {self.agree_with!r})"

    @cached_property
    def predictions(self) -> NDArray[np.int64]:
        """The class that the network gives each example, shape (N,)."""
        predictions: NDArray[np.int64] = self.logits.argmax(axis=1)
        return predictions

    @cached_property
    def confidence(self) -> NDArray[np.float32]:
        """The network's probability of its prediction, shape (N,)."""
        probabilities: NDArray[np.float32] = softmax(self.logits.astype(np.float64), axis=1).max(axis=1)
        return probabilities.astype(np.float32)

    @property
    def resolved(self) -> NDArray[np.bool_]:
        """Whether the last probe agrees with the reference class, shape (N,)."""
        return self.depth < len(self.taps)

    def table(self) -> pd.DataFrame:
        """A row for each example: id, split, label, prediction, confidence, depth, resolved, reference, factors."""
        names = np.asarray(self.class_names, dtype=object)
        columns: dict[str, Any] = {
            "id": self.ids,
            "split": self.splits,
            "label": self.labels,
            "label_name": names[self.labels],
            "prediction": self.predictions,
            "prediction_name": names[self.predictions],
            "confidence": self.confidence,
            "correct": self.predictions == self.labels,
            "depth": self.depth,
            "resolved": self.resolved,
            "reference": self.reference,
        }
        if "exact_votes" in self.provenance:
            columns["approximate"] = True
        return pd.DataFrame(columns | {f"factor_{name}": values for name, values in self.factors.items()})

    def tap_table(self) -> pd.DataFrame:
        """A row for each tap: order, name, shape, features, and about how many examples its probe was asked."""
        return tap_columns(self.taps, self.provenance).assign(asked=self.asked)


def tap_columns(taps: Sequence[Tap], provenance: Mapping[str, Any]) -> pd.DataFrame:
    """A row for each tap: order, name, shape (as "64×8×8"), features; and of a fast measurement what was projected."""
    table = pd.DataFrame(
        {
            "order": [tap.order for tap in taps],
            "name": [tap.name for tap in taps],
            "shape": ["×".join(map(str, tap.shape)) for tap in taps],
            "features": [tap.features for tap in taps],
        }
    )
    if "exact_votes" not in provenance:
        return table
    sample, tap_to_count = (provenance["exact_votes"][key] for key in ("of", "tap_to_count"))
    counts = table["name"].map(tap_to_count)  # NaN where a tap was not projected
    projected = counts.notna()
    low, high = wilson_interval(counts.fillna(0), sample)
    return table.assign(
        projected_to=pd.Series(provenance["fast"], table.index, dtype="Int64").where(projected),
        exact_votes=counts / sample,
        exact_votes_low=pd.Series(low).where(projected),
        exact_votes_high=pd.Series(high).where(projected),
        exact_votes_of=pd.Series(sample, table.index, dtype="Int64").where(projected),
    )


def short(splits: NDArray[np.str_], taps: Sequence[Tap], class_names: Sequence[str]) -> str:
    """How many examples of which splits, taps and classes, for a `repr`."""
    names, counts = np.unique(splits, return_counts=True)
    by_split = ", ".join(f"{count} {name}" for name, count in zip(names, counts, strict=True))
    return f"{len(splits)} examples: {by_split}; {len(taps)} taps, {len(class_names)} classes"
