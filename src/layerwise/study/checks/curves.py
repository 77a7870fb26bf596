"""What losses by epoch tell: whether training went on long enough, and whether confidence ran away.

check_flattened     curves that still fall at the end
check_confidence    a validation loss that rises while the accuracy does not fall
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from layerwise.arrays.blocks import bootstrap_interval
from layerwise.study.checks.check import Check, judge, tell_cells
from layerwise.study.file import Study

PARTS = 5
TELLS = 0.01
"""Of the loss of the first epoch: a change from one fifth of the epochs to the next that is worth a word."""


def check_flattened(study: Study, done: pd.DataFrame) -> Check:
    """Whether losses still fall from the last fifth but one of the epochs to the last.

    Of validation images where there are any, else of training images. By more than a hundredth of the first epoch's
    loss on average, and surely over blocks.
    """
    name, judged = "curves flattened", 0
    falling: dict[tuple[str, int], list[tuple[str, float]]] = {}
    for cell in study.cells:
        rows = done[done["cell"] == cell.address]
        for split in ("validation", "train"):
            curves = [curve for curve in rows[f"{split}_loss_curve"] if len(curve) > 1]
            if len(curves) < 2:
                continue
            judged += 1
            fall = bootstrap_interval([_last_fall(curve) for curve in curves])
            if fall.low > 0 and fall.value > TELLS:
                epochs = max(len(curve) for curve in curves)
                falling.setdefault((split, epochs), []).append((cell.address, fall.value))
            break
    if not judged:
        return Check(name, True, "not judged: that takes two blocks of two epochs")
    faults = [
        f"{_words(split)} loss still falls at epoch {epochs} in {tell_cells({one for one, _ in cells}, study.cells)}"
        f" (by up to {max(fall for _, fall in cells):.1%} of its first in the last fifth)"
        for (split, epochs), cells in falling.items()
    ]
    return judge(
        name, faults, otherwise=f"flat in the last fifth, in {judged} cells", do="train longer: raise training.epochs"
    )


def check_confidence(study: Study, done: pd.DataFrame) -> Check:
    """Whether validation losses rise from their lowest fifth to the last one, though the accuracy does not fall."""
    name, judged = "loss and accuracy agree", 0
    rising: dict[str, float] = {}
    for cell in study.cells:
        rows = done[(done["cell"] == cell.address) & (done["validation_loss_curve"].map(len) >= PARTS)]
        if len(rows) < 2:
            continue
        judged += 1
        losses, right = (_fifths(rows[f"validation_{what}_curve"]) for what in ("loss", "accuracy"))  # (R, 5) each
        lowest = int(losses.mean(axis=0).argmin())
        starts = np.array([curve[0] for curve in rows["validation_loss_curve"]])
        rise = bootstrap_interval((losses[:, -1] - losses[:, lowest]) / starts)
        gain = bootstrap_interval(right[:, -1] - right[:, lowest])
        if rise.low > 0 and rise.value > TELLS and gain.high >= 0:
            rising[cell.address] = float((losses[:, -1] - losses[:, lowest]).mean())
    if not judged:
        return Check(name, True, "not judged: that takes two blocks of five epochs with validation images")
    faults = []
    if rising:
        measures = done[done["cell"].isin(rising)][[one for one in ("ece", "temperature") if one in done]].mean()
        beside = "".join(f", {measure} {value:.3g}" for measure, value in measures.items())
        faults.append(
            f"validation loss rises by up to {max(rising.values()):.3g} while the accuracy does not fall, "
            f"in {tell_cells(set(rising), study.cells)}{beside}"
        )
    do = "networks grow too sure: look at ece, temperature and scaled_test_loss before calling it overfitting"
    return judge(name, faults, otherwise=f"no loss rises while its accuracy holds, in {judged} cells", do=do)


def _last_fall(curve: NDArray[np.float32]) -> float:
    """From the last fifth but one of the epochs to the last, as a part of the first epoch's loss."""
    width = max(1, len(curve) // PARTS)
    fall = curve[-2 * width : -width].mean() - curve[-width:].mean()
    return float(fall / max(float(curve[0]), 1e-12))


def _fifths(curves: Sequence[NDArray[np.float32]] | pd.Series) -> NDArray[np.float64]:
    """The mean of each fifth of the epochs, shape (R, 5)."""
    return np.array([[part.mean() for part in np.array_split(curve, PARTS)] for curve in curves], np.float64)


def _words(split: str) -> str:
    return "training" if split == "train" else split
