"""What a run has not, in words, and the command that makes it: `missing_of`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from layerwise.views.explorer.columns import MOST_CATEGORIES, factor_words
from layerwise.views.run import RunView

NOTE = "layerwise train MODEL DATA -o RUN --log-dynamics"
DAMAGED = {
    "exits": ("exits", "layerwise exits train {run} --again"),
    "maps": ("maps", "layerwise inside {run} --embed pca,tsne --again"),
    "units": ("units", "layerwise inside {run} --units --again"),
    "filters": ("filters", "layerwise inside {run} --filters first --again"),
    "looked_at": ("feature maps", "layerwise inside {run} --maps right,wrong,unsure --again"),
    "encoders": ("encoders", "layerwise inside {run} --encoder all --again"),
    "noted": ("training scores", NOTE),
    "labels": ("labels", "layerwise difficulty {run} --label-errors --again"),
    "kinds": ("kinds", "layerwise difficulty {run} --folds 5 --again"),
    "over_runs": ("several runs", "layerwise difficulty {run} --with RUN2 --again"),
}
"""For a part of `views.run.PARTS`: what the page calls it, and the command that makes it anew."""


def missing_of(view: RunView, maps: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """What a run has not, in words, and the command that makes it; `maps` as `map_methods` tells of them."""
    damaged = list(_damaged(view))
    told = {part for part, _, _ in damaged}
    not_made = (one for one in _measurements(view) if one[0] not in told)
    lacking = [*damaged, *not_made, *_about_training(view), *_places(view, maps), *_factors_left_out(view)]
    return [{"part": part, "words": words, "command": command} for part, words, command in lacking]


def _damaged(view: RunView) -> Iterator[tuple[str, str, str]]:
    for name, fault in view.damaged.items():
        part, command = DAMAGED[name]
        yield part, fault.partition("\n")[0], command.format(run=view.name)


def _measurements(view: RunView) -> Iterator[tuple[str, str, str]]:
    run = view.name
    if view.maps is None:
        yield "maps", "No maps of the taps were drawn.", f"layerwise inside {run} --embed pca,tsne"
    if view.units is None:
        yield "units", "Units were not measured.", f"layerwise inside {run} --units"
    if view.filters is None:
        yield "filters", "Filters were not drawn.", f"layerwise inside {run} --filters first"
    if view.exits is None:
        yield "exits", "The network has no exits.", f"layerwise exits train {run}"
    elif view.exits.left is None:
        words = "No thresholds of the exits were chosen, so none takes an example."
        yield "thresholds", words, f"layerwise exits budget {run}"
    if view.noted is None:
        yield "training scores", "What each training image went through was not noted: train again, with this.", NOTE
    if view.labels is None:
        yield _labels(view)
    if view.kinds is None:
        yield "kinds", "The four kinds were not measured.", f"layerwise difficulty {run} --folds 5"
    if view.thumbnails is None or view.neighbors is None:
        yield "pictures", "Pictures or neighbours were not kept.", f"layerwise difficulty {run} --again"


def _labels(view: RunView) -> tuple[str, str, str]:
    if view.noted is not None or "noted" in view.damaged:
        return "labels", "Labels were not ranked.", f"layerwise difficulty {view.name} --label-errors"
    words = "Labels were not ranked. Train again, with this; then: layerwise difficulty RUN --label-errors"
    return "labels", words, NOTE


def _about_training(view: RunView) -> Iterator[tuple[str, str, str]]:
    known: Mapping[str, object] = {
        "suspect labels": view.labels,
        "scores of training": view.noted,
        "kinds of difficulty": view.kinds,
    }
    names = [name for name, part in known.items() if part is not None]
    if names and "train" not in view.splits:
        words = f"{_listed(names)} are known of training images, which are not among the examples of this run."
        yield "training images", words, f"layerwise difficulty {view.name} --split all --again"


def _listed(names: Sequence[str]) -> str:
    words = " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
    return words[0].upper() + words[1:]


def _places(view: RunView, maps: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str, str]]:
    if view.maps is None:
        return
    count = len(view.examples) - max((int(one["drawn"]) for one in maps), default=0)
    if count:
        split = "all" if len(view.splits) > 1 else view.main_split
        taps = view.maps.key.get("taps")
        placed = f" --taps {taps}" if isinstance(taps, str) else ""
        command = f"layerwise inside {view.name} --embed {','.join(view.maps.methods)} --split {split}{placed} --again"
        yield "places on the maps", f"{count:,} of {len(view.examples):,} examples are not on the maps.", command


def _factors_left_out(view: RunView) -> Iterator[tuple[str, str, str]]:
    for name in view.factors:
        values = view.examples[f"factor_{name}"]
        count = 0 if pd.api.types.is_numeric_dtype(values) else len(factor_words(values)[1])
        if count > MOST_CATEGORIES:
            words = f"It has {count:,} different words; with more than {MOST_CATEGORIES} it is no colour and no filter."
            yield f"factor {name}", words, ""
