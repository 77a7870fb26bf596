"""prepare_base: the training images' values at every tap, ready for the votes of new images. Loads torch."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import torch

from layerwise.data.images import ImageData
from layerwise.errors import FileError, RunError
from layerwise.neighbors.prepared import PreparedBase
from layerwise.progress import Progress
from layerwise.recording import Activations, record
from layerwise.web.network import RunNetwork

ALIKE = 1e-3
"""What may differ between two recordings of the same network: batches of other sizes, another machine."""


def prepare_base(network: RunNetwork, run: Path, *, limit_bytes: float, progress: Progress) -> dict[str, PreparedBase]:
    """A tap to the training images' values there, from files if the run kept them, else recorded in memory.

    Args:
        network: the run's.
        run: the folder.
        limit_bytes: the most memory for values that are recorded.
        progress: is shown batches and taps.

    Raises:
        RunError: the training images are not those of the measurement.
        ActivationsTooLargeError: they need more memory.
    """
    train = network.source.data.train
    known = network.measured.base_ids
    if known is None or not np.array_equal(known, train.ids):
        raise RunError(
            f"the training images are not those with which {run} was measured.\n"
            f"    Measure it again: layerwise difficulty {run} --again"
        )
    values = _kept(network, run / "activations" / "base", train)
    if values is None:
        values = record(
            # A network that is asked in one thread and recorded in another would hear both.
            copy.deepcopy(network.source.model),
            train,
            network.taps,
            logits=False,
            preprocessing=network.source.description.preprocessing,
            reduce=network.projection,
            limit_bytes=limit_bytes,
            progress=progress,
        )
    shown = progress(network.taps, total=len(network.taps), what="Measuring taps")
    return {tap.name: PreparedBase.over(torch.from_numpy(values.flat(tap.name))) for tap in shown}


def _kept(network: RunNetwork, folder: Path, train: ImageData) -> Activations | None:
    """What `--keep-activations` left, if it is of these images and this network."""
    try:
        kept = Activations.load(folder)
    except FileError:
        return None
    if not np.array_equal(kept.ids, train.ids) or not all(tap.name in kept for tap in network.taps):
        return None
    return kept if all(_alike(network, kept, train, row) for row in (0, len(train) - 1)) else None


def _alike(network: RunNetwork, kept: Activations, train: ImageData, row: int) -> bool:
    """Whether the network gives an image what was kept of it."""
    seen = network.see(train.select(np.array([row])))
    pairs = [(kept.flat(tap.name)[row], network.probed(seen, tap.name).numpy()) for tap in network.taps]
    return all(one.shape == other.shape and np.allclose(one, other, rtol=ALIKE, atol=ALIKE) for one, other in pairs)
