"""Checks after a run: each sees its fault in made-up records, and nothing in good ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from check_files import made_up, named
from layerwise.errors import StudyError
from layerwise.study.checks import check_after
from layerwise.study.checks.results import check_results
from study_files import small

STUDY = small(("seeds = 3", "seeds = 5"))
EPOCHS = np.arange(50)


def test_good_records_are_fine() -> None:
    checks = check_after(STUDY, made_up(STUDY), [])
    assert [(one.name, one.saw) for one in checks if not one.fine] == []
    assert len(checks) == 7
    assert named(checks, "kernels moved").saw == "moved by 20.0% of their length or more"


def test_no_records_are_no_reason_for_alarm() -> None:
    assert all(one.fine for one in check_after(STUDY, made_up(STUDY)[:0], []))


def test_runs_that_failed_are_told_with_the_first_error() -> None:
    records = made_up(STUDY, ("cnn", {"status": "diverged", "error": "the loss became NaN.\n    Lower it."}))
    found = named(check_after(STUDY, records, []), "no run failed")
    assert (found.fine, found.saw) == (False, "10 diverged of 20 runs, in simple-cnn: the loss became NaN.")


@pytest.mark.parametrize("kernels", ["drawn", "edges"])
def test_kernels_that_did_not_move_are_told_unless_they_are_meant_to_stay(kernels: str) -> None:
    study = small(("model.kernel = 3", f'model.kernel = 3\nmodel.kernels = "{kernels}"'))
    records = made_up(study, ("cnn", {"series": {"kernels_after": np.ones(9)}}))
    found = named(check_after(study, records, []), "kernels moved")
    assert found.fine == (kernels == "edges")
    if not found.fine:
        assert found.saw == "6 runs end with the kernels they began with, in simple-cnn"


def test_a_validation_loss_that_still_falls_asks_for_longer_training() -> None:
    records = made_up(STUDY, ("cnn", {"series": {"validation_loss": 1.1 - 0.01 * EPOCHS}}))
    found = named(check_after(STUDY, records, []), "curves flattened")
    assert not found.fine
    assert found.saw.startswith("validation loss still falls at epoch 50 in simple-cnn (by up to 9.1% of its first")
    assert found.do == "train longer: raise training.epochs"


def test_without_validation_images_the_training_loss_is_looked_at() -> None:
    changed = {"validation_loss": np.empty(0), "train_loss": 1.1 - 0.01 * EPOCHS}
    records = made_up(STUDY, ("", {"series": changed}))
    found = named(check_after(STUDY, records, []), "curves flattened")
    assert found.saw.startswith("training loss still falls at epoch 50 in all cells")


def test_a_fall_of_one_block_only_is_none() -> None:
    records = made_up(STUDY)
    records.at[0, "validation_loss_curve"] = np.float32(1.1 - 0.01 * EPOCHS)
    assert named(check_after(STUDY, records, []), "curves flattened").fine


@pytest.mark.parametrize(("measured", "words"), [(0.999, "0.995 or more"), (1 / 3, r"that of guessing (0.333)")])
def test_a_measure_at_its_end_on_both_sides_cannot_show_a_difference(measured: float, words: str) -> None:
    one_side = ("cnn", {"measures": {"test_accuracy": measured, "test_loss": 1.2}})
    assert named(check_after(STUDY, made_up(STUDY, one_side), []), "measure not saturated").fine
    both = made_up(STUDY, ("", one_side[1]))
    found = named(check_after(STUDY, both, []), "measure not saturated")
    assert not found.fine
    assert found.saw.startswith(f"test_accuracy is {words} in simple-cnn (1 of 2 cells: train_per_class = 2), two-")


def test_a_loss_that_rises_while_the_accuracy_does_not_fall_points_at_calibration() -> None:
    rising = {"validation_loss": np.r_[1.1, 0.6 + 0.02 * EPOCHS[1:]], "validation_accuracy": 0.7 + 0.001 * EPOCHS}
    found = named(check_after(STUDY, made_up(STUDY, ("mlp", {"series": rising})), []), "loss and accuracy agree")
    assert not found.fine
    assert found.saw.endswith("while the accuracy does not fall, in two-layer-mlp, ece 0.1, temperature 1.5")
    assert "scaled_test_loss" in found.do
    falling = rising | {"validation_accuracy": 0.9 - 0.005 * EPOCHS}
    assert named(check_after(STUDY, made_up(STUDY, ("mlp", {"series": falling})), []), "loss and accuracy agree").fine


def test_results_are_not_looked_for_in_a_folder_of_something_else(tmp_path: Path) -> None:
    assert check_results(small(), tmp_path / "none") == check_results(small(), tmp_path) == ()
    (tmp_path / "photo.png").touch()
    with pytest.raises(StudyError, match="holds something else than a study"):
        check_results(small(), tmp_path)


def test_records_of_other_cells_and_blocks_are_left_out() -> None:
    other = small(("training.learning_rate = 0.05", "training.learning_rate = 0.01"))
    records = made_up(other, ("", {"status": "failed"}))
    assert named(check_after(STUDY, records, []), "no run failed").fine
