"""The section on units: how often they fire, what excites them, and the gradient at each layer."""

from __future__ import annotations

from layerwise.plots.units import plot_firing, plot_gradients, plot_top_images
from layerwise.report.html import Html, details, figure, joined, name, table, tag
from layerwise.report.pictures import Album
from layerwise.views.run import RunView
from layerwise.views.units import UnitsView

MOST_TAPS = 6


def unit_section(view: RunView, album: Album) -> Html:
    """Firing rates, gradients, top images; nothing where units were not measured."""
    units = view.units
    if units is None:
        return Html()
    layers = units.layers()
    dead, total = int(layers["dead"].sum()), int(layers["units"].sum())
    split = str(units.facts.get("split", "")).removeprefix("all")
    images = f"{units.facts['images']:,} {f'{split} images'.strip()}"
    firing = album.chart(
        "units-firing", plot_firing(units), f"Firing rates of {total} units at {len(layers)} taps; {dead} are dead."
    )
    gradients = album.chart(
        "units-gradients", plot_gradients(units), f"Root mean square of the gradient at {len(units.gradients)} layers."
    )
    charts = [
        figure(
            firing,
            f"How often units fire, on {images}: the share of a unit's values above 0, over images and positions. Dot: "
            "median unit; bar: half of the units; line: nine tenths. Dead: the same value everywhere, on every image.",
        ),
        figure(gradients, "The gradient of the mean loss at each layer's parameters, on a sample of the images."),
    ]
    return joined([*charts, _excited(units, album), _numbers(units)])


def _excited(units: UnitsView, album: Album) -> Html:
    taps = [tap for tap in units.taps if (units.shown["tap"] == tap).any()][-MOST_TAPS:]
    pictures = [
        album.chart(f"units-top-{place}", plot_top_images(units, tap), f"Images that excite units of {tap} most.")
        for place, tap in enumerate(taps)
    ]
    caption = (
        "The images that excite some units most, the strongest first: of each tap the units that are most selective "
        "for a class (Morcos and others, 2018), with that class. One class above all others on these images does not "
        "mean that the unit stands for it."
    )
    return figure(tag("div", *pictures, class_="pair"), caption)


def _numbers(units: UnitsView) -> Html:
    lines = [
        [
            name(row["tap"]),
            f"{row['units']:,}",
            f"{row['dead']:,}",
            f"{row['never_fires']:,}",
            f"{row['saturated']:,}",
            f"{row['median']:.3f}",
        ]
        for row in units.layers().to_dict("records")
    ]
    heads = ["Tap", "Units", "Dead", "Never above 0", "Saturated", "Median firing rate"]
    return details("The units in numbers", table(heads, lines))
