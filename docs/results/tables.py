"""The tables and pictures of a results page, from a run folder: `python docs/results/tables.py RUN NAME`.

Prints Markdown, and writes pictures to docs/results/NAME-*.png, so that a page can be made anew after a new run.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes

from layerwise.plots.depths import plot_accuracy_by_depth, plot_classes_by_depth
from layerwise.plots.examples import plot_examples
from layerwise.plots.factors import plot_factor_effects
from layerwise.plots.taps import plot_probe_accuracy
from layerwise.runs import steps_of
from layerwise.views.depths import accuracy_by_depth
from layerwise.views.examples import easiest, hardest, unresolved
from layerwise.views.factors import factor_effects
from layerwise.views.run import RunView, read_run
from layerwise.views.taps import network_accuracy, probe_accuracy

HERE = Path(__file__).parent
SHOWN = 10


def interval(row: dict[str, float], name: str) -> str:
    """A share with its interval, in Markdown."""
    value, low, high = row[name], row[f"{name}_low"], row[f"{name}_high"]
    return f"{value:.3f} ({low:.3f} – {high:.3f})" if value == value else "–"


def print_rows(header: list[str], rows: list[list[object]]) -> None:
    print("| " + " | ".join(header) + " |")
    print("|" + " --- |" * len(header))
    for row in rows:
        print("| " + " | ".join(map(str, row)) + " |")
    print()


def print_depths(view: RunView) -> None:
    table = accuracy_by_depth(view).merge(
        probe_accuracy(view), how="left", on=["split", "tap"], suffixes=("", "_probe")
    )
    names = {"accuracy_probe": "probe", "accuracy_low_probe": "probe_low", "accuracy_high_probe": "probe_high"}
    table = table.rename(columns=names)
    for split, rows in table.groupby("split", sort=False):
        print(f"{split}\n")
        print_rows(
            ["depth", "tap", "probe accuracy", "images decided here", "share", "network accuracy there"],
            [
                [
                    row["depth"],
                    f"`{row['tap']}`",
                    interval(row, "probe"),
                    row["count"],
                    f"{row['share']:.3f}",
                    interval(row, "accuracy"),
                ]
                for row in rows.to_dict("records")
            ],
        )


def print_times(run: Path, view: RunView) -> None:
    steps = steps_of(run)
    search, recording = steps["difficulty"]["seconds"]["search"], steps["difficulty"]["seconds"]["recording"]
    for name, seconds in (("train", steps.get("train", {}).get("seconds")), ("recording", recording)):
        print(f"{name}: {seconds or 0:.0f} s\n")
    print(
        f"search: {sum(search.values()):.0f} s; peak memory {steps['difficulty']['peak_memory_bytes'] / 1e9:.1f} GB\n"
    )
    taps = view.taps.set_index("name")
    print_rows(
        ["tap", "shape", "features", "seconds"],
        [
            [f"`{tap}`", taps.loc[tap, "shape"], taps.loc[tap, "features"], f"{seconds:.1f}"]
            for tap, seconds in search.items()
        ],
    )


def save(ax: Axes, name: str) -> None:
    ax.get_figure(root=True).savefig(HERE / f"{name}.png", dpi=110, bbox_inches="tight")
    print(f"![{name}]({name}.png)\n")


def rows_of(view: RunView, table: pd.DataFrame) -> list[int]:
    place = {example: row for row, example in enumerate(view.examples["id"])}
    return [place[example] for example in table["id"]]


def main() -> None:
    run, name = Path(sys.argv[1]), sys.argv[2]
    view = read_run(run)
    for row in network_accuracy(view).to_dict("records"):
        print(f"{row['split']}: {row['count']} images, accuracy {interval(row, 'accuracy')}\n")
    print_depths(view)
    save(plot_accuracy_by_depth(view), f"{name}-accuracy-by-depth")
    save(plot_probe_accuracy(view), f"{name}-probe-accuracy")
    save(plot_classes_by_depth(view), f"{name}-classes-by-depth")
    for kind, examples in (("easiest", easiest), ("hardest", hardest), ("unresolved", unresolved)):
        rows = rows_of(view, examples(view, SHOWN))
        if rows:
            save(plot_examples(view, rows, columns=SHOWN), f"{name}-{kind}")
    effects = factor_effects(view)
    if len(effects):
        print_rows(
            ["factor", "rank correlation with depth", "p (Holm)"],
            [[row["factor"], interval(row, "rho"), f"{row['p_holm']:.2g}"] for row in effects.to_dict("records")],
        )
        save(plot_factor_effects(view), f"{name}-factors")
    print_times(run, view)


if __name__ == "__main__":
    main()
