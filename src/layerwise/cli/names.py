"""Which networks and images a command can be given: examples of each kind for --help, and how to list all of them."""

from __future__ import annotations

NETWORKS = "resnet20, simple-cnn, three-layer-mlp; resnet18 (torchvision's); timm/NAME; or your own, FILE.py:NAME"
IMAGES = "shapes, digits; cifar10:DIR; your own, folder:DIR, parquet:DIR, npz:FILE"
LIST_NETWORKS = "layerwise taps list"
LIST_IMAGES = "layerwise data list"


def print_networks(*, as_json: bool) -> None:
    """All networks that have a name."""
    from layerwise.cli.console import print_json, say
    from layerwise.models.catalog import known_models

    names = known_models()
    if as_json:
        print_json({"networks": names})
        return
    print(*names, sep="\n")
    say("Beside them: timm/NAME, where timm is installed, and your own: FILE.py:NAME")


def print_images(*, as_json: bool) -> None:
    """All kinds of images, with their options."""
    from layerwise.cli.console import print_json, print_table
    from layerwise.data.catalog import SOURCES

    form_to_options = {source.form: sorted({*source.options, "limit", "validation"}) for source in SOURCES.values()}
    if as_json:
        print_json({"images": form_to_options})
        return
    print_table(
        "Images, and options after a question mark: digits?limit=500",
        ("images", "options"),
        [(form, ", ".join(options)) for form, options in form_to_options.items()],
    )
