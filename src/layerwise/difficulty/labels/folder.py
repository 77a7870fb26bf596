"""Suspect labels in a run folder, all under RUN/labels/: every label, and pictures of the most suspect ones."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from layerwise.data.images import ImageData
from layerwise.data.thumbnails import thumbnails
from layerwise.difficulty.labels.errors import LabelErrors
from layerwise.difficulty.labels.evidence import Evidence
from layerwise.runs import write_all

__all__ = ["LABELS_FOLDER", "NEIGHBORS_SHOWN", "save_label_errors"]

LABELS_FOLDER = "labels"
NEIGHBORS_SHOWN = 8
"""Neighbours of a suspect example that are kept as pictures, at the tap where it was lost."""


def save_label_errors(
    run: Path, errors: LabelErrors, evidence: Evidence, train: ImageData, *, facts: Mapping[str, Any]
) -> None:
    """Write all labels, and the evidence on the most suspect ones.

    Args:
        run: the run folder.
        errors: of all training examples.
        evidence: of the most suspect ones.
        train: the training images, in the order of the errors.
        facts: what was measured, for labels.json.

    Raises:
        RunError: the disk is full; the folder is as it was.
    """
    shown = _at_the_tap_where_lost(evidence)
    write_all(
        run / LABELS_FOLDER,
        {
            "labels.json": {**facts, "class_names": list(errors.class_names), "taps": list(evidence.tap_names)},
            "labels.parquet": errors.table(),
            "suspects.parquet": evidence.table(),
            "for_label.npy": evidence.for_label,
            "for_suggested.npy": evidence.for_suggested,
            "suspects.npy": thumbnails(train.select(evidence.rows)),
            "neighbors.npy": thumbnails(train.select(shown.ravel())),
            "neighbor_labels.npy": train.labels[shown],
        },
    )


def _at_the_tap_where_lost(evidence: Evidence) -> NDArray[np.int64]:
    """The nearest training examples at the tap where each suspect example was lost, (M, 8 or fewer)."""
    nearest: NDArray[np.int64] = evidence.neighbors[np.arange(len(evidence)), evidence.lost_at].astype(np.int64)
    return nearest[:, :NEIGHBORS_SHOWN]
