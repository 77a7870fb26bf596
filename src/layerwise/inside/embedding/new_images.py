"""MapPlacer: new images on the maps of all taps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from torch import nn

from layerwise.data.images import ImageData
from layerwise.data.validation import as_pixels
from layerwise.errors import InputError, ModelError, ShapeError
from layerwise.inside.embedding.alignment import Turn, find_turn
from layerwise.inside.embedding.folder import load_maps
from layerwise.inside.embedding.placing import Ground, place_points
from layerwise.inside.embedding.reduction import first_plane
from layerwise.inside.embedding.result import TapMaps
from layerwise.models.saved import read_model
from layerwise.recording import record
from layerwise.taps import INPUT, SOFTMAX, find_taps
from layerwise.taps.borrowing import Preprocess

__all__ = ["MapPlacer"]

METHODS = ("pca", "tsne")


class MapPlacer:
    """Places new images on maps that are drawn, one network pass for all taps.

    Args:
        model: the network whose taps the maps are of; left as it was.
        maps: of the same examples, as `embed_taps` or `load_maps` give them.
        method: "tsne", by `place_points`, or "pca", along the components.
        preprocessing: what the network expects to be done to pixels in [0, 1], the same as when the maps were drawn;
            `of_run` takes it from the run.
        image_shape: (C, H, W).

    Raises:
        InputError: new images cannot be placed by this method, or it was not drawn.
        ModelError: the network is not the one that the maps are of: a tap has another shape.
    """

    def __init__(
        self,
        model: nn.Module,
        maps: Iterable[TapMaps],
        *,
        image_shape: Sequence[int],
        method: str = "tsne",
        preprocessing: Preprocess | None = None,
    ) -> None:
        if method not in METHODS:
            raise InputError(f'new images cannot be placed on maps by "{method}".\n    Choose: {", ".join(METHODS)}.')
        maps = list(maps)
        drawn = {one.tap: embedding for one in maps if (embedding := one.map(method)) is not None}
        if not maps or len(drawn) < len(maps):
            raise InputError(f"not every tap has a map by {method}. Draw them: layerwise inside RUN --embed {method}")
        self._model, self._maps, self._drawn, self._method = model, maps, drawn, method
        self._preprocessing = preprocessing
        self._shape = tuple(image_shape)
        blank = np.zeros((1, *self._shape), np.float32)
        names = [one.tap for one in maps if one.tap not in (INPUT, SOFTMAX)]
        self._taps = find_taps(model, blank, names, preprocessing=preprocessing)
        for one in maps:
            if self._taps[one.tap].features != len(one.reduction.mean):
                raise ModelError(
                    f'tap "{one.tap}" has {self._taps[one.tap].features} features in this network; the map was drawn '
                    f"from {len(one.reduction.mean)}. Draw the maps of this network."
                )

    @classmethod
    def of_run(
        cls, run: Path | str, *, method: str = "tsne", model: nn.Module | None = None, trust_code: bool = False
    ) -> Self:
        """A placer for the maps of a run folder, with its network and what the run does to pixels before it.

        Args:
            run: a folder in which `layerwise inside` drew maps.
            method: "tsne" or "pca".
            model, trust_code: as `read_model` takes them.

        Raises:
            RunError: there are no maps.
            The errors of `read_model` and of the constructor.
        """
        saved = read_model(run, model, trust_code=trust_code)
        described = saved.description
        return cls(
            saved.model,
            load_maps(run),
            image_shape=described.image_shape,
            method=method,
            preprocessing=described.preprocessing,
        )

    def place(self, images: NDArray[np.floating] | NDArray[np.uint8]) -> Mapping[str, NDArray[np.float64]]:
        """Where each image falls on each map: a tap to (M, 2).

        Args:
            images: shape (M, C, H, W), floats as the network was trained on, or bytes.

        Raises:
            ShapeError: images of another shape.
            The errors of `record`.
        """
        if images.ndim != 4 or images.shape[1:] != self._shape:
            raise ShapeError(
                f"images (M, {', '.join(map(str, self._shape))}) are expected, as the maps were drawn from; "
                f"got {images.shape}."
            )
        count = len(images)
        ids = np.array([f"new-{row}" for row in range(count)])
        data = ImageData(
            as_pixels(images), np.zeros(count, np.int64), ids, np.full(count, "test"), ("unknown",), {}, "new"
        )
        activations = record(
            self._model, data, self._taps, only=[one.tap for one in self._maps], preprocessing=self._preprocessing
        )
        return self.place_values({one.tap: activations.flat(one.tap) for one in self._maps})

    @property
    def tap_names(self) -> tuple[str, ...]:
        """The taps that have maps."""
        return tuple(one.tap for one in self._maps)

    def place_values(self, tap_to_values: Mapping[str, NDArray[np.floating]]) -> Mapping[str, NDArray[np.float64]]:
        """The same from what images give at the taps, for those who have it: vectors (M, D) of each."""
        values = [one.reduction.apply(tap_to_values[one.tap]) for one in self._maps]
        if self._method == "pca":
            return {one.tap: self._on_plane(one, value) for one, value in zip(self._maps, values, strict=True)}
        grounds = [Ground(one.reduced, self._drawn[one.tap].coordinates) for one in self._maps]
        placed = place_points(values, grounds)
        return {one.tap: placed[place] for place, one in enumerate(self._maps)}

    def _on_plane(self, maps: TapMaps, values: NDArray[np.float32]) -> NDArray[np.float64]:
        """Along the first two components, turned as the map was turned to that of the tap before."""
        return self._turns[maps.tap].apply(first_plane(values)).astype(np.float64)

    @cached_property
    def _turns(self) -> dict[str, Turn]:
        return {one.tap: find_turn(self._drawn[one.tap].coordinates, first_plane(one.reduced)) for one in self._maps}
