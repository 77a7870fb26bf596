"""Suspect labels under the names that other tools expect: cleanlab's Datalab, FiftyOne, or plain columns."""

from __future__ import annotations

from typing import Literal, get_args

import pandas as pd

from layerwise.difficulty.labels.errors import LabelErrors
from layerwise.errors import InputError, did_you_mean

__all__ = ["EXPORTS", "Export", "export_label_errors"]

Export = Literal["plain", "datalab", "fiftyone"]
EXPORTS: tuple[str, ...] = get_args(Export)


def export_label_errors(errors: LabelErrors, names: Export = "plain") -> pd.DataFrame:
    """A row for each training example, in the order of the training set, with its id first.

    Args:
        errors: what was found.
        names: "plain", the columns of `LabelErrors.table`; "datalab", those of cleanlab's
            `Datalab.get_issues("label")`: is_label_issue, label_score (0 to 1, low is suspect), given_label,
            predicted_label; "fiftyone", the field that its `compute_mistakenness` writes for classes, mistakenness (0
            to 1, high is suspect), and one of ours, possible_label (None where the label stands).

    Raises:
        InputError: there are no such names.

    Example::

        ids, dynamics = lw.load_dynamics("runs/digits")
        errors = lw.find_label_errors(dynamics, ids=ids, class_names=lw.load_data("digits").class_names)
        lw.export_label_errors(errors, "datalab").to_csv("labels.csv", index=False)
    """
    if names not in EXPORTS:
        raise InputError(
            f'labels cannot be exported for "{names}".{did_you_mean(str(names), EXPORTS)}\n'
            f"    Choose one of: {', '.join(EXPORTS)}."
        )
    table: pd.DataFrame = errors.table().set_index("id").loc[errors.ids.tolist()].reset_index()
    if names == "plain":
        return table
    suspect = table["kind"] == "mislabelled"
    if names == "datalab":
        return pd.DataFrame(
            {
                "id": table["id"],
                "is_label_issue": suspect,
                "label_score": 1.0 - table["suspicion"],
                "given_label": table["label_name"],
                "predicted_label": table["suggested_name"].where(table["outvoted"], table["label_name"]),
            }
        )
    return pd.DataFrame(
        {
            "id": table["id"],
            "mistakenness": table["suspicion"],
            "possible_label": table["suggested_name"].where(suspect, None),
        }
    )
