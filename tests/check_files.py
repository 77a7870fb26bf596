"""Records that were never run, and studies of other networks, for checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from layerwise.study.cells import Cell
from layerwise.study.checks.check import Check
from layerwise.study.file import Study
from layerwise.study.store import table_of
from layerwise.study.trials import Record


def made_up(study: Study, *changes: tuple[str, Mapping[str, Any]], epochs: int = 50) -> pd.DataFrame:
    """A record of every cell in every block with nothing wrong, but for the changes of networks of a name.

    Args:
        study: whose cells and blocks.
        changes: part of a network's name, and fields of `Record`; measures and series are put on top.
        epochs: points of the curves.
    """
    records = []
    for cell in study.cells:
        for block in range(study.seeds):
            noise = 1 + 0.01 * np.random.default_rng(block).standard_normal(epochs)
            flat = np.r_[1.1, np.full(epochs - 1, 0.6)] * noise
            right = np.full(epochs, 0.7)
            fields: dict[str, Any] = {
                "status": "done",
                "error": "",
                "measures": {"test_accuracy": 0.7, "test_loss": 0.6, "ece": 0.1, "temperature": 1.5},
                "series": {
                    **{f"{split}_loss": flat for split in ("train", "validation")},
                    **{f"{split}_accuracy": right for split in ("train", "validation")},
                    "confusion": np.diag([20, 20, 20]).ravel(),
                    "kernels_before": np.ones(9) if "cnn" in cell.model_spec else np.empty(0),
                    "kernels_after": np.full(9, 1.2) if "cnn" in cell.model_spec else np.empty(0),
                },
            }
            for name, change in changes:
                if name in cell.model_spec:
                    merged = {key: {**fields[key], **value} for key, value in change.items() if isinstance(value, dict)}
                    fields = {**fields, **change, **merged}
            records.append(Record(cell.address, block, **fields))
    return table_of(records)


def with_network(study: Study, name: str) -> Study:
    """The study with cells of another network only, and no claims."""
    kept = ({key: value for key, value in cell.settings.items() if key[:5] != "model"} for cell in study.cells)
    cells = {cell.address: cell for cell in (Cell({**settings, "model.name": name}) for settings in kept)}
    return replace(study, contenders=tuple(cells.values()), comparisons=(), references=())


def named(checks: Sequence[Check], name: str) -> Check:
    """The one check of a name."""
    (found,) = (one for one in checks if one.name == name)
    return found
