"""`python docs/results/study_pictures.py STUDIES`: the inductive-bias study as pictures, its numbers as Markdown."""

from __future__ import annotations

import sys
from pathlib import Path

from matplotlib.axes import Axes

from layerwise.plots.studies import plot_outcomes
from layerwise.plots.study_runs import plot_curves, plot_interactions, plot_kernels
from layerwise.report.study.answer import estimate_words
from layerwise.report.study.claims import effect_words
from layerwise.study.described import describe
from layerwise.study.store import Store, find_stores
from layerwise.study.summary import StudySummary, summarize
from layerwise.views.studies import lay_out

HERE = Path(__file__).parent
RELIED = ("test_accuracy", "test_loss", "scaled_test_loss", "temperature", "ece")


def main() -> None:
    """Write the pictures and print the tables."""
    for store in find_stores(sys.argv[1]):
        summary = summarize(store.study(), store)
        name = summary.study.name.partition("-")[0]
        _save(plot_outcomes(summary), f"inductive-bias-{name}")
        _print(summary)
        if name == "q3":
            figure = plot_curves(summary, store.table(series=True), "loss")
            figure.savefig(HERE / "inductive-bias-q3-loss.png", dpi=100)
            _print_calibration(summary)
        if name == "q5":
            plot_interactions(summary).savefig(HERE / "inductive-bias-q5-interaction.png", dpi=100)
        if name == "q2":
            _kernels(summary, store)


def _save(axes: Axes, name: str) -> None:
    figure = axes.get_figure(root=True)
    if figure is not None:
        figure.savefig(HERE / f"{name}.png", dpi=100)


def _print(summary: StudySummary) -> None:
    lost = len(summary.failures)
    print(f"\n## {summary.study.name}: {summary.verdict}, {summary.used} seeds, {lost} came to nothing\n")
    layout = lay_out(summary.study.contenders)
    print(f"| {layout.along_words or 'cell'} | " + " | ".join(f"{level:g}" for level in layout.levels) + " |")
    print("| --- |" + " --- |" * len(layout.levels))
    for words, level_to_contender in layout.series.items():
        some = [level_to_contender[level] for level in layout.levels if level in level_to_contender]
        row = [estimate_words(summary.estimate(one), summary.study.measure) for one in some]
        print(f"| {words} | " + " | ".join(row) + " |")
    print("\n| claim | found | verdict |\n| --- | --- | --- |")
    for one in summary.judged:
        print(f"| {one.finding.comparison.claim} | {effect_words(one.finding)} | {one.verdict} |")
    inside, among = sum(one.inside for one in summary.beside), sum(one.among_runs for one in summary.beside)
    print(f"\nreferences: {len(summary.beside)}, in the interval {inside}, among single runs {among}")


def _print_calibration(summary: StudySummary) -> None:
    print("\n| cell | " + " | ".join(RELIED) + " |\n| --- |" + " --- |" * len(RELIED))
    for words, contender in lay_out(summary.study.contenders).labelled():
        row = [estimate_words(summary.estimate(contender, measure), measure) for measure in RELIED]
        print(f"| {words} | " + " | ".join(row) + " |")


def _kernels(summary: StudySummary, store: Store) -> None:
    contender = summary.study.contenders[0]
    rows = store.table(series=True).merge(summary.runs(contender)[["cell", "block"]], on=["cell", "block"])
    rows = rows.sort_values("test_accuracy", kind="stable", ignore_index=True)
    places = {"worst": 0, "median": len(rows) // 2, "best": len(rows) - 1}
    chosen = {f"{words}\n{100 * rows['test_accuracy'][at]:.0f} %": dict(rows.iloc[at]) for words, at in places.items()}
    shape = describe(summary.study, store)[contender.address].kernels
    plot_kernels(chosen, shape).savefig(HERE / "inductive-bias-kernels.png", dpi=90)


if __name__ == "__main__":
    main()
