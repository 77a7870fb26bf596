"""The columns of the examples that the page can colour, filter and sort by, each with what it means."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from layerwise.arrays.kinds import EXAMPLE_KINDS
from layerwise.arrays.score_catalog import SCORES
from layerwise.views.explorer.packing import ITEM_TO_DTYPE, NOT_KNOWN, Packer, smallest_item
from layerwise.views.labels import LABEL_KINDS
from layerwise.views.run import RunView

Kind = Literal["class", "category", "flag", "whole", "number"]
Group = Literal["example", "network", "depth", "exits", "training", "labels", "kinds", "factors"]

MOST_CATEGORIES = 50
"""Words of more kinds than these are no categories that a legend could list."""
NAMES_OF_NOISE = ("noise_seed",)
"""Factors that name the noise of an image: no number to rank or colour by."""
ANSWERS = {"prediction": "the network's answer", "last-probe": "the last probe's answer", "label": "the label"}
DIRECTIONS = {"hard": "high is hard", "easy": "high is easy"}


@dataclass(frozen=True, eq=False)
class ExampleColumn:
    """One column.

    Attributes:
        name: in the URL of the page, and of the run's table.
        title: for people.
        about: one sentence.
        kind: "class" and "category" are places in a list, "flag" is 0 or 1; all but "number" are whole.
        group: under which heading it is offered.
        values: shape (N,), float64; NaN is not known.
        high_means: "hard", "easy", or "" where neither can be said.
        categories: the names of a "category".
    """

    name: str
    title: str
    about: str
    kind: Kind
    group: Group
    values: NDArray[np.float64]
    high_means: str = ""
    categories: Sequence[str] | None = None

    def described(self, packer: Packer, classes: int) -> dict[str, Any]:
        """`Column` of webapp/src/payload.ts, its values put into the pack of columns."""
        item = self._item(classes)
        stored, known = self._stored(item)
        return {
            "name": self.name,
            "title": self.title,
            "about": self.about,
            "kind": self.kind,
            "direction": DIRECTIONS.get(self.high_means),
            "categories": None if self.categories is None else list(self.categories),
            "array": packer.add("columns", stored, item),
            "range": [float(known.min()), float(known.max())] if len(known) else None,
            "group": self.group,
        }

    def _item(self, classes: int) -> str:
        if self.kind in ("class", "category"):
            return smallest_item(classes if self.categories is None else len(self.categories))
        return {"flag": "u1", "whole": "i4", "number": "f4"}[self.kind]

    def _stored(self, item: str) -> tuple[NDArray[Any], NDArray[Any]]:
        """The values as the page sees them, and those that are known; what the page has no number for is not known."""
        dtype: Any = ITEM_TO_DTYPE[item]
        limits = np.finfo(np.float32) if item == "f4" else np.iinfo(dtype)
        missing = NOT_KNOWN.get(item, np.nan)
        holds = (self.values >= limits.min) & (self.values <= limits.max) & (self.values != missing)
        stored = np.where(holds, self.values, missing).astype(dtype)
        return stored, stored[holds]


def example_columns(view: RunView) -> list[ExampleColumn]:
    """All that is known of the examples of a run, in the order in which the page offers it; no name is there twice."""
    columns = [
        *_basic(view),
        *_depths(view),
        *_over_runs(view),
        *_exits(view),
        *_kinds(view),
        *_labels(view),
    ]
    return [*columns, *_training(view, {column.name for column in columns}), *_factors(view)]


def reference_answer(view: RunView) -> str:
    """What the probes are compared with, in few words."""
    return ANSWERS.get(view.agree_with, "the reference class")


def _basic(view: RunView) -> Iterator[ExampleColumn]:
    examples = view.examples
    split = pd.Categorical(examples["split"], categories=view.splits).codes.astype(np.float64)
    yield ExampleColumn("label", "Label", "The class as given.", "class", "example", _numbers(examples, "label"))
    yield ExampleColumn(
        "prediction", "Prediction", "The class that the network gives.", "class", "network",
        _numbers(examples, "prediction"),
    )  # fmt: skip
    yield ExampleColumn(
        "correct", "Right", "Whether the network gives the label.", "flag", "network", _numbers(examples, "correct"),
        "easy",
    )  # fmt: skip
    yield ExampleColumn(
        "confidence", "Confidence", "The network's probability of the class that it gives.", "number", "network",
        _numbers(examples, "confidence"), "easy",
    )  # fmt: skip
    yield ExampleColumn(
        "split", "Split", "The part of the data set that it belongs to.", "category", "example", split,
        categories=view.splits,
    )  # fmt: skip


def _depths(view: RunView) -> Iterator[ExampleColumn]:
    unresolved = len(view.taps)
    about = (
        f"The first tap from which every probe agrees with {reference_answer(view)}: 0 to {unresolved - 1}; "
        f"{unresolved} is unresolved."
    )
    yield ExampleColumn("depth", "Prediction depth", about, "whole", "depth", _numbers(view.examples, "depth"), "hard")
    if "soft_depth" in view.examples:
        about = f"{SCORES['soft_depth'].formula}; a depth that counts how sure the votes are.".capitalize()
        yield ExampleColumn(
            "soft_depth", "Soft depth", about, "number", "depth", _numbers(view.examples, "soft_depth"), "hard"
        )
    yield ExampleColumn(
        "reference", _reference_title(view), f"The class that the probes are compared with: {view.reference_words}.",
        "class", "depth", _numbers(view.examples, "reference"),
    )  # fmt: skip


def _reference_title(view: RunView) -> str:
    answer = reference_answer(view).removeprefix("the ")
    return "Label, for the probes" if answer == "label" else _capital(answer)


def _over_runs(view: RunView) -> Iterator[ExampleColumn]:
    if view.over_runs is None:
        return
    table, runs = view.over_runs.examples, view.over_runs.runs
    rows = np.full(len(table), -1)
    for split in table["split"].unique():
        own = (table["split"] == split).to_numpy()
        rows[own] = rows_of(view, str(split), table["id"][own])
    yield ExampleColumn(
        "mean_depth", f"Mean depth over {runs} runs", "Prediction depth, the mean over networks of other seeds.",
        "number", "depth", _placed(view, rows, table["depth"]), "hard",
    )  # fmt: skip
    yield ExampleColumn(
        "mean_depth_width", "Width of its interval", "From end to end of the 95 % interval of the mean depth.",
        "number", "depth", _placed(view, rows, table["depth_high"] - table["depth_low"]),
    )  # fmt: skip


def _exits(view: RunView) -> Iterator[ExampleColumn]:
    if view.exits is None or view.exits.left is None:
        return
    left = view.exits.left
    rows = rows_of(view, str(view.exits.summary["split"]), left["id"])
    yield ExampleColumn(
        "exit", "Exit", "Where it leaves the network under the thresholds that were chosen.", "category", "exits",
        _placed(view, rows, left["exit"]), "hard", view.exits.names,
    )  # fmt: skip


def _kinds(view: RunView) -> Iterator[ExampleColumn]:
    if view.kinds is None:
        return
    table = view.kinds.examples
    rows = rows_of(view, "train", table["id"])
    if not (rows >= 0).any():
        return
    yield ExampleColumn(
        "kind", "Kind of difficulty", "From its depth in training and held out.", "category", "kinds",
        _placed(view, rows, table["kind"].map(EXAMPLE_KINDS.index)), categories=EXAMPLE_KINDS,
    )  # fmt: skip
    group: Group = "depth" if view.kinds.taps == view.tap_names else "kinds"  # else its numbers mean other taps
    yield ExampleColumn(
        "held_out_depth", "Depth held out", "Its depth in a network that was not trained on it.", "whole", group,
        _placed(view, rows, table["held_out_depth"]), "hard",
    )  # fmt: skip


def _labels(view: RunView) -> Iterator[ExampleColumn]:
    if view.labels is None:
        return
    table = view.labels.labels
    rows = rows_of(view, "train", table["id"])
    if not (rows >= 0).any():
        return
    yield ExampleColumn(
        "suspicion", "Suspicion", "How much speaks for a wrong label, from 0 to 1. Sort by it; it is no probability.",
        "number", "labels", _placed(view, rows, table["suspicion"]), "hard",
    )  # fmt: skip
    yield ExampleColumn(
        "label_kind", "What the label looks like", "Fine, mislabelled or ambiguous, whichever fits the training best.",
        "category", "labels", _placed(view, rows, table["kind"].map(LABEL_KINDS.index)), categories=LABEL_KINDS,
    )  # fmt: skip
    yield ExampleColumn(
        "suggested", "Suggested class", "The class that the network gave instead through most of the training.",
        "class", "labels", _placed(view, rows, table["suggested"]),
    )  # fmt: skip


def _training(view: RunView, taken: Collection[str]) -> Iterator[ExampleColumn]:
    """Scores of training; one that has the name of another column is called after the training."""
    if view.noted is None:
        return
    rows = rows_of(view, "train", pd.Series(view.noted.ids))
    if not (rows >= 0).any():
        return
    for name in view.noted.scores:
        facts = SCORES[name]
        about = f"{facts.formula} ({facts.source})."
        values = _placed(view, rows, pd.Series(view.noted.dynamics.scores[name], name=name))
        title = _capital(facts.words)
        if name in taken:
            name, title = f"training_{name}", f"{title} over the training"
        yield ExampleColumn(name, title, about, "number", "training", values, facts.high_means)


def _factors(view: RunView) -> Iterator[ExampleColumn]:
    for name in view.factors:
        if name in NAMES_OF_NOISE:
            continue
        values = view.examples[f"factor_{name}"]
        title, about = name.replace("_", " ").capitalize(), "A known factor of the image."
        if pd.api.types.is_numeric_dtype(values):  # also of flags
            kind: Kind = "flag" if pd.api.types.is_bool_dtype(values) else "number"
            yield ExampleColumn(
                f"factor_{name}", title, about, kind, "factors", values.to_numpy(np.float64, na_value=np.nan)
            )
            continue
        places, words = factor_words(values)
        if len(words) <= MOST_CATEGORIES:
            yield ExampleColumn(
                f"factor_{name}", title, about, "category", "factors", np.where(places < 0, np.nan, places),
                categories=words,
            )  # fmt: skip


def factor_words(values: pd.Series) -> tuple[NDArray[np.int64], Sequence[str]]:
    """The different words of a factor in alphabetical order, and each example's place among them; -1: not known."""
    places, words = pd.factorize(values.map(_word, na_action="ignore"), sort=True)
    return places, [str(word) for word in words]


def _word(value: object) -> str:
    return value.decode("utf-8", errors="replace") if isinstance(value, bytes) else str(value)


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _numbers(examples: pd.DataFrame, name: str) -> NDArray[np.float64]:
    numbers: NDArray[np.float64] = examples[name].to_numpy(np.float64)
    return numbers


def rows_of(view: RunView, split: str, ids: pd.Series) -> NDArray[np.int64]:
    """The row of each of some images of a split among the examples; -1 where it was not measured."""
    rows = np.flatnonzero((view.examples["split"] == split).to_numpy())
    id_to_row = dict(zip(view.examples["id"].astype(str).iloc[rows], rows.tolist(), strict=True))
    return np.array([id_to_row.get(name, -1) for name in ids.astype(str)], np.int64)


def _placed(view: RunView, rows: NDArray[np.int64], values: pd.Series) -> NDArray[np.float64]:
    """Values of some images as a column of all examples."""
    column = np.full(len(view.examples), np.nan)
    column[rows[rows >= 0]] = values.to_numpy(np.float64, na_value=np.nan)[rows >= 0]
    return column
