"""Sections on depth and on the taps: where images are decided, and what each tap can tell."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd

from layerwise.plots.depths import plot_accuracy_by_depth, plot_depth_histogram, plot_survival
from layerwise.plots.taps import plot_gains_and_losses, plot_probe_accuracy
from layerwise.report.html import (
    DASH,
    PERCENT,
    Html,
    details,
    figure,
    interval_words,
    joined,
    name,
    share_words,
    table,
    tag,
)
from layerwise.report.pictures import Album
from layerwise.views.depths import accuracy_by_depth, survival
from layerwise.views.run import RunView
from layerwise.views.taps import gains_and_losses, probe_accuracy

WILSON = "Wilson 95 % intervals."
TAP_COLUMNS = {"shape": "Shape", "features": "Features", "parameters": "Parameters", "macs": "MACs so far"}
PROBE_COLUMNS = {"accuracy": "Probe accuracy", "agreement": "Agreement with {reference}"}


def depth_section(view: RunView, album: Album) -> Html:
    """Histogram of depths, the network's accuracy at each, what is undecided after each tap; the numbers beneath."""
    histograms = [
        figure(
            album.chart(f"depths-{split}", plot_depth_histogram(view, split=split), _histogram_alt(view, split)),
            f"Images of the {split} split by prediction depth; the share of the split above each column.",
        )
        for split in view.splits
    ]
    accuracy = figure(
        album.chart("accuracy-by-depth", plot_accuracy_by_depth(view), _accuracy_alt(view)),
        f"How often the network is right on the images of each depth. {WILSON} Dashed: all images of the split. "
        "Hollow: fewer than 5 images.",
    )
    undecided = figure(
        album.chart("survival", plot_survival(view), _survival_alt(view)),
        "Images that are undecided still after each tap, those that the network gets right apart from the others. "
        f"{WILSON}",
    )
    return joined(
        [
            tag("div", *histograms, accuracy, undecided, class_="pair"),
            *(_depth_table(view, split) for split in view.splits),
        ]
    )


def _depth_table(view: RunView, split: str) -> Html:
    rows = accuracy_by_depth(view).query("split == @split")
    total = len(view.rows(split))
    lines = [
        [
            name(tap),
            f"{depth}",
            f"{count:,}",
            share_words(count, total),
            f"{right:,}",
            share_words(right, count),
        ]
        for depth, tap, count, right in rows[["depth", "tap", "count", "right"]].itertuples(index=False)
    ]
    headers = ["Decided at", "Depth", "Images", "Share [95 %]", "Right", "Network accuracy [95 %]"]
    return details(f"The numbers: {split}", table(headers, lines))


def _histogram_alt(view: RunView, split: str) -> str:
    rows = accuracy_by_depth(view).query("split == @split")
    columns = ", ".join(f"{tap} {count}" for tap, count in zip(rows["tap"], rows["count"], strict=True))
    return f"Histogram of prediction depth, {split} images: {columns}."


def _accuracy_alt(view: RunView) -> str:
    rows = accuracy_by_depth(view)
    rows = rows[(rows["split"] == view.main_split) & (rows["count"] > 0)]
    points = ", ".join(f"{tap} {100 * share:.0f} %" for tap, share in zip(rows["tap"], rows["accuracy"], strict=True))
    return f"Network accuracy by prediction depth, {view.main_split} images: {points}."


def _survival_alt(view: RunView) -> str:
    rows = survival(view)
    points = ", ".join(
        f"{tap} {100 * share:.0f} % ({outcome})"
        for tap, share, outcome in zip(rows["tap"], rows["share"], rows["outcome"], strict=True)
    )
    return f"Share of {view.main_split} images undecided after each tap, network right or wrong: {points}."


def tap_section(view: RunView, album: Album) -> Html:
    """Accuracy of the probe at each tap, what each gains and loses, and the table of taps."""
    probes = figure(
        album.chart("probe-accuracy", plot_probe_accuracy(view), _probe_alt(view)),
        f"How often the majority of the {_neighbors_words(view)}nearest training images has the right label. "
        f"{WILSON} Training images are never their own neighbours.",
    )
    gains = figure(
        album.chart(
            "gains-and-losses",
            plot_gains_and_losses(view),
            "Images that each tap's probe gains and loses against the tap before.",
        ),
        "Images that the probe gets right here and wrong at the tap before (gained), and the reverse (lost).",
    )
    return joined([tag("div", probes, gains, class_="pair"), _tap_table(view)])


def _probe_alt(view: RunView) -> str:
    rows = probe_accuracy(view).query("split == @view.main_split")
    points = ", ".join(f"{tap} {100 * share:.1f} %" for tap, share in zip(rows["tap"], rows["accuracy"], strict=True))
    return f"Accuracy of the k-NN probe at each tap, {view.main_split} images: {points}."


def _neighbors_words(view: RunView) -> str:
    return "" if view.neighbors is None else f"{view.neighbors.shape[2]} "


def _tap_table(view: RunView) -> Html:
    """What each tap is, what it costs to get there, and what its probe can tell."""
    known = [(column, header) for column, header in TAP_COLUMNS.items() if column in view.taps.columns]
    split_to_rows = {split: rows.to_dict("records") for split, rows in probe_accuracy(view).groupby("split")}
    flow = gains_and_losses(view)
    lines = []
    for order, tap in enumerate(view.tap_names):
        cells = [_whole(view.taps[column].iloc[order]) for column, _ in known]
        cells += [_share_cell(split_to_rows[split][order], kind) for split in view.splits for kind in PROBE_COLUMNS]
        lines.append([name(tap), *cells, f"{flow['gained'][order]:,}", f"{flow['lost'][order]:,}"])
    columns = [words.format(reference=view.reference_words) for words in PROBE_COLUMNS.values()]
    probe_headers = [f"{words}, {split} [95 %]" for split in view.splits for words in columns]
    headers = ["Tap", *(header for _, header in known), *probe_headers, "Gained", "Lost"]
    return details("The taps: shape, parameters, cost, probe accuracy", table(headers, lines))


def _share_cell(row: Mapping[Hashable, Any], kind: str) -> str:
    return f"{100 * row[kind]:.1f}{PERCENT} {interval_words(row[f'{kind}_low'], row[f'{kind}_high'])}"


def _whole(value: Any) -> str:
    if isinstance(value, str):
        return value
    return DASH if pd.isna(value) else f"{value:,.0f}"
