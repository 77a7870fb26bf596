"""FoundSoFar: finished taps of a measurement, in memory or in a folder from which a killed one goes on."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from layerwise.errors import FileError, RunError
from layerwise.recording.activations import file_name
from layerwise.runs import read_array, write_array, write_json
from layerwise.taps import Tap

PLAN = "plan.json"
LOGITS = "logits.npy"


class FoundSoFar:
    """What was found at each finished tap, and the network's logits.

    Args:
        folder: where they are kept; None keeps them in memory.
        plan: what is measured. A folder that was left by another plan is emptied when the first tap is finished: its
            taps are not this one's.

    Raises:
        RunError: the folder holds something else.
    """

    def __init__(self, folder: Path | None, plan: Mapping[str, Any] | None = None) -> None:
        self._folder = folder
        self._plan = json.loads(json.dumps(plan))
        self._arrays: dict[str, NDArray[Any]] = {}
        if folder is None:
            return
        if _plan_of(folder) != self._plan:
            _refuse_strangers(folder)
            return
        for path in folder.glob("*.npy"):
            with contextlib.suppress(FileError):  # a damaged file is a tap that is still to be searched
                self._arrays[path.name] = read_array(path)
        if not self.has_logits:
            self._arrays.clear()

    def has(self, tap: Tap) -> bool:
        """Whether this tap is finished."""
        return file_name(tap) in self._arrays

    @property
    def has_logits(self) -> bool:
        """Whether the logits are known; without them no tap is finished."""
        return LOGITS in self._arrays

    def result(self, tap: Tap) -> NDArray[Any]:
        """What was kept of a finished tap: shape (N, …)."""
        return self._arrays[file_name(tap)]

    def logits(self) -> NDArray[np.float32]:
        """Shape (N, K)."""
        return self._arrays[LOGITS]

    def keep(self, tap: Tap, result: NDArray[Any]) -> None:
        """Add a finished tap: what was found of each example, shape (N, …)."""
        self._keep(file_name(tap), result)

    def keep_logits(self, logits: NDArray[np.float32]) -> None:
        """Add what the network gave."""
        self._keep(LOGITS, logits)

    def discard(self) -> None:
        """Remove the folder, if it is of this measurement."""
        if self._folder is not None and _plan_of(self._folder) == self._plan:
            shutil.rmtree(self._folder)

    def _keep(self, name: str, array: NDArray[Any]) -> None:
        self._arrays[name] = array
        if self._folder is None:
            return
        if _plan_of(self._folder) != self._plan:
            shutil.rmtree(self._folder, ignore_errors=True)
            write_json(self._folder / PLAN, self._plan)
        write_array(self._folder / name, array)


def _plan_of(folder: Path) -> Any:
    try:
        return json.loads((folder / PLAN).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _refuse_strangers(folder: Path) -> None:
    strangers = [path.name for path in folder.glob("*") if not path.name.startswith(".")]
    if strangers and not (folder / PLAN).is_file():
        raise RunError(
            f"{folder} is needed for a measurement under way, but holds something else ({min(strangers)}).\n"
            "    Move it away, or choose another folder: -o FOLDER"
        )
