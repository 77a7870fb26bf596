"""The benchmarks of human difficulty and of flipped labels compute what they say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from benchmarks.flipped_depths import SETTINGS, summarise
from benchmarks.human_difficulty_combined import choose, class_distances
from benchmarks.human_difficulty_runs import Memory


def test_the_distance_of_a_class_is_the_mean_of_its_nearest_images() -> None:
    generator = np.random.default_rng(0)
    memory = Memory(generator.normal(size=(300, 4)), np.arange(300) % 10)
    features = generator.normal(size=(7, 4))
    away = np.sqrt(((features[:, None] - memory.features) ** 2).sum(axis=2))
    expected = [[np.sort(row[memory.labels == label])[:10].mean() for label in range(10)] for row in away]
    np.testing.assert_allclose(class_distances(features, memory), expected)


def test_the_combination_with_the_highest_mean_correlation_is_chosen() -> None:
    rising = np.arange(10.0)
    half = np.where(rising < 5, rising, -rising)
    name, means = choose({"against": -rising, "with": rising, "half": half}, {"one": rising, "other": rising**3})
    assert name == "with"
    assert means == pytest.approx({"against": -1.0, "with": 1.0, "half": -25 / 33})


def test_flipped_images_are_compared_with_the_others() -> None:
    table = pd.DataFrame(
        {
            "flipped": [True, True, False, False],
            "training_depth": [4.0, 2.0, 1.0, 0.0],
            "held_out_depth": [1.0, 1.0, 1.0, 1.0],
            "by_heart": [True, False, True, True],
            "looks_like": [1, 2, 1, 1],
            "true_label": [1, 1, 1, 1],
        }
    )
    told = summarise(SETTINGS[0], [table, table])
    assert told["training_depth"]["difference"] == 2.5
    assert told["training_depth"]["difference_95"] == pytest.approx([2.5, 2.5])
    assert (told["training_depth"]["auroc"], told["held_out_depth"]["auroc"]) == (1.0, 0.5)
    assert (told["by_heart"], told["seen_through"]) == (0.5, 0.5)
