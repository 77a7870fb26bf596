"""measure_kinds: depths of every training example, trained on and held out, by K trainings; the four kinds they make.

An example is held out of one training, and trained on in all others. Its depth in the one, and its mean depth in the
others, say whether it is easy, looks like another class, or is ambiguous.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import softmax
from torch import nn

from layerwise.arrays.kinds import four_kinds
from layerwise.arrays.votes import check_k
from layerwise.data.images import ImageData
from layerwise.difficulty.kept_folds import Fold, KeptFolds
from layerwise.difficulty.measuring import check_measurable, measure_difficulty
from layerwise.difficulty.settings import ProbeSettings
from layerwise.errors import InputError, NotEnoughExamplesError
from layerwise.progress import Progress, silent
from layerwise.seeds import stream
from layerwise.training.fit import train
from layerwise.training.settings import TrainSettings

__all__ = ["FoldedDepths", "assign_folds", "measure_kinds"]


@dataclass(frozen=True, eq=False)
class FoldedDepths:
    """Depths of N training examples over K trainings, each of which leaves one fold out.

    Attributes:
        ids: shape (N,).
        labels: shape (N,), as given.
        class_names: the names of the classes.
        tap_names: L names in order of execution.
        folds: shape (N,), the fold that an example is in, 0 to K - 1.
        training_depth: shape (N,), the mean depth in the K - 1 trainings that saw the example, 0 to L.
        held_out_depth: shape (N,), the depth in the training that did not, 0 to L.
        held_out_soft_depth: shape (N,), the same with the certainty of each vote.
        probabilities: shape (N, classes), what the training that did not see the example gives it (out of fold).
    """

    ids: NDArray[np.str_]
    labels: NDArray[np.int64]
    class_names: tuple[str, ...]
    tap_names: tuple[str, ...]
    folds: NDArray[np.int64]
    training_depth: NDArray[np.float64]
    held_out_depth: NDArray[np.float64]
    held_out_soft_depth: NDArray[np.float64]
    probabilities: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def looks_like(self) -> NDArray[np.int64]:
        """The class that the network gives an example which it was not trained on, shape (N,)."""
        classes: NDArray[np.int64] = self.probabilities.argmax(axis=1)
        return classes

    def kinds(self) -> NDArray[np.str_]:
        """Which of the four kinds each example is, shape (N,); see `four_kinds`."""
        return four_kinds(self.training_depth, self.held_out_depth)

    def table(self) -> pd.DataFrame:
        """A row for each example: id, label, label_name, fold, training_depth, held_out_depth, held_out_soft_depth,
        looks_like, looks_like_name, self_confidence (out of fold), kind, lost_at_tap: of those that a network which was
        not trained on them gets wrong, the tap from which all its probes say so.
        """
        names, taps = np.array(self.class_names, dtype=object), np.array([*self.tap_names, ""], dtype=object)
        return pd.DataFrame(
            {
                "id": self.ids,
                "label": self.labels,
                "label_name": names[self.labels],
                "fold": self.folds,
                "training_depth": self.training_depth,
                "held_out_depth": self.held_out_depth,
                "held_out_soft_depth": self.held_out_soft_depth,
                "looks_like": self.looks_like,
                "looks_like_name": names[self.looks_like],
                "self_confidence": self.probabilities[np.arange(len(self)), self.labels],
                "kind": self.kinds(),
                "lost_at_tap": np.where(self.looks_like == self.labels, "", taps[self.held_out_depth.astype(np.int64)]),
            }
        )


def assign_folds(labels: NDArray[np.int64], folds: int, *, seed: int = 0) -> NDArray[np.int64]:
    """A fold for each example, of each class as evenly as can be: shape (N,), 0 to `folds` - 1.

    Raises:
        InputError: fewer than two folds.
        NotEnoughExamplesError: a class with fewer examples than folds; says which.

    >>> np.bincount(assign_folds(np.repeat([0, 1], 6), 3)).tolist()
    [4, 4, 4]
    """
    if not isinstance(folds, int) or isinstance(folds, bool) or folds < 2:
        raise InputError(f"folds is a whole number of at least 2; got {folds!r}.")
    counts = np.bincount(labels)
    small = np.flatnonzero((counts > 0) & (counts < folds))
    if len(small):
        raise NotEnoughExamplesError(
            f"{folds} folds need at least {folds} examples of each class; class {small[0]} has {counts[small[0]]}.\n"
            "    Take fewer folds, or give more examples."
        )
    assigned = np.empty(len(labels), np.int64)
    generator, first = stream(seed, "folds"), 0
    for label in np.flatnonzero(counts):
        members = generator.permutation(np.flatnonzero(labels == label))
        assigned[members] = (first + np.arange(len(members))) % folds
        first += len(members)
    return assigned


def measure_kinds(
    make_model: Callable[[int], nn.Module],
    data: ImageData,
    train_settings: TrainSettings,
    *,
    folds: int = 5,
    place: str | Sequence[str] = "children",
    settings: ProbeSettings | None = None,
    folder: Path | str | None = None,
    progress: Progress = silent,
) -> FoldedDepths:
    """Train K networks, each without one fold, and measure all examples with each.

    Args:
        make_model: a new network for a fold's number.
        data: the training examples.
        train_settings: of every training; its seed also assigns the folds.
        folds: K, at least 2.
        place: which taps; see `find_taps`.
        settings: of the probes.
        folder: where finished folds and checkpoints are kept, from which the same call goes on, and one with other taps
            or probes measures again without training again; None keeps nothing.
        progress: is shown the batches and the taps.

    Raises:
        RunError: the folder holds folds of other images or settings; the differences are listed.
        The errors of `assign_folds`, `train` and `measure_difficulty`; what can be known is said before any training.

    Cost: K trainings, and K times the votes of all examples. Source: Baldock, Maennel and Neyshabur (2021), section 4.
    """
    assigned = assign_folds(data.labels, folds, seed=train_settings.seed)
    job = _Job(make_model, data, train_settings, place, settings or ProbeSettings(), progress)
    check_k(job.settings.k, len(data) - int(np.bincount(assigned).max()))
    kept = None if folder is None else KeptFolds(Path(folder), job.plan(folds))
    measured = [job.measure(fold, assigned != fold, kept) for fold in range(folds)]
    depth, soft_depth, logits = (
        np.stack([getattr(one, name) for one in measured]) for name in ("depth", "soft_depth", "logits")
    )
    rows, seen = np.arange(len(data)), np.arange(folds)[:, None] != assigned
    return FoldedDepths(
        ids=data.ids,
        labels=data.labels,
        class_names=data.class_names,
        tap_names=measured[0].tap_names,
        folds=assigned,
        training_depth=np.average(depth, axis=0, weights=seen),
        held_out_depth=depth[assigned, rows],
        held_out_soft_depth=soft_depth[assigned, rows],
        probabilities=softmax(logits[assigned, rows].astype(np.float64), axis=1),
    )


@dataclass(frozen=True, eq=False)
class _Job:
    """What is the same in all folds."""

    make_model: Callable[[int], nn.Module]
    data: ImageData
    train_settings: TrainSettings
    place: str | Sequence[str]
    settings: ProbeSettings
    progress: Progress

    def plan(self, folds: int) -> dict[str, Any]:
        """What folds must have in common to make one measurement."""
        trained = {name: value for name, value in self.train_settings.to_dict().items() if name != "device"}
        return {
            "folds": folds,
            "taps": self.place if isinstance(self.place, str) else list(self.place),
            "k": self.settings.k,
            "fast": self.settings.fast,
            "images": f"{len(self.data)}, {self.data.fingerprint[:16]}",
            **trained,
        }

    def measure(self, fold: int, seen: NDArray[np.bool_], kept: KeptFolds | None) -> Fold:
        """Train on what is seen and measure everything; or read what an earlier call kept."""
        found = None if kept is None else kept.read(fold, (len(self.data), self.data.num_classes))
        if found is not None:
            return found
        trained_on, model, chosen = self.data.select(seen), self.make_model(fold), self.train_settings
        asked: dict[str, Any] = {"place": self.place, "preprocessing": chosen.preprocessing, "settings": self.settings}
        check_measurable(model, trained_on, self.data, **asked)
        if kept is None:
            train(model, trained_on, chosen, progress=self.progress)
        else:
            with kept.training(fold) as folder:
                train(model, trained_on, chosen, run=folder, progress=self.progress)
        measured = measure_difficulty(model, trained_on, self.data, progress=self.progress, **asked)
        made = Fold(
            measured.depth.astype(np.float64),
            measured.soft_depth,
            measured.logits,
            tuple(tap.name for tap in measured.taps),
        )
        if kept is not None:
            kept.keep(fold, made)
        return made
