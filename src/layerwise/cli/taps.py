"""`layerwise taps`: the places of a network."""

from __future__ import annotations

from typing import Annotated

import typer

from layerwise.cli.console import AsJson, print_json, print_table
from layerwise.cli.names import NETWORKS, print_networks


def taps(
    model: Annotated[str, typer.Argument(help=f"A network: {NETWORKS}. Or: list, to list the names.")],
    *,
    place: Annotated[str, typer.Option(help="children, blocks, leaves, or names with commas between.")] = "children",
    image_size: Annotated[int, typer.Option(help="Height and width of the images, in pixels.")] = 32,
    channels: Annotated[int, typer.Option(help="Channels of the images: 1 or 3.")] = 3,
    num_classes: Annotated[int, typer.Option(help="Columns of the logits.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Print the places of a network in order: shape, parameters since the last one, and MACs up to it.

    layerwise taps resnet18-cifar

    layerwise taps list

    layerwise taps resnet50 --image-size 224 --place blocks
    """
    import torch

    from layerwise.cli.sources import read_place
    from layerwise.errors import InputError
    from layerwise.models.catalog import load_model
    from layerwise.recording.description import describe_taps
    from layerwise.taps import find_taps

    if model == "list":
        print_networks(as_json=as_json)
        return
    if min(image_size, channels, num_classes - 1) < 1:
        raise InputError(
            f"--image-size and --channels must be at least 1 and --num-classes at least 2; "
            f"got {image_size}, {channels} and {num_classes}."
        )
    network = load_model(model, num_classes=num_classes, in_channels=channels)
    images = torch.rand(1, channels, image_size, image_size, generator=torch.Generator().manual_seed(0))
    found = find_taps(network, images, read_place(place))
    table = describe_taps(network, images, found)
    if as_json:
        print_json({"model": model, "taps": table.to_dict("records"), "skipped": dict(found.skipped)})
        return
    rows = [
        (row.order, row.name, row.shape, row.features, f"{row.parameters:,}", f"{row.macs:,}")
        for row in table.itertuples(index=False)
    ]
    parameters, macs = table["parameters"].sum(), table["macs"].iloc[-1]
    print_table(
        f"{model}: {len(found)} taps, {parameters:,} parameters, {macs:,} MACs an image",
        ("order", "tap", "shape", "features", "parameters", "MACs so far"),
        rows,
    )
    if found.skipped:
        print_table("Places that cannot be taps", ("place", "because"), found.skipped.items())
