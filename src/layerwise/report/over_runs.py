"""The section on several runs: the mean depth of each image, and how far one run can be trusted."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from layerwise.arrays.score_catalog import score
from layerwise.plots.over_runs import plot_over_runs
from layerwise.report.html import DASH, Html, details, figure, joined, name, paragraph, table, tag
from layerwise.report.pictures import Album
from layerwise.views.over_runs import OverRunsView
from layerwise.views.run import RunView

LISTED = 30


def over_runs_section(view: RunView, album: Album) -> Html:
    """Depths and scores over runs, and the deepest images; nothing where runs were not combined."""
    over = view.over_runs
    if over is None:
        return Html()
    count = len(over.examples)
    chart = album.chart("over-runs", plot_over_runs(over), f"Mean depth of {count} images over {over.runs} runs.")
    caption = (
        f"Left: images by their mean depth over {over.runs} runs with different seeds, but for those that every run "
        "decides at the first tap; lines are 95 % intervals of the mean (Student, over runs). Right: how reliable the "
        "mean of so many runs is, by Spearman and Brown's formula from the share of the variance that lies between "
        "images; points: the runs at hand."
    )
    return joined([_words(over), figure(chart, caption), _reliabilities(over), _deepest(over)])


def _words(over: OverRunsView) -> Html:
    depth = over.reliabilities().set_index("name").loc["depth"]
    left_out = int(over.facts["left_out"])
    said = (
        f"The depth that one run gives an image is reliable to {_number(depth['one_run'])}, the mean of {over.runs} "
        f"runs to {_number(depth['mean'])} (1: another set of runs would rank the images alike). "
    )
    needed = _runs(depth["runs_needed"])
    enough = (
        f"{needed} runs make it {over.facts['enough']}."
        if needed != DASH
        else "What lies between the images is not more than chance: no number of such runs would do."
    )
    lost = f" {left_out:,} images that not all runs measured are left out." if left_out else ""
    return paragraph(said, enough, lost)


def _reliabilities(over: OverRunsView) -> Html:
    lines = [
        [
            tag("code", row["name"]),
            score(row["name"]).words,
            _number(row["one_run"]),
            _number(row["mean"]),
            _runs(row["runs_needed"]),
            f"{row['half_width']:.3g}",
        ]
        for row in over.reliabilities().to_dict("records")
    ]
    heads = ["Score", "What it is", "One run", f"Mean of {over.runs}", f"Runs for {over.facts['enough']}",
             "± of an image's mean (95 %, on average)"]  # fmt: skip
    return table(heads, lines, names=2)


def _deepest(over: OverRunsView) -> Html:
    """The images that are surely deep: those whose interval ends highest above the others."""
    rows = over.examples.sort_values(["depth_low", "id"], ascending=[False, True]).head(LISTED)
    lines = [_line(row, over.runs) for row in rows.to_dict("records")]
    heads = ["Image", "Split", "Label", "Mean depth (95 % interval)", "Unresolved in", "Right in"]
    return details(f"The {len(lines)} images that are most surely deep", table(heads, lines, names=3))


def _line(row: Mapping[Hashable, Any], runs: int) -> list[str]:
    return [
        name(str(row["id"])),
        str(row["split"]),
        name(str(row["label_name"])),
        f"{row['depth']:.2f} [{row['depth_low']:.2f}, {row['depth_high']:.2f}]",
        f"{int(row['unresolved'])} of {runs}",
        f"{round(row['correct'] * runs)} of {runs}",
    ]


def _number(value: Any) -> str:
    return DASH if value is None or value != value else f"{value:.2f}"


def _runs(needed: Any) -> str:
    return DASH if needed is None or needed != needed else f"{int(needed):,}"
