"""What can be known of networks, settings and runners before the first run.

check_one_image      a last batch of a single image gives logits of the right shape
check_by_heart       a handful of images can be learnt by heart
check_independence   what ran before changes no number
check_reported       nothing is tuned on the split that is reported
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from layerwise.data.images import ImageData
from layerwise.models.mode import evaluating
from layerwise.study.cells import Cell
from layerwise.study.checks.check import Check, judge, tell_cells
from layerwise.study.engines import Engine
from layerwise.study.engines.loop import run_in_loop
from layerwise.study.file import Study
from layerwise.study.trials import Record, Trial, trial_model
from layerwise.study.tuning import Tuned, all_cells
from layerwise.training.loop import make_optimizer
from layerwise.training.settings import TrainSettings

A_CLASS = 2
"""Images of each class that are to be learnt by heart."""

STEPS = 150
"""Of the cell's own optimiser; where they are not enough, Adam is tried from so many initial weights."""

ADAM_STEPS, DRAWS, ADAM_RATE = 200, 3, 0.01
UNMOVED = 1e-3
"""The part of its first value by which the loss must fall."""

FEW_IMAGES = 32


@dataclass(frozen=True)
class _Learnt:
    """How a short training ended: its accuracy, its first and last loss, and its steps."""

    accuracy: float
    first: float
    last: float
    steps: int

    @property
    def whole(self) -> bool:
        return self.accuracy == 1


def check_one_image(study: Study, spec_to_data: Mapping[str, ImageData]) -> Check:
    """Whether each network gives logits (1, K) for one image, and where training leaves a last batch of one.

    Args:
        study: of which all cells are looked at.
        spec_to_data: the images of each cell, by `Cell.data_spec`.
    """
    alone = [
        cell.address
        for cell in study.cells
        if len(spec_to_data[cell.data_spec].train) % cell.training(0).batch_size == 1
    ]
    faults = []
    for cell in _kinds(study.cells):
        data = spec_to_data[cell.data_spec]
        given = _one_image(cell, data)
        if given != (1, data.num_classes):
            faults.append(f"{cell.model_spec} gives {given} for one image, not (1, {data.num_classes})")
    where = f"a last batch of one image in {tell_cells(alone, study.cells)}" if alone else "no last batch of one image"
    otherwise = f"{where}; one image gives logits (1, K)"
    do = "do not squeeze the axis of the batch away, and flatten from axis 1 on"
    return judge("one image alone", [*faults, *([where] if faults and alone else [])], otherwise=otherwise, do=do)


def check_by_heart(study: Study, spec_to_data: Mapping[str, ImageData]) -> Check:
    """Whether each network can learn two images a class by heart, and its own settings move its loss.

    The cell's own optimiser gets 150 steps. Small networks need more, so where it does not get all right Adam tries,
    from three initial weights; the network is at fault only where that fails, too.

    Args:
        study: of which each network is tried once with each optimiser; where that is searched, with the first.
        spec_to_data: the images of each cell, by `Cell.data_spec`.
    """
    faults, told, ways = [], [], dict[str, None]()
    for cell in _kinds([one if isinstance(one, Cell) else one.candidates[0] for one in study.contenders]):
        data = spec_to_data[cell.data_spec]
        if _one_image(cell, data) != (1, data.num_classes):
            continue
        settings = cell.training(0)
        own = _learn(trial_model(Trial(cell, 0), data), data, settings, STEPS)
        named = cell.model_spec + (" with kept kernels" if cell.kernels == "edges" else "")
        words = f"{named}: {own.accuracy:.0%} after {own.steps} steps"
        rate = f"at learning_rate {settings.learning_rate:g}"
        if not np.isfinite(own.last):
            faults.append(f"{words}, and the loss is no number {rate}")
            ways["lower training.learning_rate"] = None
        elif not own.whole:
            others = _with_adam(cell, data)
            words += f" {rate}, {others.accuracy:.0%} after {others.steps} of Adam"
            if not others.whole:
                faults.append(words)
                ways["look for a fault in the network or the labels, or widen it: it cannot learn a handful"] = None
            elif own.last > (1 - UNMOVED) * own.first:
                faults.append(f"{words}, and its own loss does not fall")
                ways["raise training.learning_rate"] = None
        told.append(words)
    return judge("learns by heart", faults, otherwise="; ".join(told), do="; ".join(ways))


def check_independence(study: Study, engine: Engine = run_in_loop) -> Check:
    """Whether a run alone and the same run after another one give the same bits; both for one epoch of few images.

    Args:
        study: of which the last cell is run, alone and after the first.
        engine: runs trials; in a study's own checks the loop, for those of stacks are the same but for rounding.
    """
    name, do = "independent of other runs", "give each run generators of its own, seeded by its block alone"
    before, trial = (_shortened(cell, block) for cell, block in ((study.cells[0], 1), (study.cells[-1], 0)))
    (alone,) = engine([trial])
    after = next(one for one in engine([before, trial]) if (one.cell, one.block) == (trial.cell.address, trial.block))
    bad = next((one for one in (alone, after) if one.status != "done"), None)
    if bad is not None:
        return Check(name, False, f"a run of {trial.cell.model_spec} came to nothing: {bad.error}", "mend that first")
    differing = differing_numbers(alone, after)
    told = f"{trial.cell.model_spec} alone and after {before.cell.model_spec}"
    faults = [f"{told}: {', '.join(differing)} differ"] if differing else []
    return judge(name, faults, otherwise=f"{told}: the same bits", do=do)


def differing_numbers(first: Record, second: Record) -> list[str]:
    """The measures and series in which two records differ by a bit."""
    ours, theirs = (_numbers(one) for one in (first, second))
    return [name for name in ours if not np.array_equal(ours[name], theirs[name], equal_nan=True)]


def _numbers(record: Record) -> dict[str, NDArray[Any]]:
    return {**{name: np.asarray(value) for name, value in record.measures.items()}, **record.series}


def check_reported(study: Study) -> Check:
    """Whether a split is reported by which cells were stopped early, or hyperparameters chosen."""
    address_to_cells = {one.address: {cell.address for cell in all_cells([one])} for one in study.contenders}
    measure_to_cells = {study.measure: {cell.address for cell in study.cells}}
    for one in study.comparisons:
        measure_to_cells.setdefault(one.measure, set()).update(*(address_to_cells[cell] for cell in one.cells))
    stopped = {cell.address for cell in study.cells if "training.early_stop" in cell.settings}
    faults = [
        f"{measure} is reported of {tell_cells(cells & stopped, study.cells)}, stopped early by the validation loss"
        for measure, cells in measure_to_cells.items()
        if _split_of(measure) == "validation" and cells & stopped
    ]
    chosen_by = dict.fromkeys(one.by for one in study.contenders if isinstance(one, Tuned))
    faults += [
        f"{measure} is reported, and hyperparameters are chosen by {by}"
        for by in chosen_by
        for measure in measure_to_cells
        if _split_of(measure) == _split_of(by)
    ]
    otherwise = f"{', '.join(measure_to_cells)} reported" + (
        f", hyperparameters chosen by {', '.join(chosen_by)}" if chosen_by else ", nothing tuned on it"
    )
    do = 'report test images that decided nothing: measure = "test_accuracy"'
    return judge("not tuned on what is reported", faults, otherwise=otherwise, do=do)


def _split_of(measure: str) -> str:
    split = measure.partition("_")[0]
    return split if split in ("train", "validation") else "test"


def _kinds(cells: Sequence[Cell]) -> list[Cell]:
    """One cell for each network, optimiser and kind of images, however many they are and however long it is trained."""

    def kind(cell: Cell) -> Hashable:
        left_out = ("training.epochs", "training.batch_size", "training.early_stop", "data.limit")
        kept = {key: str(value) for key, value in cell.settings.items() if key not in left_out}
        return tuple(sorted((key, value) for key, value in kept.items() if not key.endswith("_per_class")))

    found: dict[Hashable, Cell] = {}
    for cell in cells:
        found.setdefault(kind(cell), cell)
    return list(found.values())


def _one_image(cell: Cell, data: ImageData) -> tuple[int, ...] | str:
    """The shape of a network's logits for one image, or how it broke."""
    try:
        model = trial_model(Trial(cell, 0), data)
        with evaluating(model), torch.no_grad():
            return tuple(model(torch.from_numpy(data.batch(slice(0, 1)))).shape)
    except Exception as error:  # a network of the user's may raise anything, and one may be larger than the memory
        return f"{type(error).__name__}: {error}"


def _with_adam(cell: Cell, data: ImageData) -> _Learnt:
    """The first whole of several trials from other initial weights, or the last one."""
    settings = replace(cell.training(0), optimizer="adam", learning_rate=ADAM_RATE, weight_decay=0.0)
    for block in range(DRAWS):
        found = _learn(trial_model(Trial(cell, block), data), data, settings, ADAM_STEPS)
        if found.whole:
            break
    return found


def _learn(model: nn.Module, data: ImageData, settings: TrainSettings, most: int) -> _Learnt:
    """Train on a handful of images until all are right, for so many steps at most."""
    train = data.train
    rows = np.concatenate([np.flatnonzero(train.labels == label)[:A_CLASS] for label in range(data.num_classes)])
    images, labels = torch.from_numpy(train.batch(rows)), torch.from_numpy(train.labels[rows])
    optimizer = make_optimizer(model, settings)
    first = last = accuracy = float("nan")
    model.train()
    with torch.random.fork_rng(devices=[]), _one_thread():
        torch.manual_seed(0)  # of dropout
        for step in range(most + 1):
            logits = model(images)
            loss = functional.cross_entropy(logits, labels)
            last, accuracy = loss.item(), float((logits.argmax(dim=1) == labels).double().mean())
            first = last if step == 0 else first
            if accuracy == 1 or not np.isfinite(last) or step == most:
                break
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    return _Learnt(accuracy, first, last, step)


@contextmanager
def _one_thread() -> Iterator[None]:
    """A few images are not worth the threads' waiting for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _shortened(cell: Cell, block: int) -> Trial:
    few = min(FEW_IMAGES, int(str(cell.settings.get("data.limit", FEW_IMAGES))))
    return Trial(Cell({**cell.settings, "training.epochs": 1, "data.limit": few}), block)
