"""The section on early exit: accuracy against cost, the budget that was chosen, who leaves where, and depth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from layerwise.plots.exits import plot_depth_by_exit, plot_exit_curve, plot_exit_shares
from layerwise.plots.words import signed
from layerwise.report.galleries import cards
from layerwise.report.html import Html, details, figure, joined, name, paragraph, table, tag
from layerwise.report.pictures import Album
from layerwise.views.exits import ExitsView, depth_by_exit, depth_exit_correlation, distrust_of_times, saved_in_words
from layerwise.views.run import RunView

PER_GALLERY = 12
SMALLER = "the smaller one"
"""A comparison's verdict."""


def exits_section(view: RunView, album: Album) -> Html:
    """How much of the network each image needs; nothing where no exits were evaluated."""
    exits = view.exits
    if exits is None:
        return Html()
    parts = [_distrust(exits), _answer(exits), _does_not_pay(exits), _curve(exits, album)]
    parts += [_time_curve(exits, album), _comparisons(exits), _exits_table(exits)]
    if exits.budget is not None and exits.left is not None:
        parts += [_shares(exits, exits.budget, album), _depth(view, exits, exits.left, album)]
        parts.append(_galleries(view, exits, exits.left))
    return joined(parts)


def _distrust(exits: ExitsView) -> Html:
    distrust = distrust_of_times(exits.summary["times"], "RUN")
    return paragraph(tag("b", distrust)) if distrust else Html()


def _answer(exits: ExitsView) -> Html:
    budget = exits.budget
    if budget is None:
        return paragraph("No thresholds were chosen yet: ", tag("code", "layerwise exits budget RUN --loss 0.005"), ".")
    size = str(budget.get("batch_size"))
    size = size if size in budget["ms"] else str(exits.batch_size)
    ms = budget["ms"][size]
    time_cut = 1 - ms["exits"] / ms["plain"]
    saved = saved_in_words(budget)
    purpose = f" for {saved}" if saved else ""
    promise = f" Promised: {budget['promise']}." if budget.get("promise") else ""
    return paragraph(
        f"{_cut(budget['mac_cut'])} MACs, heads counted, and {_cut(time_cut)} time (predicted, in batches of "
        f"{size}), for {_points(budget['gain'], *budget['gain_95'])} points of accuracy (paired, 95 %). "
        f"Thresholds were chosen on {budget['chosen_on']}{purpose}, and are reported on others.{promise}"
    )


def _does_not_pay(exits: ExitsView) -> Html:
    """Where the budget costs accuracy beyond its interval, or a smaller network is better; nothing elsewhere."""
    better = list(dict.fromkeys(one["smaller"] for one in exits.summary["comparisons"] if one["verdict"] == SMALLER))
    costs = ["these thresholds cost accuracy"] if exits.budget and exits.budget["gain_95"][1] < 0 else []
    beaten = [f"at equal cost a smaller network is better ({', '.join(better)})"] if better else []
    if not costs + beaten:
        return Html()
    return paragraph(
        f"Early exit does not pay here: {' and '.join(costs + beaten)}. It pays where many images are easy, so that "
        "early heads are right on most of what they are sure of."
    )


def _cut(share: float) -> str:
    return f"{100 * abs(share):.1f} % {'less' if share >= 0 else 'more'}"


def _curve(exits: ExitsView, album: Album) -> Html:
    summary = exits.summary
    oracle = summary["oracles"]["first right"]
    alt = (
        f"Accuracy against MACs on {summary['examples']} {summary['split']} images: {summary['plain_accuracy']:.3f} "
        f"without exits; the oracle {oracle['accuracy']:.3f} at {100 * (1 - oracle['mac_cut']):.0f} % of the MACs."
    )
    caption = (
        f"One threshold of {summary['policy']} for all exits, moved from never to always; MACs are means over "
        f"{summary['examples']:,} {summary['split']} images and count every head that runs. An oracle knows which exit "
        "is right, or agrees with the last: no policy does better."
    )
    return figure(album.chart("exits-curve", plot_exit_curve(exits), alt), caption)


def _time_curve(exits: ExitsView, album: Album) -> Html:
    summary, size = exits.summary, exits.batch_size
    plain = {batch: 1e3 * summary["times"]["plain"][row] / batch for row, batch in ((0, 1), (-1, size))}
    alt = f"Accuracy against time in batches of {size}: {plain[size]:.3f} ms an image without exits."
    caption = (
        f"The same in time: MACs are not milliseconds. Predicted from the measured times of the network's parts, at as "
        f"many images as are still there. Without exits an image takes {plain[size]:.3f} ms in batches of {size}, and "
        f"{plain[1]:.2f} ms alone."
    )
    return figure(album.chart("exits-time", plot_exit_curve(exits, in_time=True), alt), caption)


def _comparisons(exits: ExitsView) -> Html:
    compared, how = exits.summary["comparisons"], exits.summary["compared"]
    title = tag("h3", "Early exit, or a smaller network?")
    if not compared:
        return joined([title, paragraph(f"Not compared: {how}.")])
    lines = [
        [
            one["smaller"],
            f"{100 * one['smaller_accuracy']:.2f} %",
            f"{100 * one['smaller_cost'] / one['plain_cost']:.0f} % ({one['cost']})",
            *_with_exits(one),
            one["verdict"],
        ]
        for one in compared
    ]
    head = ["Smaller network", "Accuracy", "Its cost", "Early exit", "Cost", "Difference in points (95 %)", "Better"]
    said = (
        f"Plain networks that were trained the way this one was; {how}. Costs are shares of the whole network's; out "
        "of reach means that no thresholds cost so little. A difference counts if its interval leaves out 0, and an "
        "exact McNemar test, corrected by Holm, finds p < 0.05. Both are over images: a new training would differ, too."
    )
    return joined([title, paragraph(said), table(head, lines)])


def _with_exits(one: Mapping[str, Any]) -> list[str]:
    if one["exits_cost"] is None:
        return ["–"] * 3
    cost = f"{100 * one['exits_cost'] / one['plain_cost']:.0f} %"
    return [f"{100 * one['exits_accuracy']:.2f} %", cost, _points(one["gain"], *one["gain_interval"])]


def _points(gain: float, low: float, high: float) -> str:
    return f"{signed(100 * gain)} ({signed(100 * low)} to {signed(100 * high)})"


def _exits_table(exits: ExitsView) -> Html:
    lines = [
        [
            name(str(one["exit"])),
            f"{100 * one['accuracy']:.2f} %",
            f"{one['network_macs']:,}",
            f"{one['head_macs']:,}",
        ]
        for one in exits.summary["exits"]
    ]
    return details("Each exit on its own", table(["Exit", "Accuracy", "MACs so far", "MACs of its head"], lines))


def _shares(exits: ExitsView, budget: Mapping[str, Any], album: Album) -> Html:
    said = ", ".join(f"{exit_name} {100 * share:.1f} %" for exit_name, share in budget["shares"].items())
    chart = album.chart("exits-shares", plot_exit_shares(exits), f"Share of the images that leave: {said}.")
    return figure(chart, "Where the reported images leave under the chosen thresholds, and how many are then right.")


def _depth(view: RunView, exits: ExitsView, left: pd.DataFrame, album: Album) -> Html:
    by_exit = depth_by_exit(left, view.examples, exits.names)
    if not by_exit["count"].sum():
        return Html()
    rho, low, high = depth_exit_correlation(left, view.examples)
    said = f"Spearman's ρ of depth with exit {signed(rho)} ({signed(low)} to {signed(high)})" if rho == rho else "no ρ"
    chart = album.chart("exits-depth", plot_depth_by_exit(view, exits), f"Mean prediction depth by exit; {said}.")
    caption = (
        f"Does prediction depth say where an image leaves? {said}, over {int(by_exit['count'].sum()):,} images. Depth "
        "was measured on the network without exits; unresolved images count as deepest."
    )
    return figure(chart, caption)


def _galleries(view: RunView, exits: ExitsView, left: pd.DataFrame) -> Html:
    rows = view.examples.reset_index(names="row").merge(left[["id", "exit"]], on="id")
    first = rows[rows["exit"] == rows["exit"].min()].sort_values("confidence", ascending=False, kind="stable")
    last = rows[rows["exit"] == rows["exit"].max()].sort_values("confidence", kind="stable")
    names = exits.names
    galleries = (("Leave first", "most", first), ("Leave last", "least", last))
    return joined(
        joined(
            [
                tag("h3", title),
                paragraph("At ", name(names[int(some["exit"].iloc[0])]), f"; the {which} confident of them."),
                cards(view, some["row"].head(PER_GALLERY).tolist()),
            ]
        )
        for title, which, some in galleries
        if len(some)
    )
