"""The section on filters and feature maps: what the first layer looks for, and what each tap makes of some images."""

from __future__ import annotations

from layerwise.plots.filters import plot_example, plot_filters
from layerwise.report.html import Html, details, figure, joined, tag
from layerwise.report.pictures import Album
from layerwise.views.features import ExampleView, FiltersView
from layerwise.views.run import RunView

WORDS = {
    "right": "The most confident right image",
    "wrong": "The most confident wrong image",
    "unsure": "The least sure image",
}


def feature_section(view: RunView, album: Album) -> Html:
    """Filters, then a folded picture for each example; nothing where none were drawn."""
    parts = [] if view.filters is None else [_filters(view.filters, album)]
    parts += [_example(place, one, album) for place, one in enumerate(view.looked_at)]
    return joined(parts)


def _filters(filters: FiltersView, album: Album) -> Html:
    count, channels, height, width = filters.weights.shape
    shown = [("filters", filters.layer, filters.weights)]
    if filters.before is not None:
        shown.append(("filters-before", f"{filters.layer} before training", filters.before))
    charts = [
        album.chart(name, plot_filters(weights, title=title), f"{count} filters of {title}.")
        for name, title, weights in shown
    ]
    words = f"The {count} filters of {filters.layer}: {height} × {width} weights on each of {channels} channels."
    if filters.moved is not None:
        words += f" Training moved them by {filters.moved:.1%} of their length."
    return figure(tag("div", *charts, class_="pair"), words)


def _example(place: int, example: ExampleView, album: Album) -> Html:
    chart = album.chart(f"features-{place}", plot_example(example), f"Values at every tap for {example.words}.")
    asked = WORDS.get(example.word, example.word)
    caption = f"{example.words}. What the network computes for it at every tap, each with its own scale."
    return details(f"{asked}, tap by tap", figure(chart, caption))
