"""Filters, and the values of single examples at every tap, for `layerwise inside`."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise.cli.console import bars, print_table, say

if TYPE_CHECKING:
    from layerwise.cli.sources import Source
    from layerwise.data.images import ImageData

FIRST = "first"
TELLING = ("right", "wrong", "unsure")


def draw_filters(run: Path, source: Source, layer: str) -> list[Path]:
    """A picture of a convolution's filters, and of what they were before training, if it can be drawn anew."""
    from layerwise.inside.feature_folder import save_filters
    from layerwise.inside.filters import find_filters
    from layerwise.models.catalog import load_model
    from layerwise.plots.filters import plot_filters
    from layerwise.plots.saving import save_figure
    from layerwise.runs import steps_of
    from layerwise.views.features import FiltersView

    found, before = find_filters(source.model, None if layer == FIRST else layer), None
    described, trained = source.description, steps_of(run).get("train", {})
    seed = trained.get("settings", {}).get("seed")
    # Known only of a network drawn with a seed: not of a FILE.py, nor of one that began with the weights of a file.
    if seed is not None and described.spec and not described.needs_code and not trained.get("weights"):
        fresh = load_model(
            described.spec, num_classes=described.num_classes, in_channels=described.in_channels, seed=seed
        )
        before = find_filters(fresh, found.layer)
    save_filters(run, found, before)
    stem = run / "figures" / f"filters-{_as_name(found.layer)}"
    pictures = [save_figure(plot_filters(found.weights, title=found.layer), stem.with_name(f"{stem.name}.svg"))]
    if before is not None:
        moved = FiltersView(found.layer, found.weights, before.weights).moved
        if moved is not None:
            say(f"Training moved the filters of {found.layer} by {moved:.1%} of their length.")
        axes = plot_filters(before.weights, title=f"{found.layer} before training")
        pictures.append(save_figure(axes, stem.with_name(f"{stem.name}-before.svg")))
    return pictures


def draw_examples(
    run: Path, source: Source, chosen: ImageData, wanted: str, *, taps: str, quiet: bool
) -> tuple[list[Path], list[dict[str, Any]]]:
    """A picture of what the network computes for each example that is asked for, and its numbers."""
    import numpy as np

    from layerwise.cli.sources import read_place
    from layerwise.data.thumbnails import thumbnails
    from layerwise.inside.feature_folder import save_features
    from layerwise.inside.feature_maps import read_features
    from layerwise.plots.filters import plot_example
    from layerwise.plots.saving import save_figure
    from layerwise.views.features import read_examples

    place, preprocessing = read_place(taps), source.description.preprocessing
    rows = rows_wanted(source, chosen, wanted)
    if not rows:
        return [], []  # what was looked at before stays
    found = {
        word: read_features(source.model, chosen, row, place, preprocessing=preprocessing) for word, row in rows.items()
    }
    save_features(run, found, thumbnails(chosen.select(np.array(list(rows.values()), np.int64))))
    pictures, numbers = [], []
    for example in read_examples(run):
        axes = plot_example(example)
        pictures.append(save_figure(axes, run / "figures" / f"features-{_as_name(example.word)}.svg"))
        table = found[example.word].table()
        numbers.append({"id": example.id, "taps": table.to_dict("records")})
        if not quiet:
            print_table(
                example.words,
                tuple(table.columns),
                [(*line[:2], *(f"{value:.3g}" for value in line[2:])) for line in table.itertuples(index=False)],
            )
    return pictures, numbers


def rows_wanted(source: Source, chosen: ImageData, wanted: str) -> dict[str, int]:
    """Rows by the words that ask for them: ids, or right, wrong, unsure.

    Raises:
        UnknownNameError: no example has this id.
    """
    from layerwise.errors import UnknownNameError, did_you_mean
    from layerwise.inside.feature_maps import telling_examples
    from layerwise.recording import record
    from layerwise.taps import SOFTMAX, find_taps

    words = list(dict.fromkeys(part.strip() for part in wanted.split(",")))
    id_to_row = {str(one): row for row, one in enumerate(chosen.ids)}
    unknown = [word for word in words if word not in id_to_row and word not in TELLING]
    if unknown:
        raise UnknownNameError(
            f'no example has the id "{unknown[0]}".{did_you_mean(unknown[0], [*TELLING, *id_to_row])}\n'
            f"    Give ids such as {chosen.ids[0]}, or: {', '.join(TELLING)}."
        )
    telling: dict[str, int] = {}
    if any(word not in id_to_row for word in words):
        preprocessing = source.description.preprocessing
        taps = find_taps(source.model, chosen.select(slice(0, 1)), [], preprocessing=preprocessing)
        recorded = record(source.model, chosen, taps, only=[SOFTMAX], preprocessing=preprocessing, progress=bars)
        telling = telling_examples(recorded.logits, chosen.labels)
    for word in words:
        if word in TELLING and word not in telling and word not in id_to_row:
            say(f"No picture for {word}: none of the {len(chosen):,} images is.")
    return {word: row for word in words if (row := id_to_row.get(word, telling.get(word))) is not None}


def _as_name(text: str) -> str:
    """Part of a file's name; words that lose something by it get a mark that keeps them apart."""
    from layerwise.runs import as_file_name

    name = as_file_name(text)
    return name if name == text else f"{name[:80]}-{hashlib.sha256(text.encode()).hexdigest()[:6]}"
