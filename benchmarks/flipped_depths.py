"""Are wrong labels deep? `python -m benchmarks.flipped_depths [--seeds 0,1,2] [--quick] [--json] [--picture FILE]`.

Labels are flipped on purpose, and every image is measured by 3 trainings of ResNet-8: two were trained on it, from one
it was held out (`measure_kinds`, taps at the blocks, k = 30, the network's prediction as the reference class). What is
kept in `runs/flipped-depths/` is not measured again. For each setting and both depths:

- `difference`: mean depth of flipped images less that of the others, with a 95 % interval over seeds.
- `auroc`: how well the depth tells flipped from others; 0.5 is chance.
- `by_heart`: the share of flipped images on which a network that was trained on them predicts the flipped label.
- `seen_through`: the share of flipped images for which the network that did not see them predicts the true class.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from torch import nn

import layerwise as lw
from benchmarks.machine import describe_machine
from layerwise.arrays.intervals import mean_interval
from layerwise.data.images import ImageData
from layerwise.plots.style import MUTED, NEUTRAL, WRONG, legend, percent_axis, style
from layerwise.runs import json_values, read_json, write_all

CACHE = Path("runs", "flipped-depths")
FOLDS = 3
SGD: dict[str, Any] = {"optimizer": "sgd", "learning_rate": 0.1, "weight_decay": 5e-4, "schedule": "onecycle"}
RECIPES: dict[str, dict[str, Any]] = {
    "usual": {"epochs": 15, **SGD},
    "short": {"epochs": 3, **SGD},
    "long": {"epochs": 60, "optimizer": "adam", "learning_rate": 1e-3},
}
"""`usual` is that of `label_errors_runs`."""

SPECS = {"digits": "digits?seed=0", "edges": "edges?train_per_class=150&resolution=14&seed=0"}
DEPTHS = {"training_depth": "it was trained on", "held_out_depth": "it was held out"}


@dataclass(frozen=True)
class Setting:
    """One data set, noise and way to train.

    Attributes:
        data: one of `SPECS`.
        noise: a kind of `flip_labels`.
        rate: the share that is flipped.
        recipe: one of `RECIPES`.
        images: the first so many; 0 for all.
        folds: K.
    """

    data: str
    noise: str
    rate: float
    recipe: str
    images: int = 0
    folds: int = FOLDS

    @property
    def name(self) -> str:
        """A file name, but for the seed."""
        return f"{self.data}{self.images or ''}-{self.noise}-{self.rate}-{self.recipe}"

    @property
    def words(self) -> str:
        """For tables and pictures."""
        return f"{self.data}, {100 * self.rate:.0f} % {self.noise}, {RECIPES[self.recipe]['epochs']} epochs"

    def train_settings(self, seed: int, data: ImageData) -> lw.TrainSettings:
        """Of every training."""
        channels = data.image_shape[0]
        pixels = lw.Preprocessing((0.5,) * channels, (0.25,) * channels)
        return lw.TrainSettings(**RECIPES[self.recipe], seed=seed, preprocessing=pixels)


SETTINGS = (
    Setting("digits", "uniform", 0.1, "usual"),
    Setting("digits", "uniform", 0.1, "long"),
    Setting("digits", "uniform", 0.1, "short"),
    Setting("digits", "pair", 0.4, "usual"),
    Setting("edges", "uniform", 0.1, "long"),
)
QUICK = Setting("digits", "uniform", 0.1, "usual", images=200, folds=2)


def measure_setting(setting: Setting, seed: int) -> pd.DataFrame:
    """A row per image: whether it was flipped, both depths, and what the networks predict; kept, or read."""
    path = CACHE / f"{setting.name}-{seed}.parquet"
    if not path.exists():
        clean = lw.load_data(SPECS[setting.data]).train
        clean = clean.select(slice(0, setting.images)) if setting.images else clean
        noisy = lw.flip_labels(clean, setting.rate, setting.noise, seed=seed)  # type: ignore[arg-type]

        def make_model(fold: int) -> nn.Module:
            return lw.load_model(
                "resnet8", num_classes=noisy.num_classes, in_channels=noisy.image_shape[0], seed=100 * seed + fold
            )

        found = lw.measure_kinds(
            make_model, noisy, setting.train_settings(seed, noisy), folds=setting.folds, place="blocks"
        )
        table = found.table().assign(
            flipped=noisy.labels != clean.labels,
            true_label=clean.labels,
            by_heart=_by_heart(make_model, noisy, setting, seed),
        )
        write_all(CACHE, {path.name: table, f"{setting.name}-{seed}.json": {"taps": list(found.tap_names)}})
    return pd.read_parquet(path)


def _by_heart(make_model: Any, data: ImageData, setting: Setting, seed: int) -> NDArray[np.bool_]:
    """Whether a network that was trained on all images predicts the given label of each."""
    model, settings = make_model(setting.folds), setting.train_settings(seed, data)
    lw.train(model, data, settings)
    model.eval()
    with torch.no_grad():
        logits = model(settings.preprocessing(torch.from_numpy(data.batch(slice(None)))))  # type: ignore[misc]
    right: NDArray[np.bool_] = logits.argmax(dim=1).numpy() == data.labels
    return right


def summarise(setting: Setting, tables: list[pd.DataFrame]) -> dict[str, Any]:
    """Differences between flipped images and the others, over seeds."""
    told: dict[str, Any] = {"setting": setting.words, "images": len(tables[0])}
    for column in DEPTHS:
        differences = [_difference(table, column) for table in tables]
        mean, low, high = mean_interval(differences)
        areas = [roc_auc_score(table["flipped"], table[column]) for table in tables]
        told[column] = {
            "flipped": float(np.mean([table.loc[table["flipped"], column].mean() for table in tables])),
            "others": float(np.mean([table.loc[~table["flipped"], column].mean() for table in tables])),
            "difference": mean, "difference_95": [low, high], "auroc": float(np.mean(areas)),
        }  # fmt: skip
    flipped = [table[table["flipped"]] for table in tables]
    told["by_heart"] = float(np.mean([table["by_heart"].mean() for table in flipped]))
    told["seen_through"] = float(np.mean([(table["looks_like"] == table["true_label"]).mean() for table in flipped]))
    return told


def _difference(table: pd.DataFrame, column: str) -> float:
    return float(table.loc[table["flipped"], column].mean() - table.loc[~table["flipped"], column].mean())


def draw(settings: tuple[Setting, ...], seeds: list[int], path: Path) -> None:
    """A row per setting, a column per depth: the shares of flipped images and of others at each depth."""
    from matplotlib.figure import Figure

    with style():
        figure = Figure(figsize=(7.2, 1.45 * len(settings) + 0.5), layout="constrained")
        grid = figure.subplots(len(settings), 2, sharex=False, sharey="row", squeeze=False)
        for line, setting in zip(grid, settings, strict=True):
            tables = [measure_setting(setting, seed) for seed in seeds]
            told = summarise(setting, tables)
            taps = read_json(CACHE / f"{setting.name}-{seeds[0]}.json")["taps"]
            for ax, column in zip(line, DEPTHS, strict=True):
                _bars(ax, pd.concat(tables), column, [*taps, "unresolved"], last=setting is settings[-1])
                low, high = told[column]["difference_95"]
                words = f"difference {told[column]['difference']:+.2f} [{low:+.2f}, {high:+.2f}]".replace("-", "−")
                ax.text(0.99, 0.98, words, transform=ax.transAxes, ha="right", va="top", fontsize=7.5, color=MUTED)
            line[0].set_ylim(0, 1.3 * line[0].get_ylim()[1])
            line[0].set_ylabel(setting.words.replace(", ", "\n", 2), fontsize=7.5)
        for ax, words in zip(grid[0], DEPTHS.values(), strict=True):
            ax.set_title(f"Depth where {words}", loc="left")
        legend(grid[0, 1], [(WRONG, "flipped label"), (NEUTRAL, "others")], loc="center right", fontsize=7.5)
        figure.savefig(path, dpi=200)


def _bars(ax: Any, table: pd.DataFrame, column: str, names: list[str], *, last: bool) -> None:
    places = np.arange(len(names))
    for shift, (flipped, color) in zip((-0.2, 0.2), ((True, WRONG), (False, NEUTRAL)), strict=True):
        values = np.rint(table.loc[table["flipped"] == flipped, column]).astype(int)
        shares = np.bincount(values, minlength=len(names)) / len(values)
        ax.bar(places + shift, shares, width=0.4, color=color)
        ax.plot(table.loc[table["flipped"] == flipped, column].mean(), 0, marker="^", color=color, markersize=5,
                markeredgecolor="#1b2430", markeredgewidth=0.5, clip_on=False, zorder=5)  # fmt: skip
    ax.set_xticks(places, names if last else [], rotation=45, ha="right", rotation_mode="anchor", fontsize=7)
    ax.yaxis.set_major_formatter(percent_axis())


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--quick", action="store_true", help="under a minute")
    parser.add_argument("--json", action="store_true", help="one JSON object on one line")
    parser.add_argument("--picture", type=Path, help="draw the depths here, as PNG")
    options = parser.parse_args()
    torch.set_num_threads(1)
    settings = (QUICK,) if options.quick else SETTINGS
    seeds = [0, 1] if options.quick else [int(seed) for seed in options.seeds.split(",")]
    told = [summarise(setting, [measure_setting(setting, seed) for seed in seeds]) for setting in settings]
    if options.picture:
        draw(settings, seeds, options.picture)
    result = {"seeds": len(seeds), "settings": told, "machine": describe_machine()}
    print(json.dumps(json_values(result), indent=None if options.json else 2))


if __name__ == "__main__":
    main()
