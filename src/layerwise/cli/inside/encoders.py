"""Encoders for `layerwise inside`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise.cli.console import bars, print_table

if TYPE_CHECKING:
    import pandas as pd

    from layerwise.cli.sources import Source
    from layerwise.data.images import ImageData


def fit_encoders(
    run: Path,
    source: Source,
    chosen: ImageData,
    kinds: str,
    *,
    words: str,
    taps: str,
    perplexity: float,
    seed: int,
    limit_gb: float,
    quiet: bool,
) -> list[dict[str, Any]]:
    """Fit and measure the encoders into the run folder; gives a row for each."""
    from layerwise.cli.sources import read_place
    from layerwise.inside.encoders.folder import save_encoders
    from layerwise.inside.encoders.measured import KINDS, measure_encoders
    from layerwise.models.saved import fingerprint
    from layerwise.runs import note_step

    report = measure_encoders(
        source.model,
        chosen,
        KINDS if kinds == "all" else [part.strip() for part in kinds.split(",")],
        read_place(taps),
        preprocessing=source.description.preprocessing,
        perplexity=perplexity,
        seed=seed,
        limit_bytes=limit_gb * 1e9,
        progress=bars,
    )
    facts = {
        "images": words, "taps": taps, "perplexity": perplexity, "seed": seed, "model": fingerprint(source.model),
        "data": chosen.fingerprint,
    }  # fmt: skip
    paths = save_encoders(run, report, facts=facts)
    note_step(run, "encoders", facts)
    table = report.table().assign(file=[str(path) for path in paths])
    if not quiet:
        _print(table, int(report.held_out.sum()), len(chosen))
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def _print(table: pd.DataFrame, held_out: int, count: int) -> None:
    rows = [
        (
            row["encoder"],
            row["tap"],
            row["dims"],
            *(
                "–" if row.get(name) is None or row[name] != row[name] else f"{row[name]:.3f}"
                for name in ("error_held_out", "labels_features", "labels_codes", "labels_map")
            ),
            f"{row['seconds']:.1f}",
            row["file"],
        )
        for row in table.to_dict("records")
    ]
    print_table(
        f"Encoders, fitted to {count - held_out} images, on {held_out} held out",
        ("encoder", "tap", "numbers", "lost", "labels, features", "labels, codes", "labels, map", "seconds", "file"),
        rows,
    )


def draw_encoder_pictures(run: Path) -> list[Path]:
    """Reconstructions, and the maps with held-out images."""
    from layerwise.plots.encoders import plot_encoder_reconstructions, plot_new_images
    from layerwise.plots.saving import save_figure
    from layerwise.views.encoders import read_encoders

    view, figures = read_encoders(run), run / "figures"
    if view is None:
        return []
    pictures = []
    if view.reconstructing:
        pictures.append(save_figure(plot_encoder_reconstructions(view), figures / "encoders-reconstructions.svg"))
    if view.drawn:
        pictures.append(save_figure(plot_new_images(view), figures / "encoders-maps.svg"))
    return pictures
