"""Units for `layerwise inside`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise.cli.console import bars, print_table

if TYPE_CHECKING:
    import pandas as pd

    from layerwise.cli.sources import Source
    from layerwise.data.images import ImageData


def look_at_units(
    run: Path, source: Source, chosen: ImageData, *, words: str, taps: str, quiet: bool
) -> list[dict[str, Any]]:
    """Measure the units into the run folder; gives a row per tap."""
    from layerwise.cli.sources import read_place
    from layerwise.inside.gradients import gradient_norms
    from layerwise.inside.unit_folder import save_units
    from layerwise.inside.units import measure_units
    from layerwise.models.saved import fingerprint
    from layerwise.runs import note_step

    preprocessing = source.description.preprocessing
    report = measure_units(source.model, chosen, read_place(taps), preprocessing=preprocessing, progress=bars)
    gradients = gradient_norms(source.model, chosen, preprocessing=preprocessing)
    facts = {
        "split": words, "taps": taps, "model": fingerprint(source.model), "data": chosen.fingerprint,
    }  # fmt: skip
    save_units(run, report, gradients, chosen, facts=facts)
    note_step(run, "units", facts)
    layers = report.layers()
    if not quiet:
        _print(len(chosen), layers, gradients)
    return [{str(name): value for name, value in row.items()} for row in layers.to_dict("records")]


def _print(images: int, layers: pd.DataFrame, gradients: pd.DataFrame) -> None:
    print_table(
        f"Units on {images} images",
        ("tap", "units", "dead", "never above 0", "saturated", "median firing rate"),
        [(*row[:5], f"{row[5]:.3f}") for row in layers.itertuples(index=False)],
    )
    print_table(
        "Gradient of the loss at each layer",
        ("layer", "kind", "parameters", "root mean square", "of the weights"),
        [
            (row["layer"], row["kind"], f"{row['parameters']:,}", f"{row['rms']:.3g}", f"{row['relative']:.3g}")
            for row in gradients.to_dict("records")
        ],
    )


def draw_unit_pictures(run: Path) -> list[Path]:
    """Firing rates, gradients, and the images that excite the most selective units of the last taps."""
    from layerwise.plots.saving import save_figure
    from layerwise.plots.units import plot_firing, plot_gradients, plot_top_images
    from layerwise.views.units import read_units

    view, figures = read_units(run), run / "figures"
    if view is None:
        return []
    last = [tap for tap in view.taps if (view.shown["tap"] == tap).any()][-1:]
    return [
        save_figure(plot_firing(view), figures / "units-firing.svg"),
        save_figure(plot_gradients(view), figures / "units-gradients.svg"),
        *(save_figure(plot_top_images(view, tap), figures / "units-top.svg") for tap in last),
    ]
