"""Check: what a check saw, and what to do; its helpers tell cells that are alike together."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from layerwise.study.cells import Cell


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: of the check.
        fine: whether nothing is to be done.
        saw: what was seen, with its numbers.
        do: what to do; empty where it is fine.
    """

    name: str
    fine: bool
    saw: str
    do: str = ""


def judge(name: str, faults: Sequence[str], *, otherwise: str, do: str) -> Check:
    """Not fine where there is a fault.

    Args:
        name: of the check.
        faults: in words.
        otherwise: what was seen where there is none.
        do: what to do about a fault.

    >>> judge("balanced", [], otherwise="10 of each", do="give as many of each class")
    Check(name='balanced', fine=True, saw='10 of each', do='')
    """
    return Check(name, False, "; ".join(faults), do) if faults else Check(name, True, otherwise)


def tell_cells(some: Collection[str], cells: Sequence[Cell]) -> str:
    """Some cells of a study in words, those alike together.

    Args:
        some: addresses, at least one.
        cells: all of the study.

    >>> cells = [Cell({"model.name": name, "training.epochs": epochs}) for name in "ab" for epochs in (1, 2)]
    >>> tell_cells([cells[0].address, cells[1].address, cells[2].address], cells)
    'a, b (1 of 2 cells: epochs = 1)'
    """
    factors = _factors(cells)
    if len(some) == len(cells) or not factors:
        return "all cells" if len(cells) > 1 else "the cell"
    name, others = factors[0], factors[1:]
    told = []
    for level in dict.fromkeys(str(cell.settings.get(name)) for cell in cells):
        alike = [cell for cell in cells if str(cell.settings.get(name)) == level]
        chosen = [cell for cell in alike if cell.address in some]
        words = level if name == "model.name" else f"{_short(name)} = {level}"
        if len(chosen) == len(alike):
            told.append(words)
        elif chosen:
            differing = [key for key in others if key in chosen[0].settings and key in _factors(alike)]
            first = ", ".join(f"{_short(key)} = {chosen[0].settings[key]}" for key in differing)
            such_as = ": " if len(chosen) == 1 else ", such as "
            told.append(f"{words} ({len(chosen)} of {len(alike)} cells{such_as}{first})")
    return ", ".join(told)


def _factors(cells: Sequence[Cell]) -> list[str]:
    """The settings in which cells differ, the network's name first."""
    keys = dict.fromkeys(key for cell in cells for key in cell.settings)
    differing = [key for key in keys if len({str(cell.settings.get(key)) for cell in cells}) > 1]
    return sorted(differing, key=lambda key: key != "model.name")


def _short(key: str) -> str:
    return key.partition(".")[2] or key
