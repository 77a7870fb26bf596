"""check_keys: the keys of a study file, and the values that stand alone; Faults gathers what is wrong with a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from layerwise.errors import StudyError, did_you_mean
from layerwise.study.toml_lines import Path as Place
from layerwise.study.toml_lines import line_of
from layerwise.study.trials import MEASURES

KEYS = {
    "title": str, "hypothesis": str, "question": str, "seeds": int, "alpha": float, "measure": str, "looks": list,
    "all": dict, "cells": list, "compare": list, "reference": list,
}  # fmt: skip
REQUIRED = ("title", "hypothesis", "seeds", "all", "cells")
WORDS: Mapping[type, str] = {
    str: "text", int: "a whole number", float: "a number", list: "a list", dict: "a table",
}  # fmt: skip


class Faults:
    """What is wrong with a file, gathered until there is no sense in going on.

    Args:
        source: what the file is called.
        lines: where its keys stand.
    """

    def __init__(self, source: str, lines: Mapping[Place, int]) -> None:
        self._source, self._lines = source, lines
        self._found: list[tuple[int, str]] = []

    def add(self, place: Place, words: str) -> None:
        """Note a fault at a key."""
        self._found.append((line_of(place, self._lines), words))

    def stop(self) -> None:
        """Raise if there is one."""
        if self._found:
            told = sorted(dict.fromkeys(self._found), key=lambda one: one[0])
            count = f"{len(told)} faults" if len(told) > 1 else "a fault"
            raise StudyError(
                f"{self._source} has {count}:" + "".join(f"\n    line {at}: {words}" for at, words in told)
            )


def check_keys(given: Mapping[str, Any], faults: Faults) -> None:
    """Note keys that no study has, those that are missing, and values that cannot be."""
    for key, value in given.items():
        kind = KEYS.get(key)
        if kind is None:
            faults.add((key,), f'there is no "{key}" in a study.{did_you_mean(key, KEYS)}')
        elif not isinstance(value, (int, float) if kind is float else kind) or isinstance(value, bool):
            faults.add((key,), f'"{key}" must be {WORDS[kind]}; got {value!r}.')
    for key in REQUIRED:
        if key not in given:
            faults.add((), f'"{key}" is missing.')
    for name in ("cells", "compare", "reference"):
        if isinstance(given.get(name, []), list) and not all(isinstance(one, dict) for one in given.get(name, [])):
            faults.add((name,), f'"{name}" must be tables, each under [[{name}]].')
    _check_numbers(given, faults)


def _check_numbers(given: Mapping[str, Any], faults: Faults) -> None:
    seeds, alpha, looks = given.get("seeds", 1), given.get("alpha", 0.05), given.get("looks", [])
    if isinstance(seeds, int) and seeds < 1:
        faults.add(("seeds",), f"seeds = {seeds}: give at least 1.")
    if isinstance(alpha, int | float) and not 0 < alpha < 1:
        faults.add(("alpha",), f"alpha = {alpha:g}: give more than 0 and less than 1, such as 0.05.")
    if looks and (list(looks) != sorted(set(looks)) or looks[-1] != seeds or looks[0] < 1):
        faults.add(("looks",), f"looks = {looks}: give increasing numbers of blocks, of which the last is {seeds}.")
    measure = given.get("measure", MEASURES[0])
    if isinstance(measure, str) and measure not in MEASURES:
        faults.add(("measure",), f'no measure is called "{measure}".{did_you_mean(measure, MEASURES)}')
