"""What surrounds the training of a study: asking again, kills, and what engines add to the work."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from layerwise.seeds import stream
from layerwise.study.cells import Cell, Value
from layerwise.study.engines import on_ray
from layerwise.study.engines.loop import run_in_loop
from layerwise.study.engines.on_ray import run_on_ray
from layerwise.study.engines.processes import run_in_processes
from layerwise.study.file import parse_study
from layerwise.study.running import run_study
from layerwise.study.store import Store
from layerwise.study.trials import MEASURES, Record, Trial

MANY = """
title = "Many cells"
hypothesis = "Asked again, nothing is trained."
seeds = 1
[all]
data.kind = "edges"
training.optimizer = "sgd"
[[cells]]
model.name = "simple-cnn"
training.learning_rate = {rates}
training.epochs = {epochs}
"""
KILLED = """
title = "Killed"
hypothesis = "After kills the same numbers come out."
seeds = {seeds}
[all]
data.kind = "edges"
data.resolution = 12
data.validation_per_class = 10
data.test_per_class = 100
training.optimizer = "sgd"
training.learning_rate = 0.05
training.batch_size = 10
training.epochs = 15
data.train_per_class = 20
[[cells]]
model.name = "simple-cnn"
model.kernel = 3
[[cells]]
model.name = "three-layer-mlp"
model.side = 12
"""
LONGEST_UNKILLED_S = 25.0
SLEEPER = "sleeper.py"
SLEEPING = """import time
from torch import nn
def sleeper(num_classes, in_channels):
    time.sleep(5)
    return nn.Sequential(nn.Flatten(), nn.Linear(64 * in_channels, num_classes))
"""


def measure_recheck() -> dict[str, Any]:
    """Seconds to find that a study of 10,000 cells is finished, its file read and all cells checked."""
    text = MANY.format(rates=[round(0.001 * step, 3) for step in range(1, 101)], epochs=list(range(1, 101)))
    with tempfile.TemporaryDirectory() as folder:
        study = parse_study(text, name="many")
        run_study(study, Path(folder) / "many", _made_up)
        started = time.perf_counter()
        run_study(parse_study(text, name="many"), Path(folder) / "many", _refuse)
        return {"recheck_s": round(time.perf_counter() - started, 2), "recheck_cells": len(study.cells)}


def _made_up(trials: Sequence[Trial]) -> Iterator[Record]:
    curve = {"train_loss": np.linspace(1, 0, 50)}
    return (Record(one.cell.address, one.block, "done", "", 1.0, dict.fromkeys(MEASURES, 0.5), curve) for one in trials)


def _refuse(trials: Sequence[Trial]) -> Iterator[Record]:
    raise RuntimeError(f"{len(trials)} trials were to be run again")


def measure_kills(kills: int, *, seeds: int = 24) -> dict[str, Any]:
    """`kill -9` at random moments, then resumed: whether each final table has the bytes of the loop's."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        text = KILLED.format(seeds=seeds)
        (folder / "killed.toml").write_text(text)
        wanted = _bytes(run_study(parse_study(text, name="killed"), folder / "loop", run_in_loop))
        command = [sys.executable, "-c", "from layerwise.cli import main; main()", "study", "run", "killed.toml"]
        command += ["--engine", "processes", "--no-check", "-o", "killed"]
        draw, killed, equal = stream(0, "benchmark of kills"), 0, list[bool]()
        while killed < kills or not equal:
            moment = draw.uniform(0.5, LONGEST_UNKILLED_S) if killed < kills else None
            if _killed_at(moment, command, folder):
                killed += 1
                continue
            equal.append(_bytes(Store(folder / "killed" / "killed")) == wanted)
            shutil.rmtree(folder / "killed")
    return {"kills": killed, "tables_after_kills": len(equal), "tables_equal": sum(equal)}


def _killed_at(moment: float | None, command: Sequence[str], folder: Path) -> bool:
    """Whether a command and all its processes were killed after so many seconds; it may have ended before."""
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, cwd=folder, stdout=quiet, stderr=quiet, start_new_session=True)
    try:
        process.wait(timeout=moment)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return True
    return False


def _bytes(store: Store) -> bytes:
    """All but the times, which no two runs share."""
    table = store.table(series=True).drop(columns="seconds")
    return b"".join(np.asarray(cell).tobytes() for row in table.itertuples(index=False) for cell in row)


def measure_overhead(trials: int) -> dict[str, Any]:
    """The share by which two workers take longer than their trials of five seconds do.

    Each worker's first trial is left out: it loads what all need, which takes seconds and happens once.
    """
    engines: dict[str, Callable[[Sequence[Trial]], Iterator[Record]]] = {
        "processes": lambda some: run_in_processes(some, processes=2)
    }
    if find_spec("ray"):
        on_ray.CHUNK_S = 5.0
        engines["ray"] = lambda some: run_on_ray(some, stacked=False)
    result: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / SLEEPER).write_text(SLEEPING)
        settings: dict[str, Value] = {
            "data.kind": "edges",
            "data.resolution": 8,
            "data.width": [1, 2],
            "data.train_per_class": 2,
        }
        settings |= {"data.test_per_class": 5, "model.name": f"{folder}/{SLEEPER}:sleeper", "training.epochs": 1}
        cell = Cell(settings)
        for name, engine in engines.items():
            result |= {f"overhead_{name}": _overhead(engine, [Trial(cell, block) for block in range(trials)])}
    return result


def _overhead(engine: Callable[[Sequence[Trial]], Iterator[Record]], trials: Sequence[Trial]) -> float:
    started = time.perf_counter()
    ends, seconds = [], []
    for record in engine(trials):
        if record.status != "done":
            raise RuntimeError(record.error)
        ends.append(time.perf_counter() - started)
        seconds.append(record.seconds)
    return round(2 * (ends[-1] - ends[1]) / sum(seconds[2:]) - 1, 4)
