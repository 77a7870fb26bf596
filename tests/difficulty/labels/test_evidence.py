"""Evidence: neighbours of suspect examples, the tap where each was lost, and the files of a run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import layerwise as lw
from layerwise.data.images import ImageData
from layerwise.difficulty.labels.errors import LabelErrors
from layerwise.difficulty.labels.evidence import Evidence, gather_evidence
from layerwise.difficulty.labels.folder import save_label_errors
from layerwise.errors import InputError

NETWORK = "two-layer-mlp?side=8&hidden=32"


@pytest.fixture(scope="module")
def noisy() -> ImageData:
    return lw.flip_labels(lw.load_data("digits").train.select(slice(0, 300)), 0.1, seed=1)


@pytest.fixture(scope="module")
def errors(noisy: ImageData) -> LabelErrors:
    model, log = lw.load_model(NETWORK, num_classes=10, in_channels=1), lw.DynamicsLog(300, 10)
    lw.train(model, noisy, epochs=12, learning_rate=0.01, log=log)
    return lw.find_label_errors(log.result(), ids=noisy.ids, class_names=noisy.class_names)


@pytest.fixture(scope="module")
def evidence(noisy: ImageData, errors: LabelErrors) -> Evidence:
    model = lw.load_model(NETWORK, num_classes=10, in_channels=1)
    measured = lw.measure_difficulty(model, noisy, noisy.select(errors.order[:20]), place=["relu1"], k=10)
    return gather_evidence(errors, measured)


def test_one_ordinary_training_finds_most_flipped_labels(noisy: ImageData, errors: LabelErrors) -> None:
    wrong = noisy.labels != noisy.factors["true_label"]
    first = errors.order[: wrong.sum()]
    assert wrong[first].mean() > 0.7
    found = first[wrong[first]]
    assert (errors.suggested[found] == noisy.factors["true_label"][found]).mean() > 0.8


def test_shares_are_those_of_the_neighbours_and_nobody_is_its_own(noisy: ImageData, evidence: Evidence) -> None:
    assert evidence.rows.tolist() == evidence.errors.order[:20].tolist()
    for place, row in enumerate(evidence.rows):
        for tap in range(len(evidence.tap_names)):
            neighbors = evidence.neighbors[place, tap]
            assert row not in neighbors
            labels = noisy.labels[neighbors]
            assert evidence.for_label[place, tap] == pytest.approx((labels == noisy.labels[row]).mean())
            suggested = evidence.errors.suggested[row]
            assert evidence.for_suggested[place, tap] == pytest.approx((labels == suggested).mean())


def test_an_example_was_lost_where_most_speaks_for_the_other_class(evidence: Evidence) -> None:
    ahead = evidence.for_suggested - evidence.for_label
    for place, tap in enumerate(evidence.lost_at):
        assert ahead[place, tap] == ahead[place].max()
        assert (ahead[place, :tap] < ahead[place, tap]).all()
    assert evidence.table()["lost_at_tap"].tolist() == [evidence.tap_names[tap] for tap in evidence.lost_at]


def test_a_measurement_of_other_images_is_refused(errors: LabelErrors) -> None:
    data = lw.load_data("digits")
    model = lw.load_model(NETWORK, num_classes=10, in_channels=1)
    other = lw.measure_difficulty(model, data.train, data.test.select(slice(0, 3)), place=["relu1"], k=5)
    with pytest.raises(InputError, match=r"3 of the examples measured, such as digits-.*, are not among those"):
        gather_evidence(errors, other)


def test_the_folder_holds_all_labels_and_the_pictures_of_the_most_suspect(
    tmp_path: Path, noisy: ImageData, errors: LabelErrors, evidence: Evidence
) -> None:
    save_label_errors(tmp_path, errors, evidence, noisy, facts={"k": 10})
    folder = tmp_path / "labels"
    assert pd.read_parquet(folder / "labels.parquet").equals(errors.table())
    assert pd.read_parquet(folder / "suspects.parquet")["id"].tolist() == errors.ids[errors.order[:20]].tolist()
    assert np.load(folder / "suspects.npy").shape == (20, 1, 8, 8)
    assert np.load(folder / "neighbors.npy").shape == (20 * 8, 1, 8, 8)
    assert np.load(folder / "neighbor_labels.npy").shape == (20, 8)
    assert np.load(folder / "for_suggested.npy").shape == (20, len(evidence.tap_names))
