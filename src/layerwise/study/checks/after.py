"""What the numbers of finished runs tell of the experiment itself.

check_failures      runs that came to nothing
check_losses        losses that no mean over images can be
check_kernels       kernels that training left as they were
check_saturation    a measure at its end, or at guessing, where differences cannot show
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from layerwise.study.checks.check import Check, judge, tell_cells
from layerwise.study.file import Study
from layerwise.study.tuning import all_cells, runs_of

CEILING = 0.995
"""An accuracy above which a better network could hardly be told from a good one."""

SPLITS = ("train", "validation", "test")
ROUNDING = 1e-5
"""Losses and accuracies are kept in float32."""


def check_failures(study: Study, records: pd.DataFrame) -> Check:
    """Whether the runs that are there came to something."""
    bad = records[records["status"] != "done"]
    faults = []
    if len(bad):
        counts = ", ".join(f"{count} {status}" for status, count in bad["status"].value_counts().items())
        first = str(bad["error"].iloc[0]).partition("\n")[0]
        faults.append(f"{counts} of {len(records)} runs, in {tell_cells(set(bad['cell']), study.cells)}: {first}")
    planned = len(study.cells) * study.seeds
    do = "mend what failed and run it again with --retry; lower training.learning_rate where runs diverged"
    return judge("no run failed", faults, otherwise=f"{len(records)} of {planned} runs are there", do=do)


def check_losses(study: Study, done: pd.DataFrame) -> Check:
    """Whether losses can be means over images: one that is wrong adds ln 2 or more.

    A wrong prediction leaves the label a probability of a half at most. So a mean cross-entropy is at least
    (1 - accuracy) ln 2; a sum of batch means over the number of images is less.
    """
    found: dict[str, list[tuple[str, float, float]]] = {}
    for row in done.to_dict("records"):
        for split in SPLITS:
            losses = np.append(row.get(f"{split}_loss_curve", ()), row[f"{split}_loss"]).astype(np.float64)
            right = np.append(row.get(f"{split}_accuracy_curve", ()), row[f"{split}_accuracy"]).astype(np.float64)
            bad = np.flatnonzero(losses < (1 - right) * np.log(2) - ROUNDING)
            if len(bad):
                found.setdefault(split, []).append((row["cell"], losses[bad[0]], right[bad[0]]))
    faults = [
        f"{split} loss {loss:.3g} at accuracy {right:.3f} is below its least {(1 - right) * np.log(2):.3g}, "
        f"in {tell_cells({one for one, _, _ in places}, study.cells)}"
        for split, places in found.items()
        for _, loss, right in places[:1]
    ]
    do = "sum the losses of all images and divide by their number; a batch's mean counts as often as it has images"
    return judge(
        "losses are means over images", faults, otherwise=f"possible at their accuracy in {len(done)} runs", do=do
    )


def check_kernels(study: Study, done: pd.DataFrame) -> Check:
    """Whether training moved the first convolution; cells with `model.kernels = "edges"` are meant to keep it."""
    kept = {cell.address for cell in study.cells if cell.kernels == "edges"}
    rows = done[done["kernels_before"].map(len) > 0]
    still, moved = [], []
    for cell, before, after in zip(rows["cell"], rows["kernels_before"], rows["kernels_after"], strict=True):
        if cell not in kept and np.array_equal(before, after):
            still.append(cell)
        elif cell not in kept:
            moved.append(float(np.linalg.norm(after - before)) / max(float(np.linalg.norm(before)), 1e-12))
    faults = []
    if still:
        faults.append(f"{len(still)} runs end with the kernels they began with, in {tell_cells({*still}, study.cells)}")
    otherwise = f"moved by {min(moved):.1%} of their length or more" if moved else "no kernels are trained"
    do = 'train them: look for frozen parameters, or for ReLUs that never fire; or say model.kernels = "edges"'
    return judge("kernels moved", faults, otherwise=otherwise, do=do)


def check_saturation(study: Study, done: pd.DataFrame) -> Check:
    """Whether both sides of a comparison of accuracies are at the ceiling, or both at guessing, in most blocks."""
    faults: dict[str, int] = {}
    compared, contenders = 0, {one.address: one for one in study.contenders}
    for one in study.comparisons:
        if not one.measure.endswith("_accuracy") or one.kind not in ("difference", "same", "interaction"):
            continue
        compared += 1
        sides = [contenders[address] for address in one.cells]
        ends = {_end(runs_of(done, side), one.measure) for side in sides}
        if len(ends) == 1 and (end := ends.pop()):
            words = f"{one.measure} is {end} in {tell_cells({cell.address for cell in all_cells(sides)}, study.cells)}"
            faults[words] = faults.get(words, 0) + 1
    otherwise = "not judged: accuracies are not compared"
    if compared:
        otherwise = f"{compared} comparisons of accuracies, none with all sides at the ceiling or at guessing"
    do = "ask for more: fewer images, harder ones, or a loss as the measure (at guessing: an easier task)"
    return judge("measure not saturated", list(faults), otherwise=otherwise, do=do)


def _end(rows: pd.DataFrame, measure: str) -> str:
    """Where most of the blocks lie: at 0.995 or more, within two standard errors of guessing, or "" for neither."""
    values = rows[measure].to_numpy(np.float64)
    if not len(values):
        return ""
    if (values >= CEILING).mean() > 0.5:
        return f"{CEILING} or more"
    confusion = rows["confusion"].iloc[0]
    classes, images = round(np.sqrt(len(confusion))), np.sum(confusion)
    if classes < 2 or not images:
        return ""
    guess = 1 / classes
    error = np.sqrt(guess * (1 - guess) / images)
    return f"that of guessing ({guess:.3f})" if (np.abs(values - guess) <= 2 * error).mean() > 0.5 else ""
