"""measure_difficulty: the easy door, written with the step-by-step ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import nn

from layerwise.arrays.depth import Reference, check_reference
from layerwise.data.images import ImageData
from layerwise.difficulty.found import FoundSoFar
from layerwise.difficulty.probing import Probed, ProbeSettings, probe
from layerwise.difficulty.result import Difficulty
from layerwise.errors import DataError, ModelError, NotEnoughExamplesError
from layerwise.models.saved import fingerprint
from layerwise.progress import Progress, silent
from layerwise.taps import SOFTMAX, Taps, find_taps
from layerwise.taps.borrowing import Preprocess


def measure_difficulty(
    model: nn.Module,
    train: ImageData,
    examples: ImageData | None = None,
    *,
    place: str | Sequence[str] = "children",
    agree_with: Reference = "prediction",
    preprocessing: Preprocess | None = None,
    settings: ProbeSettings | None = None,
    k: int | None = None,
    partial: Path | None = None,
    progress: Progress = silent,
) -> Difficulty:
    """Say of every example at which tap the network decides it.

    At each tap a k-NN probe votes with the activations of the training examples; the prediction depth of an example is
    the first tap from which every probe gives its reference class.

    Args:
        model: a trained network from images to logits; left as it was.
        train: the examples that the network was trained on, from which the probes are built.
        examples: what to measure; by default the training examples. Those that are training examples (by id) are left
            out of their own vote.
        place: which taps; see `find_taps`.
        agree_with: the reference class: the network's "prediction", the "last-probe"'s, or the "label".
        preprocessing: what the network expects to be done to pixels in [0, 1].
        settings: k, batch size, limits.
        k: neighbours in a vote; overrides that of `settings`.
        partial: a folder where finished taps are kept, from which an interrupted call goes on; to be removed when the
            result is saved.
        progress: is shown the batches and the taps.

    Raises:
        DataError: one class only, other classes or image shapes in `examples` than in `train`, or clashing ids.
        NotEnoughExamplesError: k or fewer training examples, or nothing to measure.
        ModelError: the network does not take these images, or gives another number of classes than they have.
        UnknownNameError: taps that the network does not have.
        ActivationsTooLargeError: one tap alone is over the limit.
        NonFiniteError: NaN or infinity at a tap.
        InputError: there is no such reference class or device.

    Source: Baldock, Maennel and Neyshabur (2021), section 2.1.
    """
    settings = settings or ProbeSettings()
    settings = settings if k is None else replace(settings, k=k)
    examples = train if examples is None else examples
    check_reference(agree_with)
    _check_images(train, examples)
    taps = find_taps(model, train.select(slice(0, 1)), place, preprocessing=preprocessing)
    _check_outputs(taps, train)
    plan = _plan(model, train, examples, settings, taps, preprocessing)
    found = FoundSoFar(partial, plan)
    try:
        probed = probe(
            model, taps, train, examples, settings, preprocessing=preprocessing, found=found, progress=progress
        )
    except (DataError, ModelError):
        found.discard()  # the same call would end here again
        raise
    return _difficulty(taps, train, examples, probed, agree_with, plan)


def _plan(
    model: nn.Module,
    train: ImageData,
    examples: ImageData,
    settings: ProbeSettings,
    taps: Taps,
    preprocessing: Preprocess | None,
) -> dict[str, Any]:
    """All that the neighbours depend on: finished taps are used again only where it is the same."""
    return {
        "k": settings.k,
        "taps": list(taps.names),
        "model_fingerprint": fingerprint(model),
        "train_fingerprint": train.fingerprint,
        "examples_fingerprint": examples.fingerprint,
        "preprocessing": repr(preprocessing),
    }


def _difficulty(
    taps: Taps, train: ImageData, examples: ImageData, probed: Probed, agree_with: Reference, plan: dict[str, Any]
) -> Difficulty:
    seconds = {"recording": probed.clock.recording_s, "search": probed.clock.tap_to_search_s}
    return Difficulty(
        taps=taps.taps,
        class_names=train.class_names,
        ids=examples.ids,
        splits=examples.splits,
        labels=examples.labels,
        logits=probed.logits,
        neighbors=probed.neighbors,
        base_ids=train.ids,
        base_labels=train.labels,
        agree_with=agree_with,
        factors=examples.factors,
        provenance={**plan, "class_names": train.class_names, "agree_with": agree_with, "seconds": seconds},
    )


def _check_images(train: ImageData, examples: ImageData) -> None:
    if not len(train) or not len(examples):
        raise NotEnoughExamplesError(
            f"difficulty needs training examples and examples to measure; got {len(train)} and {len(examples)}."
        )
    if train.image_shape != examples.image_shape or train.class_names != examples.class_names:
        raise DataError(
            f"the examples to measure are {examples.image_shape} images of {examples.num_classes} classes, "
            f"those to train on {train.image_shape} images of {train.num_classes}; expected the same of both."
        )
    if len(set(train.labels.tolist())) < 2:
        only = train.class_names[train.labels[0]]
        raise DataError(
            f'all {len(train)} training examples are of one class, "{only}": every probe would vote for it.\n'
            "    Give examples of at least two classes."
        )


def _check_outputs(taps: Taps, train: ImageData) -> None:
    outputs = taps[SOFTMAX].features
    if outputs != train.num_classes:
        raise ModelError(
            f"{taps.network} gives {outputs} classes, but the labels have {train.num_classes}.\n"
            "    Give the network that was trained on these classes, and the names of all of them, in its order."
        )
