"""`layerwise inside`: what the network made of the images, seen from inside."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from layerwise.cli.console import AsJson, print_json, say


def inside(
    run: Annotated[Path, typer.Argument(help="A run folder that `layerwise train` made.")],
    *,
    units: Annotated[
        bool, typer.Option("--units", help="What each unit does, and the gradient at each layer.")
    ] = False,
    filters: Annotated[str | None, typer.Option(help="The filters of a convolution by name, or: first.")] = None,
    maps: Annotated[
        str | None,
        typer.Option(help="Feature maps of examples: ids with commas between; or right, wrong, unsure."),
    ] = None,
    embed: Annotated[
        str | None, typer.Option(help="Maps of every tap by these methods, with commas between: pca, tsne, umap.")
    ] = None,
    encoder: Annotated[
        str | None,
        typer.Option(help="Encoders for new images, with commas between: linear, autoencoder, tsne; or all of them."),
    ] = None,
    taps: Annotated[
        str | None,
        typer.Option(
            help="children, blocks, leaves, or names with commas between; by default blocks, and for --embed and "
            "--units those at which the run's difficulty was measured."
        ),
    ] = None,
    split: Annotated[str, typer.Option(help="Which images: test, train, validation, all.")] = "test",
    images: Annotated[int | None, typer.Option(help="The first so many of them; by default all.")] = None,
    perplexity: Annotated[float, typer.Option(help="Of t-SNE: about how many neighbours a point attends to.")] = 30.0,
    neighbors: Annotated[int, typer.Option(help="Of UMAP.")] = 15,
    seed: Annotated[int, typer.Option(help="Of what the methods draw.")] = 0,
    limit_gb: Annotated[float, typer.Option(help="The most memory for activations.")] = 4.0,
    threads: Annotated[int | None, typer.Option(help="Processor threads; by default one per core.")] = None,
    model: Annotated[str | None, typer.Option(help="The network, if its FILE.py:NAME lies elsewhere now.")] = None,
    data: Annotated[str | None, typer.Option(help="Other images than the run's.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Draw maps, and fit encoders, anew.")] = False,
    trust_code: Annotated[
        bool, typer.Option("--trust-code", help="Run the FILE.py that the run names as its network.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Look inside: filters, feature maps, what the units do, and where the classes part.

    Unless some are named, all but the encoders, which are trained for a minute or more.

    layerwise inside runs/shapes

    layerwise inside runs/shapes --filters first --maps right,wrong,unsure

    layerwise inside runs/cifar10 --split train --images 10000 --embed pca,tsne,umap

    layerwise inside runs/cifar10 --encoder all
    """
    from layerwise.cli.difficulty import examples_of
    from layerwise.cli.inside.encoders import draw_encoder_pictures, fit_encoders
    from layerwise.cli.inside.features import FIRST, TELLING, draw_examples, draw_filters
    from layerwise.cli.inside.maps import draw_map_pictures, draw_maps
    from layerwise.cli.inside.units import draw_unit_pictures, look_at_units
    from layerwise.cli.sources import source_of_run
    from layerwise.cli.threads import use_threads
    from layerwise.errors import InputError, NotEnoughExamplesError
    from layerwise.inside.embedding.taps import MapSettings

    if not limit_gb > 0 or (images is not None and images < 1):
        raise InputError(f"--limit-gb and --images must be above 0; got {limit_gb:g} and {images}.")
    if threads is not None:
        use_threads(threads)
    everything = embed is None and filters is None and maps is None and encoder is None and not units
    if everything:
        embed, units, maps, filters = "pca,tsne", True, ",".join(TELLING), FIRST
    methods = () if embed is None else tuple(dict.fromkeys(part.strip() for part in embed.split(",")))
    settings = MapSettings(
        methods or ("pca",), perplexity=perplexity, neighbors=neighbors, seed=seed, limit_bytes=limit_gb * 1e9
    )
    source = source_of_run(run, data, seed=0, model=model, trust_code=trust_code, may_ask=not as_json)
    whole = examples_of(source.data, split)
    chosen = whole if images is None else whole.select(slice(0, images))
    words = split if len(chosen) == len(whole) else f"{split} (the first of {len(whole):,})"
    placed = taps or "blocks"
    measured_at = taps or _measured_at(run) or "blocks"
    summary: dict[str, Any] = {"run": str(run), "images": len(chosen)}
    pictures: list[Path] = []
    if filters is not None:
        try:
            pictures += draw_filters(run, source, filters)
        except InputError as error:
            if not everything:
                raise
            say(str(error))  # a network without filters has other things to look at
    if maps is not None:
        drawn, summary["examples"] = draw_examples(run, source, chosen, maps, taps=placed, quiet=as_json)
        pictures += drawn
    if units:
        try:
            summary["units"] = look_at_units(run, source, chosen, words=words, taps=measured_at, quiet=as_json)
            pictures += draw_unit_pictures(run)
        except NotEnoughExamplesError as error:
            if not everything:
                raise
            say(str(error))  # nor has one without blocks any units at them
    if methods:
        summary["maps"] = draw_maps(
            run, source, chosen, words=words, taps=measured_at, settings=settings, again=again, quiet=as_json
        )
        pictures += draw_map_pictures(run)
    if encoder is not None:
        summary["encoders"] = fit_encoders(
            run,
            source,
            chosen,
            encoder,
            words=words,
            taps=placed,
            perplexity=perplexity,
            seed=seed,
            limit_gb=limit_gb,
            again=again,
            quiet=as_json,
        )
        pictures += draw_encoder_pictures(run)
    if as_json:
        print_json({**summary, "pictures": [str(path) for path in pictures]})
        return
    for path in pictures:
        say(f"Picture: {path}")


def _measured_at(run: Path) -> str | None:
    """The taps at which the run's difficulty was measured, as --taps takes them; None if it was not."""
    from layerwise.runs import steps_of
    from layerwise.taps import INPUT, SOFTMAX

    facts = steps_of(run).get("difficulty", {})
    names = [name for name in facts.get("taps", []) if name not in (INPUT, SOFTMAX)]
    return facts.get("placement") or ",".join(names) or None
