"""The section on maps: the examples as points, at the pixels and at every tap."""

from __future__ import annotations

from layerwise.plots.maps import plot_tap_maps
from layerwise.report.html import Html, details, figure, joined, name, table, tag
from layerwise.report.pictures import Album
from layerwise.views.maps import METHOD_NAMES, MapsView
from layerwise.views.run import RunView


def maps_section(view: RunView, album: Album) -> Html:
    """Every method's maps, then their numbers; nothing where none were drawn."""
    maps = view.maps
    if maps is None:
        return Html()
    split = str(maps.key.get("images", "")).removeprefix("all")
    count = len(next(iter(maps.points.values())))
    intro = tag(
        "p",
        f"Each point is one of {count:,} {split + ' ' if split else ''}images. A tap's map begins from the one before "
        "it and is turned to it, so points can be followed. Distances on a map have no unit, and gaps "
        "between groups may come from the method: the numbers say how far to trust it.",
    )
    return joined([intro, *(_picture(maps, method, album) for method in maps.methods), _numbers(maps)])


def _picture(maps: MapsView, method: str, album: Album) -> Html:
    taps = maps.taps_of(method)
    first, last = (maps.row(tap, method)["label_accuracy"] for tap in (taps[0], taps[-1]))
    words = METHOD_NAMES[method]
    chart = album.chart(
        f"maps-{method}",
        plot_tap_maps(maps, method),
        f"{words} maps of {len(taps)} taps; label accuracy of the neighbours from {first:.2f} to {last:.2f}.",
    )
    caption = (
        f"{words} at every tap. Labels: how often the {maps.k} nearest points on the map vote for the label, of how "
        f"often the {maps.k} nearest by features do. Trust: trustworthiness. Recall: the share of the {maps.k} nearest "
        "by features that are among those on the map."
    )
    return figure(chart, caption)


def _numbers(maps: MapsView) -> Html:
    lines = [
        [
            name(row["tap"]),
            METHOD_NAMES[row["method"]],
            f"{row['label_accuracy']:.3f}",
            f"{row['feature_label_accuracy']:.3f}",
            f"{row['trustworthiness']:.3f}",
            f"{row['recall']:.3f}",
            f"{100 * row['explained']:.1f} %",
            f"{row['seconds']:.1f}",
        ]
        for row in maps.summary.to_dict("records")
    ]
    heads = ["Tap", "Method", "Labels, map", "Labels, features", "Trust", "Recall", "Variance kept", "Seconds"]
    return details("The maps in numbers", table(heads, lines, names=2))
