"""Values from JSON are told where they differ from what was written."""

from __future__ import annotations

from typing import Any

import pytest

from layerwise.views.patterns import Pattern, pattern_fault

SPREAD: Pattern = {"gain": float, "spread": (type(None), [float, float]), "seconds": {...: float}, "names": [str]}
WRITTEN: dict[str, Any] = {"gain": 1, "spread": [0, 0.5], "seconds": {"1": 0.1, "64": 3}, "names": []}


def test_what_was_written_fits_and_may_hold_more() -> None:
    assert pattern_fault(WRITTEN, SPREAD) == ""
    assert pattern_fault(WRITTEN | {"spread": None, "more": object}, SPREAD) == ""


@pytest.mark.parametrize(
    ("edit", "fault"),
    [
        ({"gain": "1"}, "gain is words, not a number"),
        ({"gain": True}, "gain is true or false, not a number"),
        ({"gain": float("nan")}, "gain is NaN, not a number"),
        ({"gain": float("-inf")}, "gain is infinity, not a number"),
        ({"spread": [1.0]}, "spread is a list, not null"),
        ({"seconds": {"64": None}}, "seconds.64 is null, not a number"),
        ({"seconds": []}, "seconds is a list, not an object"),
        ({"names": ["a", 0.5]}, "names.1 is a fraction, not words"),
        ({"names": {}}, "names is an object, not a list"),
    ],
)
def test_the_first_difference_is_told_with_its_place(edit: dict[str, Any], fault: str) -> None:
    assert pattern_fault(WRITTEN | edit, SPREAD) == fault


def test_missing_keys_are_named() -> None:
    assert pattern_fault({"names": []}, SPREAD) == "it has no gain, spread, seconds"
    assert pattern_fault([{}], [{"macs": int}]) == "0 has no macs"


def test_a_list_of_given_values_has_as_many() -> None:
    assert pattern_fault({"ends": [1, 2, 3]}, {"ends": [float, float]}) == "ends has 3 values, not 2"


def test_whole_numbers_have_no_fraction() -> None:
    assert pattern_fault(0.5, int) == "it is a fraction, not a whole number"
    assert pattern_fault(10**30, int) == ""
