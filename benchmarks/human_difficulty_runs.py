"""What the benchmark of human difficulty is measured from, kept so that a killed benchmark goes on.

`python -m benchmarks.human_difficulty_runs` fills the cache in `runs/human-difficulty/`:

- the public ResNet-20 asked for the CIFAR-10 images of three sets: logits of every view (moved and mirrored), what its
  last layer is given, and neighbours at every tap;
- ResNet-8 trained by us on the first 10,000 training images with their clean labels, with a log and the weights after
  each of 12 epochs, as in `label_errors_runs`, and the variance of its gradients.

A process takes one thread.
"""

from __future__ import annotations

import argparse
import os
import time
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

import layerwise as lw
from benchmarks.label_errors_runs import IMAGES, cifar10_folder
from layerwise.data.images import ImageData
from layerwise.runs import write_all, write_json
from layerwise.training.dynamics import Dynamics

CACHE = Path("runs", "human-difficulty")
EPOCHS = 12
VOG_IMAGES = 4_000
OURS = lw.Preprocessing((0.5,) * 3, (0.25,) * 3)
PUBLIC = lw.Preprocessing((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
SHIFTS = ((0, 0), (0, 2), (0, -2), (2, 0), (-2, 0))
VIEWS = tuple(product((False, True), SHIFTS))
MIRRORED = ((False, (0, 0)), (True, (0, 0)))
"""Mirrored or not, and moved by so many pixels; the first is the image itself."""

MEMORY, STATISTICS = slice(0, 10_000), slice(43_000, 46_000)
"""Training images: whose neighbours are asked, and of which batch norm's statistics are taken."""

SETS = {"base": ("train", 0, 4_000), "chosen": ("train", 40_000, 43_000), "reported": ("test", 0, 10_000)}
"""Split, first and last image: those of the probes, those on which choices are made, and those that are reported."""


@dataclass(frozen=True, eq=False)
class Memory:
    """What the last layer is given for M training images that are in no other set but the base.

    Attributes:
        features: shape (M, D).
        labels: shape (M,).
    """

    features: NDArray[np.float64]
    labels: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Adapted:
    """The public network with batch norm's statistics of 3,000 images as we have them, as JPEG; no labels are used.

    Attributes:
        logits: shape (2, N, K), of the image and its mirror image.
        features: shape (2, N, D).
        memory: of the same network.
    """

    logits: NDArray[np.float64]
    features: NDArray[np.float64]
    memory: Memory


@dataclass(frozen=True, eq=False)
class Asked:
    """What the public network says of N images of a set.

    Attributes:
        labels: shape (N,).
        logits: shape (V, N, K), of every view, the first as they are.
        features: shape (N, D), what its last layer is given.
        neighbor_labels: shape (N, L, k), nearest first.
        taps: L names.
        depths: reference class to depths (N,), 0 to L.
        soft_depth: shape (N,), with the prediction as the reference class.
        people: the rows of the humans' table.
        adapted: the same network with other statistics; None for the base.
        memory: what the last layer is given for the first training images, and their labels; None for the base.
    """

    labels: NDArray[np.int64]
    logits: NDArray[np.float64]
    features: NDArray[np.float64]
    neighbor_labels: NDArray[np.int64]
    taps: tuple[str, ...]
    depths: dict[str, NDArray[np.int64]]
    soft_depth: NDArray[np.float64]
    people: pd.DataFrame
    memory: Memory | None = None
    adapted: Adapted | None = None


def ask_public(limit: int | None = None) -> dict[str, Asked]:
    """The public network on all sets, or on the first so many images of each."""
    folder = CACHE / f"public-{limit or 'all'}"
    data = lw.load_data(f"parquet:{cifar10_folder()}")
    images = {name: _cut(data, name, limit) for name in SETS}
    model = _public_network()
    measured = _neighbors(folder, model, images)
    asked, first = {}, 0
    for name, part in images.items():
        rows = slice(first, first + len(part))
        first += len(part)
        one = lw.Difficulty(
            **{**_fields(measured), "logits": measured.logits[rows], "neighbors": measured.neighbors[rows]},
            ids=measured.ids[rows], splits=measured.splits[rows], labels=measured.labels[rows],
        )  # fmt: skip
        asked[name] = Asked(
            labels=part.labels,
            logits=_views(folder, name, model, part),
            features=_features(folder, name, model, part),
            neighbor_labels=one.base_labels[one.neighbors],
            taps=tuple(tap.name for tap in one.taps),
            depths={other: one.compared_with(other).depth for other in ("prediction", "last-probe", "label")},
            soft_depth=one.soft_depth,
            people=_people(name, limit),
            memory=None if name == "base" else _memory(folder, "memory", model, data, limit),
            adapted=None if name == "base" else _adapted(folder, name, data, part, limit),
        )
    return asked


def train_once(seed: int, *, images: int = IMAGES, epochs: int = EPOCHS) -> Path:
    """Train with a log into a folder of the cache, or leave it as an earlier call did."""
    folder = CACHE / f"resnet8-{images}-{epochs}-{seed}"
    if not (folder / "seconds.json").exists():
        data, started = clean_images(images), time.process_time()
        log = lw.DynamicsLog(len(data), data.num_classes)
        lw.train(
            _small_network(seed), data, epochs=epochs, optimizer="sgd", learning_rate=0.1, weight_decay=5e-4,
            schedule="onecycle", augment="flip-crop", seed=seed, preprocessing=OURS, log=log, run=folder,
            keep_weights=True,
        )  # fmt: skip
        write_json(folder / "seconds.json", {"seconds": time.process_time() - started})
    return folder


def scores_of_training(
    seed: int, *, images: int = IMAGES, epochs: int = EPOCHS
) -> tuple[Dynamics, NDArray[np.float64]]:
    """What one training noted of its images, and the variance of gradients over its epochs of the first ones, (V,)."""
    folder = train_once(seed, images=images, epochs=epochs)
    if not (folder / "vog.npy").exists():
        networks = lw.networks_of_epochs(folder, _small_network(seed))
        data = clean_images(min(images, VOG_IMAGES))
        write_all(folder, {"vog.npy": lw.variance_of_gradients(networks, data, preprocessing=OURS)})
    return lw.load_dynamics(folder)[1], np.load(folder / "vog.npy")


def clean_images(images: int) -> ImageData:
    """The first of CIFAR-10's training images; the file is shuffled."""
    return lw.load_data(f"parquet:{cifar10_folder()}").train.select(slice(0, images))


def people_of_training(images: int) -> pd.DataFrame:
    """What people said of the first training images, and their C-scores."""
    return pd.read_parquet(cifar10_folder() / "train_humans.parquet").head(images)


def _small_network(seed: int) -> nn.Module:
    return lw.load_model("resnet8", num_classes=10, in_channels=3, seed=seed)


def _neighbors(folder: Path, model: nn.Module, images: dict[str, ImageData]) -> lw.Difficulty:
    if not (folder / "examples.parquet").exists():
        whole = lw.concatenate(list(images.values()))
        settings = lw.ProbeSettings(limit_bytes=3e9)
        found = lw.measure_difficulty(
            model, images["base"], whole, place="blocks", preprocessing=PUBLIC, settings=settings, partial=folder / "p"
        )
        lw.save_difficulty(folder, found, images["base"], whole)
    return lw.load_difficulty(folder)


def _fields(measured: lw.Difficulty) -> dict[str, object]:
    names = ("taps", "class_names", "base_ids", "base_labels")
    return {name: getattr(measured, name) for name in names}


def _views(folder: Path, name: str, model: nn.Module, data: ImageData) -> NDArray[np.float64]:
    path = folder / f"{name}-logits.npy"
    if not path.exists():
        pixels = torch.from_numpy(data.batch(slice(None)))
        write_all(folder, {path.name: np.stack([_logits(model, pixels, *view) for view in VIEWS])})
    return np.load(path)


def _memory(folder: Path, name: str, model: nn.Module, data: ImageData, limit: int | None) -> Memory:
    part = data.train.select(MEMORY if limit is None else slice(0, 2 * limit))
    return Memory(_features(folder, name, model, part)[: len(part)], part.labels)


def _adapted(folder: Path, name: str, data: ImageData, part: ImageData, limit: int | None) -> Adapted:
    model = _public_network()
    path = folder / f"adapted-{name}-logits.npy"
    if not (path.exists() and (folder / "adapted-memory-features.npy").exists()):
        _take_statistics(model, data, limit)
        pixels = torch.from_numpy(part.batch(slice(None)))
        asked = [_ask(model, pixels, *view) for view in MIRRORED]
        features = np.stack([given for _, given in asked])
        write_all(
            folder, {path.name: np.stack([logits for logits, _ in asked]), f"adapted-{name}-features.npy": features}
        )
    memory = _memory(folder, "adapted-memory", model, data, limit)
    return Adapted(np.load(path), np.load(folder / f"adapted-{name}-features.npy"), memory)


@torch.no_grad()
def _take_statistics(model: nn.Module, data: ImageData, limit: int | None) -> None:
    """Mean and variance of every batch norm anew, as averages over batches of 500."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()
            module.momentum = None
    rows = STATISTICS if limit is None else slice(STATISTICS.start, STATISTICS.start + limit)
    model.train()
    for batch in torch.from_numpy(data.train.select(rows).batch(slice(None))).split(500):
        model(PUBLIC(batch))
    model.eval()


def _public_network() -> nn.Module:
    return lw.load_model("resnet20", num_classes=10, weights=_models_folder() / "cifar10_resnet20.th")


def _features(folder: Path, name: str, model: nn.Module, data: ImageData) -> NDArray[np.float64]:
    path = folder / f"{name}-features.npy"
    if not path.exists():
        write_all(folder, {path.name: _ask(model, torch.from_numpy(data.batch(slice(None))), *VIEWS[0])[1]})
    return np.load(path).astype(np.float64)


def _ask(
    model: nn.Module, pixels: Tensor, mirrored: bool, shift: tuple[int, int]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Logits, and what the last layer is given."""
    noted: list[Tensor] = []
    hook = model.linear.register_forward_pre_hook(lambda _, given: noted.append(given[0]))
    logits = _logits(model, pixels, mirrored, shift)
    hook.remove()
    return logits, torch.cat(noted).double().numpy()


@torch.no_grad()
def _logits(model: nn.Module, pixels: Tensor, mirrored: bool, shift: tuple[int, int]) -> NDArray[np.float64]:
    down, right = 4 + shift[0], 4 + shift[1]
    height, width = pixels.shape[2:]
    parts = []
    for batch in pixels.split(500):
        turned = batch.flip(3) if mirrored else batch
        moved = functional.pad(turned, (4,) * 4, mode="reflect")[:, :, down : down + height, right : right + width]
        parts.append(model.eval()(PUBLIC(moved)).double())
    return torch.cat(parts).numpy()


def _cut(data: ImageData, name: str, limit: int | None) -> ImageData:
    split, first, last = SETS[name]
    return data.split(split).select(slice(first, last if limit is None else min(first + limit, last)))


def _people(name: str, limit: int | None) -> pd.DataFrame:
    split, first, last = SETS[name]
    table = pd.read_parquet(cifar10_folder() / f"{split}_humans.parquet")
    return table.iloc[first : last if limit is None else min(first + limit, last)].reset_index(drop=True)


def _models_folder() -> Path:
    return Path(os.environ["LAYERWISE_DATA"], "models")


def main() -> None:
    """Fill the cache."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--part", choices=("public", "training"), help="one of both")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.part != "training":
        ask_public()
    for seed in map(int, options.seeds.split(",")) if options.part != "public" else ():
        scores_of_training(seed)
        print(seed, flush=True)


if __name__ == "__main__":
    main()
