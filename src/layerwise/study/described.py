"""What a study's numbers do not say by themselves: what classes are called, and the shape of kernels.

describe       of all cells that a report shows
describe_own   of networks of the user's own, while they are run
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from layerwise.models.from_file import is_file_spec
from layerwise.runs import read_json, write_json
from layerwise.study.cells import Cell
from layerwise.study.file import Study
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
    known = dict(read_json(path)) if path.exists() else {}
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
