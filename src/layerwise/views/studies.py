"""Layout: how the cells of a study stand in a picture, by what they differ in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from layerwise.study.design import TUNED
from layerwise.study.summary import differing_keys
from layerwise.study.tuning import Contender

FEW = 3
"""Levels from which on numbers make an axis."""


@dataclass(frozen=True)
class Layout:
    """Cells as lines along an axis, or one beside the other where no numbers run through all of them.

    Attributes:
        along: the key of the axis; empty where there is none.
        levels: its values, increasing; a single 0 where there is none.
        series: words to contenders by level. Words say no more than is needed to tell them apart.
    """

    along: str
    levels: tuple[float, ...]
    series: Mapping[str, Mapping[float, Contender]]

    @property
    def along_words(self) -> str:
        """The axis in words."""
        return AXIS_WORDS.get(self.along, key_words(self.along))

    def labelled(self) -> Iterator[tuple[str, Contender]]:
        """Every contender with words of its own: those of its series, and its level where there is an axis."""
        for words, level_to_contender in self.series.items():
            for level, contender in level_to_contender.items():
                yield (f"{words}, {level:g}" if self.along else words), contender


ALWAYS = ("model.name", TUNED)
AXIS_WORDS = {"data.train_per_class": "training images a class", "training.epochs": "epochs"}


def lay_out(contenders: Sequence[Contender]) -> Layout:
    """Choose the axis (numbers of the data first) and the words.

    >>> from layerwise.study.cells import Cell
    >>> cells = [Cell({"model.name": name, "data.n": n}) for name in ("a", "b") for n in (1, 2, 4)]
    >>> found = lay_out(cells)
    >>> found.along, found.levels, list(found.series)
    ('data.n', (1.0, 2.0, 4.0), ['a', 'b'])
    """
    keys = differing_keys(contenders)
    for along in sorted(keys, key=lambda key: not key.startswith("data.")):
        levels = [one.settings.get(along) for one in contenders]
        if not all(isinstance(level, int | float) and not isinstance(level, bool) for level in levels):
            continue
        series = _series(contenders, [key for key in keys if key != along], along)
        if min(map(len, series.values())) >= FEW:
            return Layout(along, tuple(sorted({float(level) for level in levels})), series)  # type: ignore[arg-type]
    return Layout("", (0.0,), _series(contenders, keys, ""))


def words_of(contender: Contender, keys: Sequence[str]) -> str:
    """Some of a contender's settings in words.

    >>> from layerwise.study.cells import Cell
    >>> words_of(Cell({"model.name": "a", "model.kernel": 3, "data.permuted": False}), ["model.name", "model.kernel"])
    'a, kernel 3'
    """
    return ", ".join(filter(None, (_words(key, contender.settings.get(key)) for key in keys))) or "all"


def key_words(key: str) -> str:
    """A dotted key in words."""
    return key.rpartition(".")[2].replace("_", " ")


def _words(key: str, value: object) -> str:
    name = key_words(key)
    if value is None:
        return ""
    if isinstance(value, bool):
        return name if value else f"not {name}"
    if isinstance(value, list):
        return f"{name} {', '.join(map(str, value))}"
    if isinstance(value, str):
        return value
    return f"{value} {AXIS_WORDS[key]}" if key in AXIS_WORDS else f"{name} {value}"


def _series(contenders: Sequence[Contender], keys: Sequence[str], along: str) -> dict[str, dict[float, Contender]]:
    shown = _needed_keys(contenders, keys)
    series: dict[str, dict[float, Contender]] = {}
    for one in contenders:
        level = one.settings.get(along, 0.0)
        series.setdefault(words_of(one, shown), {})[float(level)] = one  # type: ignore[arg-type]
    return series


def _needed_keys(contenders: Sequence[Contender], keys: Sequence[str]) -> list[str]:
    """The fewest keys, in the fewest words, that tell apart all that differs; `ALWAYS` are among them."""
    parts = {tuple(str(one.settings.get(key)) for key in keys) for one in contenders}
    always = [key for key in keys if key in ALWAYS]
    others = [key for key in keys if key not in always]
    for count in range(len(others) + 1):
        choices = [[key for key in keys if key in always or key in some] for some in combinations(others, count)]
        words = [[words_of(one, some) for one in contenders] for some in choices]
        lengths = {place: sum(map(len, told)) for place, told in enumerate(words) if len(set(told)) == len(parts)}
        if lengths:
            return choices[min(lengths, key=lambda place: lengths[place])]
    return list(keys)
