"""What stands in a study's folder, read and checked: it may be damaged, or somebody else's.

read_asked   asked.json: the study that was last run, its seeds and looks
read_plan    plan.json: what was planned before the first run
read_cache   notes that can be made again; none where they cannot be read
read_rows    a file of chunks/
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd
import pyarrow as pa

from layerwise.arrays.calibration import BINS
from layerwise.errors import FileError
from layerwise.runs import read_json, read_object
from layerwise.study.comparisons import planned_comparison
from layerwise.study.keys import MOST_SEEDS
from layerwise.study.trials import MEASURES, Status

SERIES = (
    "train_loss_curve", "train_accuracy_curve", "validation_loss_curve", "validation_accuracy_curve", "confusion",
    "reliability_counts", "reliability_confidence", "reliability_accuracy", "kernels_before", "kernels_after",
)  # fmt: skip


def read_asked(path: Path) -> dict[str, Any]:
    """Name, seeds and looks of the study that was last run in a folder.

    Raises:
        FileError: it is missing, or does not hold them.
    """
    kinds = {"name": _is_name, "seeds": _is_count, "looks": _are_counts}
    asked = {**dict.fromkeys(kinds), **read_object(path)}
    return _checked(path, asked, kinds, "Run the study again, and it is written anew.")


def read_plan(path: Path) -> dict[str, Any]:
    """What was noted before the first run; older layerwise noted less.

    Raises:
        FileError: it is missing, or holds something else.
    """
    kinds = {
        "plan": _is_text,
        "hypothesis": _is_text,
        "alpha": lambda value: isinstance(value, float) and 0 < value < 1,
        "looks": _are_counts,
        "comparisons": lambda value: isinstance(value, list) and all(map(_is_claim, value)),
    }
    return _checked(path, read_object(path), kinds, "What was planned is lost: choose another folder.")


def read_cache(path: Path) -> dict[str, Any]:
    """A JSON object that can be made again; an empty one if there is none, or none that can be read."""
    try:
        found = read_json(path)
    except FileError:
        return {}
    return found if isinstance(found, dict) else {}


def read_rows(path: Path, columns: list[str] | None) -> pd.DataFrame:
    """The records of one file; all columns, or some.

    Raises:
        FileNotFoundError: there is no such file.
        FileError: it is no Parquet, or its columns hold something else.
    """
    try:
        rows = pd.read_parquet(path, columns=columns)
    except FileNotFoundError:
        raise
    except (ValueError, OSError, pa.ArrowException) as error:
        raise _damaged(path, str(error).partition("\n")[0]) from None
    wrong = [str(name) for name in rows if not _column_is_right(str(name), rows[name])]
    if wrong:
        raise _damaged(path, f"{', '.join(wrong)}: not what a run gives")
    return rows


def _damaged(path: Path, why: str) -> FileError:
    return FileError(f"{path} is damaged ({why}). Remove it; its part is run again.")


def _checked(path: Path, found: dict[str, Any], kinds: Mapping[str, Callable[[Any], bool]], do: str) -> dict[str, Any]:
    for key, is_right in kinds.items():
        if key in found and not is_right(found[key]):
            raise FileError(f'{path} is damaged: "{key}" cannot be {found[key]!r}. {do}')
    return found


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_name(value: Any) -> bool:
    """Whether a name can be a file's, and not that of one elsewhere."""
    return isinstance(value, str) and value not in ("", ".", "..") and Path(value).name == value


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST_SEEDS


def _are_counts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_is_count, value)) and value == sorted(set(value))


def _is_claim(identity: Any) -> bool:
    try:
        found = planned_comparison(identity)
    except (ValueError, TypeError, AttributeError, RecursionError):
        return False
    return isinstance(found.claim, str) and isinstance(found.primary, bool)


def _column_is_right(name: str, column: pd.Series) -> bool:
    if name in SERIES:
        return bool(column.map(lambda one: _is_series(name, one)).all())
    if name == "block":
        return column.dtype.kind == "i" and bool((column >= 0).all())
    if name == "status":
        return bool(column.isin(get_args(Status)).all())
    if name in ("seconds", *MEASURES):
        return column.dtype.kind == "f"
    if isinstance(column.dtype, pd.StringDtype):
        return not column.hasnans
    return bool(column.map(_is_text).all())


def _is_series(name: str, one: Any) -> bool:
    if not isinstance(one, np.ndarray) or one.ndim != 1 or (len(one) and one.dtype.kind != "f"):
        return False
    if name == "confusion":
        return math.isqrt(len(one)) ** 2 == len(one)
    return len(one) in (0, BINS) if name.startswith("reliability") else True
