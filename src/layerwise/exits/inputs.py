"""Inputs: images of any kind, given batch by batch as a network takes them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from layerwise.data.images import ImageData
from layerwise.errors import DataError, NotEnoughExamplesError, ShapeError
from layerwise.models.layout import laid_out
from layerwise.progress import Progress
from layerwise.taps.borrowing import Preprocess, device_of, dtype_of
from layerwise.taps.calls import times
from layerwise.taps.finding import Images

__all__ = ["Inputs"]


class Inputs:
    """N images for one network.

    Args:
        model: that takes them.
        images: pixels (N, C, H, W), floats in [0, 1] or bytes, or a data set.
        image_shape: (C, H, W) that the network takes.
        preprocessing: what it expects to be done to pixels in [0, 1].
        layout: in which it is fastest.

    Raises:
        NotEnoughExamplesError: there is none.
        ShapeError: they have another shape.
        DataError: they are neither floats nor bytes: whole numbers of another type do not tell their range.
    """

    def __init__(
        self,
        model: nn.Module,
        images: Images,
        image_shape: tuple[int, ...],
        *,
        preprocessing: Preprocess | None,
        layout: torch.memory_format,
    ) -> None:
        shape = (len(images), *images.image_shape) if isinstance(images, ImageData) else tuple(images.shape)
        if len(shape) != 4 or shape[1:] != image_shape:
            raise ShapeError(f"images must have the shape N×{times(image_shape)}; got {times(shape)}.")
        if not shape[0]:
            raise NotEnoughExamplesError("there is no image to classify. Give at least one.")
        if not isinstance(images, ImageData) and not _are_pixels(images):
            raise DataError(f"images must be floats in [0, 1] or bytes (uint8); got {images.dtype}.")
        self._device, self._dtype = device_of(model), dtype_of(model)
        self._images = images
        self._preprocessing = preprocessing
        self._layout = layout

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, rows: slice) -> Tensor:
        """The images of these rows, as the network takes them: (B, C, H, W)."""
        pixels = self._pixels(rows)
        on_device = pixels.to(self._device)
        prepared = on_device if self._preprocessing is None else self._preprocessing(on_device)
        return laid_out(prepared.to(self._dtype), self._layout)

    def batches(self, batch_size: int, progress: Progress, *, what: str) -> Iterator[tuple[slice, Tensor]]:
        """Rows and their images, batch by batch."""
        starts = range(0, len(self), batch_size)
        for start in progress(starts, total=len(starts), what=what):
            rows = slice(start, min(start + batch_size, len(self)))
            yield rows, self[rows]

    def _pixels(self, rows: slice) -> Tensor:
        if isinstance(self._images, ImageData):
            return torch.tensor(self._images.batch(rows))  # a copy: a network may begin in place
        part = self._images[rows]
        if isinstance(part, np.ndarray):
            # In the machine's order of bytes, one row after another: torch takes nothing else.
            pixels = torch.tensor(np.ascontiguousarray(part, part.dtype.newbyteorder("=")))
        else:
            pixels = part.detach().clone()
        return pixels / 255 if pixels.dtype == torch.uint8 else pixels.float()


def _are_pixels(images: Tensor | NDArray[Any]) -> bool:
    if isinstance(images, Tensor):
        return images.dtype == torch.uint8 or images.is_floating_point()
    return images.dtype == np.uint8 or images.dtype.kind == "f"
