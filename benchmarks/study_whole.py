"""The inductive-bias study: stacks on all cores against the notebook's plain loop in one process, time of one seed."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from layerwise.data.images import ImageData
from layerwise.progress import silent
from layerwise.study.cells import Cell
from layerwise.study.engines.stacked import run_stacked
from layerwise.study.file import Study
from layerwise.study.named import find_studies, list_studies
from layerwise.study.running import run_study
from layerwise.study.trials import Trial, trial_data, trial_model

LOOP_STEPS = 60
"""Steps of the loop that are timed for each kind of cell, at least; its time grows with epochs and nothing else."""


@dataclass(frozen=True)
class Scope:
    """Which part of the study is timed.

    Attributes:
        studies: names.
        seeds: of the stacked side; a multiple of the lanes fills all of them.
        epochs: instead of a cell's own, or 0.
    """

    studies: tuple[str, ...]
    seeds: int
    epochs: int = 0


WHOLE = Scope(
    tuple(name for name in list_studies() if name.startswith("inductive-bias/") and not name.endswith("/q8-search")),
    seeds=8,
)
"""The notebook's questions; it has no search."""

QUICK = Scope(("inductive-bias/q1-overfit",), seeds=16, epochs=100)


def measure_whole(scope: Scope) -> dict[str, Any]:
    """Seconds of a seed by stacks, and by the loop."""
    studies = [_shortened(one, scope) for name in scope.studies for one in find_studies(name)]
    cells = {cell.address: cell for one in studies for cell in one.cells}
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        for one in studies:
            run_study(one, Path(folder) / one.name, run_stacked, progress=silent)
        stacked = (time.perf_counter() - started) / scope.seeds
    loop = sum(_loop_seconds(cells.values()).values())
    return {
        "speedup_loop": round(loop / stacked, 2),
        "loop_s_per_seed": round(loop, 1),
        "stacked_s_per_seed": round(stacked, 2),
        "cells": len(cells),
        "seeds": scope.seeds,
        "epochs": scope.epochs or "as planned",
    }


def _shortened(study: Study, scope: Scope) -> Study:
    contenders = study.contenders
    if scope.epochs:
        contenders = tuple(
            Cell({**one.settings, "training.epochs": scope.epochs}) for one in contenders if isinstance(one, Cell)
        )
    return replace(study, contenders=contenders, comparisons=(), references=(), seeds=scope.seeds, looks=(scope.seeds,))


def _loop_seconds(cells: Iterable[Cell]) -> Mapping[str, float]:
    """Of each cell in the plain loop: images drawn, all epochs (by the time of some), and the test images classified.

    Cells that differ in nothing that costs time are timed once.
    """
    cost: dict[str, tuple[float, float]] = {}
    seconds = {}
    for cell in cells:
        training = cell.training(seed=0)
        kind = f"{cell.model_spec} {cell.kernels} {cell.data_spec} {training.batch_size}"
        if kind not in cost:
            cost[kind] = _timed(cell)
        fixed, epoch = cost[kind]
        seconds[cell.address] = fixed + training.epochs * epoch
    return seconds


def _timed(cell: Cell) -> tuple[float, float]:
    """Seconds once, and for an epoch."""
    trial = Trial(cell, 0)
    started = time.perf_counter()
    data = trial_data(trial)
    model = trial_model(trial, data)
    training = cell.training(seed=0)
    train, validation, test = (_tensors(data.split(split)) for split in ("train", "validation", "test"))
    loader = DataLoader(train, batch_size=training.batch_size, shuffle=True)
    _evaluate(model, DataLoader(test, batch_size=1000))
    fixed = time.perf_counter() - started
    optimizer = torch.optim.SGD(
        (one for one in model.parameters() if one.requires_grad), lr=training.learning_rate, momentum=training.momentum
    )
    epochs = -(-LOOP_STEPS // len(loader))
    _epoch(model, loader, optimizer)
    started = time.perf_counter()
    for _ in range(epochs):
        _epoch(model, loader, optimizer)
        _evaluate(model, DataLoader(validation, batch_size=training.batch_size))
    return fixed, (time.perf_counter() - started) / epochs


def _tensors(data: ImageData) -> TensorDataset:
    return TensorDataset(torch.from_numpy(data.batch(slice(0, len(data)))), torch.from_numpy(data.labels))


def _epoch(model: nn.Module, loader: DataLoader[Any], optimizer: torch.optim.Optimizer) -> tuple[float, float]:
    """As one writes it: the mean loss, and the share that was right."""
    model.train()
    criterion, loss_sum, right, count = nn.CrossEntropyLoss(), 0.0, 0, 0
    for images, labels in loader:
        optimizer.zero_grad()
        logits = model(images)
        loss = criterion(logits, labels)
        loss.backward()
        optimizer.step()
        loss_sum += loss.item() * len(images)
        right += int((logits.argmax(1) == labels).sum())
        count += len(images)
    return loss_sum / count, right / count


@torch.no_grad()
def _evaluate(model: nn.Module, loader: DataLoader[Any]) -> tuple[float, float]:
    model.eval()
    criterion, loss_sum, right, count = nn.CrossEntropyLoss(), 0.0, 0, 0
    for images, labels in loader:
        logits = model(images)
        loss_sum += criterion(logits, labels).item() * len(images)
        right += int((logits.argmax(1) == labels).sum())
        count += len(images)
    return loss_sum / count, right / count
