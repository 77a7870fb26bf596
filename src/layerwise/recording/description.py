"""describe_taps: the places of a network as a table, with what the network holds and computes up to each."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from torch import Tensor, nn

from layerwise.cost import MacCounter
from layerwise.taps import INPUT, SOFTMAX, Taps, find_taps
from layerwise.taps.borrowing import Preprocess, borrowed, prepare
from layerwise.taps.calls import times
from layerwise.taps.finding import Images, as_pixels


def describe_taps(
    model: nn.Module,
    images: Images,
    place: str | Sequence[str] | Taps = "children",
    *,
    preprocessing: Preprocess | None = None,
) -> pd.DataFrame:
    """A row per tap, in order of execution.

    Args:
        model: any network from images to logits; left as it was.
        images: shape (N, C, H, W), as for `find_taps`; one is run.
        place: taps, or which to find.
        preprocessing: what the network expects to be done to pixels in [0, 1].

    Returns:
        Columns order, name, shape (of one example, as "64×8×8"), features, parameters (numbers in the parameters that
        are used for the first time between the previous tap and this one), and macs (multiply-accumulates of one image
        up to this tap).

    Raises:
        The errors of `find_taps`.

    >>> import torch
    >>> net = nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.Linear(3, 2))
    >>> describe_taps(net, torch.rand(1, 1, 2, 2))[["name", "shape", "parameters", "macs"]]
          name  shape  parameters  macs
    0    input  1×2×2           0     0
    1        0      4           0     0
    2        1      3          15    12
    3  softmax      2           8    18
    """
    taps = place if isinstance(place, Taps) else find_taps(model, images, place, preprocessing=preprocessing)
    so_far = _count(model, as_pixels(images)[:1], taps, preprocessing)
    parameters = [so_far[tap.name][0] for tap in taps]
    return pd.DataFrame(
        {
            "order": [tap.order for tap in taps],
            "name": [tap.name for tap in taps],
            "shape": [times(tap.shape) for tap in taps],
            "features": [tap.features for tap in taps],
            "parameters": [now - before for before, now in zip([0, *parameters], parameters, strict=False)],
            "macs": [so_far[tap.name][1] for tap in taps],
        }
    )


def _count(
    model: nn.Module, pixels: Tensor, taps: Taps, preprocessing: Preprocess | None
) -> dict[str, tuple[int, int]]:
    """Parameters and MACs that were used when each tap was reached."""
    so_far = {INPUT: (0, 0)}
    with borrowed(model), taps.reader.open(model) as forward:
        images = prepare(pixels, model, preprocessing)
        with MacCounter(model) as counter:

            def note(tap: str, value: Tensor) -> None:  # noqa: ARG001
                so_far[tap] = (counter.parameters, counter.total)

            forward(images, note)
            so_far[SOFTMAX] = (counter.parameters, counter.total)
    return so_far
