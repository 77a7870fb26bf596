"""A made-up run folder of any size for the explorer, with real pictures where CIFAR-10 is at hand, else drawn ones.

Harder examples are decided later and lie between the classes for longer. No network is behind it: what is timed is how
a browser shows so many points, votes, neighbours and pictures.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import layerwise as lw
from layerwise.runs import write_all
from layerwise.seeds import stream

NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
CLASSES, BASE, K, SPREAD = len(NAMES), 10_000, 10, 0.13
DRAWN = {"dims": 50, "explained": 0.9, "seconds": 1.0}


def write_run(run: Path, *, count: int = 60_000, taps: int = 12, pictures: bool = True, seed: int = 0) -> Path:
    """Write a run folder with votes and a map of every tap; pictures and neighbours unless they are not wanted."""
    random = stream(seed, "made-up run")
    images, labels = load_pictures(count, random) if pictures else (None, random.integers(0, CLASSES, count))
    hard = random.beta(1.2, 2.5, count)  # (N,)
    decided_at = np.clip(hard * 1.3 * taps + random.normal(0, 0.7, count), 0, taps).astype(np.int64)
    other = (labels + random.integers(1, CLASSES, count)) % CLASSES
    decided = np.arange(taps) >= decided_at[:, None]  # (N, L)
    predictions = np.where(random.random(count) < 0.5 * hard**2, other, labels)
    astray = random.integers(0, CLASSES, (count, taps))
    astray[:, -1] = other
    votes = np.where(decided, predictions[:, None], astray)
    agrees = votes == predictions[:, None]
    depth = taps - np.logical_and.accumulate(agrees[:, ::-1], axis=1).sum(axis=1)
    names = np.array([f"block{number}" for number in range(taps)])
    examples = pd.DataFrame(
        {
            "id": [f"test-{row:05d}" for row in range(count)],
            "split": "test",
            "label": labels,
            "prediction": predictions,
            "confidence": np.clip(1 - 0.7 * hard + random.normal(0, 0.03, count), 0.1, 1),
            "depth": depth,
            "reference": predictions,
            "soft_depth": depth + random.random(count),
            "factor_noise": hard,
        }
    )
    shown = {} if images is None else _pictures(images, labels, votes, random)
    write_all(
        run,
        {
            "run.json": {"format": 1, "steps": {"difficulty": {"k": K, "agree_with": "prediction"}}},
            "model.json": {"spec": "made up", "class_names": list(NAMES)},
            "examples.parquet": examples,
            "taps.parquet": pd.DataFrame(
                {"order": np.arange(taps), "name": names, "shape": "16×8×8", "features": 1024}
            ),
            "votes.npy": votes,
            **shown,
        },
    )
    write_maps(run, examples, names, decided, random)
    return run


def _pictures(
    images: NDArray[np.uint8], labels: NDArray[np.int64], votes: NDArray[np.int64], random: np.random.Generator
) -> dict[str, Any]:
    """Files with pictures of the examples, and of the probes' training images and which of them are near."""
    base = np.arange(BASE) % len(images)
    ids = [f"train-{row:05d}" for row in range(BASE)]
    return {
        "base.parquet": pd.DataFrame({"id": ids, "label": labels[base]}),
        "neighbors.npy": draw_neighbors(votes, labels[base], random),
        "thumbnails.npy": images,
        "base_thumbnails.npy": images[base],
    }


def load_pictures(count: int, random: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Pictures (count, C, h, w) and their labels: CIFAR-10's, over and over where more are asked for; else drawn."""
    folder = Path(os.environ.get("LAYERWISE_DATA", "")) / "data" / "cifar10"
    if folder.joinpath("train.parquet").is_file():
        train, test = (lw.load_data(f"parquet:{folder / name}.parquet").split(name) for name in ("train", "test"))
        rows = np.arange(count) % (len(train) + len(test))
        images = np.concatenate([np.asarray(one.images[: rows.max() + 1]) for one in (train, test)])
        return images[rows], np.concatenate([train.labels, test.labels])[rows]
    drawn = lw.load_shapes(train=min(count, 2_000), test=6, seed=0).train
    rows = random.integers(0, len(drawn), count)
    return np.asarray(drawn.images)[rows], drawn.labels[rows]


def draw_neighbors(
    votes: NDArray[np.int64], base_labels: NDArray[np.int64], random: np.random.Generator
) -> NDArray[np.int32]:
    """Rows of the base, three of four of the voted class, (N, L, K)."""
    rows = random.integers(0, len(base_labels), (*votes.shape, K), dtype=np.int32)
    for label in np.unique(base_labels):
        own = np.flatnonzero(base_labels == label).astype(np.int32)
        take = (votes == label)[..., None] & (random.random(rows.shape, np.float32) < 0.75)
        rows[take] = own[random.integers(0, len(own), int(take.sum()))]
    return rows


def write_maps(
    run: Path, examples: pd.DataFrame, names: NDArray[np.str_], decided: NDArray[np.bool_], random: np.random.Generator
) -> None:
    """Maps in which each example goes from the middle to its class once it is decided."""
    count, taps = decided.shape
    own = random.normal(0, SPREAD, (count, 2))
    place = random.normal(0, 0.5, (count, 2))
    angle = 2 * np.pi * examples["prediction"].to_numpy() / CLASSES
    towards = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    stems = [f"{order:02d}-tap" for order in range(taps)]
    for order, stem in enumerate(stems):
        goal = np.where(decided[:, order, None], towards * (1 + order / taps), place)
        place = place + 0.6 * (goal - place) + 0.02 * random.normal(size=place.shape)
        table = examples[["id", "label"]].assign(feature_vote=examples["label"])
        table["tsne_x"], table["tsne_y"] = (place + own).T
        table["tsne_trust"], table["tsne_recall"], table["tsne_vote"] = 0.9, 0.3, examples["prediction"]
        facts = {"tap": str(names[order]), "order": order, "k": 10, "methods": {"tsne": DRAWN}}
        write_all(run / "maps", {f"{stem}.json": facts, f"{stem}.parquet": table})
    write_all(run / "maps", {"maps.json": {"key": {"class_names": list(NAMES), "images": "test"}, "taps": stems}})
