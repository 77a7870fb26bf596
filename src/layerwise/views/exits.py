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
from layerwise.runs import read_array, read_json, read_table
from layerwise.views.faults import refuse_faults

CURVE_COLUMNS = ("threshold", "accuracy", "macs")
SUMMARY_KEYS = (
    *("split", "policy", "examples", "plain_accuracy", "plain_macs", "exits", "oracles"),
    *("times", "smaller", "comparisons", "compared", "fingerprint"),
)
BUDGET_KEYS = (
    *("policy", "accuracy", "accuracy_95", "gain", "gain_95", "macs", "mac_cut", "ms"),
    *("shares", "thresholds", "chosen_on", "fingerprint"),
)


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
    summary = _checked(folder / "summary.json", SUMMARY_KEYS)
    curve = read_table(folder / "curve.parquet")
    if not set(CURVE_COLUMNS) <= set(curve.columns):
        raise FileError(
            f"{folder / 'curve.parquet'} is not a curve of exits.\n    Again: layerwise exits evaluate {run}"
        )
    _check_same(folder / "exits.json", summary, f"layerwise exits evaluate {run}")
    exits = summary["exits"]
    if not (isinstance(exits, list) and exits and all(isinstance(one, dict) and "exit" in one for one in exits)):
        raise FileError(f"{folder / 'summary.json'} names no exits.\n    Again: layerwise exits evaluate {run}")
    size = _largest_batch(summary, folder / "summary.json")
    if f"ms_batch_{size}" not in curve.columns:
        raise FileError(
            f"{folder / 'curve.parquet'} and summary.json are not of one evaluation.\n"
            f"    Again: layerwise exits evaluate {run}"
        )
    ids, logits = _recorded(run, str(summary["split"]), len(summary["exits"]))
    if not (folder / "budget.json").exists():
        return ExitsView(summary, curve, None, None, ids, logits)
    budget = _checked(folder / "budget.json", BUDGET_KEYS)
    _check_same(folder / "exits.json", budget, f"layerwise exits budget {run}")
    if not isinstance(budget["ms"], dict) or str(size) not in budget["ms"]:
        raise FileError(
            f"{folder / 'budget.json'} and summary.json are not of one evaluation.\n"
            f"    Again: layerwise exits budget {run}"
        )
    left = read_table(folder / "left.parquet")
    faults = column_faults(left, {"exit": Numbers(0, len(exits) - 1, whole=True)})
    if "id" not in left:
        faults.append("there is no column id")
    refuse_faults(folder / "left.parquet", faults, f"Again: layerwise exits budget {run}")
    return ExitsView(summary, curve, budget, left, ids, logits)


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


def _check_same(path: Path, noted: Mapping[str, Any], command: str) -> None:
    """Refuse what was measured on exits that are no longer there."""
    if path.exists() and read_json(path).get("fingerprint") != noted["fingerprint"]:
        raise RunError(f"the exits in {path.parent} were trained anew since they were measured.\n    Again: {command}")


def _largest_batch(summary: Mapping[str, Any], path: Path) -> int:
    try:
        return int(summary["times"]["batch_sizes"][-1])
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise FileError(f"{path} holds no times. Write it again: layerwise exits evaluate RUN") from error


def _checked(path: Path, keys: tuple[str, ...]) -> Mapping[str, Any]:
    values = read_json(path)
    if not isinstance(values, dict) or not set(keys) <= set(values):
        raise FileError(f"{path} is not what `layerwise exits` writes. Write it again with the same command.")
    return values
