"""Measured: what a run's votes were found with, so that a new image gets its votes in the same way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from layerwise.errors import RunError
from layerwise.views.run import RunView

DEFAULT_K = 30


@dataclass(frozen=True, eq=False)
class Measured:
    """What is known of a measurement.

    Attributes:
        tap_names: L names.
        map_names: of the taps that have maps.
        num_classes: K.
        ids: of the N measured examples.
        base_labels: shape (B,), of the probes' training images; None if they were not kept.
        base_ids: shape (B,), theirs.
        k: neighbours in a vote.
        agree_with: the reference class.
        fast: the numbers to which wide taps were projected; None where votes are exact.
        model_fingerprint: of the network that was measured; None if it was not noted.
    """

    tap_names: tuple[str, ...]
    map_names: tuple[str, ...]
    num_classes: int
    ids: NDArray[np.str_]
    base_ids: NDArray[np.str_] | None
    base_labels: NDArray[np.int64] | None
    k: int
    agree_with: str
    fast: int | None
    model_fingerprint: str | None

    @classmethod
    def of(cls, view: RunView) -> Measured:
        """From what a run folder holds."""
        noted, base = difficulty_step(view), view.base
        fast = noted.get("fast")
        return cls(
            tap_names=view.tap_names,
            map_names=() if view.maps is None else view.maps.taps,
            num_classes=len(view.class_names),
            ids=view.examples["id"].to_numpy(str),
            base_ids=None if base is None else base["id"].to_numpy(str),
            base_labels=None if base is None else base["label"].to_numpy(np.int64),
            k=int(noted.get("k", DEFAULT_K) if view.neighbors is None else view.neighbors.shape[2]),
            agree_with=view.agree_with,
            fast=None if fast is None else int(fast),
            model_fingerprint=noted.get("model_fingerprint"),
        )

    def reference(self, *, prediction: int, votes: NDArray[np.int64]) -> int:
        """The class with which the probes of a new image are compared; its label is not known."""
        return int(votes[-1]) if self.agree_with == "last-probe" else prediction

    def id_of(self, row: int) -> str:
        """The id of an example.

        Raises:
            RunError: there is no such row.
        """
        if not 0 <= row < len(self.ids):
            raise RunError(f"there is no row {row}: the run has {len(self.ids)} examples, 0 to {len(self.ids) - 1}.")
        return str(self.ids[row])

    def tap(self, place: int) -> str:
        """The name of a tap.

        Raises:
            RunError: there is no such place.
        """
        if not 0 <= place < len(self.tap_names):
            raise RunError(
                f"there is no tap {place}: the run has {len(self.tap_names)}, 0 to {len(self.tap_names) - 1}."
            )
        return self.tap_names[place]


def difficulty_step(view: RunView) -> Mapping[str, Any]:
    """What run.json says of the measurement."""
    steps = view.run.get("steps")
    step = steps.get("difficulty") if isinstance(steps, Mapping) else None
    return step if isinstance(step, Mapping) else {}
