"""The benchmark of label errors computes what it says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from benchmarks.label_errors import measure_scores, measure_suggestions, ranking_quality, summarise
from benchmarks.label_errors_runs import Ours, Setting, disagreement_of
from sklearn.neighbors import NearestNeighbors

import layerwise as lw
from label_files import CLASSES, kinds, made_up


def test_a_ranking_is_judged_with_wrong_labels_as_positives() -> None:
    wrong = np.array([True, False, True, False])
    assert ranking_quality(wrong, np.array([4.0, 3.0, 2.0, 1.0])) == {
        "auprc": pytest.approx((1 / 1 + 2 / 3) / 2),
        "auroc": 0.75,
        "missed_at_budget": 0.5,
        "precision_at_100": 0.5,
    }


def test_the_gain_is_the_mean_over_settings_and_its_interval_is_over_seeds() -> None:
    rows = []
    for seed, gain in ((0, 0.1), (1, 0.3)):
        for rate in (0.1, 0.2):
            for score, auprc, seconds in (
                ("layerwise", 0.5 + gain, 2.0),
                ("cleanlab self_confidence", 0.5, 10.0),
                ("cleanlab normalized_margin", 0.45, 10.0),
                ("cleanlab confidence_weighted_entropy", 0.55, 10.0),
            ):
                rows.append(("uniform", rate, seed, score, auprc, seconds))
    table = pd.DataFrame(rows, columns=["noise", "asked_rate", "seed", "score", "auprc", "seconds"])
    told = summarise(table, real=False)
    assert told["auprc_gain"] == pytest.approx(0.2)
    assert told["auprc_gain_best"] == pytest.approx(0.15)
    assert told["cost_ratio"] == pytest.approx(0.2)
    low, high = told["auprc_gain_95"]
    assert low <= 0.1 < 0.3 <= high
    assert "cost_ratio" not in summarise(table, real=True)


def test_suggestions_are_judged_on_the_errors_that_are_found_and_averaged_over_seeds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dynamics, wrong = made_up(), kinds() == "mislabelled"
    right = np.where(wrong, (dynamics.labels + 1) % CLASSES, dynamics.labels)
    names = tuple("abcd")

    def noisy(setting: Setting) -> lw.ImageData:
        true = right if setting.seed == 0 else np.where(np.cumsum(wrong) > 5, right, (right + wrong) % CLASSES)
        pixels = np.zeros((100, 1, 4, 4), np.uint8)
        return lw.ImageData.create(pixels, dynamics.labels, class_names=names, factors={"true_label": true})

    monkeypatch.setattr("benchmarks.label_errors.noisy_data", noisy)
    monkeypatch.setattr("benchmarks.label_errors.ours", lambda _: Ours(dynamics, 0.0))
    told = measure_suggestions([Setting("digits", "uniform", 0.1, seed) for seed in (0, 1)])
    assert told["suggestion_accuracy"] == pytest.approx((1.0 + 0.5) / 2)
    assert told["suggestion_accuracy_95"] == [0.0, 1.0]


def test_every_score_is_its_definition_and_cleanlabs_own() -> None:
    assert measure_scores()["max_score_error"] <= 1e-6


def test_neighbours_are_those_in_what_the_last_layer_is_given_without_the_image_itself() -> None:
    data = lw.load_data("digits").train.select(slice(0, 80))
    model = lw.load_model("resnet8", num_classes=10, in_channels=1).eval()
    given: list[torch.Tensor] = []
    with torch.no_grad(), model.avgpool.register_forward_hook(lambda *seen: given.append(seen[2].flatten(1))):  # type: ignore[operator]
        model((torch.from_numpy(data.batch(slice(0, 80))) - 0.5) / 0.25)
    features = given[0].double().numpy()
    nearest = NearestNeighbors(n_neighbors=30).fit(features).kneighbors(return_distance=False)
    expected = (data.labels[nearest] != data.labels[:, None]).mean(axis=1)
    np.testing.assert_allclose(disagreement_of(model, data), expected, atol=1 / 30 + 1e-9)
    assert (np.abs(disagreement_of(model, data) - expected) < 1e-9).mean() > 0.95
