"""`python docs/results/label_pictures.py TABLE.csv NAME [RUN]`: who finds wrong labels, as PNG and a Markdown table.

TABLE.csv is what `python -m benchmarks.label_errors --table` wrote. With a run folder whose labels were ranked, the
twenty most suspect ones, too.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from layerwise.arrays.intervals import mean_interval
from layerwise.plots.labels import plot_suspects
from layerwise.plots.style import MUTED, RIGHT, WRONG, legend, style
from layerwise.views.labels import read_labels, read_noted

HERE = Path(__file__).parent
OURS, THEIRS = "layerwise", "cleanlab self_confidence"
SUSPECTS, PER_PICTURE = 20, 10


def main() -> None:
    """Write the pictures and print the table."""
    table, name = pd.read_csv(sys.argv[1]), sys.argv[2]
    _draw(table).savefig(HERE / f"label-errors-{name}.png", dpi=110)
    _print(table)
    if len(sys.argv) > 3:
        _draw_suspects(Path(sys.argv[3]), name)


def _draw(table: pd.DataFrame) -> Figure:
    """The area under precision and recall of both, for each kind of noise and rate; bars: 95 % intervals over seeds."""
    kinds = list(dict.fromkeys(table["noise"]))
    with style():
        figure = Figure(figsize=(2.6 * len(kinds), 2.6), layout="constrained")
        panels = figure.subplots(1, len(kinds), sharey=True, squeeze=False)[0]
        for ax, kind in zip(panels, kinds, strict=True):
            _panel(ax, table[table["noise"] == kind], kind)
        panels[0].set_ylabel("area under precision and recall")
        legend(panels[0], [(RIGHT, "one training, layerwise"), (WRONG, "5 folds, cleanlab")], loc="lower left")
    return figure


def _panel(ax: Axes, rows: pd.DataFrame, kind: str) -> None:
    rates = sorted(rows["asked_rate"].unique())
    for score, color, shift in ((OURS, RIGHT, -0.06), (THEIRS, WRONG, 0.06)):
        found = [rows[(rows["score"] == score) & (rows["asked_rate"] == rate)]["auprc"] for rate in rates]
        intervals = np.array([mean_interval(values, least=0, most=1) for values in found])
        places = np.arange(len(rates)) + shift
        ax.plot(places, intervals[:, 0], "o-", color=color, markersize=4, linewidth=1)
        ax.vlines(places, intervals[:, 1], intervals[:, 2], color=color, linewidth=1)
    ax.set_xticks(range(len(rates)), [f"{100 * rate:.0f} %" for rate in rates])
    ax.set_ylim(0.4, 1.01)
    ax.set_title(kind)
    ax.set_xlabel("labels wrong", color=MUTED)


def _print(table: pd.DataFrame) -> None:
    measures = ["auprc", "auroc", "missed_at_budget", "precision_at_100"]
    by_seed = table.groupby(["score", "seed"])[measures].mean()
    print("| score | AUPRC (95 %) | AUROC | missed at budget | precision at 100 |")
    print("| --- | --- | --- | --- | --- |")
    for score in by_seed.groupby("score")["auprc"].mean().sort_values(ascending=False).index:
        mean, low, high = mean_interval(by_seed.loc[score, "auprc"])
        rest = by_seed.loc[score, measures[1:]].mean()
        print(f"| {score} | {mean:.3f} ({low:.3f} to {high:.3f}) | " + " | ".join(f"{one:.3f}" for one in rest) + " |")


def _draw_suspects(run: Path, name: str) -> None:
    labels = read_labels(run)
    if labels is None:
        sys.exit(f"{run} holds no suspect labels.")
    for start in range(0, SUSPECTS, PER_PICTURE):
        figure = plot_suspects(labels, read_noted(run), first=start, count=PER_PICTURE)
        figure.savefig(HERE / f"label-errors-{name}-suspects-{start // PER_PICTURE + 1}.png", dpi=100)


if __name__ == "__main__":
    main()
