"""Scores of logits, against scipy in float64."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import special, stats

from layerwise.arrays.scores import (
    entropy,
    log_probabilities,
    margin,
    max_probability,
    row_entropy,
    row_margin,
    row_max_probability,
)

rows = arrays(np.float32, (4, 5), elements=st.floats(-80, 80, width=32))


@given(rows)
def test_scores_equal_scipy(logits: np.ndarray) -> None:
    probabilities = special.softmax(logits.astype(np.float64), axis=-1)
    highest = np.sort(probabilities, axis=-1)
    np.testing.assert_allclose(log_probabilities(logits), special.log_softmax(logits.astype(np.float64), axis=-1))
    np.testing.assert_allclose(entropy(logits), stats.entropy(probabilities, axis=-1), atol=1e-12)
    np.testing.assert_allclose(max_probability(logits), highest[:, -1])
    np.testing.assert_allclose(margin(logits), highest[:, -1] - highest[:, -2], atol=1e-12)


@given(rows)
def test_a_row_has_the_same_scores_to_the_last_bit_alone_and_among_others(logits: np.ndarray) -> None:
    for score in (entropy, max_probability, margin):
        assert score(logits).tolist() == [float(score(row[None])[0]) for row in logits]


@pytest.mark.parametrize(
    ("of_row", "score"),
    [(row_entropy, entropy), (row_max_probability, max_probability), (row_margin, margin)],
)
@given(row=arrays(np.float32, 5, elements=st.floats(width=32)))
def test_a_single_row_has_about_these_scores_without_numpy_and_nan_where_they_are(
    of_row: Callable[[list[float]], float], score: Callable[[np.ndarray], np.ndarray], row: np.ndarray
) -> None:
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(of_row(row.tolist()), float(score(row)), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("score", [entropy, max_probability, margin])
def test_logits_are_not_changed(score: object) -> None:
    logits = np.arange(6.0).reshape(2, 3)
    score(logits)  # type: ignore[operator]
    assert (logits == np.arange(6.0).reshape(2, 3)).all()


def test_a_class_that_is_ruled_out_adds_nothing_to_the_entropy() -> None:
    assert float(entropy(np.array([0.0, 0.0, -np.inf]))) == pytest.approx(np.log(2))
