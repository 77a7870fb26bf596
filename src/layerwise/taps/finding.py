"""find_taps: run a network once on a few images, and choose the places at which it is to be read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from layerwise.data.images import ImageData
from layerwise.errors import NotEnoughExamplesError, ShapeError, UnknownNameError, did_you_mean
from layerwise.taps.borrowing import Preprocess, borrowed, prepare
from layerwise.taps.calls import observe
from layerwise.taps.graph import trace
from layerwise.taps.placing import PLACEMENTS, Plan
from layerwise.taps.tap import Taps

PROBE_EXAMPLES = 5
"""Images in the pass that finds taps: no axis of heads or of queries has that length, so N is recognised."""

Images = Tensor | NDArray[Any] | ImageData


def find_taps(
    model: nn.Module,
    images: Images,
    place: str | Sequence[str] = "children",
    *,
    preprocessing: Preprocess | None = None,
) -> Taps:
    """Choose the places at which a network is to be read.

    Args:
        model: any network from images to logits. It is run once on a few of the images, and left as it was.
        images: shape (N, C, H, W), floats in [0, 1] or bytes; at least one. Only the first few are used.
        place: which places, besides the input and the softmax:
            "children": each module that the network calls itself, each time it is called;
            "blocks": the stem, and each place where paths meet again (residual adds with the activation that follows,
            else concatenations, else activations and poolings); for a network that cannot be traced, the modules that
            repeat in its containers;
            "leaves": each module that calls no other;
            a list of names: modules and functional operations, as `layerwise taps` prints them.
        preprocessing: what the network expects to be done to pixels in [0, 1].

    Returns:
        Taps in order of execution. Where the output is the network's own, only the softmax is given.

    Raises:
        ModelError: the network cannot take the images, does not give logits (N, K), or a named place cannot be read.
        UnknownNameError: names, all listed, that the network does not have.
        ShapeError: the images are not four-dimensional.
        NotEnoughExamplesError: there is no image.

    >>> net = nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    >>> find_taps(net, torch.rand(1, 1, 2, 2)).names
    ('input', '0', '1', '2', 'softmax')
    """
    if isinstance(place, str) and place not in PLACEMENTS:
        known = ", ".join(f'"{name}"' for name in PLACEMENTS)
        raise UnknownNameError(
            f'no placement is named "{place}".{did_you_mean(place, PLACEMENTS)}\n'
            f"    Give {known}, or a list of names of taps."
        )
    pixels = as_pixels(images)
    with borrowed(model):
        network_input = prepare(pixels, model, preprocessing)
        seen = observe(model, network_input)
        traced = trace(model, network_input, seen)
    plan = Plan(model, seen, traced)
    return plan.taps(place, image_shape=tuple(pixels.shape[1:]))


def as_pixels(images: Images) -> Tensor:
    """A few images to probe a network with: shape (PROBE_EXAMPLES, C, H, W), floats; a copy.

    Raises:
        ShapeError: the images are not four-dimensional.
        NotEnoughExamplesError: there is no image.
    """
    if isinstance(images, ImageData):
        images = images.batch(slice(0, PROBE_EXAMPLES))
    pixels = torch.as_tensor(np.asarray(images) if not isinstance(images, Tensor) else images).detach().cpu()
    if pixels.ndim != 4:
        raise ShapeError(f"images must have the shape (N, C, H, W); got {tuple(pixels.shape)}.")
    if not len(pixels):
        raise NotEnoughExamplesError("finding taps needs at least one image; got none.")
    pixels = pixels[torch.arange(PROBE_EXAMPLES) % len(pixels)]
    return pixels / 255 if pixels.dtype == torch.uint8 else pixels.float()
