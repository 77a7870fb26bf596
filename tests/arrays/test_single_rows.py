"""Single rows without numpy: as the arrays' scores and policies, or not told."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from layerwise.arrays.policies import (
    EntropyBelow,
    ExitPolicy,
    GeometricEnsemble,
    MarginAbove,
    MaxProbabilityAbove,
    Patience,
)
from layerwise.arrays.scores import entropy, margin, max_probability
from layerwise.arrays.single_rows import row_entropy, row_margin, row_max_probability, row_rule

CLASSES = 10


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


@pytest.mark.parametrize("policy", [EntropyBelow(0), MaxProbabilityAbove(0), MarginAbove(0)], ids=str)
@pytest.mark.parametrize("classes", [2, CLASSES, 32])
def test_near_a_threshold_the_rule_of_a_single_row_leaves_it_to_the_policy(policy: ExitPolicy, classes: int) -> None:
    logits = np.random.default_rng(0).normal(0, 4, (1, 300, classes)).astype(np.float32)
    for row, score in zip(logits[0], policy.scores(logits), strict=True):
        for away in (0.0, 1e-12, -1e-12, 1e-8, -1e-8):
            near = policy.with_thresholds(float(score + away))
            rule = row_rule(near, 0, classes)
            assert rule is not None
            expected = bool(near.leaves(row[None, None])[0]) if abs(away) > 1e-9 else None
            assert rule(row.tolist()) is expected


@pytest.mark.parametrize("policy", [EntropyBelow(0.5), MaxProbabilityAbove([0.5, 0.9]), MarginAbove(0.4)], ids=str)
def test_the_rule_of_a_single_row_tells_what_is_clear_and_finite(policy: ExitPolicy) -> None:
    rule = row_rule(policy, 1, 3)
    assert rule is not None
    assert (rule([9.0, 0.0, 0.0]), rule([0.0, 0.1, 0.0])) == (True, False)
    for bad in (-math.inf, math.inf, math.nan):
        assert rule([bad, 0.0, 1.0]) is None


@pytest.mark.parametrize("policy", [Patience(0), GeometricEnsemble(EntropyBelow(0)), EntropyBelow([[0.5] * CLASSES])])
def test_policies_that_look_back_or_know_classes_have_no_rule_of_a_single_row(policy: ExitPolicy) -> None:
    assert row_rule(policy, 0, CLASSES) is None
