"""Training dynamics that are made up, so that one knows which labels are wrong and which images ambiguous."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from layerwise.data.images import ImageData
from layerwise.difficulty.folds import FoldedDepths
from layerwise.difficulty.labels.errors import find_label_errors
from layerwise.difficulty.labels.evidence import Evidence
from layerwise.difficulty.labels.folder import save_label_errors
from layerwise.runs import read_table, write_all, write_table
from layerwise.seeds import stream
from layerwise.training.dynamics import Dynamics
from layerwise.training.dynamics_log import DynamicsLog

FINE, WRONG, AMBIGUOUS, CLASSES, EPOCHS = 80, 10, 10, 4, 8


def kinds() -> np.ndarray:
    """What each of the 100 examples is."""
    return np.repeat(["fine", "mislabelled", "ambiguous"], [FINE, WRONG, AMBIGUOUS])


def made_up() -> Dynamics:
    """A network that learns the fine ones soon, gives wrong ones the next class, and wavers on ambiguous ones."""
    generator, of_kind = stream(0, "dynamics"), kinds()
    rows = np.arange(len(of_kind))
    labels = rows % CLASSES
    log = DynamicsLog(len(rows), CLASSES, curves=True)
    wavers = of_kind == "ambiguous"
    seen = np.where(of_kind == "mislabelled", (labels + 1) % CLASSES, labels)
    for epoch in range(EPOCHS):
        sure = 4.0 * (epoch + 1) / EPOCHS
        logits = generator.normal(0, 0.3, (len(rows), CLASSES))
        logits[rows, seen] += np.where(wavers, sure / 4, sure)
        logits[rows, (labels + 2) % CLASSES] += np.where(wavers, sure / 4, 0.0)
        log.update(rows, logits, labels)
    return log.result()


def write_labels(run: Path, *, class_names: tuple[str, ...] = ("ant", "bee", "cat", "dog"), taps: int = 3) -> Path:
    """Put the made-up dynamics and suspect labels into a run folder, with neighbours drawn at random."""
    ids = np.array([f"train-{row:05d}" for row in range(100)])
    dynamics, generator = made_up(), stream(0, "neighbours")
    dynamics.save(run, ids)
    errors = find_label_errors(dynamics, ids=ids, class_names=class_names)
    rows = errors.order[:14]
    neighbors = generator.integers(0, 100, (len(rows), taps, 10))
    classes = dynamics.labels[neighbors]
    evidence = Evidence(
        errors,
        rows,
        tuple(f"<tap {tap}>" for tap in range(taps)),
        (classes == errors.labels[rows, None, None]).mean(axis=2),
        (classes == errors.suggested[rows, None, None]).mean(axis=2),
        neighbors.astype(np.int32),
    )
    images = ImageData.create(
        generator.integers(0, 256, (100, 3, 8, 8), dtype=np.uint8), dynamics.labels, ids=ids, class_names=class_names
    )
    save_label_errors(run, errors, evidence, images, facts={"k": 10})
    return run


def write_folds(run: Path, *, class_names: tuple[str, ...] = ("ant", "bee", "cat", "dog"), taps: int = 3) -> Path:
    """Put made-up depths in and out of training into a run folder: wrong labels are deep where they were trained on."""
    generator, of_kind = stream(0, "folds"), kinds()
    count = len(of_kind)
    labels = np.arange(count) % CLASSES
    seen = np.where(of_kind == "mislabelled", (labels + 1) % CLASSES, labels)
    found = FoldedDepths(
        ids=np.array([f"train-{row:05d}" for row in range(count)]),
        labels=labels,
        class_names=class_names,
        tap_names=tuple(f"<tap {tap}>" for tap in range(taps)),
        folds=np.arange(count) % 5,
        training_depth=np.where(of_kind == "fine", generator.choice([0.0, 0.25], count), 2.5),
        held_out_depth=np.where(of_kind == "ambiguous", taps, generator.choice([0.0, 1.0], count, p=[0.8, 0.2])),
        held_out_soft_depth=np.zeros(count),
        probabilities=0.6 * np.eye(len(class_names))[seen] + 0.4 / len(class_names),
    )
    write_all(run, {"folds.json": {"folds": 5, "taps": found.tap_names}, "folds.parquet": found.table()})
    return run


def measured_in_training(run: Path) -> Path:
    """Put the made-up dynamics and labels into a run that measured 100 training images of four classes: these ones."""
    examples = read_table(write_labels(run) / "examples.parquet")
    train = (examples["split"] == "train").to_numpy()
    examples.loc[train, "id"] = read_table(run / "labels" / "labels.parquet")["id"].to_numpy()
    write_table(run / "examples.parquet", examples)
    return run
