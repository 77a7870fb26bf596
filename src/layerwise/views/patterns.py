"""`pattern_fault`: where a value read from JSON is not built as it was written; it may have been edited since."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from types import EllipsisType
from typing import Any

__all__ = ["Pattern", "pattern_fault"]

_TYPE_TO_WORDS: Mapping[type, str] = {
    float: "a number",
    int: "a whole number",
    str: "words",
    bool: "true or false",
    type(None): "null",
}
Pattern = type | list[Any] | tuple[Any, ...] | dict[str | EllipsisType, Any]


def pattern_fault(value: Any, pattern: Pattern, place: str = "") -> str:
    """The first place where a value differs from a pattern, and how; empty if it fits.

    Args:
        value: what `json.loads` gave.
        pattern: `float` (finite; whole ones are, too), `int`, `str`, `bool` or `type(None)`; a tuple of patterns of
            which one must fit; `[p]` for a list of them, `[p, q]` for a list of exactly these; a dict of the keys that
            must be there, and under `...` what all other values are, where they matter.
        place: where the value is.

    >>> pattern_fault({"exits": [{"macs": 3}, {"macs": "few"}]}, {"exits": [{"macs": float}]})
    'exits.1.macs is words, not a number'
    """
    if isinstance(pattern, tuple):
        faults = [pattern_fault(value, one, place) for one in pattern]
        return "" if "" in faults else faults[0]
    if isinstance(pattern, dict):
        return _mapping_fault(value, pattern, place)
    if isinstance(pattern, list):
        return _list_fault(value, pattern, place)
    return "" if _FITS[pattern](value) else f"{place or 'it'} is {_words(value)}, not {_TYPE_TO_WORDS[pattern]}"


def _mapping_fault(value: Any, pattern: Mapping[str | EllipsisType, Any], place: str) -> str:
    if not isinstance(value, dict):
        return f"{place or 'it'} is {_words(value)}, not an object"
    missing = [str(key) for key in pattern if key is not ... and key not in value]
    if missing:
        return f"{place or 'it'} has no {', '.join(missing)}"
    key_to_pattern = {key: pattern[key] if key in pattern else pattern.get(...) for key in value}
    return _first(
        pattern_fault(value[key], wanted, _join(place, key))
        for key, wanted in key_to_pattern.items()
        if wanted is not None
    )


def _list_fault(value: Any, pattern: list[Any], place: str) -> str:
    if not isinstance(value, list):
        return f"{place or 'it'} is {_words(value)}, not a list"
    if len(pattern) > 1 and len(value) != len(pattern):
        return f"{place or 'it'} has {len(value)} values, not {len(pattern)}"
    wanted = pattern * len(value) if len(pattern) == 1 else pattern
    return _first(
        pattern_fault(one, like, _join(place, str(row)))
        for row, (one, like) in enumerate(zip(value, wanted, strict=True))
    )


def _first(faults: Iterable[str]) -> str:
    return next(filter(None, faults), "")


def _join(place: str, key: str) -> str:
    return f"{place}.{key}" if place else key


def _words(value: Any) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "infinity"
    if isinstance(value, float):
        return "a fraction"
    return {dict: "an object", list: "a list", **_TYPE_TO_WORDS}[type(value)]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


_FITS: Mapping[type, Callable[[Any], bool]] = {
    float: _is_number,
    int: lambda value: _is_number(value) and isinstance(value, int),
    str: lambda value: isinstance(value, str),
    bool: lambda value: isinstance(value, bool),
    type(None): lambda value: value is None,
}
