"""check_keys: the keys of a study file, and the values that stand alone; Faults gathers what is wrong with a file."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, time
from types import UnionType
from typing import Any, get_args

from layerwise.errors import StudyError, did_you_mean
from layerwise.study.comparisons import Kind, flatten
from layerwise.study.design import BY, SKIP, TOGETHER, TUNE
from layerwise.study.toml_lines import Path as Place
from layerwise.study.toml_lines import line_of
from layerwise.study.trials import MEASURES
from layerwise.study.tuning import BY as MAY_CHOOSE
from layerwise.study.tuning import Tuned

Keys = Mapping[str, type | UnionType]
"""Keys of a table, and of what kind their values are."""

KEYS: Keys = {
    "title": str, "hypothesis": str, "question": str, "seeds": int, "alpha": float, "measure": str, "looks": list,
    "all": dict, "cells": list, "compare": list, "reference": list,
}  # fmt: skip
REQUIRED = ("title", "hypothesis", "seeds", "all", "cells")

EVERY_CLAIM: Keys = {"kind": str, "claim": str, "measure": str, "primary": bool, "for": dict}
CLAIMS: Mapping[Kind, Keys] = {
    "difference": {"higher": dict, "lower": dict, "by": float},
    "same": {"one": dict, "other": dict, "within": float},
    "at-least": {"cell": dict, "least": float},
    "interaction": {"higher": dict, "lower": dict, "more": dict, "less": dict, "by": float},
    "needed": {"fewer": dict, "more": dict, "along": str, "level": float},
}
"""Of a claim of each kind: tables that name its cells by their settings, and a number that bounds it."""

REFERENCE: Keys = {"source": str, "cell": dict, "value": float | list, "measure": str}
OPTIONAL = ("by", "measure")

WORDS: Mapping[type | UnionType, str] = {
    str: "text", int: "a whole number", float: "a number", bool: "true or false", list: "a list", dict: "a table",
    float | list: "a number, or a list of them",
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


MOST_SEEDS = 1_000_000
"""More blocks than anybody trains, and as many as are planned at once."""

UNSHOWN = re.compile("[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML, and so a chart, cannot hold; and control characters, which terminals obey."""


def check_keys(given: Mapping[str, Any], faults: Faults) -> None:
    """Note keys that no study has, those that are missing, and values that cannot be."""
    plain = {key: value for key, value in given.items() if key not in TABLES}
    _check_table(plain, KEYS, [key for key in REQUIRED if key not in given], "a study", (), faults)
    _check_numbers({key: value for key, value in plain.items() if key in KEYS and _is_a(value, KEYS[key])}, faults)
    for name, check in TABLES.items():
        tables = given.get(name, [])
        if not _are_tables(tables):
            faults.add((name,), f'"{name}" must be tables, each under [[{name}]].')
            continue
        for place, table in enumerate(tables):
            check(table, (name, place), faults)
    if given.get("cells") == []:
        faults.add(("cells",), '"cells" must be at least one table, under [[cells]].')
    for where, value in _leaves(given, ()):
        if isinstance(value, date | time) and where[0] in ("all", *TABLES):
            faults.add(where, f"{value} is a date; put it in quotes, or give a number.")
        if isinstance(value, str) and (found := UNSHOWN.search(value)):
            faults.add(where, f"U+{ord(found[0]):04X} is a character that cannot be shown; leave it out.")


def _check_numbers(given: Mapping[str, Any], faults: Faults) -> None:
    seeds, alpha, looks = given.get("seeds", 1), given.get("alpha", 0.05), given.get("looks", [])
    if seeds < 1:
        faults.add(("seeds",), f"seeds = {seeds}: give at least 1.")
    if seeds > MOST_SEEDS:
        faults.add(("seeds",), f"seeds = {seeds}: give at most {MOST_SEEDS:,}.")
    if not 0 < alpha < 1:
        faults.add(("alpha",), f"alpha = {alpha:g}: give more than 0 and less than 1, such as 0.05.")
    counts = all(_is_a(look, int) for look in looks)
    if looks and (not counts or list(looks) != sorted(set(looks)) or looks[-1] != seeds or looks[0] < 1):
        faults.add(("looks",), f"looks = {looks}: give increasing numbers of blocks, of which the last is {seeds}.")


def _check_cells(table: Mapping[str, Any], where: Place, faults: Faults) -> None:
    """What stands beside the settings: lists that go together, what is skipped, what is searched."""
    tune = table.get(TUNE, {})
    if not isinstance(tune, dict):
        faults.add((*where, TUNE), f'"{TUNE}" must be a table of levels; got {tune!r}.')
        return
    for some, place in ((table, where), (tune, (*where, TUNE))):
        for name in (TOGETHER, SKIP):
            if not _are_tables(some.get(name, [])):
                header = ".".join(part for part in (*place, name) if isinstance(part, str))
                faults.add((*place, name), f'"{name}" must be tables, each under [[{header}]].')
    if TUNE in tune:
        faults.add((*where, TUNE, TUNE), f'"{TUNE}" cannot stand under "{TUNE}".')
    by = tune.get(BY, Tuned.by)
    if not isinstance(by, str):
        faults.add((*where, TUNE, BY), f'"{BY}" must be text; got {by!r}.')
    elif by not in MAY_CHOOSE:
        known = " or ".join(MAY_CHOOSE)
        words = f'"{by}" may not choose: it is of images that are reported. Choose by {known}.'
        faults.add((*where, TUNE, BY), words)


def _check_claim(table: Mapping[str, Any], where: Place, faults: Faults) -> None:
    kind = table.get("kind", "difference")
    if not isinstance(kind, str) or kind not in CLAIMS:
        faults.add((*where, "kind"), f'no comparison is called "{kind}".{did_you_mean(str(kind), CLAIMS)}')
        return
    keys = CLAIMS[kind]  # type: ignore[index]
    _check_table(table, {**EVERY_CLAIM, **keys}, keys, f'a comparison of kind "{kind}"', where, faults)
    if kind == "same" and _is_a(table.get("within"), float) and table["within"] <= 0:
        faults.add((*where, "within"), f'"within" must be above 0; got {table["within"]}.')
    conditions = table.get("for")
    if isinstance(conditions, dict) and [] in flatten(conditions).values():
        faults.add((*where, "for"), 'there are no levels under "for".')


def _check_reference(table: Mapping[str, Any], where: Place, faults: Faults) -> None:
    _check_table(table, REFERENCE, REFERENCE, "a reference", where, faults)
    values = table.get("value")
    if values == []:
        faults.add((*where, "value"), '"value" is an empty list; give a number, or some.')
    for value in values if isinstance(values, list) else ():
        if not _is_a(value, float):
            faults.add((*where, "value"), f'"value" must be {WORDS[float | list]}; got {value!r} among them.')


def _check_table(
    table: Mapping[str, Any], keys: Keys, required: Iterable[str], what: str, where: Place, faults: Faults
) -> None:
    for key, value in table.items():
        if key not in keys:
            faults.add((*where, key), f'{what} has no "{key}".{did_you_mean(key, keys)}')
        elif not _is_a(value, keys[key]):
            such_as = f", such as {key}.model.name = …" if keys[key] is dict else ""
            faults.add((*where, key), f'"{key}" must be {WORDS[keys[key]]}{such_as}; got {value!r}.')
    for key in required:
        if key not in table and key not in OPTIONAL:
            faults.add(where, f'{what} needs "{key}".')
    measure = table.get("measure", MEASURES[0])
    if isinstance(measure, str) and measure not in MEASURES:
        faults.add((*where, "measure"), f'no measure is called "{measure}".{did_you_mean(measure, MEASURES)}')


TABLES = {"cells": _check_cells, "compare": _check_claim, "reference": _check_reference}
"""The keys that hold several tables, and what looks at each."""


def _is_a(value: Any, kind: type | UnionType) -> bool:
    """Whether a value is of a kind: whole numbers are numbers, truth values and NaN are none."""
    kinds = get_args(kind) or (kind,)
    if isinstance(value, bool):
        return bool in kinds
    if isinstance(value, int | float) and float in kinds:
        return abs(value) <= sys.float_info.max
    return isinstance(value, kinds)


def _are_tables(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, dict) for one in value)


def _leaves(value: Any, where: Place) -> Iterator[tuple[Place, Any]]:
    """The values in tables and lists, with their places."""
    if not isinstance(value, dict | list):
        yield where, value
        return
    for key, part in value.items() if isinstance(value, dict) else enumerate(value):
        yield from _leaves(part, (*where, key))
