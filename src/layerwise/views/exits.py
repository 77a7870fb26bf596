"""`read_exits`: what `layerwise exits` left in a run folder; depth_by_exit: prediction depth against the exit taken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from layerwise.arrays.columns import Numbers, column_faults
from layerwise.arrays.intervals import mean_interval, rank_correlation
from layerwise.errors import FileError, RunError
from layerwise.runs import read_array, read_json, read_object, read_table
from layerwise.views.faults import refuse_faults
from layerwise.views.patterns import Pattern, pattern_fault

ALIKE = 0.25
"""Of the whole's time: so much may the parts' differ from it. A tiny network's do by an eighth on a quiet machine."""

MAYBE = (type(None), float)
SPREAD = [float, float]
ORACLE = {"accuracy": float, "mac_cut": float}
COMPARED = {
    "smaller": str,
    "cost": str,
    "plain_cost": float,
    "smaller_cost": float,
    "smaller_accuracy": float,
    "exits_cost": MAYBE,
    "exits_accuracy": MAYBE,
    "gain": MAYBE,
    "gain_interval": (type(None), SPREAD),
    "verdict": str,
}
SUMMARY: Pattern = {
    "split": str,
    "policy": str,
    "examples": int,
    "plain_accuracy": float,
    "plain_macs": float,
    "exits": [{"exit": str, "accuracy": float, "network_macs": float, "head_macs": float}],
    "oracles": {"first right": ORACLE, ...: ORACLE},
    "times": {"batch_sizes": [int], "segments": [[float]], "heads": [[float]], "plain": [float]},
    "smaller": [{"name": str, "macs": float, "accuracy": float, "seconds": {...: float}}],
    "comparisons": [COMPARED],
    "compared": str,
    "fingerprint": str,
}
BUDGET: Pattern = {
    "policy": str,
    "accuracy": float,
    "accuracy_95": SPREAD,
    "gain": float,
    "gain_95": SPREAD,
    "macs": float,
    "mac_cut": float,
    "ms": {...: {"exits": float, "plain": float}},
    "shares": {...: float},
    "thresholds": [(float, str)],
    "chosen_on": str,
    "fingerprint": str,
}


@dataclass(frozen=True)
class ExitsView:
    """Early exit in a run.

    Attributes:
        summary: of the evaluation: the exits on their own, the oracles, the plain network, smaller ones.
        curve: a row for each threshold: accuracy, mean MACs and milliseconds (`ms_batch_64`), shares of the exits.
        budget: thresholds that were chosen and what they give; None if none were.
        left: a row for each reported example under this budget: `id`, `exit` (its place), `right`; None without one.
        recorded_ids: shape (n,), of the reported examples; None if they were not kept.
        logits: shape (E, n, K), what each exit says of them, on disk until they are looked at.
    """

    summary: Mapping[str, Any]
    curve: pd.DataFrame
    budget: Mapping[str, Any] | None
    left: pd.DataFrame | None
    recorded_ids: NDArray[np.str_] | None = None
    logits: NDArray[np.floating] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Of the exits, the last included."""
        return tuple(str(one["exit"]) for one in self.summary["exits"])

    def confidence(self) -> NDArray[np.float64] | None:
        """The probability that each exit gives its own class, shape (n, E)."""
        if self.logits is None:
            return None
        logits = np.asarray(self.logits, np.float64)
        highest: NDArray[np.float64] = 1 / np.exp(logits - logits.max(axis=2, keepdims=True)).sum(axis=2)  # (E, n)
        return highest.T

    @property
    def batch_size(self) -> int:
        """The largest at which time was measured."""
        return int(self.summary["times"]["batch_sizes"][-1])


def read_exits(run: Path) -> ExitsView | None:
    """Read what a run knows about early exit; None if its exits were not evaluated.

    Raises:
        FileError: a file is damaged, or is not what it should be.
    """
    folder = run / "exits"
    if not (folder / "summary.json").exists():
        return None
    evaluate, choose = f"Again: layerwise exits evaluate {run}", f"Again: layerwise exits budget {run}"
    summary = _checked(folder / "summary.json", SUMMARY, evaluate)
    refuse_faults(folder / "summary.json", _summary_faults(summary), evaluate)
    _check_same(folder / "exits.json", summary, evaluate)
    size, exits = summary["times"]["batch_sizes"][-1], len(summary["exits"])
    curve = read_table(folder / "curve.parquet")
    numbers = {"accuracy": Numbers(0, 1), "macs": Numbers(0), f"ms_batch_{size}": Numbers(0)}
    refuse_faults(folder / "curve.parquet", column_faults(curve, numbers), evaluate)
    ids, logits = _recorded(run, summary["split"], exits)
    if not (folder / "budget.json").exists():
        return ExitsView(summary, curve, None, None, ids, logits)
    budget = _checked(folder / "budget.json", BUDGET, choose)
    if str(size) not in budget["ms"]:
        refuse_faults(folder / "budget.json", [f"ms has no {size}, the batch size of summary.json"], choose)
    _check_same(folder / "exits.json", budget, choose)
    left = read_table(folder / "left.parquet")
    faults = column_faults(left, {"exit": Numbers(0, exits - 1, whole=True)})
    refuse_faults(folder / "left.parquet", faults + ([] if "id" in left else ["there is no column id"]), choose)
    return ExitsView(summary, curve, budget, left, ids, logits)


def saved_in_words(budget: Mapping[str, Any]) -> str:
    """What thresholds were chosen to save, in words; none where the budget itself says it.

    >>> saved_in_words({"saved": "ms", "batch_size": 64})
    'little time (predicted, batches of 64)'
    """
    if budget.get("saved") == "ms":
        return f"little time (predicted, batches of {budget.get('batch_size')})"
    return "few MACs" if budget.get("saved") == "macs" else ""


def _summary_faults(summary: Mapping[str, Any]) -> list[str]:
    """Lists that do not have as many values as there are exits, or batch sizes."""
    exits, times = len(summary["exits"]), summary["times"]
    sizes = len(times["batch_sizes"])
    if not exits or not sizes:
        return ["it names no exits" if sizes else "it holds no times"]
    if not all(len(times[name]) == sizes for name in ("segments", "heads", "plain")):
        return [f"times are not those of {sizes} batch sizes"]
    if len(times["segments"][-1]) != exits or len(times["heads"][-1]) != exits - 1:
        return [f"times are not those of {exits} exits"]
    size = str(times["batch_sizes"][-1])
    return [f"{one['name']} has no time at {size} images" for one in summary["smaller"] if size not in one["seconds"]]


def _recorded(run: Path, split: str, exits: int) -> tuple[NDArray[np.str_] | None, NDArray[np.floating] | None]:
    """Ids and logits of the examples that were reported, if they were kept."""
    array, table = (run / "exits" / f"{split}.{suffix}" for suffix in ("npy", "parquet"))
    if not (array.is_file() and table.is_file()):
        return None, None
    examples, logits = read_table(table), read_array(array, mapped=True)
    if "id" not in examples:
        refuse_faults(table, ["there is no column id"], f"Record again: layerwise exits evaluate {run}")
    ids = examples["id"].to_numpy(np.str_)
    if logits.ndim != 3 or logits.shape[:2] != (exits, len(ids)):
        raise FileError(
            f"{array} is {logits.shape}; ({exits}, {len(ids)}, K) is expected.\n"
            f"    Record again: layerwise exits evaluate {run}"
        )
    return ids, logits


def distrust_of_times(times: Mapping[str, Any], run: str) -> str:
    """Words where the parts of the network together do not take what the whole does; empty where they do.

    Args:
        times: `batch_sizes` (S,), `segments` (S, E + 1) and `plain` (S,), seconds of a batch.
        run: whose times these are, as a command is given it.
    """
    whole = np.asarray(times["plain"], np.float64)
    parts = np.asarray(times["segments"], np.float64).sum(axis=1)
    apart = np.abs(np.log(np.maximum(parts, 1e-12) / np.maximum(whole, 1e-12)))
    worst = int(apart.argmax())
    if abs(parts[worst] - whole[worst]) <= ALIKE * whole[worst]:
        return ""
    return (
        f"Times are not to be trusted: the parts of the network take {1e3 * parts[worst]:.3g} ms together, the whole "
        f"{1e3 * whole[worst]:.3g} ms, in batches of {times['batch_sizes'][worst]}; the machine was busy. "
        f"Measure again on a quiet one: layerwise exits evaluate {run}"
    )


def depth_by_exit(left: pd.DataFrame, examples: pd.DataFrame, names: tuple[str, ...]) -> pd.DataFrame:
    """Mean prediction depth of the examples that leave at each exit, with Student's interval; unresolved ones deepest.

    Args:
        left: `id` and `exit`.
        examples: `id` and `depth`.
        names: of the exits.

    Returns:
        Columns `exit`, `count`, `mean`, `low`, `high`.
    """
    both = left.merge(examples[["id", "depth"]], on="id")
    rows = []
    for place, name in enumerate(names):
        depths = both.loc[both["exit"] == place, "depth"].to_numpy()
        rows.append((name, len(depths), *mean_interval(depths, least=0)))
    return pd.DataFrame(rows, columns=["exit", "count", "mean", "low", "high"])


def depth_exit_correlation(left: pd.DataFrame, examples: pd.DataFrame) -> tuple[float, float, float]:
    """Spearman's rank correlation of prediction depth with the exit, with its interval; NaN if one is constant."""
    both = left.merge(examples[["id", "depth"]], on="id")
    return rank_correlation(both["depth"], both["exit"])


def _check_same(path: Path, noted: Mapping[str, Any], again: str) -> None:
    """Refuse what was measured on exits that are no longer there."""
    if path.exists() and read_object(path).get("fingerprint") != noted["fingerprint"]:
        raise RunError(f"the exits in {path.parent} were trained anew since they were measured.\n    {again}")


def _checked(path: Path, pattern: Pattern, again: str) -> Mapping[str, Any]:
    values = read_json(path)
    fault = pattern_fault(values, pattern)
    refuse_faults(path, [fault] if fault else [], again)
    return values  # type: ignore[no-any-return]
