"""`layerwise data`: what a data set holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from layerwise.cli.console import AsJson, print_json, print_table, say

if TYPE_CHECKING:
    from layerwise.data.images import ImageData

EXAMPLES_PER_CLASS = 12
MOST_CLASSES = 30


def data(
    spec: Annotated[str, typer.Argument(help='Which images, as "shapes", "digits", "cifar10:DIR", "folder:DIR" …')],
    *,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="A folder for a picture of examples; by default none.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Splits images that come in one piece.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Describe a data set: classes, shapes, range, identical images, and a grid of examples.

    layerwise data digits

    layerwise data "shapes?train=600&test=300" -o runs/look
    """
    from layerwise.data.catalog import load_data
    from layerwise.inside.data_set import describe_data

    images = load_data(spec, seed=seed)
    described = describe_data(images)
    pictures = _draw(images, output) if output is not None else []
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
                "pictures": [str(path) for path in pictures],
            }
        )
        return
    shape = "×".join(map(str, described.image_shape))
    print_table(
        f"{described.name}: {len(images)} images {shape} ({described.dtype}), "
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
    for path in pictures:
        say(f"Picture: {path}")
    if output is None:
        say("To see examples of each class, add -o FOLDER: it writes them as a picture.")


def _draw(images: ImageData, folder: Path) -> list[Path]:
    import numpy as np

    from layerwise.data.thumbnails import thumbnails
    from layerwise.plots.data_set import plot_class_grid
    from layerwise.plots.saving import save_figure

    rows = [np.flatnonzero(images.labels == label)[:EXAMPLES_PER_CLASS] for label in range(images.num_classes)]
    shown = images.select(np.concatenate(rows[:MOST_CLASSES]))
    axes = plot_class_grid(thumbnails(shown), shown.labels, images.class_names)
    return [save_figure(axes, folder / "figures" / "examples.svg")]
