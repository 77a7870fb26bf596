"""Depth against what is known of how each image was made: what makes an example hard?"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from layerwise.arrays.intervals import holm_adjusted, mean_interval, spearman_interval
from layerwise.views.run import RunView

FEWEST_PAIRS = 4


def factor_effects(view: RunView, split: str | None = None) -> pd.DataFrame:
    """The rank correlation of depth with each numeric factor, strongest first; unresolved examples count as deepest.

    Args:
        view: what was measured.
        split: the split to look at; the main one unless given.

    Returns:
        A row per factor that is a number and varies over at least four examples: factor, count, rho, rho_low, rho_high
        (Fisher 95 %), p (two-sided, of no correlation), p_holm (adjusted for the number of factors).

    Source: Spearman's rho; the interval by Bonett and Wright (2000).
    """
    rows = [_effect(name, *_pairs(view, name, split)) for name in numeric_factors(view, split)]
    table = pd.DataFrame(rows, columns=["factor", "count", "rho", "rho_low", "rho_high", "p"])
    table["p_holm"] = holm_adjusted(table["p"].to_numpy(np.float64))
    order = np.argsort(-table["rho"].abs().to_numpy(np.float64), kind="stable")
    return table.iloc[order].reset_index(drop=True)


def numeric_factors(view: RunView, split: str | None = None) -> tuple[str, ...]:
    """Factors that can be ranked: numbers or booleans that vary, and depths that vary, over at least four examples.

    A column whose name ends in "seed" names random numbers, and its size means nothing.
    """
    named = [name for name in view.factors if not name.endswith("seed")]
    return tuple(name for name in named if _can_be_ranked(*_pairs(view, name, split)))


def factor_bins(view: RunView, bins: int = 10, split: str | None = None) -> pd.DataFrame:
    """Mean depth in equally full bins of each numeric factor; a bin for each value where there are few.

    Returns:
        A row per factor and bin: factor, bin, low, high, center (mean of the factor), count, mean, mean_low, mean_high
        (Student 95 %), unresolved.
    """
    rows = [row for name in numeric_factors(view, split) for row in _bin_rows(view, name, bins, split)]
    columns = ["factor", "bin", "low", "high", "center", "count", "mean", "mean_low", "mean_high", "unresolved"]
    return pd.DataFrame(rows, columns=columns)


def _pairs(view: RunView, name: str, split: str | None) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Factor and depth where the factor is known; empty for a factor that is no number."""
    column = view.examples[f"factor_{name}"].iloc[view.rows(split)]
    if not pd.api.types.is_numeric_dtype(column.dtype):
        return np.empty(0), np.empty(0, np.int64)
    values = column.to_numpy(np.float64, na_value=np.nan)
    depth = view.examples["depth"].to_numpy(np.int64)[view.rows(split)]
    known = np.isfinite(values)
    return values[known], depth[known]


def _can_be_ranked(values: NDArray[np.float64], depth: NDArray[np.int64]) -> bool:
    return len(values) >= FEWEST_PAIRS and bool(np.ptp(values) > 0) and bool(np.ptp(depth) > 0)


def _effect(name: str, values: NDArray[np.float64], depth: NDArray[np.int64]) -> dict[str, object]:
    rho, p = stats.spearmanr(values, depth)
    low, high = spearman_interval(float(rho), len(values))
    return {"factor": name, "count": len(values), "rho": float(rho), "rho_low": low, "rho_high": high, "p": float(p)}


def _bin_rows(view: RunView, name: str, bins: int, split: str | None) -> list[dict[str, object]]:
    values, depth = _pairs(view, name, split)
    numbers = _bin_numbers(values, bins)
    rows: list[dict[str, object]] = []
    for number in np.unique(numbers):
        inside = numbers == number
        mean, low, high = mean_interval(depth[inside], least=0, most=len(view.taps))
        rows.append(
            {
                "factor": name,
                "bin": len(rows),
                "low": float(values[inside].min()),
                "high": float(values[inside].max()),
                "center": float(values[inside].mean()),
                "count": int(inside.sum()),
                "mean": mean,
                "mean_low": low,
                "mean_high": high,
                "unresolved": int((depth[inside] == len(view.taps)).sum()),
            }
        )
    return rows


def _bin_numbers(values: NDArray[np.float64], bins: int) -> NDArray[np.int64]:
    """A bin for each value: a value of its own for few distinct values, else between quantiles."""
    distinct, numbers = np.unique(values, return_inverse=True)
    if len(distinct) <= bins:
        return numbers.astype(np.int64)
    edges = np.unique(np.quantile(values, np.linspace(0, 1, bins + 1)))
    return np.searchsorted(edges[1:-1], values, side="right").astype(np.int64)
