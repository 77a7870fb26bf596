"""Who finds wrong labels? `python -m benchmarks.label_errors [--data cifar10] [--seeds 0,1,2] [--quick] [--json]`.

One ordinary training with a log against cleanlab on 5-fold cross-validation, the same network and epochs for both, on
labels flipped at 5, 10, 20 and 40 %: uniform, pair, instance-dependent. Trainings are kept (`label_errors_runs`).

- `auprc_gain`: area under precision and recall (error is positive) of `suspicion` less cleanlab's default
  (self-confidence), mean over the settings, with a 95 % interval over seeds (over settings where there is one seed).
- `auprc_gain_best`: the same less the best of cleanlab's three scores in each setting, which nobody could choose.
- `cost_ratio`: processor seconds of the one training over those of the folds.
- `auprc_gain_real`: labels that people gave (CIFAR-10N), aggregate and worst. Only with `--data cifar10`.
- `suggestion_accuracy`: how often the suggested class is right, of the true errors among as many of the most suspect
  labels as there are errors, at 10 % uniform noise; mean over seeds, with Student's 95 % interval.
- `kind_auroc`: fine, mislabelled and blended images, each against the others, mean, with its interval over seeds; a
  tenth of the images each of the latter two.
- `logger_share`: the time of `DynamicsLog.update` over that of a training step of the same network.
- `max_score_error`: scores from batches against their definitions in float64, and of those after training against
  cleanlab's own (its third as it turns it, on rows where it cuts no probability).
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import torch
from cleanlab.rank import get_label_quality_scores
from numpy.typing import ArrayLike, NDArray
from scipy.special import softmax
from sklearn.metrics import average_precision_score, roc_auc_score
from torch.nn import functional

import layerwise as lw
from benchmarks.label_errors_runs import (
    Ours,
    Setting,
    add_options,
    chosen_settings,
    folds,
    noisy_data,
    ours,
    warm_up,
)
from benchmarks.machine import describe_machine
from layerwise.arrays.blocks import bootstrap_interval
from layerwise.arrays.dynamics import DYNAMICS
from layerwise.arrays.intervals import mean_interval
from layerwise.arrays.label_quality import confidence_weighted_entropy, normalized_margin, self_confidence
from layerwise.arrays.score_catalog import hardness
from layerwise.data.label_noise import NOISE_KINDS
from layerwise.difficulty.labels.suspicion import KINDS, kind_probabilities, suspicion
from layerwise.runs import json_values
from layerwise.seeds import stream

CLEANLAB = ("self_confidence", "normalized_margin", "confidence_weighted_entropy")
CLEANLAB_CUTS_BELOW = 1e-6
QUICK = Setting("digits", "uniform", 0.1, 0, 400)


def compare(settings: Sequence[Setting]) -> pd.DataFrame:
    """A row per setting and score: how well it ranks the wrong labels, high meaning suspect."""
    rows = []
    for setting in settings:
        data = noisy_data(setting)
        wrong = data.labels != data.factors["true_label"]
        one, crossed = ours(setting), folds(setting)
        for name, values in {**_own(one), **_cleanlab(data.labels, crossed.probabilities)}.items():
            rows.append(
                {
                    "data": setting.data,
                    "noise": setting.noise,
                    "rate": float(wrong.mean()),
                    "asked_rate": setting.rate,
                    "seed": setting.seed,
                    "score": name,
                    **ranking_quality(wrong, values),
                    "seconds": crossed.seconds if name.startswith("cleanlab") else one.seconds,
                }
            )
    return pd.DataFrame(rows)


def ranking_quality(wrong: NDArray[np.bool_], suspect: NDArray[np.float64]) -> dict[str, float]:
    """AUPRC and AUROC (errors positive), misses among as many labels as are wrong, precision of the first 100."""
    order = np.argsort(-suspect, kind="stable")
    return {
        "auprc": float(average_precision_score(wrong, suspect)),
        "auroc": float(roc_auc_score(wrong, suspect)),
        "missed_at_budget": float(1.0 - wrong[order[: wrong.sum()]].mean()),
        "precision_at_100": float(wrong[order[:100]].mean()),
    }


def _own(one: Ours) -> dict[str, NDArray[np.float64]]:
    scores = one.dynamics.scores
    return {"layerwise": suspicion(scores), **{name: hardness(name, values) for name, values in scores.items()}}


def _cleanlab(labels: NDArray[np.int64], probabilities: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    return {
        f"cleanlab {method}": -np.asarray(get_label_quality_scores(labels, probabilities, method=method))
        for method in CLEANLAB
    }


def summarise(table: pd.DataFrame, *, real: bool) -> dict[str, Any]:
    """The gain over cleanlab, and its cost."""
    wide = table.pivot_table(index=["noise", "asked_rate", "seed"], columns="score", values="auprc")
    gain = wide["layerwise"] - wide["cleanlab self_confidence"]
    best = wide["layerwise"] - wide[[f"cleanlab {method}" for method in CLEANLAB]].max(axis=1)
    by_seed = gain.groupby("seed").mean()
    interval = bootstrap_interval(by_seed if len(by_seed) > 1 else gain)
    suffix = "_real" if real else ""
    seconds = table.groupby("score")["seconds"].sum()
    return {
        f"auprc_gain{suffix}": float(gain.mean()),
        f"auprc_gain{suffix}_95": [interval.low, interval.high],
        f"auprc_gain{suffix}_best": float(best.mean()),
        **({} if real else {"cost_ratio": float(seconds["layerwise"] / seconds["cleanlab self_confidence"])}),
    }


def measure_suggestions(settings: Sequence[Setting]) -> dict[str, Any]:
    """How often the suggested class is right, of the true errors that are found: mean over seeds."""
    shares = []
    for setting in settings:
        data, dynamics = noisy_data(setting), ours(setting).dynamics
        true = data.factors["true_label"]
        errors = lw.find_label_errors(dynamics, ids=data.ids, class_names=data.class_names)
        wrong = data.labels != true
        first = errors.order[: wrong.sum()]
        found = first[wrong[first]]
        shares.append(float((errors.suggested[found] == true[found]).mean()))
    return _over_seeds("suggestion_accuracy", shares)


def measure_kinds(settings: Sequence[Setting]) -> dict[str, Any]:
    """Fine, mislabelled and blended images, each against the others."""
    areas = []
    for setting in settings:
        data = noisy_data(setting)
        blended = data.factors["blended_with"] >= 0
        wrong = (data.labels != data.factors["true_label"]) & ~blended
        kind = np.where(blended, "ambiguous", np.where(wrong, "mislabelled", "fine"))
        found = kind_probabilities(ours(setting).dynamics.scores)
        areas.append([roc_auc_score(kind == name, found[:, column]) for column, name in enumerate(KINDS)])
    by_seed = np.mean(areas, axis=1)
    return {**_over_seeds("kind_auroc", by_seed), "kind_auroc_lowest": float(np.mean(areas, axis=0).min())}


def _over_seeds(name: str, values: ArrayLike) -> dict[str, Any]:
    """The mean, and the ends of Student's interval, unknown for one seed."""
    mean, low, high = mean_interval(values, least=0, most=1)
    return {name: mean, f"{name}_95": [low, high]}


def measure_scores() -> dict[str, float]:
    """Scores from batches against their definitions in float64, and those of probabilities against cleanlab's."""
    generator = stream(0, "trace")
    trace = generator.normal(size=(8, 500, 10)) * generator.choice([0.1, 1.0, 10.0], (8, 500, 1))
    labels = generator.integers(0, 10, 500)
    log = lw.DynamicsLog(500, 10)
    for logits in trace:
        for rows in np.split(generator.permutation(500), 5):
            log.update(rows, torch.as_tensor(logits[rows]), labels[rows])
    found = log.result().scores
    errors = [np.abs(found[name] - of(trace, labels)).max() for name, of in DYNAMICS.items()]
    last = softmax(trace[-1], axis=1)
    for method, of_labels in (("self_confidence", self_confidence), ("normalized_margin", normalized_margin)):
        errors.append(np.abs(of_labels(last, labels) - get_label_quality_scores(labels, last, method=method)).max())
    whole = last.min(axis=1) > CLEANLAB_CUTS_BELOW
    weighted = confidence_weighted_entropy(last[whole], labels[whole])
    theirs = get_label_quality_scores(labels[whole], last[whole], method="confidence_weighted_entropy")
    errors.append(np.abs(np.log1p(weighted) / weighted - theirs).max())
    return {"max_score_error": float(max(errors))}


def measure_logger(repeats: int) -> dict[str, float]:
    """A step of ResNet-8 on 128 images of 32 × 32 with and without the log: medians, in turns."""
    model = lw.load_model("resnet8", num_classes=10)
    images, labels = torch.rand(128, 3, 32, 32), torch.randint(0, 10, (128,))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    log = lw.DynamicsLog(128, 10)
    steps, updates = [], []
    for _ in range(repeats):
        started = time.perf_counter()
        logits = model(images)
        optimizer.zero_grad()
        functional.cross_entropy(logits, labels).backward()
        optimizer.step()
        between = time.perf_counter()
        log.update(np.arange(128), logits, labels)
        updates.append(time.perf_counter() - between)
        steps.append(between - started)
    return {"logger_share": float(np.median(updates) / np.median(steps)), "logger_ms": 1e3 * float(np.median(updates))}


def measure(settings: Sequence[Setting], *, quick: bool) -> tuple[dict[str, Any], pd.DataFrame]:
    """All numbers of one run, and the table that they are from."""
    warm_up()
    table = compare(settings)
    flips, people = table["noise"].isin(NOISE_KINDS), table["noise"].isin(("aggregate", "worst"))
    uniform = [one for one in settings if (one.noise, one.rate) == ("uniform", 0.1)]
    result = {
        "data": settings[0].data,
        "settings": len(settings),
        **(summarise(table[flips], real=False) if flips.any() else {}),
        **(summarise(table[people], real=True) if people.any() else {}),
        **(measure_suggestions(uniform) if uniform else {}),
        **(measure_kinds([replace(one, noise="blend") for one in uniform]) if uniform else {}),
        **measure_logger(5 if quick else 21),
        **measure_scores(),
    }
    return result, table


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    parser.add_argument("--quick", action="store_true", help="under a minute")
    parser.add_argument("--json", action="store_true", help="one JSON object on one line")
    parser.add_argument("--table", help="write the table of all scores here, as CSV")
    options = parser.parse_args()
    torch.set_num_threads(1)
    result, table = measure([QUICK] if options.quick else chosen_settings(options), quick=options.quick)
    if options.table:
        table.to_csv(options.table, index=False)
    result["machine"] = describe_machine()
    print(json.dumps(json_values(result), indent=None if options.json else 2))


if __name__ == "__main__":
    main()
