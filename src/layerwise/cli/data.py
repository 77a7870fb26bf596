"""`layerwise data`: what a data set holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from layerwise.cli.console import AsJson, bars, print_json, print_table, say, share_with_interval
from layerwise.cli.names import IMAGES, print_images

if TYPE_CHECKING:
    from layerwise.data.images import ImageData
    from layerwise.inside.complexity import Complexity

EXAMPLES_PER_CLASS = 12
MOST_CLASSES = 30
MAP_STEPS = (150, 350)
"""Of t-SNE: on 10,000 CIFAR-10 images as good as 250 and 500 (labels 0.321 and 0.320), in two thirds of the time."""


def data(
    spec: Annotated[str, typer.Argument(help=f"Images: {IMAGES}. Or: list, to list all.")],
    *,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="A folder for a picture of examples; by default none.")
    ] = None,
    images: Annotated[int, typer.Option(help="The most images that probes and maps look at.")] = 10_000,
    brief: Annotated[bool, typer.Option("--brief", help="Counts, range and copies alone, without probes.")] = False,
    seed: Annotated[int, typer.Option(help="Splits images that come in one piece, and draws samples.")] = 0,
    threads: Annotated[int | None, typer.Option(help="Processor threads; by default one per core.")] = None,
    as_json: AsJson = False,
) -> None:
    """Describe a data set before any training: classes, copies, and how much its pixels alone can tell.

    layerwise data digits

    layerwise data list

    layerwise data "shapes?train=600&test=300" -o runs/look
    """
    from layerwise.cli.threads import use_threads
    from layerwise.data.catalog import load_data
    from layerwise.errors import InputError
    from layerwise.inside.data_set import describe_data

    if spec == "list":
        print_images(as_json=as_json)
        return
    if threads is not None:
        use_threads(threads)
    if images < 1:
        raise InputError(f"--images must be at least 1; got {images}.")
    loaded = load_data(spec, seed=seed)
    described = describe_data(loaded)
    complexity, why_not = (None, "") if brief else _measure(loaded, images, seed)
    pictures = _draw(loaded, complexity, images, seed, output) if output is not None else []
    if as_json:
        print_json(
            {
                "name": described.name,
                "image_shape": described.image_shape,
                "dtype": described.dtype,
                "range": [described.lowest, described.highest],
                "mean": described.mean,
                "std": described.std,
                "counts": described.counts.set_index("class").to_dict(),
                "duplicated_images": described.duplicated_images,
                "duplicate_groups_across_splits": described.groups_across_splits,
                "duplicate_groups_across_labels": described.groups_across_labels,
                "complexity": None if complexity is None else _as_json(complexity),
                "pictures": [str(path) for path in pictures],
            }
        )
        return
    shape = "×".join(map(str, described.image_shape))
    print_table(
        f"{described.name}: {len(loaded)} images {shape} ({described.dtype}), "
        f"values {described.lowest:.3g} to {described.highest:.3g}",
        list(described.counts.columns),
        described.counts.itertuples(index=False),
    )
    numbers = [f"{mean:.4f} ± {std:.4f}" for mean, std in zip(described.mean, described.std, strict=True)]
    say(f"Mean ± standard deviation of each channel: {', '.join(numbers)}")
    say(
        f"Identical images: {described.duplicated_images} copies; {described.groups_across_splits} groups in more than "
        f"one split, {described.groups_across_labels} with different labels."
    )
    if complexity is not None:
        _print_complexity(complexity)
    elif why_not:
        say(f"No probes: {why_not}")
    for path in pictures:
        say(f"Picture: {path}")
    if output is None:
        say("For pictures of examples, of the variance, and maps, add -o FOLDER.")


def _measure(loaded: ImageData, limit: int, seed: int) -> tuple[Complexity | None, str]:
    """What the pixels tell, or why it cannot be said."""
    from layerwise.errors import NotEnoughExamplesError
    from layerwise.inside.complexity import measure_complexity

    try:
        return measure_complexity(loaded, limit=limit, seed=seed), ""
    except NotEnoughExamplesError as error:
        return None, str(error)


def _print_complexity(complexity: Complexity) -> None:
    rows = [
        ("the largest class, always", f"{complexity.chance:.3f}"),
        ("10 nearest training images", share_with_interval(complexity.knn.accuracy, *complexity.knn.interval)),
        ("logistic regression on pixels", share_with_interval(complexity.linear.accuracy, *complexity.linear.interval)),
    ]
    print_table(f"What pixels tell, without a network: {complexity.note}", ("by", "accuracy (95 % interval)"), rows)
    found = [
        (f"components that hold {100 * share:.0f} % of the variance, of {len(complexity.explained)}", f"{needed}")
        for share, needed in complexity.components().items()
    ]
    dimensions = (("2 neighbours", complexity.local_dimension), ("20 neighbours", complexity.dimension))
    found += [
        (f"intrinsic dimension, by {words} (95 % interval)", f"{one.estimate:.1f} ({one.low:.1f} – {one.high:.1f})")
        for words, one in dimensions
        if one is not None
    ]
    print_table("How many numbers an image takes", ("what", "how many"), found)
    say(complexity.reading)


def _as_json(complexity: Complexity) -> dict[str, Any]:
    return {
        "images": complexity.note,
        "reading": complexity.reading,
        "chance": complexity.chance,
        **{
            name: {"accuracy": one.accuracy, "accuracy_95": one.interval}
            for name, one in (("knn", complexity.knn), ("linear", complexity.linear))
        },
        "components": {f"{share:g}": needed for share, needed in complexity.components().items()},
        **{
            name: None if one is None else {"estimate": one.estimate, "interval_95": [one.low, one.high]}
            for name, one in (("local_dimension", complexity.local_dimension), ("dimension", complexity.dimension))
        },
    }


def _draw(loaded: ImageData, complexity: Complexity | None, limit: int, seed: int, folder: Path) -> list[Path]:
    import numpy as np

    from layerwise.data.thumbnails import thumbnails
    from layerwise.errors import DataError
    from layerwise.plots.data_set import plot_class_grid, plot_explained
    from layerwise.plots.saving import save_figure

    rows = [np.flatnonzero(loaded.labels == label)[:EXAMPLES_PER_CLASS] for label in range(loaded.num_classes)]
    shown = loaded.select(np.concatenate(rows[:MOST_CLASSES]))
    figures = folder / "figures"
    pictures = [
        save_figure(plot_class_grid(thumbnails(shown), shown.labels, loaded.class_names), figures / "examples.svg")
    ]
    if complexity is not None:
        pictures.append(save_figure(plot_explained(complexity.explained), figures / "variance.svg"))
        try:
            pictures += _draw_maps(loaded, limit, seed, figures)
        except DataError as error:
            say(f"No maps: {error}")
    return pictures


def _draw_maps(loaded: ImageData, limit: int, seed: int, figures: Path) -> list[Path]:
    """PCA and t-SNE of the pixels, of images drawn at random where there are more."""
    import numpy as np

    from layerwise.inside.embedding.taps import MapSettings, embed
    from layerwise.inside.embedding.tsne import Schedule
    from layerwise.inside.pixels import small_pixels
    from layerwise.plots.maps import plot_map
    from layerwise.plots.saving import save_figure
    from layerwise.seeds import stream
    from layerwise.views.maps import METHOD_NAMES

    some = loaded.select(np.sort(stream(seed, "data", "maps").permutation(len(loaded))[:limit]))
    perplexity = min(30.0, (len(some) - 1) / 4)
    maps = embed(
        small_pixels(some).reshape(len(some), -1),
        some,
        settings=MapSettings(perplexity=perplexity, schedule=Schedule(*MAP_STEPS), seed=seed),
        progress=bars,
    )
    pictures = []
    for one in maps.maps:
        numbers = one.summary()
        axes = plot_map(
            one.coordinates,
            one.labels,
            some.class_names,
            title=f"{METHOD_NAMES[one.method]} of the pixels of {len(some):,} images",
            words=f"labels {numbers['label_accuracy']:.2f} of {numbers['feature_label_accuracy']:.2f}, "
            f"trust {numbers['trustworthiness']:.3f}, recall {numbers['recall']:.2f}",
        )
        pictures.append(save_figure(axes, figures / f"pixels-{one.method}.svg"))
    return pictures
