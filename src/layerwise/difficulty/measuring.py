"""measure_difficulty and measure_depths: the easy doors, written with the step-by-step ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import nn

from layerwise.arrays.depth import Reference, check_reference
from layerwise.data.images import ImageData
from layerwise.difficulty.agreement import measure_agreement
from layerwise.difficulty.depths import Depths
from layerwise.difficulty.found import FoundSoFar
from layerwise.difficulty.lazy import probe_lazily
from layerwise.difficulty.probing import probe
from layerwise.difficulty.recorder import ProbeRecorder
from layerwise.difficulty.result import Difficulty
from layerwise.difficulty.settings import ProbeSettings
from layerwise.errors import DataError, ModelError, NotEnoughExamplesError
from layerwise.models.saved import fingerprint
from layerwise.progress import Progress, silent
from layerwise.recording import record
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
    partial: Path | str | None = None,
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
        partial: a folder (path or string) where finished taps are kept, from which an interrupted call goes on; to be
            removed when the result is saved.
        progress: is shown the batches and the taps.

    Raises:
        DataError: one class only, other classes or image shapes in `examples` than in `train`, or clashing ids.
        NotEnoughExamplesError: k or fewer training examples, or nothing to measure.
        ModelError: the network does not take these images, or gives another number of classes than they have.
        UnknownNameError: taps that the network does not have.
        ActivationsTooLargeError: of one tap not even a shard fits the limit.
        NonFiniteError: NaN or infinity at a tap.
        InputError: there is no such reference class or device.

    Source: Baldock, Maennel and Neyshabur (2021), section 2.1.
    """
    recorder = _prepare(
        model,
        train,
        examples,
        place,
        agree_with,
        preprocessing=preprocessing,
        settings=settings,
        k=k,
        progress=progress,
    )
    plan = _plan(recorder)
    with _found_so_far(partial, plan) as found:
        probed = probe(recorder, found=found)
    return Difficulty(
        **_common(recorder, agree_with),
        logits=probed.logits,
        neighbors=probed.neighbors,
        base_ids=train.ids,
        base_labels=train.labels,
        provenance={**plan, **_circumstances(recorder, agree_with)},
    )


def measure_depths(
    model: nn.Module,
    train: ImageData,
    examples: ImageData | None = None,
    *,
    place: str | Sequence[str] = "children",
    agree_with: Reference = "prediction",
    preprocessing: Preprocess | None = None,
    settings: ProbeSettings | None = None,
    k: int | None = None,
    partial: Path | str | None = None,
    progress: Progress = silent,
) -> Depths:
    """Say of every example at which tap the network decides it, and no more: `measure_difficulty`'s depths, sooner.

    Taps are asked from the last to the first, and each only about the examples with which all later ones agree. So
    there are no neighbours and no accuracy of probes, and another reference class is another measurement.

    Args:
        model: see `measure_difficulty`, as for all that follow.
        train: the examples that the network was trained on.
        examples: what to measure; by default the training examples.
        place: which taps.
        agree_with: the reference class.
        preprocessing: what the network expects to be done to pixels in [0, 1].
        settings: k, batch size, limits.
        k: neighbours in a vote; overrides that of `settings`.
        partial: a folder (path or string) where finished taps are kept.
        progress: is shown the batches and the taps.

    Raises:
        The errors of `measure_difficulty`; NaN or infinity is found only at taps that are recorded.

    >>> from layerwise.data.catalog import load_data
    >>> from layerwise.models.catalog import load_model
    >>> data = load_data("digits?limit=100")
    >>> model = load_model("resnet20", num_classes=10, in_channels=1)
    >>> measured = measure_depths(model, data.train, data.test, place=["layer1", "layer3"], k=10)
    >>> whole = measure_difficulty(model, data.train, data.test, place=["layer1", "layer3"], k=10)
    >>> bool((measured.depth == whole.depth).all()), int(measured.asked[-1])
    (True, 100)
    """
    recorder = _prepare(
        model,
        train,
        examples,
        place,
        agree_with,
        preprocessing=preprocessing,
        settings=settings,
        k=k,
        progress=progress,
    )
    plan = _plan(recorder)
    with _found_so_far(partial, {**plan, "depths_only": agree_with}) as found:
        probed = probe_lazily(recorder, agree_with=agree_with, found=found)
    asked = dict(zip(recorder.taps.names, probed.asked.tolist(), strict=True))
    return Depths(
        **_common(recorder, agree_with),
        logits=probed.logits,
        reference=probed.reference,
        depth=probed.depth,
        asked=probed.asked,
        provenance={**plan, **_circumstances(recorder, agree_with), "depths_only": True, "asked": asked},
    )


def check_measurable(
    model: nn.Module,
    train: ImageData,
    examples: ImageData,
    *,
    place: str | Sequence[str],
    preprocessing: Preprocess | None,
    settings: ProbeSettings,
) -> None:
    """Refuse, before a long training, what `measure_difficulty` would refuse after it; one image goes through.

    Raises:
        The errors of `measure_difficulty`.
    """
    recorder = _prepare(
        model,
        train,
        examples,
        place,
        "prediction",
        preprocessing=preprocessing,
        settings=settings,
        k=None,
        progress=silent,
    )
    recorder.groups(recorder.taps.taps)
    record(
        model,
        train.select(slice(0, 1)),
        recorder.taps,
        preprocessing=preprocessing,
        batch_size=settings.batch_size,
        reduce=recorder.projection,
        device=settings.device,
    )


def _prepare(
    model: nn.Module,
    train: ImageData,
    examples: ImageData | None,
    place: str | Sequence[str],
    agree_with: Reference,
    *,
    preprocessing: Preprocess | None,
    settings: ProbeSettings | None,
    k: int | None,
    progress: Progress,
) -> ProbeRecorder:
    """Check what was given to a public function, and find the taps."""
    settings = settings or ProbeSettings()
    settings = settings if k is None else replace(settings, k=k)
    examples = train if examples is None else examples
    check_reference(agree_with)
    _check_images(train, examples)
    taps = find_taps(model, train.select(slice(0, 1)), place, preprocessing=preprocessing)
    _check_outputs(taps, train)
    return ProbeRecorder.create(model, taps, train, examples, settings, preprocessing=preprocessing, progress=progress)


def _plan(recorder: ProbeRecorder) -> dict[str, Any]:
    """All that the neighbours depend on: finished taps are used again only where it is the same."""
    return {
        "k": recorder.settings.k,
        "taps": list(recorder.taps.names),
        "model_fingerprint": fingerprint(recorder.model),
        "train_fingerprint": recorder.train.fingerprint,
        "examples_fingerprint": recorder.examples.fingerprint,
        "preprocessing": repr(recorder.preprocessing),
        "fast": recorder.settings.fast,
    }


@contextmanager
def _found_so_far(partial: Path | str | None, plan: dict[str, Any]) -> Iterator[FoundSoFar]:
    found = FoundSoFar(None if partial is None else Path(partial), plan)
    try:
        yield found
    except (DataError, ModelError):
        found.discard()  # the same call would end here again
        raise


def _common(recorder: ProbeRecorder, agree_with: Reference) -> dict[str, Any]:
    """What every result says of taps and examples."""
    examples = recorder.examples
    return {
        "taps": recorder.taps.taps,
        "class_names": recorder.train.class_names,
        "ids": examples.ids,
        "splits": examples.splits,
        "labels": examples.labels,
        "agree_with": agree_with,
        "factors": examples.factors,
    }


def _circumstances(recorder: ProbeRecorder, agree_with: Reference) -> dict[str, Any]:
    clock = recorder.clock
    circumstances = {
        "class_names": recorder.train.class_names,
        "agree_with": agree_with,
        "seconds": {"recording": clock.recording_s, "search": clock.tap_to_search_s},
    }
    if recorder.projection is None:
        return circumstances
    agreeing, sample = measure_agreement(recorder, recorder.projection)
    return {**circumstances, "exact_votes": {"of": sample, "tap_to_count": agreeing}}


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
