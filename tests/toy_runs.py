"""Run folders made up from a latent difficulty: what a measurement would leave behind, without any network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from layerwise.runs import write_array, write_json, write_table
from layerwise.seeds import stream

SHAPES = ("circle", "square", "rectangle", "right_triangle", "heart", "ellipse")
RESNET18 = ("input", "conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3", "layer4", "avgpool", "softmax")


def make_run(
    path: Path,
    *,
    class_names: tuple[str, ...] = SHAPES,
    tap_names: tuple[str, ...] = RESNET18,
    split_counts: dict[str, int] | None = None,
    base_count: int = 120,
    k: int = 10,
    channels: int = 1,
    side: int = 16,
    factors: bool = True,
    history: bool = True,
    seed: int = 0,
) -> Path:
    """Write a run folder: harder examples are decided later, and are wrong more often."""
    split_counts = split_counts or {"test": 160}
    random = stream(seed, "toy run")
    classes, taps, count = len(class_names), len(tap_names), sum(split_counts.values())
    base_labels = np.arange(base_count) % classes
    labels = random.integers(0, classes, count)
    hard = random.beta(1.2, 2.0, count)  # (N,)
    chance = 1 / (1 + np.exp(-(np.linspace(-3, 9, taps) - 10 * hard[:, None])))  # (N, L)
    decided = random.random((count, 1)) + 0.1 * random.standard_normal((count, taps)) < chance
    other = (labels[:, None] + random.integers(1, max(classes, 2), (count, taps))) % classes
    votes = np.where(decided, labels[:, None], other)
    wrong = random.random(count) < 0.6 * hard**2
    predictions = np.where(wrong, other[:, -1], labels)
    neighbors = _neighbors(votes, base_labels, k, random)
    resolved_at = np.logical_and.accumulate((votes == predictions[:, None])[:, ::-1], axis=1).sum(axis=1)
    depth = taps - resolved_at
    names = np.array(class_names, dtype=object)
    examples = pd.DataFrame(
        {
            "id": [f"{split}-{n:05d}" for split, many in split_counts.items() for n in range(many)],
            "split": np.repeat(list(split_counts), list(split_counts.values())),
            "label": labels,
            "label_name": names[labels],
            "prediction": predictions,
            "prediction_name": names[predictions],
            "confidence": np.clip(1 - 0.6 * hard + 0.05 * random.standard_normal(count), 1 / classes, 1.0),
            "correct": labels == predictions,
            "depth": depth,
            "resolved": depth < taps,
            "reference": predictions,
        }
    )
    if factors:
        examples["factor_size"] = np.clip(1 - hard + 0.15 * random.standard_normal(count), 0.05, None)
        examples["factor_noise"] = hard + 0.4 * random.random(count)
        examples["factor_occluded"] = random.random(count) < hard
        examples["factor_rotation_degrees"] = random.uniform(0, 360, count)
        examples["factor_source"] = "drawn"
    write_table(path / "examples.parquet", examples)
    write_table(path / "taps.parquet", _taps(tap_names))
    write_table(
        path / "base.parquet", pd.DataFrame({"id": [f"train-{n:05d}" for n in range(base_count)], "label": base_labels})
    )
    write_array(path / "votes.npy", votes.astype(np.int64))
    write_array(path / "neighbors.npy", neighbors.astype(np.int32))
    write_array(path / "thumbnails.npy", _images(labels, classes, 1 - hard, channels, side, random))
    write_array(
        path / "base_thumbnails.npy", _images(base_labels, classes, np.ones(base_count), channels, side, random)
    )
    if history:
        write_table(path / "history.parquet", _history())
    write_json(path / "run.json", _provenance(split_counts, k))
    write_json(path / "model.json", {"spec": "resnet18-cifar", "class_names": list(class_names)})
    return path


def _neighbors(votes: np.ndarray, base_labels: np.ndarray, k: int, random: np.random.Generator) -> np.ndarray:
    """Rows of the base, of which most are of the voted class, (N, L, k)."""
    rows = random.integers(0, len(base_labels), (*votes.shape, k))
    for label in np.unique(votes):
        own = np.flatnonzero(base_labels == label)
        chosen = own[random.integers(0, len(own), rows.shape)] if len(own) else rows
        take = (votes == label)[..., None] & (random.random(rows.shape) < 0.75)
        rows = np.where(take, chosen, rows)
    return rows


def _images(
    labels: np.ndarray, classes: int, contrast: np.ndarray, channels: int, side: int, random: np.random.Generator
) -> np.ndarray:
    """A bright polygon-like blob with as many lobes as its class has a number, (N, C, side, side) bytes."""
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    turn = random.uniform(0, 2 * np.pi, len(labels))[:, None, None]
    lobes = 0.55 + 0.25 * np.cos((labels[:, None, None] % 12 + 1) * angle + turn)
    grey = (
        0.25
        + (0.2 + 0.5 * contrast[:, None, None]) * (radius < lobes)
        + 0.05 * random.standard_normal((len(labels), side, side))
    )
    tint = np.linspace(1.0, 0.5, channels)[None, :, None, None]
    return (255 * np.clip(grey[:, None] * tint, 0, 1)).astype(np.uint8)


def _taps(tap_names: tuple[str, ...]) -> pd.DataFrame:
    order = np.arange(len(tap_names))
    return pd.DataFrame(
        {
            "order": order,
            "name": tap_names,
            "shape": [f"{2 ** (l // 2)}×16×16" for l in order],
            "features": 256 * 2 ** (order // 2),
            "parameters": 1000 * order,
            "macs": 1_000_000 * order.cumsum(),
        }
    )


def _history(epochs: int = 10) -> pd.DataFrame:
    epoch = np.arange(1, epochs + 1)
    train = pd.DataFrame(
        {"split": "train", "loss": 1.7 * np.exp(-0.5 * epoch), "accuracy": 1 - 0.7 * np.exp(-0.5 * epoch)}
    )
    held = pd.DataFrame(
        {"split": "validation", "loss": 0.3 + 1.3 * np.exp(-0.4 * epoch), "accuracy": 0.91 - 0.6 * np.exp(-0.4 * epoch)}
    )
    return pd.concat([train, held], ignore_index=True).assign(epoch=np.tile(epoch, 2), lr=1e-4, time_s=12.5)


def _provenance(split_counts: dict[str, int], k: int) -> dict[str, object]:
    measured = {
        "data": "shapes",
        "k": k,
        "agree_with": "prediction",
        "split": " ".join(split_counts),
        "seconds": {"recording": 41.5},
    }
    trained = {"data": "shapes", "model": "resnet18-cifar", "seed": 0, "epochs": 10}
    return {"format": 1, "steps": {"train": trained, "difficulty": measured | {"model_fingerprint": "a1" * 32}}}
