"""Placer: what a run's network and probes say of a new image. Loads torch."""

from __future__ import annotations

import copy
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from layerwise.arrays.depth import prediction_depth
from layerwise.arrays.exits import simulate
from layerwise.arrays.policies import ExitPolicy
from layerwise.arrays.scores import max_probability
from layerwise.arrays.votes import vote
from layerwise.data.images import ImageData
from layerwise.errors import FileError, RunError
from layerwise.exits.chosen import chosen_policy
from layerwise.exits.folder import load_exits
from layerwise.exits.network import ExitNetwork
from layerwise.inside.embedding.folder import load_maps
from layerwise.inside.embedding.new_images import METHODS, MapPlacer
from layerwise.inside.embedding.result import TapMaps
from layerwise.neighbors.prepared import PreparedBase
from layerwise.taps import INPUT
from layerwise.views.explorer.maps import Square
from layerwise.web.network import RunNetwork, Seen
from layerwise.web.pngs import as_png
from layerwise.web.uploads import read_picture


@dataclass(frozen=True, eq=False)
class Placer:
    """All that a new image is compared with.

    Attributes:
        network: the run's.
        bases: a tap to the training images' values there.
        maps: a method to what places images on its maps, with the square that each map fills on the page.
        exits: the network with heads and who leaves; None where the run has none, or no thresholds were chosen.
    """

    network: RunNetwork
    bases: Mapping[str, PreparedBase]
    maps: Mapping[str, tuple[MapPlacer, Mapping[str, Square]]]
    exits: tuple[ExitNetwork, ExitPolicy] | None

    @classmethod
    def create(cls, network: RunNetwork, bases: Mapping[str, PreparedBase], run: Path) -> Placer:
        """With the maps and exits that the run has.

        Raises:
            FileError: a file of the maps or exits is damaged.
        """
        maps = _maps_of(run)
        placers = {}
        for method in METHODS:
            squares = _squares(maps, method)
            if squares:
                placers[method] = _map_placer(network, maps, method), squares
        return cls(network, bases, placers, _exits_of(run, network))

    def warm(self) -> None:
        """Place a training image: the first one takes several times as long as those after it."""
        self._placed(self.network.source.data.train.select(slice(0, 1)))

    def place(self, encoded: bytes) -> dict[str, Any]:
        """What `POST api/place` answers about an uploaded picture.

        Raises:
            FileError, DataError: it cannot be read, or is no picture for this network.
            NonFiniteError: the network gives NaN or infinity for it.
        """
        started = time.perf_counter()
        pixels = read_picture(encoded, self.network.image_shape)
        placed = self._placed(self.network.of_picture(pixels))
        return {"picture": as_png(pixels), **placed, "place_ms": round(1e3 * (time.perf_counter() - started), 1)}

    def _placed(self, image: ImageData) -> dict[str, Any]:
        seen = self.network.see(image)
        with ThreadPoolExecutor(1) as beside:
            maps = beside.submit(lambda: {method: self._places(seen, method) for method in self.maps})
            neighbors = self._neighbors(seen)
        decided = self._decided(seen.logits, neighbors)
        return {**decided, "neighbors": neighbors.tolist(), "maps": maps.result(), "exit": self._exit(image)}

    def _neighbors(self, seen: Seen) -> NDArray[np.int64]:
        """Rows of the base, nearest first, (L, k); without the image itself where it is a training image."""
        k, queries = self.network.measured.k, {tap: self.network.probed(seen, tap) for tap in self.bases}
        first = self.bases[INPUT].find(queries[INPUT], k)
        same = first.rows[first.squared_distances == 0]
        own = int(same.min()) if len(same) else -1  # the first of those with the very same pixels
        known = {INPUT: first} if own < 0 else {}
        found = [known.get(tap) or base.find(queries[tap], k, own_row=own) for tap, base in self.bases.items()]
        return np.concatenate([one.rows for one in found])

    def _decided(self, logits: NDArray[np.float32], neighbors: NDArray[np.int64]) -> dict[str, Any]:
        measured = self.network.measured
        if measured.base_labels is None:
            raise RunError("the run does not say the labels of its probes' training images.\n    Measure it again.")
        votes = vote(measured.base_labels[neighbors], measured.num_classes)  # (L,)
        prediction = int(logits.argmax())
        reference = measured.reference(prediction=prediction, votes=votes)
        shares = np.exp(logits.astype(np.float64) - logits.max())
        return {
            "prediction": prediction,
            "probabilities": (shares / shares.sum()).tolist(),
            "votes": votes.tolist(),
            "depth": int(prediction_depth((votes == reference)[:, None])[0]),
            "reference": reference,
        }

    def _places(self, seen: Seen, method: str) -> dict[str, list[float]]:
        placer, squares = self.maps[method]
        placed = placer.place_values({tap: seen.flat(tap) for tap in placer.tap_names})
        return {tap: squares[tap].apply(points)[0].round(1).tolist() for tap, points in placed.items()}

    def _exit(self, image: ImageData) -> dict[str, Any] | None:
        if self.exits is None:
            return None
        net, policy = self.exits
        logits = net.all_logits(image)  # (E + 1, 1, K)
        taken, _ = simulate(policy, logits)
        confidence = [float(max_probability(one)[0]) for one in logits]
        return {"name": net.names[int(taken[0])], "confidence": confidence}


def _maps_of(run: Path) -> list[TapMaps]:
    """The maps; none where they cannot be read, for then the page has none either."""
    try:
        return list(load_maps(run)) if (run / "maps" / "maps.json").exists() else []
    except FileError:
        return []


def _squares(maps: Sequence[TapMaps], method: str) -> dict[str, Square]:
    """A tap to the square that its map fills on the page."""
    drawn = {one.tap: one.map(method) for one in maps}
    return {tap: Square.around(one.coordinates) for tap, one in drawn.items() if one is not None}


def _map_placer(network: RunNetwork, maps: Sequence[TapMaps], method: str) -> MapPlacer:
    source = network.source
    preprocessing = source.description.preprocessing
    return MapPlacer(source.model, maps, image_shape=network.image_shape, method=method, preprocessing=preprocessing)


def _exits_of(run: Path, network: RunNetwork) -> tuple[ExitNetwork, ExitPolicy] | None:
    try:
        policy = chosen_policy(run)
    except (RunError, FileError):
        return None
    source = network.source
    # Exits that were trained together with the network have weights of their own for it.
    model = copy.deepcopy(source.model)
    return load_exits(run, model, network.image_shape, source.description.preprocessing), policy
