"""RunNetwork: a run's network with its taps and images, to be asked about single examples. Loads torch.

`record` looks at a network three times before it answers; here that is done once, so that an image is one pass.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from layerwise.data.images import ImageData, LazyImages
from layerwise.difficulty.projection import Projection
from layerwise.errors import DataError, NonFiniteError, RunError
from layerwise.models.layout import fast_layout, laid_out
from layerwise.models.saved import fingerprint
from layerwise.sources import Source, source_of_run
from layerwise.taps import INPUT, SOFTMAX, Taps, find_taps
from layerwise.taps.borrowing import borrowed, prepare
from layerwise.web.measured import Measured


@dataclass(frozen=True, eq=False)
class Seen:
    """What one image gives.

    Attributes:
        tap_to_value: a tap's name to its value, whole: maps (C, H, W), a vector (D,), or of any other shape.
        logits: shape (K,).
    """

    tap_to_value: Mapping[str, Tensor]
    logits: NDArray[np.float32]

    def flat(self, tap: str) -> NDArray[np.float32]:
        """The value at a tap as a vector, (1, D)."""
        values: NDArray[np.float32] = self.tap_to_value[tap].reshape(1, -1).numpy()
        return values


@dataclass(frozen=True, eq=False)
class RunNetwork:
    """What was measured, ready to be run.

    Attributes:
        source: the network, its preprocessing, and the images that it was measured with.
        taps: the L places that were measured.
        all_taps: these, and those that have maps.
        layout: in which its convolutions run fastest.
        measured: how its votes were found.
        id_to_row: where an example is among the images.
    """

    source: Source
    taps: Taps
    all_taps: Taps
    layout: torch.memory_format
    measured: Measured
    id_to_row: dict[str, int]

    @classmethod
    def load(
        cls,
        run: Path,
        measured: Measured,
        *,
        model: str | None = None,
        data: str | None = None,
        trust_code: bool = False,
    ) -> RunNetwork:
        """Load the network and the images of a run.

        Args:
            run: the folder.
            measured: what was measured in it.
            model, trust_code: as `layerwise.sources.source_of_run` takes them.
            data: where the run's images lie now; None for where they were.

        Raises:
            RunError: the network, or the images, are not those that were measured.
            The errors of `source_of_run` and of `find_taps`.
        """
        source = source_of_run(
            run, data, seed=0, model=model, trust_code=trust_code, same_images=True, steps=("difficulty", "train")
        )
        if measured.model_fingerprint not in (None, fingerprint(source.model)):
            raise RunError(
                f"the network in {run} is not the one that was measured: it was trained anew since.\n"
                f"    Measure it again: layerwise difficulty {run} --again"
            )
        taps, all_taps = (
            _found(source, names) for names in (measured.tap_names, (*measured.tap_names, *measured.map_names))
        )
        rows = {str(one): row for row, one in enumerate(source.data.ids)}
        return cls(source, taps, all_taps, _layout(source), measured, rows)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(C, H, W)."""
        return self.source.data.image_shape

    @property
    def projection(self) -> Projection | None:
        """What was done to wide activations; None where votes are exact."""
        return None if self.measured.fast is None else Projection(self.measured.fast)

    def values(self, row: int, tap: str) -> NDArray[np.floating]:
        """What a measured example gives at a tap, whole.

        Raises:
            RunError: there is no such row, or its image is not there any more.
        """
        example = self.measured.id_of(row)
        if example not in self.id_to_row:
            raise RunError(f'the run\'s images have no "{example}" any more.\n    Name them: --data DATA')
        one = self.source.data.select(np.array([self.id_to_row[example]]))
        values: NDArray[np.floating] = self.see(one, only=[tap]).tap_to_value[tap].numpy()
        return values

    def of_picture(self, pixels: NDArray[np.uint8]) -> ImageData:
        """A picture (C, H, W) as an image of the kind that the network was measured with.

        Raises:
            DataError: how bytes become such images is not known.
        """
        given = self.source.data.images
        if given.dtype != np.uint8 and not _is_share(given):
            raise DataError(
                "the images of this run are no bytes, and not numbers from 0 to 1: how a picture becomes one of them "
                "is not known.\n    Look at the run's own images."
            )
        images = pixels[None] if given.dtype == np.uint8 else pixels[None].astype(np.float32) / np.float32(255)
        nothing, names = np.zeros(1, np.int64), self.source.data.class_names
        return ImageData(images, nothing, np.array(["new"]), np.array(["test"]), names, {}, "new")

    def see(self, image: ImageData, *, only: Collection[str] | None = None) -> Seen:
        """One image through the network.

        Args:
            image: one.
            only: taps whose values are kept; by default all.

        Raises:
            NonFiniteError: NaN or infinity at a tap.
        """
        model, seen = self.source.model, dict[str, Tensor]()

        def keep(tap: str, value: Tensor) -> None:
            if only is None or tap in only:
                # A copy: a later operation may rewrite it in place.
                seen[tap] = value[0].detach().cpu().float().contiguous().clone()

        pixels = torch.tensor(image.batch(slice(0, 1)))
        with borrowed(model), self.all_taps.reader.open(model) as forward:
            keep(INPUT, pixels)
            prepared = prepare(pixels, model, self.source.description.preprocessing)
            logits = forward(laid_out(prepared, self.layout), keep).float()
            keep(SOFTMAX, logits.softmax(dim=1))
        broken = [tap for tap, value in seen.items() if not value.isfinite().all()]
        if broken:
            raise NonFiniteError(f'tap "{broken[0]}" holds NaN or infinity for this image. It has no neighbours.')
        return Seen(seen, logits[0].cpu().numpy())

    def probed(self, seen: Seen, tap: str) -> Tensor:
        """The value at a tap as the probes take it, (D,): projected as in the measurement."""
        value = seen.tap_to_value[tap][None]
        return (value if self.projection is None else self.projection(value)).flatten()


def _found(source: Source, names: Collection[str]) -> Taps:
    places = [name for name in dict.fromkeys(names) if name not in (INPUT, SOFTMAX)]
    images = source.data.select(slice(0, 1))
    return find_taps(source.model, images, places, preprocessing=source.description.preprocessing)


def _layout(source: Source) -> torch.memory_format:
    """As a recording finds it, so that values are rounded alike."""
    pixels = torch.tensor(source.data.batch(slice(0, 2)))
    return fast_layout(source.model, prepare(pixels, source.model, source.description.preprocessing))


def _is_share(images: NDArray[np.floating] | LazyImages) -> bool:
    some = images[: min(len(images), 1024)]
    return bool(some.min() >= 0 and some.max() <= 1)
