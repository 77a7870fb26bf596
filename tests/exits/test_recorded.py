"""Recorded exits are whole, or refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from exits.populations import drawn
from layerwise.errors import DataError, InputError, NonFiniteError, NotEnoughExamplesError, ShapeError
from layerwise.exits.costs import ExitCosts

RECORDED = drawn(10, 0)


def with_nan() -> np.ndarray:
    logits = RECORDED.logits.copy()
    logits[0, 3] = np.nan
    return logits


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"logits": RECORDED.logits[:, :, 0]}, ShapeError),
        ({"logits": RECORDED.logits[:1]}, ShapeError),
        ({"logits": with_nan()}, NonFiniteError),
        ({"labels": RECORDED.labels + 100}, DataError),
        ({"labels": RECORDED.labels.astype(str)}, DataError),
        ({"ids": np.full(10, "same")}, DataError),
    ],
)
def test_what_does_not_belong_together_is_refused(change: dict[str, np.ndarray], error: type[Exception]) -> None:
    with pytest.raises(error):
        replace(RECORDED, **change)


def test_of_no_example_nothing_is_told() -> None:
    with pytest.raises(NotEnoughExamplesError, match="exits are judged by examples; got none"):
        RECORDED.select(np.array([], np.int64))


@pytest.mark.parametrize(
    ("network", "heads", "error"),
    [([1, 2, 3], [1], ShapeError), ([1.5, 2.0], [1], ShapeError), ([3, 2], [1], InputError), ([0, 0], [0], InputError)],
)
def test_macs_that_cannot_be_are_refused(network: list[float], heads: list[int], error: type[Exception]) -> None:
    with pytest.raises(error):
        ExitCosts(np.array(network), np.array(heads))
