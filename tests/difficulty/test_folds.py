"""Four kinds of difficulty: folds, depths in and out of training, wrong labels among them, and a call that goes on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from torch import nn

import layerwise as lw
from layerwise.data.images import ImageData
from layerwise.difficulty.folds import FoldedDepths, assign_folds, measure_kinds
from layerwise.difficulty.settings import ProbeSettings
from layerwise.errors import InputError, Interrupted, NotEnoughExamplesError
from layerwise.training.settings import TrainSettings

SETTINGS = TrainSettings(epochs=60, learning_rate=0.01)  # long enough to know wrong labels by heart
PROBES = ProbeSettings(k=5)


def make_model(fold: int) -> nn.Module:
    return lw.load_model("two-layer-mlp?side=8&hidden=32,32", num_classes=10, in_channels=1, seed=fold)


@pytest.fixture(scope="module")
def noisy() -> ImageData:
    return lw.flip_labels(lw.load_data("digits").train.select(slice(0, 300)), 0.1, seed=1)


@pytest.fixture(scope="module")
def found(noisy: ImageData) -> FoldedDepths:
    return measure_kinds(make_model, noisy, SETTINGS, folds=3, settings=PROBES)


def test_folds_are_even_in_every_class_and_depend_on_the_seed() -> None:
    labels = np.repeat([0, 1, 2], [10, 11, 7])
    folds = assign_folds(labels, 3)
    for label in range(3):
        counts = np.bincount(folds[labels == label], minlength=3)
        assert counts.max() - counts.min() <= 1
    assert assign_folds(labels, 3).tolist() == folds.tolist() != assign_folds(labels, 3, seed=1).tolist()


def test_each_example_has_the_depths_of_the_trainings_that_saw_it_and_of_the_one_that_did_not(
    noisy: ImageData, found: FoldedDepths
) -> None:
    seen = found.folds != 0
    model = make_model(0)
    lw.train(model, noisy.select(seen), SETTINGS)
    measured = lw.measure_difficulty(model, noisy.select(seen), noisy, settings=PROBES)
    np.testing.assert_array_equal(found.held_out_depth[~seen], measured.depth[~seen])
    np.testing.assert_array_equal(found.looks_like[~seen], measured.predictions[~seen])
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1.0)
    assert (found.held_out_soft_depth >= 0).all()
    assert (found.held_out_soft_depth <= len(found.tap_names)).all()


def test_wrong_labels_are_deeper_where_they_were_trained_on(noisy: ImageData, found: FoldedDepths) -> None:
    wrong = noisy.labels != noisy.factors["true_label"]
    assert found.training_depth[wrong].mean() > found.training_depth[~wrong].mean() + 0.5
    assert (found.looks_like[wrong] == noisy.factors["true_label"][wrong]).mean() > 0.7


def test_an_example_was_lost_where_all_probes_begin_to_say_the_wrong_class() -> None:
    found = FoldedDepths(
        ids=np.array(["right", "at once", "late", "unresolved"]),
        labels=np.array([1, 0, 0, 0]),
        class_names=("a", "b"),
        tap_names=("input", "softmax"),
        folds=np.zeros(4, np.int64),
        training_depth=np.array([0.0, 0, 1, 2]),
        held_out_depth=np.array([0.0, 0, 1, 2]),
        held_out_soft_depth=np.zeros(4),
        probabilities=np.tile([0.2, 0.8], (4, 1)),
    )
    table = found.table()
    assert table["looks_like_name"].tolist() == ["b"] * 4
    assert table["lost_at_tap"].tolist() == ["", "input", "softmax", ""]
    assert table["kind"].tolist() == ["easy", "easy", "ambiguous", "ambiguous"]


@pytest.mark.slow
def test_a_call_that_was_stopped_goes_on_with_the_folds_that_are_done(
    noisy: ImageData, found: FoldedDepths, tmp_path: Path
) -> None:
    made: list[int] = []

    def stopping(fold: int) -> nn.Module:
        made.append(fold)
        if fold == 1 and made.count(1) == 1:
            raise Interrupted("stopped")
        return make_model(fold)

    def measure() -> FoldedDepths:
        return measure_kinds(stopping, noisy, SETTINGS, folds=3, settings=PROBES, folder=tmp_path)

    with pytest.raises(Interrupted):
        measure()
    assert measure().table().equals(found.table())
    assert made == [0, 1, 1, 2]


def test_folds_that_cannot_be_are_refused() -> None:
    labels = np.repeat([0, 3], [9, 2])
    with pytest.raises(NotEnoughExamplesError, match=r"3 folds need at least 3 examples of each class; class 3 has 2"):
        assign_folds(labels, 3)
    for folds in (1, 2.0, True, "3"):
        with pytest.raises(InputError, match="folds is a whole number of at least 2"):
            assign_folds(labels, folds)  # type: ignore[arg-type]
