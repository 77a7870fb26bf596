"""ExitOutcome: which answer each example got, and at which exit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["ExitOutcome"]


@dataclass(frozen=True, eq=False)
class ExitOutcome:
    """What a routed pass gave, in the order of the images.

    Attributes:
        logits: shape (N, K), of the exit at which each example left; an ensemble's log-probabilities.
        exit: shape (N,), 0 to E; E is the network's own output.
        names: of the exits, E + 1 of them.
    """

    logits: NDArray[np.floating]
    exit: NDArray[np.int64]
    names: tuple[str, ...]

    @property
    def prediction(self) -> NDArray[np.int64]:
        """The class of each example: shape (N,)."""
        prediction: NDArray[np.int64] = self.logits.argmax(axis=1)
        return prediction

    def table(self) -> pd.DataFrame:
        """One row for each exit: its name, how many left there, and their share."""
        counts = np.bincount(self.exit, minlength=len(self.names))
        return pd.DataFrame({"exit": self.names, "examples": counts, "share": counts / max(1, len(self.exit))})
