"""Levels become cells: crossed, side by side, left out, one after the other."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerwise.errors import StudyError
from layerwise.study.design import expand_design


def chosen(*designs: dict[str, object]) -> list[dict[str, object]]:
    return [dict(cell.settings) for cell in expand_design({}, designs)]


def test_lists_are_crossed() -> None:
    assert chosen({"a": [1, 2], "b": ["x", "y"], "c": 3}) == [
        {"a": a, "b": b, "c": 3} for a, b in itertools.product([1, 2], ["x", "y"])
    ]


def test_levels_that_go_together_run_side_by_side_and_are_crossed_with_others() -> None:
    assert chosen({"a": [1, 2], "together": [{"b": [3, 5], "c": [10, 20]}]}) == [
        {"a": 1, "b": 3, "c": 10},
        {"a": 1, "b": 5, "c": 20},
        {"a": 2, "b": 3, "c": 10},
        {"a": 2, "b": 5, "c": 20},
    ]


def test_combinations_are_left_out() -> None:
    assert chosen({"a": [1, 2], "b": [3, 4], "skip": [{"a": 1, "b": 4}, {"a": 2, "b": 3}]}) == [
        {"a": 1, "b": 3},
        {"a": 2, "b": 4},
    ]


def test_what_cells_share_counts_for_what_is_left_out() -> None:
    cells = expand_design({"a": 1}, [{"b": [3, 4], "skip": [{"a": 1, "b": 4}, {"a": 2, "b": 3}]}])
    assert [dict(cell.settings) for cell in cells] == [{"a": 1, "b": 3}]


def test_designs_stand_one_after_the_other_and_a_cell_stands_once() -> None:
    assert chosen({"a": [1, 2]}, {"a": [2, 3]}) == [{"a": 1}, {"a": 2}, {"a": 3}]


def test_a_level_may_be_a_list() -> None:
    assert chosen({"filters": [[3, 3], [6, 6]]}) == [{"filters": [3, 3]}, {"filters": [6, 6]}]


def test_what_cells_share_may_be_said_otherwise() -> None:
    cells = expand_design({"a": 1, "b": 2}, [{"b": [2, 3]}])
    assert [dict(cell.settings) for cell in cells] == [{"a": 1, "b": 2}, {"a": 1, "b": 3}]


def test_levels_that_cannot_be_combined_are_refused() -> None:
    with pytest.raises(StudyError, match="must be as many as each other: b has 2, c has 1"):
        chosen({"together": [{"b": [3, 5], "c": 10}]})
    with pytest.raises(StudyError, match="no cell is left"):
        chosen({"a": 1, "skip": [{"a": 1}]})


@given(st.dictionaries(st.sampled_from("abcd"), st.lists(st.integers(0, 9), min_size=1, max_size=4, unique=True)))
def test_as_many_cells_as_combinations_and_no_address_twice(levels: dict[str, list[int]]) -> None:
    cells = expand_design({"z": 0}, [levels])
    expected = 1
    for one in levels.values():
        expected *= len(one)
    assert len({cell.address for cell in cells}) == len(cells) == expected
