"""The section on encoders: what few numbers keep of an image, and where new images fall."""

from __future__ import annotations

import math

from layerwise.plots.encoders import plot_encoder_reconstructions, plot_new_images
from layerwise.report.html import Html, details, figure, joined, name, table
from layerwise.report.pictures import Album
from layerwise.views.encoders import ENCODER_NAMES, EncodersView
from layerwise.views.run import RunView


def encoder_section(view: RunView, album: Album) -> Html:
    """Reconstructions, maps with held-out images, numbers; nothing where no encoders were measured."""
    encoders = view.encoders
    if encoders is None:
        return Html()
    new, learned = int(encoders.points["held_out"].sum()), int(encoders.facts["learned"])
    whose = f"The encoders were fitted to {learned:,} images; {new:,} others were held out."
    charts = []
    if encoders.reconstructing:
        chart = album.chart(
            "encoders-reconstructions",
            plot_encoder_reconstructions(encoders),
            f"Held-out images and their reconstructions by {len(encoders.reconstructing)} encoders.",
        )
        words = (
            "Held-out images, and what few numbers keep of them. Lost: the squared error of the held-out images, as a "
            f"share of their variance. {whose}"
        )
        charts.append(figure(chart, words))
    if encoders.drawn:
        chart = album.chart("encoders-maps", plot_new_images(encoders), f"{new} held-out images on encoders' maps.")
        words = (
            "Where images fall that the encoder has not seen, among those that it learned (pale). Labels: how often "
            "the 10 nearest learned images on the map vote for a held-out image's label, of how often the nearest by "
            f"features do. {whose}"
        )
        charts.append(figure(chart, words))
    return joined([*charts, _numbers(encoders)])


def _numbers(encoders: EncodersView) -> Html:
    lines = [
        [
            name(ENCODER_NAMES.get(row["encoder"], row["encoder"])),
            name(row["tap"]),
            f"{row['dims']}",
            _share(row.get("error")),
            _share(row.get("error_held_out")),
            f"{row['labels_features']:.3f}",
            f"{row['labels_codes']:.3f}",
            _share(row.get("labels_map")),
            f"{row['seconds']:.1f}",
        ]
        for row in encoders.table.to_dict("records")
    ]
    heads = ["Encoder", "Tap", "Numbers", "Lost, learned", "Lost, held out", "Labels, features", "Labels, codes"]
    return details("The encoders in numbers", table([*heads, "Labels, map", "Seconds"], lines, names=2))


def _share(value: float | None) -> str:
    return "–" if value is None or math.isnan(value) else f"{value:.3f}"
