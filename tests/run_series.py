"""Runs of several seeds that are made up: what `layerwise difficulty` would leave of the same examples and taps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from layerwise.difficulty.over_runs import combine_runs
from layerwise.runs import note_step, write_all
from layerwise.seeds import stream
from layerwise.training.dynamics import Dynamics

TAPS, COUNT, EPOCHS = ("input", "layer1", "softmax"), 60, 5


def write_series(
    folder: Path, runs: int = 3, *, noted: bool = True, names: tuple[str, ...] = ("ant", "bee"), **facts: Any
) -> list[Path]:
    """Run folders whose depths share what is hard of an example, and differ by chance."""
    folders = [folder / f"seed{seed}" for seed in range(runs)]
    for seed, run in enumerate(folders):
        write_member(run, seed, noted=noted, names=names, **facts)
    return folders


def write_over_runs(run: Path, *, names: tuple[str, ...] = ("ant", "bee"), runs: int = 3) -> Path:
    """Put depths over such runs into a run folder."""
    found = combine_runs(write_series(run / "series", runs, names=names))
    write_all(run, {"over_runs.json": found.facts(), "over_runs.parquet": found.table()})
    return run


def write_member(
    run: Path,
    seed: int,
    *,
    noted: bool = True,
    soft: bool = True,
    names: tuple[str, ...] = ("ant", "bee"),
    **facts: Any,
) -> Path:
    """One of them; `facts` stand in run.json instead of those that all share."""
    hard, chance = stream(0, "hard").random(COUNT), stream(seed, "chance").normal(0, 0.2, COUNT)
    depth = np.clip(np.rint(3 * (hard + chance)), 0, len(TAPS)).astype(np.int64)
    examples = pd.DataFrame(
        {
            "id": [f"test-{row:03d}" for row in range(COUNT)],
            "split": "test",
            "label": np.arange(COUNT) % 2,
            "label_name": np.array(names, dtype=object)[np.arange(COUNT) % 2],
            "correct": depth < 2,
            "depth": depth,
            "resolved": depth < len(TAPS),
        }
    )
    if soft:
        examples["soft_depth"] = np.clip(3 * (hard + chance), 0, len(TAPS))
    common = {
        "taps": list(TAPS), "k": 30, "agree_with": "prediction", "data": "toys", "data_fingerprint": "f00d",
        "model_fingerprint": f"network {seed}",
    }  # fmt: skip
    write_all(run, {"examples.parquet": examples})
    note_step(run, "difficulty", common | facts)
    if noted:
        scores = {"aum": 5 - hard - chance, "el2n": hard + chance, "unheard of": hard}
        rows = np.arange(COUNT)
        dynamics = Dynamics(EPOCHS, rows % 2, scores, 1 - rows % 2, np.ones(COUNT))
        dynamics.save(run, [f"train-{row:03d}" for row in rows])
    return run
