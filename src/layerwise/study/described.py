"""What a study's numbers do not say by themselves: what classes are called, and the shape of kernels.

describe       of all cells that a report shows
describe_own   of networks of the user's own, while they are run
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from layerwise.models.from_file import is_file_spec
from layerwise.runs import write_json
from layerwise.study.cells import Cell
from layerwise.study.file import Study
from layerwise.study.kept import read_cache
from layerwise.study.store import Store
from layerwise.study.trials import Trial, first_convolution, trial_data, trial_model


@dataclass(frozen=True)
class Described:
    """Of one cell.

    Attributes:
        classes: names, in order.
        kernels: the shape of the first convolution's weights; empty without a convolution.
    """

    classes: tuple[str, ...]
    kernels: tuple[int, ...]


def describe(study: Study, store: Store) -> Mapping[str, Described]:
    """Each cell's description by its address, noted in the store; a cell that cannot be made any more is left out.

    Left out, too, are networks of Python files that `describe_own` did not see: whoever reads results runs no program
    that they name.
    """
    return _describe((cell for cell in study.cells if not is_file_spec(cell.model_spec)), store)


def describe_own(study: Study, store: Store) -> None:
    """Note the descriptions of networks of the user's own Python files, while the user runs them."""
    own = [cell for cell in study.cells if is_file_spec(cell.model_spec)]
    if own:
        _describe(own, store)


def _describe(cells: Iterable[Cell], store: Store) -> Mapping[str, Described]:
    path = store.folder / "described.json"
    known = {address: one for address, one in read_cache(path).items() if _is_described(one)}
    missing = [cell for cell in cells if cell.address not in known]
    for cell in sorted(missing, key=lambda one: one.data_spec):
        trial = Trial(cell, 0)
        try:
            data = trial_data(trial)
            convolution = first_convolution(trial_model(trial, data))
        except Exception:  # the data may be gone, or were never there; the report then does without names
            continue
        shape = [] if convolution is None else list(convolution.weight.shape)
        known[cell.address] = {"classes": list(data.class_names), "kernels": shape}
    if missing:
        write_json(path, known)
    return {address: Described(tuple(one["classes"]), tuple(one["kernels"])) for address, one in known.items()}


def _is_described(one: Any) -> bool:
    """Whether a note can be used; one that cannot is made anew."""
    if not isinstance(one, dict) or not all(isinstance(one.get(key), list) for key in ("classes", "kernels")):
        return False
    whole = all(isinstance(size, int) and size > 0 for size in one["kernels"])
    return whole and len(one["kernels"]) in (0, 4) and all(isinstance(name, str) for name in one["classes"])
