"""`layerwise inside`: what the network made of the images, seen from inside."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from layerwise.cli.console import AsJson, bars, print_json, print_table, say

if TYPE_CHECKING:
    from layerwise.cli.sources import Source
    from layerwise.inside.embedding.result import TapMaps
    from layerwise.inside.embedding.taps import MapSettings


def inside(
    run: Annotated[Path, typer.Argument(help="A run folder that `layerwise train` made.")],
    *,
    embed: Annotated[str, typer.Option(help="Maps of every tap by these methods: pca, tsne, umap.")] = "pca,tsne",
    taps: Annotated[str, typer.Option(help="children, blocks, leaves, or names with commas between.")] = "blocks",
    split: Annotated[str, typer.Option(help="Which images: test, train, validation, all.")] = "test",
    images: Annotated[int | None, typer.Option(help="The first so many of them; by default all.")] = None,
    perplexity: Annotated[float, typer.Option(help="Of t-SNE: about how many neighbours a point attends to.")] = 30.0,
    neighbors: Annotated[int, typer.Option(help="Of UMAP.")] = 15,
    seed: Annotated[int, typer.Option(help="Of what the methods draw.")] = 0,
    limit_gb: Annotated[float, typer.Option(help="The most memory for activations.")] = 4.0,
    threads: Annotated[int | None, typer.Option(help="Processor threads; by default one per core.")] = None,
    model: Annotated[str | None, typer.Option(help="The network, if its FILE.py:NAME lies elsewhere now.")] = None,
    data: Annotated[str | None, typer.Option(help="Other images than the run's.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Draw anew what was drawn before.")] = False,
    trust_code: Annotated[
        bool, typer.Option("--trust-code", help="Run the FILE.py that the run names as its network.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Draw every image as a point, at the pixels and at every tap: where do the classes part?

    layerwise inside runs/shapes --embed pca,tsne

    layerwise inside runs/cifar10 --split train --images 10000
    """
    from layerwise.cli.sources import source_of_run
    from layerwise.cli.threads import use_threads
    from layerwise.errors import InputError
    from layerwise.inside.embedding.taps import MapSettings

    if not limit_gb > 0 or (images is not None and images < 1):
        raise InputError(f"--limit-gb and --images must be above 0; got {limit_gb:g} and {images}.")
    if threads is not None:
        use_threads(threads)
    methods = tuple(dict.fromkeys(part.strip() for part in embed.split(",")))
    settings = MapSettings(methods, perplexity=perplexity, neighbors=neighbors, seed=seed, limit_bytes=limit_gb * 1e9)
    source = source_of_run(run, data, seed=0, model=model, trust_code=trust_code, may_ask=not as_json)
    drawn = _draw(run, source, taps=taps, split=split, images=images, settings=settings, again=again)
    pictures = _picture(run)
    if as_json:
        summary = [one.summary() for maps in drawn for one in maps.maps]
        print_json({"run": str(run), "maps": summary, "pictures": [str(path) for path in pictures]})
        return
    _print(drawn)
    for path in pictures:
        say(f"Picture: {path}")


def _draw(
    run: Path, source: Source, *, taps: str, split: str, images: int | None, settings: MapSettings, again: bool
) -> list[TapMaps]:
    """Draw what is not drawn yet, tap by tap."""
    from layerwise.cli.difficulty import examples_of
    from layerwise.cli.sources import read_place
    from layerwise.inside.embedding.folder import begin_maps, finished_maps, save_tap_maps
    from layerwise.inside.embedding.taps import embed_taps
    from layerwise.models.saved import fingerprint
    from layerwise.runs import note_step

    whole = examples_of(source.data, split)
    chosen = whole if images is None else whole.select(slice(0, images))
    words = f"{split} " if images is None or images >= len(whole) else f"{split} (the first of {len(whole):,}) "
    key: dict[str, Any] = {
        "model": fingerprint(source.model), "data": chosen.fingerprint, "images": words.strip(),
        "class_names": list(chosen.class_names), "taps": taps, **settings.facts(),
    }  # fmt: skip
    begin_maps(run, {**key, "again": 1} if again else key)
    if again:
        begin_maps(run, key)
    drawn, finished = [], finished_maps(run)
    for maps in embed_taps(
        source.model,
        chosen,
        read_place(taps),
        preprocessing=source.description.preprocessing,
        settings=settings,
        finished=finished,
        progress=bars,
    ):
        if maps.tap not in finished:
            save_tap_maps(run, maps)
        drawn.append(maps)
    note_step(run, "inside", {"maps": key})
    return drawn


def _picture(run: Path) -> list[Path]:
    from layerwise.plots.maps import plot_tap_maps
    from layerwise.plots.saving import save_figure
    from layerwise.views.maps import read_maps

    view = read_maps(run)
    if view is None:
        return []
    return [save_figure(plot_tap_maps(view, method), run / "figures" / f"maps-{method}.svg") for method in view.methods]


def _print(drawn: list[TapMaps]) -> None:
    first = drawn[0].maps[0]
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
        for maps in drawn
        for one, summary in ((one, one.summary()) for one in maps.maps)
    ]
    print_table(
        f"{len(first.ids)} images; quality by the {first.quality.k} nearest neighbours",
        ("tap", "method", "labels, map", "labels, features", "trust", "recall", "variance kept", "seconds"),
        rows,
    )
