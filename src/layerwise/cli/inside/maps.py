"""Maps for `layerwise inside`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise.cli.console import bars, print_table, say

if TYPE_CHECKING:
    from layerwise.cli.sources import Source
    from layerwise.data.images import ImageData
    from layerwise.inside.embedding.result import Embedding
    from layerwise.inside.embedding.taps import MapSettings


def draw_maps(
    run: Path,
    source: Source,
    chosen: ImageData,
    *,
    words: str,
    taps: str,
    settings: MapSettings,
    again: bool,
    quiet: bool,
) -> list[dict[str, Any]]:
    """Draw what is not drawn yet, tap by tap, into the run folder; gives the maps' numbers."""
    from layerwise.cli.sources import read_place
    from layerwise.inside.embedding.folder import begin_maps, finished_maps, save_tap_maps
    from layerwise.inside.embedding.taps import embed_taps
    from layerwise.models.saved import fingerprint
    from layerwise.runs import note_step

    key: dict[str, Any] = {
        "model": fingerprint(source.model), "data": chosen.fingerprint, "images": words,
        "class_names": list(chosen.class_names), "taps": taps, **settings.facts(),
    }  # fmt: skip
    drawn: list[Embedding] = []
    finished = {} if again else finished_maps(run, key)
    for maps in embed_taps(
        source.model,
        chosen,
        read_place(taps),
        preprocessing=source.description.preprocessing,
        settings=settings,
        finished=finished,
        progress=bars,
    ):
        if not drawn:  # what cannot be drawn was refused before this: only now earlier maps may go
            begin_maps(run, key, again=again)
        if finished.get(maps.tap) is not maps:
            save_tap_maps(run, maps)
        drawn += [one for one in maps.maps if one.method in settings.methods]
    note_step(run, "maps", key)
    if not quiet:
        _print(drawn)
    return [one.summary() for one in drawn]


def draw_map_pictures(run: Path) -> list[Path]:
    """The maps of all taps, a picture for each method."""
    from layerwise.plots.maps import plot_tap_maps
    from layerwise.plots.saving import save_figure
    from layerwise.views.maps import read_maps

    view = read_maps(run)
    if view is None:
        return []
    return [save_figure(plot_tap_maps(view, method), run / "figures" / f"maps-{method}.svg") for method in view.methods]


def _print(drawn: Sequence[Embedding]) -> None:
    first = drawn[0]
    rows = [
        (
            one.tap,
            one.method,
            f"{summary['label_accuracy']:.3f}",
            f"{summary['feature_label_accuracy']:.3f}",
            f"{summary['trustworthiness']:.3f}",
            f"{summary['recall']:.3f}",
            f"{summary['explained']:.3f}",
            f"{summary['seconds']:.1f}",
        )
        for one, summary in ((one, one.summary()) for one in drawn)
    ]
    print_table(
        f"{len(first.ids)} images; quality by the {first.quality.k} nearest neighbours",
        ("tap", "method", "labels, map", "labels, features", "trust", "recall", "variance kept", "seconds"),
        rows,
    )
    say("labels: how often the nearest vote for the label; trust, recall: of neighbours. Of all, higher is better.")
