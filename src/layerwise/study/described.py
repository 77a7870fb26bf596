"""describe: what a study's numbers do not say by themselves: what classes are called, and the shape of kernels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from layerwise.runs import read_json, write_json
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
    """Each cell's description by its address, noted in the store; a cell that cannot be made any more is left out."""
    path = store.folder / "described.json"
    known = dict(read_json(path)) if path.exists() else {}
    missing = [cell for cell in study.cells if cell.address not in known]
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
