"""SmallerNetwork: the same network with fewer channels, trained the same way. Would a smaller one not do as well?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from layerwise.cost import count_macs
from layerwise.data.images import ImageData
from layerwise.exits.inputs import Inputs
from layerwise.exits.latency import time_calls
from layerwise.models.layout import fast_layout
from layerwise.progress import Progress, silent
from layerwise.taps.borrowing import Preprocess, borrowed, device_of, prepare
from layerwise.taps.finding import as_pixels
from layerwise.training.fit import train
from layerwise.training.settings import TrainSettings

__all__ = ["SmallerNetwork", "measure_smaller", "train_in_phases"]

REPEATS = 15


@dataclass(frozen=True, eq=False)
class SmallerNetwork:
    """A plain network that early exit is compared with.

    Attributes:
        name: such as "0.75 of the channels".
        macs: of an image.
        parameters: numbers in it.
        seconds: batch size to seconds of an image, medians.
        ids: shape (N,), of the examples.
        right: shape (N,), whether it classifies each of them rightly.
    """

    name: str
    macs: int
    parameters: int
    seconds: dict[int, float]
    ids: NDArray[np.str_]
    right: NDArray[np.bool_]


def train_in_phases(
    model: nn.Module,
    data: ImageData,
    phases: Sequence[TrainSettings],
    *,
    run: Path | None = None,
    progress: Progress = silent,
) -> None:
    """Train a network in place, once with each settings: as one with exits was, first without them and then with.

    Args:
        model: freshly drawn.
        data: as `train` takes it.
        phases: how to train, one after the other.
        run: folder for the checkpoints, one folder in it for each phase; None keeps nothing.
        progress: shows the batches.

    Raises: as `train`.
    """
    for number, settings in enumerate(phases, start=1):
        train(model, data, settings, run=run and run / f"phase-{number}", progress=progress)


def measure_smaller(
    name: str,
    model: nn.Module,
    data: ImageData,
    *,
    preprocessing: Preprocess | None = None,
    batch_sizes: Sequence[int] = (1, 64),
    batch_size: int = 256,
    progress: Progress = silent,
) -> SmallerNetwork:
    """What a plain network gets right, and what it costs in MACs and milliseconds.

    Args:
        name: of the network, for people.
        model: in any mode; it is left as it is.
        data: one split.
        preprocessing: what it expects to be done to pixels in [0, 1].
        batch_sizes: at which it is timed, each at most the number of images.
        batch_size: images in one forward pass when answers are computed.
        progress: is shown the batches.

    Raises:
        ModelError: the network cannot take the images.
    """
    layout = fast_layout(model, prepare(as_pixels(data), model, preprocessing))
    inputs = Inputs(model, data, data.image_shape, preprocessing=preprocessing, layout=layout)
    cost = count_macs(model, data.image_shape)
    with borrowed(model):
        right = [
            (model(images).argmax(dim=1).cpu().numpy() == data.labels[rows])
            for rows, images in inputs.batches(batch_size, progress, what=f"Running {name}")
        ]
        seconds = {size: _seconds(model, inputs[slice(0, size)]) for size in batch_sizes}
    return SmallerNetwork(name, cost.total, cost.parameters, seconds, data.ids, np.concatenate(right))


def _seconds(model: nn.Module, images: torch.Tensor) -> float:
    (median,) = time_calls([lambda: model(images).float().cpu()], REPEATS, device_of(model))
    return median / len(images)
