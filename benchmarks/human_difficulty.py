"""Do our scores find hard what people find hard? `python -m benchmarks.human_difficulty [--quick] [--json]`.

Spearman's rank correlation of every score of a single image with what people and others found:

- the entropy of about 50 people's answers for each of CIFAR-10's 10,000 test images (CIFAR-10H), with a ResNet-20 that
  was trained elsewhere, on the original pixels of the training images, and has not seen these;
- the C-scores of training images (how often networks that were not trained on an image get it right; turned so that
  high is hard) and the entropy of three people's labels (CIFAR-10N): with the same ResNet-20, which was trained on
  them, for 4,000 images, and with our own trainings of ResNet-8, which noted what 10,000 images went through.

- `human_rho`: one number from one network, with its interval (Bonett and Wright, over images), chosen among the
  combinations of `human_difficulty_combined` on training images 40,000 to 42,999; `chosen_on` says how they did there.
- `best_single`: the best of all single scores on the test images, which nobody could choose beforehand.
- `c_score_best`: the best score of our trainings for the C-scores.

What is measured is kept in `runs/human-difficulty/`; see `human_difficulty_runs`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy.special import entr, softmax
from scipy.stats import spearmanr

from benchmarks.human_difficulty_combined import choose, combined_scores
from benchmarks.human_difficulty_picture import draw
from benchmarks.human_difficulty_runs import Asked, ask_public, people_of_training, scores_of_training
from benchmarks.machine import describe_machine
from layerwise.arrays.intervals import rank_correlation, spearman_interval
from layerwise.arrays.label_quality import (
    confidence_weighted_entropy,
    knn_disagreement,
    label_loss,
    last_layer_grand,
    normalized_margin,
    self_confidence,
    within_classes,
)
from layerwise.arrays.score_catalog import hardness
from layerwise.arrays.scores import entropy, margin, max_probability
from layerwise.arrays.soft_depth import vote_entropies
from layerwise.arrays.votes import vote_counts
from layerwise.runs import json_values

Values = NDArray[np.float64]
LABELS_OF_PEOPLE = ["label_random1", "label_random2", "label_random3"]
QUICK_IMAGES, CLASSES = 150, 10


def scores_of(asked: Asked) -> dict[tuple[str, str], Values]:
    """Every score of the public network, by family and name, all turned so that high is hard."""
    logits, labels = asked.logits[0], asked.labels
    given = softmax(logits, axis=1)
    of_label = {
        "self_confidence": self_confidence(given, labels),
        "normalized_margin": normalized_margin(given, labels),
        "loss": label_loss(given, labels),
        "confidence_weighted_entropy": confidence_weighted_entropy(given, labels),
        "grand": last_layer_grand(given, labels, asked.features),
    }
    scores = {
        ("softmax", "entropy"): entropy(logits),
        ("softmax", "1 - highest probability"): -max_probability(logits),
        ("softmax", "- margin of the prediction"): -margin(logits),
        **{("softmax and label", name): hardness(name, values) for name, values in of_label.items()},
        **{("depth", f"depth, {other}"): depth.astype(np.float64) for other, depth in asked.depths.items()},
        ("depth", "soft_depth"): asked.soft_depth,
    }
    for tap, name in enumerate(asked.taps):
        at_tap = asked.neighbor_labels[:, tap]
        scores["neighbours and label", f"knn_disagreement at {name}"] = knn_disagreement(at_tap, labels)
        scores["neighbours", f"vote entropy at {name}"] = vote_entropies(vote_counts(at_tap, CLASSES))
    return scores | {("several", name): values for name, values in combined_scores(asked).items()}


def rank_correlations(scores: Mapping[tuple[str, str], Values], target: Values, of: str) -> pd.DataFrame:
    """A row per score: family, score, of, rho with its 95 % interval, images."""
    rows = []
    for (family, name), values in scores.items():
        rho, low, high = rank_correlation(values, target)
        rows.append(
            {"family": family, "score": name, "of": of, "rho": rho, "low": low, "high": high, "images": len(target)}
        )
    return pd.DataFrame(rows)


def disagreement_of_labels(people: pd.DataFrame) -> Values:
    """The entropy of three people's labels, (N,)."""
    given = people[LABELS_OF_PEOPLE].to_numpy()
    shares: Values = np.stack([(given == label).mean(axis=1) for label in range(CLASSES)], axis=1)
    entropies: Values = entr(shares).sum(axis=1)
    return entropies


def of_trainings(seeds: list[int], *, images: int, epochs: int) -> pd.DataFrame:
    """A row per score of our trainings and what it is compared with: mean over seeds; the interval is over images."""
    people = people_of_training(images)
    targets = {"c_score": -people["c_score"].to_numpy(), "labels": disagreement_of_labels(people)}
    rows = []
    for seed in seeds:
        dynamics, vog = scores_of_training(seed, images=images, epochs=epochs)
        scores = {name: hardness(name, values) for name, values in dynamics.scores.items()}
        scores |= {"vog": hardness("vog", vog), "vog within classes": within_classes(vog, dynamics.labels[: len(vog)])}
        for (name, values), (of, target) in product(scores.items(), targets.items()):
            rho = float(spearmanr(values, target[: len(values)]).statistic)
            rows.append({"score": name, "of": of, "seed": seed, "images": len(values), "rho": rho})
    table = pd.DataFrame(rows)
    told = []
    for (name, of), group in table.groupby(["score", "of"], sort=False):
        count = int(group["images"].iloc[0])
        mean = float(group["rho"].mean())
        low, high = spearman_interval(mean, count)
        told.append({"family": "training", "score": name, "of": of, "rho": mean, "low": low, "high": high,
                     "images": count, "by_seed": " ".join(f"{rho:.3f}" for rho in group["rho"])})  # fmt: skip
    return pd.DataFrame(told)


def measure(seeds: list[int], *, quick: bool) -> tuple[dict[str, Any], pd.DataFrame]:
    """All numbers of one run, and the table that they are from."""
    asked = ask_public(QUICK_IMAGES if quick else None)
    reported, base = asked["reported"], asked["base"]
    tables = [rank_correlations(scores_of(reported), reported.people["human_entropy"].to_numpy(), "people")]
    known = scores_of(base)
    tables += [
        rank_correlations(known, -base.people["c_score"].to_numpy(), "c_score"),
        rank_correlations(known, disagreement_of_labels(base.people), "labels"),
        of_trainings(seeds, images=300, epochs=2) if quick else of_trainings(seeds, images=10_000, epochs=12),
    ]
    table = pd.concat(tables, ignore_index=True)
    people = table[(table["of"] == "people")]
    chosen, means = _choose(asked["chosen"])
    one = people[people["score"] == chosen].iloc[0]
    best = people[people["family"] != "several"].sort_values("rho").iloc[-1]
    trained = table[(table["family"] == "training") & (table["of"] == "c_score")].sort_values("rho").iloc[-1]
    result = {
        "human_rho": one["rho"],
        "human_rho_95": [one["low"], one["high"]],
        "human_rho_of": chosen,
        "chosen_on": means,
        "best_single": best["rho"],
        "best_single_of": best["score"],
        "entropy_rho": float(people.loc[people["score"] == "entropy", "rho"].iloc[0]),
        "c_score_best": trained["rho"],
        "c_score_best_of": trained["score"],
        "images": int(one["images"]),
    }
    return result, table


def _choose(asked: Asked) -> tuple[str, dict[str, float]]:
    targets = {"c_score": -asked.people["c_score"].to_numpy(), "labels": disagreement_of_labels(asked.people)}
    return choose(combined_scores(asked), targets)


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="0,1,2", help="of our own trainings")
    parser.add_argument("--quick", action="store_true", help="few images: under two minutes")
    parser.add_argument("--json", action="store_true", help="one JSON object on one line")
    parser.add_argument("--table", help="write the table of all scores here, as CSV")
    parser.add_argument("--picture", type=Path, help="draw it here, as PNG")
    options = parser.parse_args()
    torch.set_num_threads(1)
    seeds = [0] if options.quick else [int(seed) for seed in options.seeds.split(",")]
    result, table = measure(seeds, quick=options.quick)
    if options.table:
        table.to_csv(options.table, index=False)
    if options.picture:
        draw(table, options.picture)
    result["machine"] = describe_machine()
    print(json.dumps(json_values(result), indent=None if options.json else 2))


if __name__ == "__main__":
    main()
