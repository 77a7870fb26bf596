"""The picture of the benchmark of human difficulty: every score with its interval, and neighbours tap by tap."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from layerwise.arrays.score_catalog import SCORES
from layerwise.plots.style import INK, MUTED, OKABE_ITO, legend, style

BAR = 0.34
"""What the mean of eight strong networks reaches on the original images, with entropy."""

FAMILY_TO_COLOR = dict(
    zip(
        ("softmax", "softmax and label", "neighbours", "neighbours and label", "depth", "several", "training"),
        (*OKABE_ITO[:6], "#7a828c"),
        strict=True,
    )
)
AT = " at "


def draw(table: pd.DataFrame, path: Path) -> None:
    """Left: scores of one network against people's entropy. Right: tap by tap; scores of training against C-scores."""
    with style():
        figure = Figure(figsize=(8.2, 6.2), layout="constrained")
        grid = figure.add_gridspec(2, 2, width_ratios=(1.15, 1.0), height_ratios=(1.0, 1.25))
        people = table[(table["of"] == "people") & ~table["score"].str.contains(AT)]
        left = figure.add_subplot(grid[:, 0])
        _dots(left, people, "People's entropy, test images", bar=BAR)
        shown = [(FAMILY_TO_COLOR[family], family) for family in dict.fromkeys(people["family"])]
        legend(left, shown, loc="lower right", fontsize=7)
        _taps(figure.add_subplot(grid[0, 1]), table)
        training = table[(table["of"] == "c_score") & (table["family"] == "training")]
        _dots(figure.add_subplot(grid[1, 1]), training, "C-score, training images", bar=None)
        figure.savefig(path, dpi=200)


def _dots(ax: Axes, table: pd.DataFrame, title: str, *, bar: float | None) -> None:
    rows = table.sort_values("rho")
    places = np.arange(len(rows))
    for place, row in zip(places, rows.to_dict("records"), strict=True):
        color = FAMILY_TO_COLOR[row["family"]]
        ax.plot([row["low"], row["high"]], [place, place], color=color, linewidth=1.4)
        ax.plot(row["rho"], place, marker="o", color=color, markersize=4)
    ax.set_yticks(places, [_words(name) for name in rows["score"]], fontsize=7)
    ax.set_ylim(-0.6, len(rows) - 0.4)
    ax.axvline(0, color=MUTED, linewidth=0.7)
    if bar is not None:
        ax.axvline(bar, color=INK, linewidth=0.8, linestyle="--")
    ax.grid(visible=True, axis="x")
    ax.grid(visible=False, axis="y")
    ax.set_xlabel("Spearman's correlation")
    ax.set_title(title, x=0, ha="left")


def _taps(ax: Axes, table: pd.DataFrame) -> None:
    found = table[table["score"].str.contains(AT)]
    taps: list[Any] = list(dict.fromkeys(found["score"].str.split(AT).str[1]))
    for (family, of), words, line in (
        (("neighbours and label", "people"), "other labels, people", "-"),
        (("neighbours", "people"), "divided votes, people", "-"),
        (("neighbours and label", "c_score"), "other labels, C-score", "--"),
        (("neighbours", "c_score"), "divided votes, C-score", "--"),
    ):
        rows = found[(found["family"] == family) & (found["of"] == of)]
        color = FAMILY_TO_COLOR[family]
        ax.plot(range(len(taps)), rows["rho"], color=color, linestyle=line, marker="o", markersize=2.5, label=words)
        ax.fill_between(range(len(taps)), rows["low"], rows["high"], color=color, alpha=0.15, linewidth=0)
    ax.axhline(0, color=MUTED, linewidth=0.7)
    ax.set_xticks(range(len(taps)), taps, rotation=45, ha="right", rotation_mode="anchor", fontsize=6.5)
    ax.set_title("Neighbours, tap by tap")
    ax.legend(fontsize=6.5, loc="upper left", handlelength=3.2)


def _words(name: str) -> str:
    return SCORES[name].words if name in SCORES else name
