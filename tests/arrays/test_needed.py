"""What is needed against interpolation by hand, and how often its test errs."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from layerwise.arrays.blocks import DRAWS
from layerwise.arrays.needed import needed_ratio, needed_test
from layerwise.seeds import stream

AMOUNTS = [10.0, 100.0, 1000.0]
Values = NDArray[np.float64]


def blocks(*means: float, count: int = 20, spread: float = 0.0, seed: int = 0) -> Values:
    """Outcomes (R, A) around these means."""
    return np.array(means) + spread * stream(seed, "blocks").normal(size=(count, len(means)))


def by_hand(means: Values, level: float) -> float:
    """Where rising means cross a level that lies between the first and the last of them."""
    return float(np.exp(np.interp(level, means, np.log(AMOUNTS))))


def test_what_is_needed_is_read_off_between_amounts() -> None:
    first, second = blocks(0.5, 0.8, 1.0), blocks(0.7, 0.95, 1.0)
    for level in (0.72, 0.9, 0.95, 0.99):
        found = needed_ratio(AMOUNTS, first, second, level)
        expected = by_hand(first[0], level) / by_hand(second[0], level)
        assert (found.value, found.low, found.high) == pytest.approx((expected, expected, expected))
        assert found.blocks == 20
    assert needed_ratio(AMOUNTS, first, second, 0.6).value == pytest.approx(by_hand(first[0], 0.6) / 10)
    assert needed_ratio([10], first[:, :1], second[:, :1], 0.4).value == 1


def test_its_interval_is_that_of_resampled_blocks_taken_further_out() -> None:
    first, second = blocks(0.5, 0.8, 1.0, spread=0.02), blocks(0.7, 0.9, 1.0, spread=0.02, seed=1)
    rows = stream(0, "bootstrap").integers(0, 20, (DRAWS, 20))
    drawn = np.sort([by_hand(first[row].mean(axis=0), 0.85) / by_hand(second[row].mean(axis=0), 0.85) for row in rows])
    found = needed_ratio(AMOUNTS, first, second, 0.85)
    tail = int(0.01594 * DRAWS)  # normal distribution function of sqrt(20 / 19) times Student's 2.5 % quantile, 19
    assert (found.low, found.high) == pytest.approx((drawn[tail], drawn[-1 - tail]))
    assert needed_ratio(AMOUNTS, first, second, 0.85, seed=1) != found == needed_ratio(AMOUNTS, first, second, 0.85)


def test_a_ratio_of_what_is_needed_keeps_its_blocks_together() -> None:
    shared = 0.02 * stream(0, "shared").normal(size=(20, 1))
    found = needed_ratio(AMOUNTS, blocks(0.5, 0.7, 0.9) + shared, blocks(0.7, 0.9, 1.0) + shared, 0.8)
    assert found.value == pytest.approx(10, rel=0.2)
    assert found.high / found.low < 1.2


def test_who_never_reaches_the_level_needs_infinitely_more() -> None:
    never, does = blocks(0.5, 0.6, 0.7), blocks(0.7, 0.9, 1.0)
    assert needed_ratio(AMOUNTS, never, does, 0.8).value == np.inf
    assert needed_ratio(AMOUNTS, does, never, 0.8).value == 0
    assert np.isnan(needed_ratio(AMOUNTS, never, never, 0.8).value)
    assert needed_test(AMOUNTS, never, does, 0.8) == needed_test(AMOUNTS, does, never, 0.8) < 0.004
    assert needed_test(AMOUNTS, never, never, 0.8) == 1


def test_resamples_in_which_neither_reaches_the_level_speak_for_nobody() -> None:
    """Left out, they left an interval of infinities around no value, and a claim that was supported."""
    just_below, never = blocks(0.5, 0.6, 0.7, spread=0.02), blocks(0.5, 0.6, 0.7)
    just_below[:, 2] += 0.799 - just_below[:, 2].mean()
    found = needed_ratio(AMOUNTS, never, just_below, 0.8)
    assert np.isnan(found.value)
    assert (found.low, found.high) == (0, np.inf)
    assert needed_test(AMOUNTS, never, just_below, 0.8) == 1


def test_blocks_with_a_failed_run_are_left_out_and_one_block_has_no_interval() -> None:
    first, second = blocks(0.5, 0.8, 1.0, count=2), blocks(0.7, 0.9, 1.0, count=2)
    first[1, 0] = np.nan
    found = needed_ratio(AMOUNTS, first, second, 0.85)
    assert (found.blocks, np.isnan(found.low), np.isnan(found.high)) == (1, True, True)
    assert found.value == pytest.approx(by_hand(first[0], 0.85) / by_hand(second[0], 0.85))
    assert needed_test(AMOUNTS, first, second, 0.85) == 1
    none = needed_ratio(AMOUNTS, first[1:], second[1:], 0.85)
    assert (np.isnan(none.value), none.blocks) == (True, 0)
    assert np.isnan(needed_test(AMOUNTS, first[1:], second[1:], 0.85))


@pytest.mark.parametrize("count", [6, 20])
def test_its_p_value_errs_as_often_as_it_says(count: int) -> None:
    """A steep and a flat curve cross the level at the same amount; plain percentiles err in 12 % at six blocks."""
    wrong = 0
    for seed in range(300):
        steep = blocks(0.65, 0.9, 1.15, count=count, spread=0.05, seed=2 * seed)
        flat = blocks(0.82, 0.9, 0.98, count=count, spread=0.03, seed=2 * seed + 1)
        wrong += needed_test(AMOUNTS, steep, flat, 0.9, seed=seed) <= 0.05
    assert wrong / 300 <= 0.05 + 0.025


def test_no_p_value_is_below_what_the_signs_of_as_many_blocks_give() -> None:
    first, second = blocks(0.5, 0.7, 0.9, count=5), blocks(0.7, 0.9, 1.0, count=5)
    assert needed_test(AMOUNTS, first, second, 0.8) == 2 / 2**5
