"""RunNetwork: a run's network with its taps and images, to be asked about single examples. Loads torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from layerwise.data.images import ImageData, LazyImages
from layerwise.difficulty.projection import Projection
from layerwise.errors import DataError, RunError
from layerwise.models.saved import fingerprint
from layerwise.recording import Activations, record
from layerwise.sources import Source, source_of_run
from layerwise.taps import INPUT, SOFTMAX, Taps, find_taps
from layerwise.web.measured import Measured


@dataclass(frozen=True, eq=False)
class RunNetwork:
    """What was measured, ready to be run.

    Attributes:
        source: the network, its preprocessing, and the images that it was measured with.
        taps: L places.
        measured: how its votes were found.
        id_to_row: where an example is among the images.
    """

    source: Source
    taps: Taps
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
        names = [name for name in measured.tap_names if name not in (INPUT, SOFTMAX)]
        images = source.data.select(slice(0, 1))
        taps = find_taps(source.model, images, names, preprocessing=source.description.preprocessing)
        rows = {str(one): row for row, one in enumerate(source.data.ids)}
        return cls(source, taps, measured, rows)

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
        example = self.measured.row_of(row)
        if example not in self.id_to_row:
            raise RunError(f'the run\'s images have no "{example}" any more.\n    Name them: --data DATA')
        one = self.source.data.select(np.array([self.id_to_row[example]]))
        preprocessing = self.source.description.preprocessing
        recorded = record(
            self.source.model, one, self.taps, only=[tap], logits=tap == SOFTMAX, preprocessing=preprocessing
        )
        values: NDArray[np.floating] = np.asarray(recorded[tap][0])
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

    def record(self, images: ImageData) -> Activations:
        """Values at all taps, projected as in the measurement, and logits."""
        preprocessing = self.source.description.preprocessing
        return record(self.source.model, images, self.taps, reduce=self.projection, preprocessing=preprocessing)


def _is_share(images: NDArray[np.floating] | LazyImages) -> bool:
    some = images[: min(len(images), 1024)]
    return bool(some.min() >= 0 and some.max() <= 1)
