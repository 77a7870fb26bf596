"""`read_encoders`: what `layerwise inside --encoder` left in a run folder, as tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from layerwise.errors import FileError
from layerwise.runs import read_array, read_json, read_table

COLUMNS = ("name", "encoder", "tap", "dims", "labels_features", "labels_codes", "seconds")
ENCODER_NAMES = {"linear": "linear autoencoder", "autoencoder": "autoencoder", "tsne": "parametric t-SNE"}


@dataclass(frozen=True, eq=False)
class EncodersView:
    """Encoders, fitted to some images and measured on others.

    Attributes:
        table: a row per encoder; see `EncoderReport.table`, and `name`, under which its files and columns go.
        points: a row per image: `id`, `label`, `held_out`, and for each encoder with a map NAME_x and NAME_y.
        pictures: shape (1 + E, M, C, h, w): held-out images, then what each of the E reconstructing encoders
            leaves of them.
        facts: encoders.json: which images, how many were learned.
    """

    table: pd.DataFrame
    points: pd.DataFrame
    pictures: NDArray[np.float32]
    facts: Mapping[str, Any]

    @property
    def class_names(self) -> tuple[str, ...]:
        """K names."""
        return tuple(map(str, self.facts["class_names"]))

    @property
    def drawn(self) -> tuple[str, ...]:
        """Names of the encoders with a map."""
        return tuple(name for name in self.table["name"] if f"{name}_x" in self.points.columns)

    @property
    def reconstructing(self) -> tuple[str, ...]:
        """Names of the encoders with reconstructions, in the order of `pictures`."""
        return tuple(self.table["name"][self.table["error"].notna()]) if "error" in self.table else ()

    def row(self, name: str) -> Mapping[str, Any]:
        """The numbers of one encoder."""
        found = self.table[self.table["name"] == name]
        return {str(column): value for column, value in found.iloc[0].items()}


def read_encoders(run: Path) -> EncodersView | None:
    """Read the encoders of a run; None if none were measured.

    Raises:
        FileError: a file is damaged, or the files do not belong together.
    """
    folder = run / "encoders"
    if not (folder / "encoders.json").exists():
        return None
    try:
        facts = read_json(folder / "encoders.json")
        table, points = (read_table(folder / f"{name}.parquet") for name in ("encoders", "points"))
        view = EncodersView(table, points, read_array(folder / "pictures.npy"), facts)
    except FileError as error:
        raise FileError(f"{error}\n    Measure the encoders again: layerwise inside {run} --encoder all") from error
    fits = (
        isinstance(facts, dict)
        and isinstance(facts.get("class_names"), list)
        and isinstance(facts.get("learned"), int)
        and set(COLUMNS) <= set(table.columns)
        and {"id", "label", "held_out"} <= set(points.columns)
        and view.pictures.ndim == 5
        and len(view.pictures) == 1 + len(view.reconstructing)
    )
    if not fits:
        raise FileError(
            f"the files in {folder} do not belong together.\n    Measure again: layerwise inside {run} --encoder all"
        )
    return view
