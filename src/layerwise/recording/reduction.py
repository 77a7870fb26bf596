"""reducer: what is kept of a tap's value: all of it, its mean over positions, or what a function gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from torch import Tensor

from layerwise.errors import InputError, did_you_mean

Reduce = Literal["mean_pool"] | Callable[[Tensor], Tensor] | None
"""None, "mean_pool", or a function from a tap's value (B, …) to (B, …)."""


def reducer(reduce: Reduce, *, image_shape: tuple[int, ...]) -> Callable[[Tensor], Tensor]:
    """The function that is applied to every tap's value.

    Args:
        reduce: None keeps values as they are; "mean_pool" averages as `position_axes` says; a function is taken as is.
        image_shape: (C, H, W) of the network's input.

    Raises:
        InputError: no such reduction.
    """
    if reduce is None:
        return lambda value: value
    if reduce == "mean_pool":
        return lambda value: mean_pool(value, image_shape=image_shape)
    if callable(reduce):
        # As a network made without thought of layouts would give it: the function may call `view`.
        return lambda value: reduce(value.contiguous())
    raise InputError(
        f"no reduction is called {reduce!r}.{did_you_mean(str(reduce), ['mean_pool'])}\n"
        '    Give None, "mean_pool", or a function from a tensor (B, …) to a tensor (B, …).'
    )


def mean_pool(value: Tensor, *, image_shape: tuple[int, ...]) -> Tensor:
    """The mean over positions.

    Args:
        value: shape (B, …).
        image_shape: (C, H, W) of the network's input.

    Returns:
        Shape (B, C) for maps and tokens; vectors (B, D) come back as they are.

    >>> import torch
    >>> mean_pool(torch.tensor([[[[1.0, 3.0], [5.0, 7.0]]]]), image_shape=(3, 8, 8))
    tensor([[4.]])
    """
    axes = position_axes(tuple(value.shape[1:]), image_shape)
    if not axes:
        return value
    numbers = value if value.is_floating_point() else value.float()
    return numbers.mean(dim=[axis + 1 for axis in axes])


def position_axes(shape: tuple[int, ...], image_shape: tuple[int, ...]) -> tuple[int, ...]:
    """Which axes of one example's value count positions rather than features.

    Args:
        shape: of the value, without N. (D,) has none; (T, D) is taken for T tokens; (C, H, W) for maps, unless only the
            first two axes have the proportions of the image, as in networks that keep channels last, (H, W, C);
            of four axes or more the last is taken for the features.
        image_shape: (C, H, W) of the network's input.

    >>> [position_axes(shape, (3, 224, 224)) for shape in [(768,), (197, 768), (768, 7, 7), (7, 7, 768)]]
    [(), (0,), (1, 2), (0, 1)]
    """
    if len(shape) == 3:
        height, width = image_shape[-2:]
        maps_last = _in_proportion(shape[1:], height, width)
        maps_first = _in_proportion(shape[:2], height, width)
        return (0, 1) if maps_first and not maps_last else (1, 2)
    return tuple(range(len(shape) - 1))


def _in_proportion(size: tuple[int, ...], height: int, width: int) -> bool:
    """Whether a map has the proportions of the image, up to the rounding of strides."""
    return abs(size[0] * width - size[1] * height) < max(height, width)
