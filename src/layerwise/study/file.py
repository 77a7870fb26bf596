"""read_study: a study from a TOML file, or all that is wrong with the file at once, with line numbers.

title, hypothesis       what is asked, and what is expected, in words
seeds, alpha, measure   how many blocks, the error allowed, which number decides
[all]                   settings of all cells
[[cells]]               levels: every list is a factor, factors are crossed
[[compare]]             what is claimed of which cells
[[reference]]           numbers of others to set beside ours
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from layerwise.errors import FileError, StudyError, did_you_mean
from layerwise.study.cells import Cell, find_faults
from layerwise.study.comparisons import Comparison, flatten
from layerwise.study.design import BY, SKIP, TOGETHER, TUNE, expand_design
from layerwise.study.planned import Claims
from layerwise.study.toml_lines import Path as Place
from layerwise.study.toml_lines import find_lines, line_of
from layerwise.study.trials import MEASURES
from layerwise.study.tuning import BY as MAY_CHOOSE
from layerwise.study.tuning import Contender, Tuned, all_cells

KEYS = {
    "title": str, "hypothesis": str, "question": str, "seeds": int, "alpha": float, "measure": str, "looks": list,
    "all": dict, "cells": list, "compare": list, "reference": list,
}  # fmt: skip
REQUIRED = ("title", "hypothesis", "seeds", "all", "cells")


@dataclass(frozen=True)
class Reference:
    """A number of others, to be set beside ours.

    Attributes:
        source: whose.
        cell: address of the cell that it belongs to.
        measure: which number of it.
        value: theirs.
    """

    source: str
    cell: str
    measure: str
    value: float


@dataclass(frozen=True)
class Study:
    """A hypothesis, and the plan that decides it.

    Attributes:
        name: of its file, without the ending.
        title, hypothesis: in words.
        seeds: how many blocks.
        alpha: the error that the verdict may have.
        measure: the number that decides, unless a comparison names another.
        looks: after how many blocks one may look; the last is all of them.
        contenders: what is compared: cells, and sets of them of which each block chooses one.
        comparisons: what is claimed.
        references: numbers of others.
        text: of the file.
    """

    name: str
    title: str
    hypothesis: str
    seeds: int
    contenders: tuple[Contender, ...]
    comparisons: tuple[Comparison, ...] = ()
    references: tuple[Reference, ...] = ()
    alpha: float = 0.05
    measure: str = "test_accuracy"
    looks: tuple[int, ...] = ()
    text: str = field(default="", repr=False)

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """What is trained in every block."""
        return all_cells(self.contenders)

    @property
    def plan(self) -> str:
        """A hash of the hypothesis and of all claims: what was meant before the first run."""
        told = [self.hypothesis, str(self.alpha), *(one.identity for one in self.comparisons)]
        return hashlib.sha256("\x1f".join(told).encode()).hexdigest()[:16]


def read_study(path: Path | str) -> Study:
    """Read a study from a file.

    Raises:
        FileError: there is no such file, or it is no TOML.
        StudyError: all that is wrong with it, with line numbers.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise FileError(f"no file {path}.") from None
    except UnicodeDecodeError as error:
        raise FileError(f"{path} is no text in UTF-8 ({error}).") from None
    return parse_study(text, name=path.stem, source=str(path))


def parse_study(text: str, *, name: str, source: str = "the study") -> Study:
    """A study from the text of its file; see `read_study`."""
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise FileError(f"{source} is no TOML: {error}") from None
    faults = Faults(source, find_lines(text))
    _check_keys(given, faults)
    faults.stop()
    contenders = _contenders(given, faults)
    faults.stop()
    measure = given.get("measure", MEASURES[0])
    claims = Claims(contenders, measure, MEASURES, faults.add)
    comparisons = [one for place, table in enumerate(given.get("compare", ())) for one in claims.read(table, place)]
    references = [one for place, table in enumerate(given.get("reference", ())) for one in _read(claims, table, place)]
    faults.stop()
    return Study(
        name,
        given["title"],
        given["hypothesis"].strip(),
        given["seeds"],
        contenders,
        tuple(comparisons),
        tuple(references),
        float(given.get("alpha", 0.05)),
        measure,
        tuple(given.get("looks", ())) or (given["seeds"],),
        text,
    )


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


def _check_keys(given: Mapping[str, Any], faults: Faults) -> None:
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


WORDS: Mapping[type, str] = {
    str: "text", int: "a whole number", float: "a number", list: "a list", dict: "a table",
}  # fmt: skip


def _contenders(given: Mapping[str, Any], faults: Faults) -> tuple[Contender, ...]:
    shared: dict[str, Any] = flatten(given["all"])
    contenders: dict[str, Contender] = {}
    for place, table in enumerate(given["cells"]):
        tune = table.get(TUNE, {})
        if not isinstance(tune, dict):
            faults.add(("cells", place, TUNE), f'"{TUNE}" must be a table of levels; got {tune!r}.')
            continue
        if tune.get(BY, Tuned.by) not in MAY_CHOOSE:
            known = " or ".join(MAY_CHOOSE)
            words = f'"{tune[BY]}" may not choose: it is of images that are reported. Choose by {known}.'
            faults.add(("cells", place, TUNE, BY), words)
            continue
        try:
            found = expand_design(shared, [_flat_design(table)])
        except StudyError as error:
            faults.add(("cells", place), str(error))
            continue
        for cell in all_cells(found):
            for key, words in find_faults(cell):
                _blame(key, words, place, table, faults)
        contenders |= {one.address: one for one in found}
    return tuple(contenders.values())


def _flat_design(table: Mapping[str, Any]) -> dict[str, Any]:
    groups: dict[str, Any] = {name: [flatten(one) for one in table[name]] for name in (TOGETHER, SKIP) if name in table}
    if TUNE in table:
        groups[TUNE] = flatten(table[TUNE])
    return flatten({key: value for key, value in table.items() if key not in groups}) | groups


def _blame(key: str, words: str, place: int, table: Mapping[str, Any], faults: Faults) -> None:
    """Note a cell's fault where its key is written: in its design, in what is searched there, or else in [all]."""
    parts = tuple(key.split(".")) if key else ()
    here: Place = ("cells", place)
    for start, some in (((*here, TUNE), table.get(TUNE, {})), (here, table)):
        if any(name == key or name.startswith(f"{key}.") for name in flatten(some)):
            faults.add(start + parts, words)
            return
    faults.add(("all", *parts), words)


def _read(claims: Claims, table: Mapping[str, Any], place: int) -> Sequence[Reference]:
    found = claims.read_reference(table, place)
    return [Reference(*one) for one in found]
