"""Encoders for `layerwise inside`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise.cli.console import bars, print_table, say

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
    again: bool,
    quiet: bool,
) -> list[dict[str, Any]]:
    """Fit and measure what is not measured yet into the run folder, one after the other; gives a row for each."""
    from layerwise.cli.sources import read_place
    from layerwise.inside.encoders.folder import add_encoder, file_of, kept_encoders
    from layerwise.inside.encoders.measured import KINDS, plan_encoders
    from layerwise.models.saved import fingerprint
    from layerwise.runs import note_step

    plan = plan_encoders(
        source.model,
        chosen,
        KINDS if kinds.strip() == "all" else [part.strip() for part in kinds.split(",")],
        read_place(taps),
        preprocessing=source.description.preprocessing,
        perplexity=perplexity,
        seed=seed,
        limit_bytes=limit_gb * 1e9,
        progress=bars,
    )
    key = {
        "images": words, "taps": taps, "seed": seed, "model": fingerprint(source.model), "data": chosen.fingerprint,
    }  # fmt: skip
    names = [file_of(run, *one).stem for one in plan.wanted]
    kept = [] if again else _fitted_so(kept_encoders(run, key), perplexity)
    for name, one in zip(names, plan.wanted, strict=True):
        if name not in kept:
            add_encoder(run, plan.measure(one), plan, key)
    note_step(run, "encoders", {**key, "perplexity": perplexity})
    rows = kept_encoders(run, key)
    table = rows.set_index("name").loc[names].assign(file=[str(file_of(run, *one)) for one in plan.wanted])
    if not quiet:
        _print(table, int(plan.held_out.sum()), len(chosen), words)
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def _fitted_so(rows: pd.DataFrame, perplexity: float) -> list[str]:
    """The names of those that were fitted with this perplexity, or have none."""
    return [
        str(row["name"])
        for row in rows.to_dict("records")
        if row.get("perplexity", perplexity) in (perplexity, None) or row["perplexity"] != row["perplexity"]
    ]


def _print(table: pd.DataFrame, held_out: int, count: int, words: str) -> None:
    rows = []
    for row in table.to_dict("records"):
        # The codes of parametric t-SNE are its map.
        on_map = "labels_codes" if row["encoder"] == "tsne" else "labels_map"
        codes = "" if row["encoder"] == "tsne" else "labels_codes"
        numbers = (row.get(name) for name in ("error_held_out", "labels_features", codes, on_map))
        shares = ("–" if number is None or number != number else f"{number:.3f}" for number in numbers)
        rows.append((row["encoder"], row["tap"], row["dims"], *shares, f"{row['seconds']:.1f}", row["file"]))
    print_table(
        f"Encoders, fitted to {count - held_out} images of {words}, measured on {held_out} others",
        ("encoder", "tap", "numbers", "lost", "labels, features", "labels, codes", "labels, map", "seconds", "file"),
        rows,
    )
    say("lost: share of the variance, lower is better; labels: how often the 10 nearest vote for it, higher is better.")


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
