"""Single examples: the easiest, the ones decided last, the unresolved, and the whole story of one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from layerwise.errors import InputError, RunError, UnknownNameError, did_you_mean
from layerwise.views.run import RunView


@dataclass(frozen=True)
class Story:
    """One example through the network.

    Attributes:
        row: its row in the run's tables.
        id: its name.
        split: where it is from.
        label: the class as given.
        prediction: the class that the network gives.
        reference: the class that the probes are compared with.
        confidence: the network's probability of its prediction, 0 to 1.
        depth: 0 to L; L is unresolved.
        votes: shape (L,), the class that each probe gives.
        support: shape (L,), the share of the k neighbours that are of the voted class; None without neighbours.
        neighbors: shape (L, k), rows of the run's `base`, nearest first; None if they were not kept.
        neighbor_labels: shape (L, k), their labels.
    """

    row: int
    id: str
    split: str
    label: int
    prediction: int
    reference: int
    confidence: float
    depth: int
    votes: NDArray[np.int64]
    support: NDArray[np.float64] | None
    neighbors: NDArray[np.integer] | None
    neighbor_labels: NDArray[np.int64] | None


def easiest(view: RunView, count: int = 12, split: str | None = None) -> pd.DataFrame:
    """The shallowest examples; among equals the most confident, then by id.

    Returns:
        At most `count` rows of the examples table; the index is the row.
    """
    return _sorted(view, split, deepest_first=False).head(count)


def hardest(view: RunView, count: int = 12, split: str | None = None, *, resolved_only: bool = False) -> pd.DataFrame:
    """The deepest examples, unresolved ones first; among equals the least confident, then by id.

    Args:
        view: what was measured.
        count: how many.
        split: the split to look at; the main one unless given.
        resolved_only: leave the unresolved out: the examples that were decided last.

    Returns:
        At most `count` rows of the examples table; the index is the row.
    """
    table = _sorted(view, split, deepest_first=True)
    return (table[table["depth"] < len(view.taps)] if resolved_only else table).head(count)


def unresolved(view: RunView, count: int = 12, split: str | None = None) -> pd.DataFrame:
    """Examples on which not even the last probe agrees with the reference class; the most confident first, then by id.

    Returns:
        At most `count` rows of the examples table; the index is the row.
    """
    table = _sorted(view, split, deepest_first=False)
    return table[table["depth"] == len(view.taps)].head(count)


def _sorted(view: RunView, split: str | None, *, deepest_first: bool) -> pd.DataFrame:
    examples = view.examples.set_axis(np.arange(len(view.examples))).iloc[view.rows(split)]
    ascending = [not deepest_first, deepest_first, True]
    return examples.sort_values(["depth", "confidence", "id"], ascending=ascending, kind="stable")


def story(view: RunView, row: int) -> Story:
    """All that is known of one example.

    Raises:
        InputError: there is no such row.
    """
    if not 0 <= row < len(view.examples):
        raise InputError(f"row = {row}: {view.name} has rows 0 to {len(view.examples) - 1}.")
    example = view.examples.iloc[row]
    votes = np.array(view.votes[row], np.int64)
    neighbors = None if view.neighbors is None else np.array(view.neighbors[row])
    labels = None if neighbors is None or view.base is None else view.base["label"].to_numpy(np.int64)[neighbors]
    return Story(
        row=row,
        id=str(example["id"]),
        split=str(example["split"]),
        label=int(example["label"]),
        prediction=int(example["prediction"]),
        reference=int(example["reference"]),
        confidence=float(example["confidence"]),
        depth=int(example["depth"]),
        votes=votes,
        support=None if labels is None else (labels == votes[:, None]).mean(axis=1),
        neighbors=neighbors,
        neighbor_labels=labels,
    )


def row_of(view: RunView, example_id: str) -> int:
    """The row of the example with an id.

    Raises:
        UnknownNameError: no measured example has that id.
        RunError: several have (in two splits): ask by row instead.
    """
    ids = view.examples["id"].astype(str)
    rows = np.flatnonzero((ids == example_id).to_numpy())
    if len(rows) == 0:
        raise UnknownNameError(
            f'no measured example "{example_id}" in {view.name} ({len(ids)} examples).{did_you_mean(example_id, ids)}\n'
            "    Ids are in examples.parquet."
        )
    if len(rows) > 1:
        raise RunError(
            f'{len(rows)} examples of {view.name} have the id "{example_id}": rows {", ".join(map(str, rows))}.'
        )
    return int(rows[0])


def telling_examples(view: RunView, split: str | None = None) -> dict[str, int]:
    """Three examples that show the range, as kind to row; a kind that no example has is left out.

    "easy": the shallowest, most confident one that the network gets right. "late": resolved as late as any, with the
    most changes of vote on the way. "unresolved": the one on which the network is most confident all the same.
    """
    everyone = len(view.examples)
    shallow = easiest(view, everyone, split)
    kind_to_rows = {
        "easy": shallow.index[shallow["correct"]].to_numpy(np.int64),
        "late": _by_changes(view, hardest(view, everyone, split, resolved_only=True)),
        "unresolved": unresolved(view, 1, split).index.to_numpy(np.int64),
    }
    kind_to_row: dict[str, int] = {}
    for kind, rows in kind_to_rows.items():
        if len(rows) and int(rows[0]) not in kind_to_row.values():
            kind_to_row[kind] = int(rows[0])
    return kind_to_row


def _by_changes(view: RunView, latest: pd.DataFrame) -> NDArray[np.int64]:
    """Rows of the deepest resolved examples, most changes of vote first; the order of `latest` decides among equals."""
    deepest = latest[latest["depth"] == latest["depth"].max()]
    rows = deepest.index.to_numpy(np.int64)
    votes = view.votes[rows]
    changes = (votes[:, 1:] != votes[:, :-1]).sum(axis=1)
    most_first: NDArray[np.int64] = rows[np.argsort(-changes, kind="stable")]
    return most_first
