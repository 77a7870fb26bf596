"""Scores of logits, against scipy in float64."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import special, stats

from layerwise.arrays.scores import entropy, log_probabilities, margin, max_probability

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


@pytest.mark.parametrize("score", [entropy, max_probability, margin])
def test_logits_are_not_changed(score: object) -> None:
    logits = np.arange(6.0).reshape(2, 3)
    score(logits)  # type: ignore[operator]
    assert (logits == np.arange(6.0).reshape(2, 3)).all()


def test_a_class_that_is_ruled_out_adds_nothing_to_the_entropy() -> None:
    assert float(entropy(np.array([0.0, 0.0, -np.inf]))) == pytest.approx(np.log(2))
