"""column_faults: what of a table that was read is not as it was written, in words; it may have been changed since."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Numbers", "array_fault", "column_faults"]


@dataclass(frozen=True)
class Numbers:
    """What a column or an array may hold.

    Attributes:
        least, most: the range, ends included.
        whole: whether fractions are none.
        gaps: whether some may be unknown (NaN).
    """

    least: float = -inf
    most: float = inf
    whole: bool = False
    gaps: bool = False


def column_faults(table: Any, name_to_numbers: Mapping[str, Numbers]) -> list[str]:
    """What is wrong with columns of numbers: missing, no numbers, or outside of their range; empty if all is well.

    >>> column_faults({"depth": np.array([0, 9])}, {"depth": Numbers(0, 3), "label": Numbers()})
    ['depth lies outside 0 to 3', 'there is no column label']
    """
    return [
        f"{name} {array_fault(table[name], numbers)}" if name in table else f"there is no column {name}"
        for name, numbers in name_to_numbers.items()
        if name not in table or array_fault(table[name], numbers)
    ]


def array_fault(values: Any, numbers: Numbers) -> str:
    """What is wrong with an array or a column, of any shape; empty if it holds such numbers.

    >>> array_fault(np.array([0.5]), Numbers(whole=True)), array_fault(np.array([1.0]), Numbers(whole=True))
    ('holds fractions; whole numbers are expected', '')
    """
    dtype = values.dtype
    if not isinstance(dtype, np.dtype) or dtype.kind not in "iufb":
        return "holds no numbers"
    found: NDArray[np.float64] = np.asarray(values, np.float64)
    known = found[~np.isnan(found)] if numbers.gaps else found
    if not np.isfinite(known).all():
        return "holds infinity" if numbers.gaps else "holds NaN or infinity"
    if numbers.whole and (known != np.rint(known)).any():
        return "holds fractions; whole numbers are expected"
    if known.size and not (known.min() >= numbers.least and known.max() <= numbers.most):
        return f"lies outside {_range(numbers)}"
    return ""


def _range(numbers: Numbers) -> str:
    """The ends, as far as there are any."""
    if numbers.most == inf:
        return f"{numbers.least:g} and above"
    return f"{numbers.least:g} to {numbers.most:g}"
