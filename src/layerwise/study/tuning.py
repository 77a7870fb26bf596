"""Tuned: hyperparameters that each block chooses for itself by its validation images, and the runs that were chosen.

A block's choice is part of its outcome, so the interval over blocks holds what the search adds to it. What is reported
is measured on other images than those that chose.

Source: Bouthillier and others (2021), Accounting for variance in machine learning benchmarks, section 2.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import pandas as pd

from layerwise.study.cells import Cell, Value, matches

BY = {"validation_accuracy": False, "validation_loss": True}
"""The measures that may choose, and whether less of them is better."""


@dataclass(frozen=True)
class Tuned:
    """Cells that differ in what is searched.

    Attributes:
        settings: those that all candidates share.
        candidates: all are trained in every block.
        by: the measure that chooses; ties go to the lower validation loss, then to the first.
    """

    settings: Mapping[str, Value] = field(hash=False)
    candidates: tuple[Cell, ...]
    by: str = "validation_accuracy"

    @cached_property
    def address(self) -> str:
        """Sixteen hexadecimal digits, made of the candidates and the measure."""
        told = "\n".join([self.by, *sorted(one.address for one in self.candidates)])
        return hashlib.sha256(told.encode()).hexdigest()[:16]

    @property
    def searched(self) -> tuple[str, ...]:
        """The keys in which candidates differ."""
        return tuple(key for key in self.candidates[0].settings if key not in self.settings)

    def matches(self, where: Mapping[str, Value]) -> bool:
        """Whether all candidates have all these settings."""
        return matches(self.settings, where)


Contender = Cell | Tuned
"""What is compared: a cell, or the best of several."""


def all_cells(contenders: Sequence[Contender]) -> tuple[Cell, ...]:
    """What is trained: cells and candidates, each once."""
    cells = (cell for one in contenders for cell in ((one,) if isinstance(one, Cell) else one.candidates))
    return tuple({cell.address: cell for cell in cells}.values())


def runs_of(records: pd.DataFrame, contender: Contender) -> pd.DataFrame:
    """A contender's runs, one for each block; of one that is tuned the run that the block chose.

    Args:
        records: a row per run; see `Store.table`.
        contender: whose.

    Returns:
        Rows of `records` by block. A block in which a candidate is missing is left out; one in which a candidate
        failed chooses among the others.
    """
    if isinstance(contender, Cell):
        return records[records["cell"] == contender.address].sort_values("block", ignore_index=True)
    places = {cell.address: place for place, cell in enumerate(contender.candidates)}
    some = records[records["cell"].isin(places)].assign(place=lambda rows: rows["cell"].map(places))
    whole = some.groupby("block")["cell"].transform("size") == len(places)
    order = [contender.by, "validation_loss", "place"]
    best_first = some[whole].sort_values(order, ascending=[BY[contender.by], True, True], na_position="last")
    chosen = best_first.drop_duplicates("block").drop(columns="place")
    return chosen.sort_values("block", ignore_index=True)
