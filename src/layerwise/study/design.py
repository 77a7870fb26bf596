"""expand_design: from levels to cells.

Every list is the levels of a factor, and factors are crossed. `together` crosses a group whose lists run side by side,
`skip` leaves combinations out, and the cells of several designs are put one after the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from layerwise.errors import StudyError
from layerwise.study.cells import Cell, Value

TOGETHER, SKIP = "together", "skip"


def expand_design(shared: Mapping[str, Value], designs: Sequence[Mapping[str, Any]]) -> tuple[Cell, ...]:
    """The cells of a study, each once, in the order in which they are written.

    Args:
        shared: dotted keys to values that all cells have; a design may say otherwise.
        designs: each a product of its lists; see the module.

    Raises:
        StudyError: levels that go together are not as many as each other, or nothing is left.

    >>> cells = expand_design({"model.name": "a"}, [{"training.epochs": [1, 2], "model.kernel": 3}])
    >>> [dict(cell.settings) for cell in cells]
    [{'model.name': 'a', 'training.epochs': 1, 'model.kernel': 3}, {'model.name': 'a', 'training.epochs': 2, ...}]
    """
    cells = [Cell({**shared, **chosen}) for design in designs for chosen in _combinations(design)]
    if not cells:
        raise StudyError("no cell is left: every combination is skipped, or there is no [[cells]].")
    return tuple({cell.address: cell for cell in cells}.values())


def _combinations(design: Mapping[str, Any]) -> Iterator[dict[str, Value]]:
    own = {key: value for key, value in design.items() if key not in (TOGETHER, SKIP)}
    factors = [[{key: level} for level in _levels(value)] for key, value in own.items()]
    factors += [_side_by_side(group) for group in design.get(TOGETHER, ())]
    skipped = [Cell(where) for where in design.get(SKIP, ())]
    for choice in product(*factors):
        chosen = {key: value for part in choice for key, value in part.items()}
        if not any(Cell(chosen).matches(where.settings) for where in skipped):
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
