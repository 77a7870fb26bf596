"""Embedding: one map, with its quality and how it was made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from layerwise.arrays.map_quality import MapQuality
from layerwise.inside.embedding.reduction import Reduction


@dataclass(frozen=True, eq=False)
class Embedding:
    """Examples as points of the plane.

    Attributes:
        tap: where the values were read.
        order: the tap's place in the network.
        method: "pca", "tsne" or "umap".
        coordinates: shape (N, 2).
        quality: of each point, against the reduced values.
        ids: shape (N,).
        facts: settings, seconds, the share of the variance that the reduction kept, the divergence that was left.
    """

    tap: str
    order: int
    method: str
    coordinates: NDArray[np.float32]
    quality: MapQuality
    ids: NDArray[np.str_]
    facts: Mapping[str, Any]

    @property
    def labels(self) -> NDArray[np.int64]:
        """Shape (N,), as given."""
        return self.quality.labels

    def table(self) -> pd.DataFrame:
        """A row per example: id, label, x, y, trust, recall, and the class that its neighbours on the map vote for."""
        return pd.DataFrame(
            {
                "id": self.ids,
                "label": self.labels,
                "x": self.coordinates[:, 0],
                "y": self.coordinates[:, 1],
                "trust": self.quality.trust,
                "recall": self.quality.recall,
                "vote": self.quality.votes,
            }
        )

    def summary(self) -> dict[str, Any]:
        """The map's numbers in one row."""
        return {"tap": self.tap, "order": self.order, "method": self.method, **self.quality.summary(), **self.facts}


@dataclass(frozen=True, eq=False)
class TapMaps:
    """The maps of one tap, and what is needed to place new examples on them.

    Attributes:
        maps: an Embedding for each method.
        reduction: from the tap's values (N, D) to what the maps were drawn from.
        reduced: shape (N, d), the values along the components.
    """

    maps: tuple[Embedding, ...]
    reduction: Reduction
    reduced: NDArray[np.float32]

    @property
    def tap(self) -> str:
        """The tap's name."""
        return self.maps[0].tap

    def map(self, method: str) -> Embedding | None:
        """The map of a method, if it was drawn."""
        return next((one for one in self.maps if one.method == method), None)
