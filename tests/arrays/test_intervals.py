"""Intervals against scipy's own, and against numbers worked by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from layerwise.arrays.intervals import (
    holm_adjusted,
    mean_interval,
    rank_correlation,
    spearman_interval,
    wilson_interval,
)
from layerwise.errors import InputError


@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
@pytest.mark.parametrize(("right", "total"), [(0, 7), (7, 7), (1, 1), (3, 10), (899, 1000)])
def test_wilson_equals_scipys_at_every_level(right: int, total: int, level: float) -> None:
    low, high = wilson_interval(right, total, level=level)
    oracle = stats.binomtest(right, total).proportion_ci(confidence_level=level, method="wilson")
    assert (float(low), float(high)) == pytest.approx((oracle.low, oracle.high), abs=1e-12)


def test_wilson_of_no_trials_knows_nothing() -> None:
    low, high = wilson_interval([0, 2], [0, 4])
    assert (low[0], high[0]) == (0.0, 1.0)
    assert 0.0 < low[1] < 0.5 < high[1] < 1.0


@pytest.mark.parametrize(("right", "total"), [(3, 2), (-1, 4)])
def test_wilson_refuses_impossible_counts(right: int, total: int) -> None:
    with pytest.raises(InputError) as caught:
        wilson_interval(right, total)
    assert str(caught.value) == (
        "successes must be at least 0 and at most the number of trials. Check the order of arguments."
    )


def test_a_level_of_one_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        wilson_interval(1, 2, level=1.0)
    assert str(caught.value) == "level = 1.0: an interval's level lies between 0 and 1, such as 0.95."


def test_wilson_covers_the_true_share_about_as_often_as_it_says() -> None:
    counts = np.arange(41)
    chances = stats.binom.pmf(counts, 40, 0.9)
    low, high = wilson_interval(counts, 40)
    covered = chances[(low <= 0.9) & (high >= 0.9)].sum()
    assert 0.93 < covered < 0.98


def test_mean_interval_equals_scipys() -> None:
    values = np.array([0.0, 1.0, 1.0, 4.0, 9.0])
    oracle = stats.ttest_1samp(values, 0.0).confidence_interval(0.95)
    assert mean_interval(values) == pytest.approx((3.0, oracle.low, oracle.high))


def test_mean_of_one_value_has_no_interval_and_of_none_no_mean() -> None:
    assert mean_interval([2.0]) == pytest.approx((2.0, np.nan, np.nan), nan_ok=True)
    assert mean_interval([]) == pytest.approx((np.nan, np.nan, np.nan), nan_ok=True)


def test_spearman_interval_by_hand() -> None:
    half = stats.norm.ppf(0.975) * np.sqrt((1 + 0.09 / 2) / 97)
    expected = (np.tanh(np.arctanh(0.3) - half), np.tanh(np.arctanh(0.3) + half))
    assert spearman_interval(0.3, 100) == pytest.approx(expected)


def test_spearman_interval_of_a_perfect_order_is_a_point_and_of_three_pairs_unknown() -> None:
    assert spearman_interval(-1.0, 50) == (-1.0, -1.0)
    assert np.isnan(spearman_interval(0.5, 3)).all()


def test_a_rank_correlation_is_scipys_with_its_interval_and_unknown_where_there_is_no_rank() -> None:
    generator = np.random.default_rng(0)
    first, second = generator.integers(0, 5, 30), generator.integers(0, 5, 30)
    rho = stats.spearmanr(first, second).statistic
    assert rank_correlation(first, second) == pytest.approx((rho, *spearman_interval(rho, 30)))
    for same, other in ((np.zeros(30), second), (first, np.ones(30)), ([1], [2])):
        assert np.isnan(rank_correlation(same, other)).all()


def test_holm_by_hand_leaves_nan_alone() -> None:
    adjusted = holm_adjusted([0.01, np.nan, 0.04, 0.03, 0.9])
    np.testing.assert_allclose(adjusted, [0.04, np.nan, 0.09, 0.09, 0.9])


def test_holm_never_exceeds_one() -> None:
    np.testing.assert_array_equal(holm_adjusted([0.8, 0.9]), [1.0, 1.0])


def test_an_interval_ends_where_no_mean_can_be() -> None:
    free = mean_interval([0.0, 0.0, 1.0])
    assert free[1] < 0 < 1 < free[2]
    assert mean_interval([0.0, 0.0, 1.0], least=0, most=1) == (free[0], 0.0, 1.0)
