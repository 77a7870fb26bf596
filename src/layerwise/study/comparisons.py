"""Comparison: which cells are set against each other, and what is claimed; compare says whether it came true.

difference    the one side is higher than the other
same          they differ by less than a margin
at-least      one cell reaches a level
interaction   the difference is larger under one condition than under another
needed        the one side needs less of something to reach a level than the other
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from layerwise.arrays.blocks import (
    Estimate,
    blocks_still_needed,
    bootstrap_interval,
    equivalence_test,
    sign_flip_test,
    superiority,
)
from layerwise.arrays.needed import needed_ratio, needed_test

Kind = Literal["difference", "same", "at-least", "interaction", "needed"]
Verdict = Literal["supported", "contradicted", "open"]

Column = Callable[[str], NDArray[np.float64]]
"""A cell's address to its outcomes (R,), NaN for a block in which it failed."""


@dataclass(frozen=True)
class Comparison:
    """A claim about cells.

    Attributes:
        kind: what is claimed; see the module.
        claim: in words.
        measure: which number of each run.
        cells: addresses. "difference" and "same": two, the first is claimed to be higher. "at-least": one.
            "interaction": higher and lower under the condition that is to enlarge their difference, then under the
            other. "needed": those of the side that needs less by increasing amount, then those of the other.
        bound: the margin of "same", the level of "at-least" and "needed", the least difference otherwise.
        amounts: of "needed", one for each cell of a side.
        primary: whether the verdict of the study rests on it.
    """

    kind: Kind
    claim: str
    measure: str
    cells: tuple[str, ...]
    bound: float = 0.0
    amounts: tuple[float, ...] = ()
    primary: bool = True

    @property
    def identity(self) -> str:
        """All of it as text; what was planned before the first run is known by it."""
        return json.dumps(asdict(self), sort_keys=True)


def planned_comparison(identity: str) -> Comparison:
    """The comparison that has this identity.

    >>> planned_comparison(Comparison("at-least", "a claim", "test_accuracy", ("a",), 0.9).identity).cells
    ('a',)
    """
    fields: dict[str, Any] = json.loads(identity)
    lists = {key: tuple(value) for key, value in fields.items() if isinstance(value, list)}
    return Comparison(**{**fields, **lists})


@dataclass(frozen=True)
class Finding:
    """What a comparison found.

    Attributes:
        comparison: what was asked.
        effect: the mean difference (the level, the ratio of what is needed), with its interval over blocks.
        p: how surely the effect lies on its side of what was claimed, before correction.
        sides: each cell's mean with its interval, in the order of `Comparison.cells`.
        superiority: P(A > B) of two single runs, of "difference".
        still_needed: how many blocks in all would show such a difference, be it shown already or not; None where 10,000
            would not, and of "same" and "needed".
    """

    comparison: Comparison
    effect: Estimate
    p: float
    sides: tuple[Estimate, ...]
    superiority: Estimate | None = None
    still_needed: int | None = None

    def verdict(self, p_adjusted: float, *, alpha: float) -> Verdict:
        """Supported or contradicted where the error is below `alpha`, else open.

        Args:
            p_adjusted: `p`, corrected for the other comparisons.
            alpha: the error that is allowed.
        """
        if np.isnan(self.effect.value) or not p_adjusted <= alpha:
            return "open"
        return "supported" if self._as_claimed else "contradicted"

    @property
    def _as_claimed(self) -> bool:
        """Whether the effect lies on the side that was claimed, however surely."""
        value, bound = self.effect.value, self.comparison.bound
        if self.comparison.kind == "same":
            return abs(value) < bound
        return value > (1 if self.comparison.kind == "needed" else bound)


def compare(
    comparison: Comparison, outcomes: Column, *, alpha: float = 0.05, claims: int = 1, seed: int = 0
) -> Finding:
    """What the runs say to a claim.

    Args:
        comparison: the claim.
        outcomes: gives a cell's outcomes, block by block.
        alpha: the error that is allowed, by which the blocks that would decide are counted.
        claims: how many claims share it.
        seed: draws resamples and signs.
    """
    columns = [outcomes(address) for address in comparison.cells]
    sides = tuple(bootstrap_interval(column, seed=seed) for column in columns)
    if comparison.kind == "needed":
        half = len(comparison.amounts)
        fewer, more = np.stack(columns[:half], axis=1), np.stack(columns[half:], axis=1)
        ratio = needed_ratio(comparison.amounts, more, fewer, comparison.bound, seed=seed)
        p = needed_test(comparison.amounts, more, fewer, comparison.bound, seed=seed)
        return Finding(comparison, ratio, p, sides)
    values = _values(comparison, columns)
    effect = bootstrap_interval(values, seed=seed)
    if comparison.kind == "same":
        p = equivalence_test(values, comparison.bound)
        return Finding(comparison, effect, min(p, 1 - p), sides)
    p = sign_flip_test(values, shift=comparison.bound, seed=seed)
    ahead = superiority(columns[0], columns[1], seed=seed) if comparison.kind == "difference" else None
    still_needed = blocks_still_needed(values - comparison.bound, alpha=alpha, claims=claims)
    return Finding(comparison, effect, p, sides, ahead, still_needed)


def _values(comparison: Comparison, columns: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """One number a block: a level, a difference, or a difference of differences."""
    if comparison.kind == "at-least":
        return columns[0]
    first = columns[0] - columns[1]
    return first - (columns[2] - columns[3]) if comparison.kind == "interaction" else first


def flatten(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested tables as dotted keys.

    >>> flatten({"model": {"name": "a", "kernel": 3}})
    {'model.name': 'a', 'model.kernel': 3}
    """
    flat: dict[str, Any] = {}
    for key, value in table.items():
        name = f"{prefix}{key}"
        flat |= flatten(value, f"{name}.") if isinstance(value, Mapping) else {name: value}
    return flat
