"""Claims are found true, false or open as simulated outcomes make them."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from layerwise.seeds import stream
from layerwise.study.comparisons import Comparison, Finding, Kind, compare

BLOCKS = 20


def outcomes(**means: float) -> dict[str, NDArray[np.float64]]:
    """Columns around these means that share each block's luck."""
    luck = 0.05 * centred("luck")
    return {name: mean + luck + 0.01 * centred(name) for name, mean in means.items()}


def centred(name: str) -> NDArray[np.float64]:
    drawn = stream(0, name).normal(size=BLOCKS)
    return drawn - drawn.mean()


def verdict(kind: Kind, found: dict[str, NDArray[np.float64]], bound: float = 0.0, *cells: str) -> str:
    finding = compare(Comparison(kind, "", "test_accuracy", cells or tuple(found), bound), found.__getitem__)
    return finding.verdict(finding.p, alpha=0.05)


def test_a_difference_is_seen_through_the_luck_that_both_share() -> None:
    found = outcomes(a=0.72, b=0.70)
    finding = compare(Comparison("difference", "", "test_accuracy", ("a", "b")), found.__getitem__)
    assert finding.effect.value == pytest.approx(np.mean(found["a"] - found["b"]))
    assert 0.005 < finding.effect.low < finding.effect.high < 0.035
    assert finding.verdict(finding.p, alpha=0.05) == "supported"
    assert finding.superiority is not None
    assert 0.5 < finding.superiority.value < 0.8  # single runs of one network are often above the other's
    assert finding.still_needed is not None
    assert finding.still_needed <= BLOCKS
    assert [round(one.value, 2) for one in finding.sides] == [0.72, 0.7]


def test_a_difference_the_other_way_contradicts_and_none_leaves_it_open() -> None:
    assert verdict("difference", outcomes(a=0.70, b=0.72)) == "contradicted"
    assert verdict("difference", outcomes(a=0.70, b=0.7001)) == "open"
    assert verdict("difference", outcomes(a=0.72, b=0.70), 0.05) == "contradicted"
    assert verdict("difference", outcomes(a=0.80, b=0.70), 0.05) == "supported"


def test_sameness_needs_evidence() -> None:
    assert verdict("same", outcomes(a=0.701, b=0.70), 0.02) == "supported"
    assert verdict("same", outcomes(a=0.76, b=0.70), 0.02) == "contradicted"
    assert verdict("same", outcomes(a=0.719, b=0.70), 0.02) == "open"


def test_a_level_is_reached_missed_or_open() -> None:
    assert verdict("at-least", outcomes(a=0.95), 0.9) == "supported"
    assert verdict("at-least", outcomes(a=0.85), 0.9) == "contradicted"
    assert verdict("at-least", outcomes(a=0.9), 0.9) == "open"


def test_an_interaction_is_a_difference_of_differences() -> None:
    found = outcomes(a=0.9, b=0.6, c=0.9, d=0.8)
    finding = compare(Comparison("interaction", "", "test_accuracy", ("a", "b", "c", "d")), found.__getitem__)
    assert finding.effect.value == pytest.approx(np.mean(found["a"] - found["b"] - found["c"] + found["d"]))
    assert finding.verdict(finding.p, alpha=0.05) == "supported"


AMOUNTS = (10.0, 100.0, 1000.0)
STEEP = {"a": 0.7, "b": 0.95, "c": 0.99}
FLAT = {"d": 0.5, "e": 0.7, "f": 0.95}


def needed(fewer: dict[str, float], more: dict[str, float], level: float = 0.9) -> Finding:
    found = outcomes(**fewer, **more)
    return compare(Comparison("needed", "", "test_accuracy", tuple(found), level, AMOUNTS), found.__getitem__)


def test_what_is_needed_is_compared_as_a_ratio() -> None:
    finding = needed(STEEP, FLAT)
    assert finding.effect.value == pytest.approx(10, rel=0.4)
    assert finding.effect.low > 1
    assert finding.p < 0.004
    assert finding.verdict(finding.p, alpha=0.05) == "supported"


def test_a_side_that_needs_more_than_was_claimed_contradicts() -> None:
    finding = needed(FLAT, STEEP)
    assert finding.effect.value == pytest.approx(0.1, rel=0.4)
    assert finding.verdict(finding.p, alpha=0.05) == "contradicted"


def test_a_side_that_never_reaches_the_level_needs_more() -> None:
    never = {"d": 0.5, "e": 0.6, "f": 0.7}
    first, second, neither = needed(STEEP, never), needed(never, STEEP), needed(STEEP, never, 1.2)
    assert (first.effect.value, first.verdict(first.p, alpha=0.05)) == (np.inf, "supported")
    assert (second.effect.value, second.verdict(second.p, alpha=0.05)) == (0.0, "contradicted")
    assert np.isnan(neither.effect.value)
    assert neither.verdict(0.0, alpha=0.05) == "open"


def test_what_is_needed_and_sameness_heed_the_error_that_is_allowed() -> None:
    finding = needed({"a": 0.7, "b": 0.9, "c": 0.99}, {"d": 0.69, "e": 0.89, "f": 0.98})
    assert 0.001 < finding.p < 0.05
    assert [finding.verdict(finding.p, alpha=alpha) for alpha in (0.05, 0.001)] == ["supported", "open"]
    apart = outcomes(a=0.73, b=0.70)
    same = compare(Comparison("same", "", "test_accuracy", ("a", "b"), 0.02), apart.__getitem__)
    assert [same.verdict(same.p, alpha=alpha) for alpha in (0.05, 1e-9)] == ["contradicted", "open"]


def test_blocks_that_failed_on_one_side_are_left_out_of_the_pair() -> None:
    found = outcomes(a=0.72, b=0.70)
    found["a"][3] = np.nan
    finding = compare(Comparison("difference", "", "test_accuracy", ("a", "b")), found.__getitem__)
    assert finding.effect.blocks == BLOCKS - 1
