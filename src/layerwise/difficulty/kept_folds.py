"""KeptFolds: finished folds and checkpoints in a folder, from which a measurement of the four kinds goes on."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from layerwise.errors import FileError, RunError
from layerwise.runs import read_array, read_object, write_all, write_json

__all__ = ["Fold", "KeptFolds"]

PLAN, DONE = "plan.json", "fold.json"


@dataclass(frozen=True, eq=False)
class Fold:
    """What one training says of all N examples.

    Attributes:
        depth: shape (N,), 0 to L.
        soft_depth: shape (N,).
        logits: shape (N, K).
        tap_names: L names in order of execution.
    """

    depth: NDArray[np.float64]
    soft_depth: NDArray[np.float64]
    logits: NDArray[np.float32]
    tap_names: tuple[str, ...]


class KeptFolds:
    """Folds of one measurement in a folder.

    Args:
        folder: where they are.
        plan: what is measured: folds of another plan are none of this one's.

    Raises:
        RunError: the folder holds folds of another plan, or something else.
    """

    def __init__(self, folder: Path, plan: Mapping[str, Any]) -> None:
        self._folder, self._plan = folder, json.loads(json.dumps(plan))
        if any(not path.name.startswith(".") for path in folder.glob("*")):
            self._refuse_others()

    def read(self, fold: int, shape: tuple[int, int]) -> Fold | None:
        """A finished fold of (N, K) logits; None where it is not finished, or cannot be read."""
        folder = self._of(fold)
        if not (folder / DONE).exists():
            return None
        try:
            depth, soft, logits = (read_array(folder / f"{name}.npy") for name in ("depth", "soft", "logits"))
            names = read_object(folder / DONE).get("taps")
        except FileError:  # its training is kept, too: it is only measured again
            return None
        numbers = all(array.dtype.kind == "f" and np.isfinite(array).all() for array in (depth, soft, logits))
        if not numbers or not isinstance(names, list) or not depth.shape == soft.shape == shape[:1]:
            return None
        within = all(array.min() >= 0 and array.max() <= len(names) for array in (depth, soft))
        return Fold(depth, soft, logits, tuple(map(str, names))) if within and logits.shape == shape else None

    @contextlib.contextmanager
    def training(self, fold: int) -> Iterator[Path]:
        """Where the checkpoints of a fold are; says first which measurement the folder is of."""
        if not (self._folder / PLAN).exists():
            write_json(self._folder / PLAN, self._plan)
        folder = self._of(fold)
        try:
            yield folder
        except FileError as error:
            fact = str(error).partition("\n")[0]
            raise FileError(
                f"{fact}\n    Remove {folder}, and run the same command again: only this fold is trained anew."
            ) from error

    def keep(self, fold: int, made: Fold) -> None:
        """Add a finished fold."""
        told = {DONE: {"taps": made.tap_names}, "depth.npy": made.depth, "soft.npy": made.soft_depth}
        write_all(self._of(fold), {**told, "logits.npy": made.logits})

    def _of(self, fold: int) -> Path:
        return self._folder / f"fold-{fold}"

    def _refuse_others(self) -> None:
        try:
            there = read_object(self._folder / PLAN)
        except FileError as error:
            raise RunError(
                f"{self._folder} is needed for the folds under way, but it does not say what it holds: {error}\n"
                "    Move it away, or remove it, and run the same command again."
            ) from None
        differences = [
            f"{name}: {there.get(name)} → {self._plan.get(name)}"
            for name in {**self._plan, **there}
            if there.get(name) != self._plan.get(name)
        ]
        if differences:
            raise RunError(
                f"{self._folder} holds folds of another measurement (there → asked):\n    "
                + "\n    ".join(differences)
                + f"\n    Ask for the same to go on, or remove {self._folder} to begin anew."
            )
