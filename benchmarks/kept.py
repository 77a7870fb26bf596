"""Kept: what a run of the benchmark of votes has finished, in a folder from which a killed run goes on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.tap_votes import TapResult
from layerwise.errors import RunError
from layerwise.runs import read_array, read_json, write_all, write_array, write_json

JOB, RECORDINGS, PREDICTIONS = "job.json", "recordings.json", "predictions.npy"


class Kept:
    """Numbers and votes of finished taps, the seconds of recordings, and other finished parts; no activations.

    Args:
        folder: where they are kept.
        facts: all that they depend on.

    Raises:
        RunError: the folder holds what another job has finished.
    """

    def __init__(self, folder: Path, facts: dict[str, Any]) -> None:
        self._folder = folder
        known: dict[str, Any] = json.loads(json.dumps(facts))
        if (folder / JOB).exists() and (there := read_json(folder / JOB)) != known:
            differing = [name for name in known if there.get(name) != known[name]]
            raise RunError(
                f"{folder} holds another job's numbers ({', '.join(differing)} differ).\n    Choose another --folder."
            )
        write_json(folder / JOB, known)

    def has(self, part: str) -> bool:
        """Whether this part, such as a tap, is finished."""
        return self._numbers(part).exists()

    def read(self, part: str) -> tuple[dict[str, Any], NDArray[np.int64]]:
        """A part's numbers, and its array."""
        return read_json(self._numbers(part)), read_array(self._array(part))

    def write(self, part: str, numbers: dict[str, Any], array: NDArray[np.int64]) -> None:
        """Keep a finished part."""
        write_all(self._folder, {self._numbers(part).name: numbers, self._array(part).name: array})

    def read_tap(self, tap: str) -> TapResult:
        """A finished tap."""
        numbers, votes = self.read(tap)
        return TapResult(**numbers, votes=dict(zip(numbers["asked"], votes, strict=True)))

    def write_tap(self, result: TapResult) -> None:
        """Keep a finished tap."""
        self.write(result.tap, result.numbers(), np.stack([result.votes[name] for name in result.asked]))

    def note_recording(self, taps: list[str], seconds: float, predictions: NDArray[np.int64]) -> None:
        """Keep how long the first recording of these taps took, and what the network said of the queries."""
        write_array(self._folder / PREDICTIONS, predictions)
        write_json(self._folder / RECORDINGS, {",".join(taps): seconds} | self.recordings())

    def recordings(self) -> dict[str, float]:
        """Names of the taps that were recorded together, with commas between, to seconds."""
        path = self._folder / RECORDINGS
        return dict(read_json(path)) if path.exists() else {}

    def predictions(self) -> NDArray[np.int64]:
        """What the network said of each query, shape (Q,)."""
        return read_array(self._folder / PREDICTIONS)

    def _numbers(self, part: str) -> Path:
        return self._folder / f"{part}.json"

    def _array(self, part: str) -> Path:
        return self._folder / f"{part}.npy"
