"""expand_design: from levels to cells.

Every list is the levels of a factor, and factors are crossed. `together` crosses a group whose lists run side by side,
`skip` leaves combinations out, `tune` lists what each block chooses for itself, and the cells of several designs are
put one after the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from layerwise.errors import StudyError
from layerwise.study.cells import Cell, Value, matches
from layerwise.study.tuning import Contender, Tuned

TOGETHER, SKIP, TUNE, BY = "together", "skip", "tune", "by"
TUNED = "tuned"
"""A setting of contenders that are tuned, so that claims can name them."""


def expand_design(shared: Mapping[str, Value], designs: Sequence[Mapping[str, Any]]) -> tuple[Contender, ...]:
    """The cells of a study, each once, in the order in which they are written; tuned ones are one contender each.

    Args:
        shared: dotted keys to values that all cells have; a design may say otherwise.
        designs: each a product of its lists; see the module.

    Raises:
        StudyError: levels that go together are not as many as each other, or nothing is left.

    >>> cells = expand_design({"model.name": "a"}, [{"training.epochs": [1, 2], "model.kernel": 3}])
    >>> [dict(cell.settings) for cell in cells]
    [{'model.name': 'a', 'training.epochs': 1, 'model.kernel': 3}, {'model.name': 'a', 'training.epochs': 2, ...}]
    """
    found = [_contender(chosen, design.get(TUNE)) for design in designs for chosen in _combinations(shared, design)]
    if not found:
        raise StudyError("no cell is left: every combination is skipped, a list is empty, or there is no [[cells]].")
    return tuple({one.address: one for one in found}.values())


def find_idle_skips(shared: Mapping[str, Value], design: Mapping[str, Any]) -> list[int]:
    """The places under `skip` that leave nothing out.

    >>> find_idle_skips({}, {"a": [1, 2], "skip": [{"a": 3}, {"a": 1}]})
    [0]
    """
    combinations = list(_combinations(shared, {key: value for key, value in design.items() if key != SKIP}))
    return [
        place
        for place, where in enumerate(design.get(SKIP, ()))
        if not any(matches(chosen, where) for chosen in combinations)
    ]


def _contender(settings: dict[str, Value], tune: Mapping[str, Any] | None) -> Contender:
    if tune is None:
        return Cell(settings)
    lists = {key: value for key, value in tune.items() if key != BY}
    cells = (Cell(settings | choice) for choice in _combinations({}, lists))
    candidates = tuple({cell.address: cell for cell in cells}.values())
    if len(candidates) < 2:
        raise StudyError("there is nothing to choose: give a list of at least two levels under tune.")
    if any(cell.settings.get("data.validation_per_class") == 0 for cell in candidates):
        raise StudyError("there are no images to choose by: data.validation_per_class is 0.")
    shared = {key: value for key, value in settings.items() if key not in lists}
    return Tuned({**shared, TUNED: True}, candidates, tune.get(BY, Tuned.by))


def _combinations(shared: Mapping[str, Value], design: Mapping[str, Any]) -> Iterator[dict[str, Value]]:
    own = {key: value for key, value in design.items() if key not in (TOGETHER, SKIP, TUNE)}
    factors = [[{key: level} for level in _levels(value)] for key, value in own.items()]
    factors += [_side_by_side(group) for group in design.get(TOGETHER, ())]
    for choice in product(*factors):
        chosen = dict(shared) | {key: value for part in choice for key, value in part.items()}
        if not any(matches(chosen, where) for where in design.get(SKIP, ())):
            yield chosen


def _side_by_side(group: Mapping[str, Any]) -> list[dict[str, Value]]:
    lists = {key: _levels(value) for key, value in group.items()}
    counts = {key: len(levels) for key, levels in lists.items()}
    if len(set(counts.values())) > 1:
        told = ", ".join(f"{key} has {count}" for key, count in counts.items())
        raise StudyError(f"levels that go together must be as many as each other: {told}.")
    return [dict(zip(lists, levels, strict=True)) for levels in zip(*lists.values(), strict=True)]


def _levels(value: Any) -> list[Value]:
    return value if isinstance(value, list) else [value]
