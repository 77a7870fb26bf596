"""Columns of numbers: what is missing, of another kind, or out of range is said in words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from layerwise.arrays.columns import Numbers, array_fault, column_faults

ANY, DEPTHS, CLASSES, GAPS = Numbers(), Numbers(0, 3), Numbers(0, whole=True), Numbers(0, 1, gaps=True)


@pytest.mark.parametrize(
    ("values", "numbers", "fault"),
    [
        ([0, 3], DEPTHS, ""),
        ([0.5, 2.5], DEPTHS, ""),
        ([True, False], CLASSES, ""),
        (np.zeros(0), CLASSES, ""),
        (np.zeros((2, 3), np.int64), CLASSES, ""),
        ([0.5, np.nan], GAPS, ""),
        ([-1e9, 1e9], ANY, ""),
        (pd.Series(["a", "b"], dtype=object), ANY, "holds no numbers"),
        (pd.Series([1, None], dtype="Int64"), ANY, "holds no numbers"),
        ([1.0, np.nan], ANY, "holds NaN or infinity"),
        ([1.0, np.inf], DEPTHS, "holds NaN or infinity"),
        ([np.nan, np.inf], GAPS, "holds infinity"),
        ([0.5], CLASSES, "holds fractions; whole numbers are expected"),
        ([-1], CLASSES, "lies outside 0 and above"),
        ([4], DEPTHS, "lies outside 0 to 3"),
        ([-0.1], DEPTHS, "lies outside 0 to 3"),
    ],
)
def test_what_a_column_must_not_hold_is_said(values: Any, numbers: Numbers, fault: str) -> None:
    assert array_fault(np.array(values) if isinstance(values, list) else values, numbers) == fault


def test_all_faults_of_a_table_are_told_at_once() -> None:
    table = pd.DataFrame({"depth": [0, 9], "label": [0, 1], "correct": ["yes", "no"]}).astype({"correct": object})
    assert column_faults(table, {"depth": DEPTHS, "label": CLASSES, "correct": ANY, "soft_depth": DEPTHS}) == [
        "depth lies outside 0 to 3",
        "correct holds no numbers",
        "there is no column soft_depth",
    ]
