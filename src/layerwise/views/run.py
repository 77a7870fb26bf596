"""`read_run`: what a run folder holds, read once and checked, so that no table or picture meets half a measurement."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from layerwise.errors import FileError, InputError, RunError, did_you_mean
from layerwise.runs import read_array, read_json, read_table, steps_of
from layerwise.views.encoders import EncodersView, read_encoders
from layerwise.views.exits import ExitsView, read_exits
from layerwise.views.faults import SPLITS, find_faults
from layerwise.views.features import ExampleView, FiltersView, read_examples, read_filters
from layerwise.views.kinds import KindsView, read_kinds
from layerwise.views.labels import LabelsView, NotedView, read_labels, read_noted
from layerwise.views.maps import MapsView, read_maps
from layerwise.views.over_runs import OverRunsView, read_over_runs
from layerwise.views.units import UnitsView, read_units

HISTORY_COLUMNS = ("epoch", "split", "loss", "accuracy")
UNRESOLVED = "unresolved"
REFERENCE_TO_WORDS = {
    "prediction": "the network's own prediction",
    "last-probe": "the last probe",
    "label": "the label",
}


@dataclass(frozen=True)
class RunView:
    """What was measured, as tables and arrays; rows of `examples`, `votes`, `neighbors` and `thumbnails` go together.

    Attributes:
        name: what the run is called in titles.
        class_names: K names; a class is a place in it.
        examples: a row per measured example; see `EXAMPLE_COLUMNS` of `faults`; `correct`, and `factor_*` where known.
        taps: a row per tap in order of execution, with at least `name`.
        votes: shape (N, L), the class that the probe at each tap gives.
        neighbors: shape (N, L, k), rows of `base`, nearest first; None if they were not kept.
        base: the training examples of the probes: `id` and `label`.
        thumbnails: shape (N, C, h, w), bytes.
        base_thumbnails: shape (rows of `base`, C, h, w), bytes.
        history: a row per epoch and split, or None for a network trained elsewhere, or where it cannot be read.
        history_fault: why it cannot be read; empty if it was, or is not there.
        exits: what is known of early exit; None if no exits were evaluated.
        maps: the maps of the taps; None if none were drawn.
        units: what the units do; None if they were not measured.
        filters: of one layer; None if they were not drawn.
        looked_at: examples whose values at every tap were drawn.
        encoders: what encoders keep of new images; None if none were measured.
        noted: what every training image went through; None if it was not noted.
        labels: suspect labels; None if labels were not ranked.
        kinds: the four kinds of difficulty; None if no folds were measured.
        over_runs: depths over several runs; None if none were combined.
        damaged: the parts that cannot be read, where they were to be left out: for the field's name the fault.
        run: run.json: what was run, versions, seeds, fingerprints, times.
        model: model.json.

    Raises:
        RunError: the parts do not belong together; all faults at once.
    """

    name: str
    class_names: tuple[str, ...]
    examples: pd.DataFrame
    taps: pd.DataFrame
    votes: NDArray[np.int64]
    neighbors: NDArray[np.integer] | None = None
    base: pd.DataFrame | None = None
    thumbnails: NDArray[np.uint8] | None = None
    base_thumbnails: NDArray[np.uint8] | None = None
    history: pd.DataFrame | None = None
    history_fault: str = ""
    exits: ExitsView | None = None
    maps: MapsView | None = None
    units: UnitsView | None = None
    filters: FiltersView | None = None
    looked_at: tuple[ExampleView, ...] = ()
    encoders: EncodersView | None = None
    noted: NotedView | None = None
    labels: LabelsView | None = None
    kinds: KindsView | None = None
    over_runs: OverRunsView | None = None
    damaged: Mapping[str, str] = field(default_factory=dict)
    run: Mapping[str, Any] = field(default_factory=dict)
    model: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        faults = find_faults(self)
        if faults:
            raise RunError(
                f"{self.name} holds parts of different measurements:\n    - "
                + "\n    - ".join(faults)
                + f"\n    Measure it again: layerwise difficulty {self.name}"
            )

    @property
    def tap_names(self) -> tuple[str, ...]:
        """Names of the L taps in order of execution."""
        return tuple(str(name) for name in self.taps["name"])

    @property
    def depth_names(self) -> tuple[str, ...]:
        """Names of the L + 1 depths: the taps, then "unresolved"."""
        return (*self.tap_names, UNRESOLVED)

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits that were measured, in the order train, validation, test."""
        measured = set(self.examples["split"].unique())
        return tuple(split for split in SPLITS if split in measured)

    @property
    def main_split(self) -> str:
        """The split to speak of when there is room for one: test, else validation, else train."""
        return self.splits[-1]

    @property
    def agree_with(self) -> str:
        """The reference class: "prediction", "last-probe" or "label", as recorded, else as the columns show it."""
        recorded = _step(self.run).get("agree_with")
        reference = self.examples["reference"].to_numpy()
        kind_to_classes = {
            "prediction": self.examples["prediction"].to_numpy(),
            "last-probe": self.votes[:, -1],
            "label": self.examples["label"].to_numpy(),
        }
        fitting = [kind for kind, classes in kind_to_classes.items() if (reference == classes).all()]
        return recorded if recorded in fitting else fitting[0] if fitting else "reference"

    @property
    def reference_words(self) -> str:
        """What the probes are compared with, in words."""
        return REFERENCE_TO_WORDS.get(self.agree_with, "the reference class")

    @property
    def factors(self) -> tuple[str, ...]:
        """Names of the known factors, without `factor_`."""
        return tuple(name.removeprefix("factor_") for name in self.examples.columns if name.startswith("factor_"))

    def rows(self, split: str | None = None) -> NDArray[np.int64]:
        """The rows of `examples` in a split (the main one unless given).

        Raises:
            InputError: the split was not measured.
        """
        split = split or self.main_split
        if split not in self.splits:
            raise InputError(
                f'split "{split}" was not measured in {self.name} ({", ".join(self.splits)} were).'
                f"{did_you_mean(split, self.splits)}"
            )
        return np.flatnonzero((self.examples["split"] == split).to_numpy())


PARTS: Mapping[str, Callable[[Path], Any]] = {
    "exits": read_exits,
    "maps": read_maps,
    "units": read_units,
    "filters": read_filters,
    "looked_at": read_examples,
    "encoders": read_encoders,
    "noted": read_noted,
    "labels": read_labels,
    "kinds": read_kinds,
    "over_runs": read_over_runs,
}
"""What other commands add to a run, by the field that holds it."""


def read_run(path: Path | str, *, leave_out_damaged: bool = False) -> RunView:
    """Read and check a run folder in which difficulty was measured.

    Arrays stay on disk (memory-mapped) until they are looked at. A history that cannot be read is left out, and said:
    nothing measured depends on it.

    Args:
        path: the folder.
        leave_out_damaged: a part of `PARTS` that cannot be read is left out and told in `damaged`.

    Raises:
        RunError: no such folder, nothing measured in it, or parts that do not belong together.
        FileError: a file is truncated or of another kind.
    """
    path = Path(path)
    _check_measured(path)
    history, history_fault = _read_history(path / "history.parquet")
    examples = _read(path / "examples.parquet")
    run = _read_object(path / "run.json")
    if "steps" in run:
        steps_of(path)
    model = _read_object(path / "model.json")
    parts, damaged = _read_parts(path, leave_out_damaged=leave_out_damaged)
    return RunView(
        name=str(path),
        class_names=_class_names(model, examples),
        examples=_with_correct(examples),
        taps=_read(path / "taps.parquet"),
        votes=_read(path / "votes.npy"),
        neighbors=_if_there(path / "neighbors.npy"),
        base=_if_there(path / "base.parquet"),
        thumbnails=_if_there(path / "thumbnails.npy"),
        base_thumbnails=_if_there(path / "base_thumbnails.npy"),
        history=history,
        history_fault=history_fault,
        damaged=damaged,
        run=run,
        model=model,
        **parts,
    )


def _read_parts(path: Path, *, leave_out_damaged: bool) -> tuple[dict[str, Any], dict[str, str]]:
    parts, damaged = {}, {}
    for name, read in PARTS.items():
        try:
            parts[name] = read(path)
        except (FileError, RunError) as error:
            if not leave_out_damaged:
                raise
            damaged[name] = str(error)
    return parts, damaged


def _check_measured(path: Path) -> None:
    if not path.is_dir():
        raise RunError(f"no run folder {path}.\n    Make one: layerwise train MODEL DATA -o {path}")
    if _step(_read_object(path / "run.json")).get("depths_only"):
        raise RunError(
            f"{path} holds depths only, without the votes and the pictures that are shown.\n"
            f"    Measure all of it: layerwise difficulty {path} --again"
        )
    missing = [name for name in ("examples.parquet", "taps.parquet", "votes.npy") if not (path / name).is_file()]
    if missing:
        raise RunError(
            f"nothing measured in {path}: no {', no '.join(missing)}.\n"
            f"    Measure it first: layerwise difficulty {path}"
        )


def _step(run: Mapping[str, Any]) -> Mapping[str, Any]:
    """What run.json says of the measurement."""
    steps = run.get("steps")
    step = steps.get("difficulty") if isinstance(steps, Mapping) else None
    return step if isinstance(step, Mapping) else {}


def _if_there(path: Path) -> Any:
    return _read(path) if path.is_file() else None


def _read(path: Path) -> Any:
    """A table, or an array that stays on disk."""
    try:
        return read_table(path) if path.suffix == ".parquet" else read_array(path, mapped=True)
    except FileError as error:
        raise FileError(f"{error}\n    Measure it again: layerwise difficulty {path.parent}") from None


def _read_history(path: Path) -> tuple[pd.DataFrame | None, str]:
    """The history, or why it cannot be read."""
    if not path.is_file():
        return None, ""
    try:
        history = read_table(path)
    except FileError as error:
        return None, str(error)
    missing = [name for name in HISTORY_COLUMNS if name not in history.columns]
    if missing:
        return None, f"{path} has no column {', '.join(missing)}."
    words = [name for name in ("epoch", "loss", "accuracy") if history[name].dtype.kind not in "iuf"]
    if words or not set(history["split"]) <= set(SPLITS):
        return None, f"{path} holds no numbers in {', '.join(words)}." if words else f"{path} has rows of no split."
    return history, ""


def _read_object(path: Path) -> dict[str, Any]:
    try:
        value = read_json(path) if path.is_file() else {}
    except FileError as error:
        raise FileError(
            f"{error}\n    Restore it, or make the run anew in another folder: layerwise train MODEL DATA -o NEW"
        ) from None
    if not isinstance(value, dict):
        raise FileError(f"{path} holds a {type(value).__name__}; a JSON object is expected.")
    return value


def _with_correct(examples: pd.DataFrame) -> pd.DataFrame:
    if {"label", "prediction"} <= set(examples.columns):
        return examples.assign(correct=examples["label"] == examples["prediction"])
    return examples


def _class_names(model: Mapping[str, Any], examples: pd.DataFrame) -> tuple[str, ...]:
    """From model.json; else from the examples' own columns, with numbers for classes that none has."""
    names = model.get("class_names")
    if isinstance(names, list) and names:
        return tuple(str(name) for name in names)
    class_to_name: dict[int, str] = {}
    for number, name in (("label", "label_name"), ("prediction", "prediction_name")):
        if {number, name} <= set(examples.columns):
            class_to_name |= dict(zip(examples[number].astype(int), examples[name].astype(str), strict=True))
    numbers = [int(examples[c].max()) for c in ("label", "prediction", "reference") if c in examples and len(examples)]
    return tuple(class_to_name.get(number, str(number)) for number in range(max(numbers, default=-1) + 1))
