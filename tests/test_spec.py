"""Specs taken apart, and their options read."""

from __future__ import annotations

import pytest

from layerwise.errors import OptionError
from layerwise.spec import Spec, below_one, flag, parse_spec, positive, share, text, whole


@pytest.mark.parametrize(
    ("given", "spec"),
    [
        ("digits", Spec("digits")),
        ("folder:a/b", Spec("folder", "a/b")),
        ("folder:C:\\photos", Spec("folder", "C:\\photos")),
        ("shapes?train=3000&seed=1", Spec("shapes", "", {"train": "3000", "seed": "1"})),
        ("parquet:a.parquet?label=x=y", Spec("parquet", "a.parquet", {"label": "x=y"})),
    ],
)
def test_a_spec_is_kind_path_and_options(given, spec):
    assert parse_spec(given) == spec


@pytest.mark.parametrize("pair", ["size", "size=", "=32", ""])
def test_options_must_be_name_and_value(pair):
    with pytest.raises(OptionError) as error:
        parse_spec(f"folder:x?seed=1&{pair}")
    assert str(error.value) == (
        f'"{pair}" in "folder:x?seed=1&{pair}" is not NAME=VALUE; expected "KIND:PATH?NAME=VALUE&NAME=VALUE".'
    )


def test_an_option_given_twice_is_refused():
    with pytest.raises(OptionError, match=r'option "seed" is given twice in "digits\?seed=1&seed=2"; give it once'):
        parse_spec("digits?seed=1&seed=2")


@pytest.mark.parametrize(
    ("read", "value", "expected"),
    [
        (positive, "3", 3),
        (whole, "0", 0),
        (share, "0.25", 0.25),
        (below_one, "0", 0.0),
        (below_one, "0.5", 0.5),
        (flag, "1", True),
        (flag, "0", False),
        (text, "a", "a"),
    ],
)
def test_values_are_read(read, value, expected):
    assert read("option", value) == expected


@pytest.mark.parametrize(
    ("read", "values", "expected"),
    [
        (positive, ["0", "-1", "1.5", "x", "1e3", "²"], "a whole number from"),
        (whole, ["-1", "x", "0.0"], "a whole number from 0"),
        (share, ["0", "1", "-0.5", "nan", "x"], "a number more than 0 and less than 1"),
        (below_one, ["1", "-0.5", "nan", "x"], "a number from 0, less than 1"),
        (flag, ["yes", "2", "true"], "1 or 0"),
    ],
)
def test_other_values_are_refused_with_what_is_expected(read, values, expected):
    for value in values:
        with pytest.raises(OptionError, match=rf"^option size={value}: expected {expected}"):
            read("size", value)
