"""Trainings for the benchmark of label errors, kept so that a killed benchmark goes on: one ordinary run, and K folds.

`python -m benchmarks.label_errors_runs --data digits --seeds 0,1,2` fills the cache in `runs/label-errors/`. A process
takes one thread, so that two may run side by side for different seeds or data.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold
from torch import nn

import layerwise as lw
from layerwise.data.images import ImageData
from layerwise.data.label_noise import NOISE_KINDS
from layerwise.runs import write_all
from layerwise.training.dynamics import Dynamics

CACHE = Path("runs", "label-errors")
RATES = (0.05, 0.1, 0.2, 0.4)
REAL = {"aggregate": "label_aggregate", "random1": "label_random1", "worst": "label_worst"}
FOLDS = 5
IMAGES = 10_000
"""Of CIFAR-10's training images: the first ones of the file, which is shuffled."""


@dataclass(frozen=True)
class Setting:
    """One data set with wrong labels.

    Attributes:
        data: "digits" or "cifar10".
        noise: a kind of `flip_labels`, "blend" (a tenth blended, a tenth flipped), or one of `REAL`.
        rate: the share of wrong labels; 0 where people made them.
        seed: of noise, initial weights, order and folds.
        images: how many; 0 for all.
    """

    data: str
    noise: str
    rate: float
    seed: int
    images: int = 0

    @property
    def name(self) -> str:
        """A file name."""
        return f"{self.data}{self.images or ''}-{self.noise}-{self.rate}-{self.seed}"

    @property
    def epochs(self) -> int:
        """Of every training."""
        return 12 if self.data == "cifar10" else 15

    @property
    def augment(self) -> str:
        """Digits are not mirrored."""
        return "flip-crop" if self.data == "cifar10" else "none"


@dataclass(frozen=True)
class Ours:
    """One ordinary training: what it noted, and the seconds of processor time that all of it took.

    Beside the scores of training stands `knn_disagreement`, which is measured after it and not in the seconds. What was
    kept before there was this score has none.
    """

    dynamics: Dynamics
    seconds: float


@dataclass(frozen=True)
class Folds:
    """Out-of-fold probabilities (N, K), and the seconds of processor time that they took."""

    probabilities: NDArray[np.float64]
    seconds: float


def settings_of(data: str, seeds: list[int], noises: Collection[str] = ()) -> Iterator[Setting]:
    """On CIFAR-10 the labels that people gave, then flipped ones of all kinds and rates; of these `noises`, if any."""
    images = IMAGES if data == "cifar10" else 0
    real = [(noise, 0.0) for noise in REAL] if data == "cifar10" else []
    for (noise, rate), seed in product([*real, *product(NOISE_KINDS, RATES)], seeds):
        if not noises or noise in noises:
            yield Setting(data, noise, rate, seed, images)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Which settings: `--data`, `--seeds`, `--noise`."""
    parser.add_argument("--data", choices=("digits", "cifar10"), default="digits")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument(
        "--noise", default="", help="only these kinds: uniform, pair, instance, aggregate, random1, worst"
    )


def chosen_settings(options: argparse.Namespace) -> list[Setting]:
    """What the options name."""
    noises = [noise for noise in options.noise.split(",") if noise]
    if unknown := set(noises) - {*NOISE_KINDS, *REAL}:
        raise SystemExit(f"--noise knows no {', '.join(sorted(unknown))}")
    return list(settings_of(options.data, [int(seed) for seed in options.seeds.split(",")], noises))


def noisy_data(setting: Setting) -> ImageData:
    """The images with wrong labels; the right ones are in the factor `true_label`."""
    clean = _clean(setting)
    if setting.noise in REAL:
        given = _human_labels(REAL[setting.noise])[: len(clean)]
        return replace(clean, labels=given, factors={"true_label": clean.labels})
    if setting.noise == "blend":
        mixed = lw.blend_images(clean, setting.rate, seed=setting.seed)
        flipped = lw.flip_labels(mixed, setting.rate, seed=setting.seed)
        blended = mixed.factors["blended_with"] >= 0
        return replace(flipped, labels=np.where(blended, clean.labels, flipped.labels))
    return lw.flip_labels(clean, setting.rate, setting.noise, seed=setting.seed)  # type: ignore[arg-type]


def ours(setting: Setting) -> Ours:
    """Train once with a log, or read what an earlier call kept."""
    folder = CACHE / setting.name
    if not (folder / "ours.parquet").exists():
        data = noisy_data(setting)
        log = lw.DynamicsLog(len(data), data.num_classes)
        model, seconds = _train(data, setting, log=log)
        beside_scores = {"knn_disagreement": disagreement_of(model, data), "seconds": seconds, "epochs": log.epochs}
        write_all(folder, {"ours.parquet": log.result().table().assign(**beside_scores)})
    table = pd.read_parquet(folder / "ours.parquet")
    beside = ("label", "rival", "rival_weight", "seconds", "epochs")
    scores = {str(name): table[name].to_numpy() for name in table.columns if name not in beside}
    labels, rivals, weights = (table[name].to_numpy() for name in beside[:3])
    return Ours(Dynamics(int(table["epochs"][0]), labels, scores, rivals, weights), float(table["seconds"][0]))


def folds(setting: Setting) -> Folds:
    """Train K times, each time on all folds but one, and ask of the one left out; or read what was kept."""
    folder = CACHE / setting.name
    if not (folder / "folds.npy").exists():
        data = noisy_data(setting)
        probabilities, seconds = np.zeros((len(data), data.num_classes)), 0.0
        splitter = StratifiedKFold(FOLDS, shuffle=True, random_state=setting.seed)
        for part, left_out in splitter.split(data.labels, data.labels):
            model, took = _train(data.select(part), setting)
            started = time.process_time()
            probabilities[left_out] = probabilities_of(model, data.select(left_out))
            seconds += took + time.process_time() - started
        write_all(folder, {"folds.npy": probabilities, "folds.json": {"seconds": seconds}})
    return Folds(np.load(folder / "folds.npy"), float(pd.read_json(folder / "folds.json", typ="series")["seconds"]))


def warm_up() -> None:
    """What only the first training of a process pays for."""
    _train(lw.load_data("digits").train.select(slice(0, 64)), Setting("digits", "uniform", 0.0, 0))


def probabilities_of(model: nn.Module, data: ImageData) -> NDArray[np.float64]:
    """What a network gives images, (N, K)."""
    prepared = _preprocessing(data)
    model.eval()
    with torch.no_grad():
        parts = [
            model(prepared(torch.from_numpy(data.batch(slice(start, start + 500))))).double().softmax(dim=1)
            for start in range(0, len(data), 500)
        ]
    return torch.cat(parts).numpy()


def disagreement_of(model: nn.Module, data: ImageData) -> NDArray[np.float64]:
    """The share of each image's 30 nearest others, in what the last layer is given, that have another label: (N,)."""
    measured = lw.measure_difficulty(model, data, data, place=["avgpool"], preprocessing=_preprocessing(data))
    return measured.knn_disagreement[:, [tap.name for tap in measured.taps].index("avgpool")]


def _train(data: ImageData, setting: Setting, *, log: lw.DynamicsLog | None = None) -> tuple[nn.Module, float]:
    started = time.process_time()
    channels = data.image_shape[0]
    model = lw.load_model("resnet8", num_classes=data.num_classes, in_channels=channels, seed=setting.seed)
    lw.train(
        model, data, epochs=setting.epochs, optimizer="sgd", learning_rate=0.1, weight_decay=5e-4, schedule="onecycle",
        augment=setting.augment, seed=setting.seed, preprocessing=_preprocessing(data), log=log,  # type: ignore[arg-type]
    )  # fmt: skip
    return model, time.process_time() - started


def _preprocessing(data: ImageData) -> lw.Preprocessing:
    channels = data.image_shape[0]
    return lw.Preprocessing((0.5,) * channels, (0.25,) * channels)


def _clean(setting: Setting) -> ImageData:
    spec = "digits" if setting.data == "digits" else f"parquet:{cifar10_folder()}"
    train = lw.load_data(spec).train
    return train.select(slice(0, setting.images)) if setting.images else train


def _human_labels(column: str) -> NDArray[np.int64]:
    return pd.read_parquet(cifar10_folder() / "train_humans.parquet")[column].to_numpy(np.int64)


def cifar10_folder() -> Path:
    """Where the Parquet files are."""
    return Path(os.environ["LAYERWISE_DATA"]) / "data" / "cifar10"


def main() -> None:
    """Fill the cache."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    options = parser.parse_args()
    torch.set_num_threads(1)
    warm_up()
    for setting in chosen_settings(options):
        one, crossed = ours(setting), folds(setting)
        print(f"{setting.name}: {one.seconds:.0f} s, folds {crossed.seconds:.0f} s", flush=True)


if __name__ == "__main__":
    main()
