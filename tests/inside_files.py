"""What `layerwise inside` leaves in a run folder, made up for a toy run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from layerwise.inside.feature_folder import save_features, save_filters
from layerwise.inside.feature_maps import Features
from layerwise.inside.filters import Filters
from layerwise.runs import read_json, read_table, write_all, write_json
from layerwise.seeds import stream

TAPS = ("input", "layer1", "softmax")


def write_maps(run: Path, *, taps: tuple[str, ...] = TAPS) -> Path:
    """Two maps of each tap, in which the classes part more and more."""
    folder, random = run / "maps", stream(0, "maps")
    examples = read_table(run / "examples.parquet")
    names = read_json(run / "model.json")["class_names"]
    labels = examples["label"].to_numpy()
    stems = []
    for order, tap in enumerate(taps):
        points = pd.DataFrame({"id": examples["id"], "label": labels, "feature_vote": labels})
        for method in ("pca", "tsne"):
            angle = 2 * np.pi * labels / len(names)
            for column, centre in (("x", np.cos(angle)), ("y", np.sin(angle))):
                points[f"{method}_{column}"] = order * centre + random.normal(size=len(labels))
            points[f"{method}_trust"], points[f"{method}_recall"] = 0.9, 0.4
            points[f"{method}_vote"] = np.where(random.random(len(labels)) < 0.3 * order, labels, 0)
        facts = {"dims": 50, "explained": 0.8, "seconds": 1.5}
        methods = {"pca": facts, "tsne": {**facts, "divergence": 1.2}}
        stems.append(f"{order:02d}-tap")
        write_all(
            folder,
            {
                f"{stems[-1]}.json": {"tap": tap, "order": order, "k": 10, "methods": methods},
                f"{stems[-1]}.parquet": points,
            },
        )
    write_json(folder / "maps.json", {"key": {"class_names": names, "images": "test"}, "taps": stems})
    return run


def write_units(run: Path, *, taps: tuple[str, ...] = TAPS[1:2], units: int = 8, shown: int = 5) -> Path:
    """Some units of each tap, one of them dead, and pictures for two."""
    random = stream(0, "units")
    name = read_json(run / "model.json")["class_names"][0]
    rows = [
        {
            "tap": tap,
            "order": order,
            "unit": unit,
            "fires": random.random(),
            "dead": unit == 3,
            "never_fires": unit == 3,
            "saturated": False,
            "selectivity": 0.5,
            "excited_by": name,
        }
        for order, tap in enumerate(taps)
        for unit in range(units)
    ]
    pictures = [
        {"tap": tap, "unit": unit, "value": 1.0 - rank / 10, "id": f"{rank}", "label": 0}
        for tap in taps
        for unit in (0, 5)
        for rank in range(shown)
    ]
    gradients = [{"layer": tap, "rms": 10.0**-place} for place, tap in enumerate((*taps, "fc"))]
    write_all(
        run / "units",
        {
            "units.json": {"images": 160, "split": "test"},
            "units.parquet": pd.DataFrame(rows),
            "gradients.parquet": pd.DataFrame(gradients),
            "shown.parquet": pd.DataFrame(pictures),
            "shown.npy": random.integers(0, 256, (len(pictures), 1, 16, 16), np.uint8),
        },
    )
    return run


def write_features(run: Path) -> Path:
    """Filters, and the values of two examples at three taps."""
    random = stream(0, "features")
    names = tuple(read_json(run / "model.json")["class_names"])
    weights = random.normal(size=(6, 3, 5, 5)).astype(np.float32)
    save_filters(run, Filters("<i>conv1", weights), Filters("<i>conv1", weights / 2))
    found = {}
    for word, label in (("right", 0), ("<i>some id", 1)):
        logits = np.arange(len(names))[::-1].astype(np.float32)
        values = {"conv1": random.normal(size=(70, 4, 4)), "fc": random.random(5), "softmax": np.ones(len(names))}
        found[word] = Features(f"<i>{word}", label, values, logits, names)
    save_features(run, found, random.integers(0, 256, (2, 1, 8, 8), np.uint8))
    return run


def write_encoders(run: Path, *, kinds: tuple[str, ...] = ("linear", "autoencoder", "tsne")) -> Path:
    """Encoders of a toy run, the classes on a circle, every fifth image held out."""
    random = stream(0, "encoders")
    examples = read_table(run / "examples.parquet")
    names = read_json(run / "model.json")["class_names"]
    labels = examples["label"].to_numpy()
    points = pd.DataFrame({"id": examples["id"], "label": labels, "held_out": np.arange(len(labels)) % 5 == 0})
    rows = []
    for kind in kinds:
        row = {"name": kind, "encoder": kind, "tap": "input", "dims": 2 if kind == "tsne" else 32, "seconds": 1.5}
        row |= {"labels_features": 0.9, "labels_codes": 0.8}
        if kind != "tsne":
            row |= {"error": 0.1, "error_held_out": 0.2}
        if kind == "autoencoder":
            row["labels_map"] = 0.7
        if kind != "linear":
            angle = 2 * np.pi * labels / len(names)
            for column, centre in (("x", np.cos(angle)), ("y", np.sin(angle))):
                points[f"{kind}_{column}"] = centre + 0.1 * random.normal(size=len(labels))
        rows.append(row)
    reconstructing = sum(kind != "tsne" for kind in kinds)
    write_all(
        run / "encoders",
        {
            "encoders.json": {"images": "test", "class_names": names, "learned": int((~points["held_out"]).sum())},
            "encoders.parquet": pd.DataFrame(rows),
            "points.parquet": points,
            "pictures.npy": random.random((1 + reconstructing, 6, 1, 8, 8)).astype(np.float32),
        },
    )
    return run
