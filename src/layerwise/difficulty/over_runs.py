"""combine_runs: the depth of each example over several runs, how far one run can be trusted, and the scores likewise.

A run is one seed. The mean over runs has an interval for each example; and how much of what one run says another would
say again is the reliability, from which follows how many runs are enough.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from layerwise.arrays.columns import Numbers, column_faults
from layerwise.arrays.score_catalog import SCORES
from layerwise.arrays.soft_depth import DepthOverRuns, depth_over_runs, runs_needed
from layerwise.errors import FileError, NotEnoughExamplesError, RunError
from layerwise.runs import RUN_FILE, read_table, steps_of
from layerwise.training.dynamics import DYNAMICS_FILE, load_dynamics

__all__ = ["OverRuns", "ScoresOverRuns", "combine_runs"]

SAME = ("k", "agree_with", "fast")
"""Settings without which depths are not of one kind."""

ENOUGH = 0.9
"""A mean is called reliable from here on, as is common for scores of single examples."""


@dataclass(frozen=True, eq=False)
class ScoresOverRuns:
    """Scores of training over R runs.

    Attributes:
        ids: shape (M,), the training examples that all runs were trained on with the same label.
        labels: shape (M,).
        scores: name to mean, interval and reliability.
        epochs: of each training.
    """

    ids: NDArray[np.str_]
    labels: NDArray[np.int64]
    scores: Mapping[str, DepthOverRuns]
    epochs: int

    def table(self) -> pd.DataFrame:
        """A row for each example: id, label, and of each score its mean, `_low` and `_high`."""
        columns: dict[str, Any] = {"id": self.ids, "label": self.labels}
        for name, found in self.scores.items():
            columns |= {name: found.mean, f"{name}_low": found.low, f"{name}_high": found.high}
        return pd.DataFrame(columns)


@dataclass(frozen=True, eq=False)
class OverRuns:
    """Depths of N examples over R runs.

    Attributes:
        runs: R folders.
        tap_names: L names in order of execution.
        examples: N rows: id, split, label, label_name, correct (share of the runs), unresolved (how many runs).
        depth: prediction depth, 0 to L; where unresolved, L.
        soft_depth: the same with the certainty of each vote; None where a run has depths only.
        left_out: how many examples were not measured, in the same split, by all runs.
        scores: of training; None unless all runs noted them in as many epochs.
    """

    runs: tuple[str, ...]
    tap_names: tuple[str, ...]
    examples: pd.DataFrame
    depth: DepthOverRuns
    soft_depth: DepthOverRuns | None
    left_out: int
    scores: ScoresOverRuns | None

    def __len__(self) -> int:
        return len(self.examples)

    def table(self) -> pd.DataFrame:
        """The rows of `examples`, with depth and soft_depth as means over runs, and the ends of their 95 % intervals
        (Student, over runs; within 0 to L) as `_low` and `_high`.
        """
        columns: dict[str, Any] = {}
        for name, found in (("depth", self.depth), ("soft_depth", self.soft_depth)):
            if found is not None:
                ends = (np.clip(end, 0.0, len(self.tap_names)) for end in (found.low, found.high))
                columns |= {name: found.mean, **dict(zip((f"{name}_low", f"{name}_high"), ends, strict=True))}
        return self.examples.assign(**columns)

    def reliabilities(self) -> pd.DataFrame:
        """A row for depth, soft depth and each score: name, one_run and mean (the reliability of one run, and of the
        mean of all), half_width (of the 95 % interval of an example's mean, on average), runs_needed (for `ENOUGH`; NA
        where one run says nothing).
        """
        return pd.DataFrame(self._reliabilities()).astype({"runs_needed": "Int64"})

    def facts(self) -> dict[str, Any]:
        """What is not in the table, for JSON."""
        return {
            "runs": list(self.runs),
            "taps": list(self.tap_names),
            "left_out": self.left_out,
            "enough": ENOUGH,
            "epochs": None if self.scores is None else self.scores.epochs,
            "reliability": self._reliabilities(),
        }

    def _reliabilities(self) -> list[dict[str, Any]]:
        named = {"depth": self.depth, "soft_depth": self.soft_depth, **(self.scores.scores if self.scores else {})}
        return [
            {
                "name": name,
                "one_run": found.reliability,
                "mean": found.reliability_of(found.runs),
                "half_width": float(np.mean(found.high - found.mean)),
                "runs_needed": _needed(found),
            }
            for name, found in named.items()
            if found is not None
        ]


def combine_runs(runs: Sequence[Path | str]) -> OverRuns:
    """Combine the measurements of several runs of the same examples and taps.

    Args:
        runs: R run folders, at least two, in which difficulty was measured: networks of other seeds, the same images.

    Raises:
        NotEnoughExamplesError: fewer than two runs, or than two examples that all of them measured.
        RunError: a run is named twice, or was not measured; or the runs are of other images, other taps or settings, or
            of one and the same network; all faults at once.
        FileError: a file is damaged.
    """
    folders = [Path(run) for run in runs]
    if len(folders) < 2:
        raise NotEnoughExamplesError(
            f"depth over runs needs at least two runs; got {len(folders)}.\n"
            "    Train the network again with another seed, and measure it."
        )
    _refuse_twice(folders)
    facts = [_facts(folder) for folder in folders]
    _refuse_differences(folders, facts)
    tables = [_read_examples(folder, len(facts[0]["taps"])) for folder in folders]
    common = tables[0].index
    for table in tables[1:]:
        common = common[common.isin(table.index)]
    most = max(map(len, tables))
    if len(common) < 2:
        raise NotEnoughExamplesError(
            f"{len(common)} of {most} examples were measured by all of these runs, in the same split; two are needed.\n"
            f"    {_SAME_SPLITS}"
        )
    aligned = [table.loc[common] for table in tables]
    soft = all("soft_depth" in table for table in aligned)
    return OverRuns(
        runs=tuple(map(str, folders)),
        tap_names=tuple(map(str, facts[0]["taps"])),
        examples=_examples(aligned),
        depth=_over_runs(aligned, "depth"),
        soft_depth=_over_runs(aligned, "soft_depth") if soft else None,
        left_out=most - len(common),
        scores=_combine_scores(folders),
    )


_SAME_SPLITS = (
    "A seed that draws or splits the images belongs into their spec, and --seed then to the network alone:\n"
    '    layerwise train MODEL "digits?seed=0" -o RUN --seed 1 --validation 0'
)


def _refuse_twice(folders: Sequence[Path]) -> None:
    places = [folder.resolve() for folder in folders]
    twice = [str(folder) for folder, place in zip(folders, places, strict=True) if places.count(place) > 1]
    if twice:
        raise RunError(f"{twice[-1]} is named twice.\n    Name each run once: every one is to be of another seed.")


def _facts(folder: Path) -> dict[str, Any]:
    facts: dict[str, Any] | None = steps_of(folder).get("difficulty")
    if facts is None:
        raise RunError(f"nothing measured in {folder}.\n    Measure it first: layerwise difficulty {folder}")
    if not isinstance(facts.get("taps"), list):
        raise FileError(
            f"{folder / RUN_FILE} does not say which taps were measured.\n"
            f"    Measure it again: layerwise difficulty {folder} --again"
        )
    return facts


def _refuse_differences(folders: Sequence[Path], facts: Sequence[Mapping[str, Any]]) -> None:
    first, faults, of_images = facts[0], [], False
    for folder, here in zip(folders[1:], facts[1:], strict=True):
        if here.get("data_fingerprint") != first.get("data_fingerprint"):
            of_images = True
            faults.append(f"{folder} is of other images ({here.get('data')} → {first.get('data')})")
        if here["taps"] != first["taps"]:
            faults.append(f"{folder} has other taps ({_taps(here)} → {_taps(first)})")
        faults += [
            f"{folder} has another {name} ({here.get(name)} → {first.get(name)})"
            for name in SAME
            if here.get(name) != first.get(name)
        ]
    networks = [one.get("model_fingerprint") for one in facts]
    same = [str(folder) for folder, one in zip(folders, networks, strict=True) if networks.count(one) > 1]
    if same:
        faults.append(f"{same[-1]} is the same network as {same[0]}, which says nothing of other seeds")
    if faults:
        raise RunError(
            f"these runs cannot be combined with {folders[0]} (there → expected):\n    - "
            + "\n    - ".join(faults)
            + "\n    Measure them alike: layerwise difficulty RUN --taps … --again"
            + (f"\n    {_SAME_SPLITS}" if of_images else "")
        )


def _taps(facts: Mapping[str, Any]) -> str:
    names = [str(name) for name in facts["taps"]]
    return ", ".join(names if len(names) <= 4 else [*names[:2], "…", names[-1]]) + f": {len(names)}"


def _read_examples(folder: Path, taps: int) -> pd.DataFrame:
    """The examples of a run by split and id."""
    table = read_table(folder / "examples.parquet")
    numbers = {"label": Numbers(0, whole=True), "correct": Numbers(0, 1), "resolved": Numbers(0, 1, whole=True),
               "depth": Numbers(0, taps, whole=True)}  # fmt: skip
    if "soft_depth" in table:
        numbers["soft_depth"] = Numbers(0, taps)
    missing = [name for name in ("id", "split", "label_name") if name not in table]
    faults = [f"there is no column {name}" for name in missing] + column_faults(table, numbers)
    if not missing and table.duplicated(["split", "id"]).any():
        faults.append("an id comes twice in a split")
    if faults:
        raise FileError(
            f"{folder / 'examples.parquet'} is damaged: {'; '.join(faults)}.\n"
            f"    Measure it again: layerwise difficulty {folder} --again"
        )
    return table.set_index(["split", "id"])


def _examples(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    first = tables[0].reset_index()
    return pd.DataFrame(
        {
            **{name: first[name].to_numpy() for name in ("id", "split", "label", "label_name")},
            "correct": np.mean([table["correct"].to_numpy() for table in tables], axis=0),
            "unresolved": np.sum([~table["resolved"].to_numpy(np.bool_) for table in tables], axis=0),
        }
    )


def _over_runs(tables: Sequence[pd.DataFrame], column: str) -> DepthOverRuns:
    return depth_over_runs(np.stack([table[column].to_numpy(np.float64) for table in tables]))


def _combine_scores(folders: Sequence[Path]) -> ScoresOverRuns | None:
    """None unless all runs noted their training, in as many epochs, of at least two common examples."""
    if not all((folder / DYNAMICS_FILE).is_file() for folder in folders):
        return None
    noted = [load_dynamics(folder) for folder in folders]
    tables = [dynamics.table(ids).set_index(["id", "label"]) for ids, dynamics in noted]
    epochs = {dynamics.epochs for _, dynamics in noted}
    common = tables[0].index
    for table in tables[1:]:
        common = common[common.isin(table.index)]
    if len(epochs) > 1 or len(common) < 2:
        return None
    names = [name for name in tables[0].columns if name in SCORES and all(name in table for table in tables)]
    aligned = [table.loc[common] for table in tables]
    return ScoresOverRuns(
        ids=common.get_level_values("id").to_numpy(dtype=np.str_),
        labels=common.get_level_values("label").to_numpy(),
        scores={name: _over_runs(aligned, name) for name in names},
        epochs=epochs.pop(),
    )


def _needed(found: DepthOverRuns) -> int | None:
    return None if np.isnan(found.reliability) else runs_needed(found.reliability, of_mean=ENOUGH)
