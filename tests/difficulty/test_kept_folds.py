"""Kept folds: read where they are whole and of the same measurement, else measured again or refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from layerwise.difficulty.kept_folds import Fold, KeptFolds
from layerwise.errors import FileError, RunError
from layerwise.runs import write_array, write_json

PLAN: dict[str, Any] = {"folds": 2, "taps": "children", "k": 5, "images": "4, f00d"}
SHAPE = (4, 3)
MADE = Fold(np.array([0.0, 1, 2, 2]), np.array([0.2, 1, 2, 1.5]), np.eye(4, 3, dtype=np.float32), ("input", "softmax"))


def kept(folder: Path, plan: dict[str, Any] = PLAN) -> KeptFolds:
    found = KeptFolds(folder, plan)
    with found.training(0):
        found.keep(0, MADE)
    return found


def test_a_finished_fold_is_read_and_others_are_not_there(tmp_path: Path) -> None:
    kept(tmp_path)
    again = KeptFolds(tmp_path, PLAN)
    found = again.read(0, SHAPE)
    assert found is not None
    for name in ("depth", "soft_depth", "logits"):
        np.testing.assert_array_equal(getattr(found, name), getattr(MADE, name))
    assert found.tap_names == MADE.tap_names
    assert again.read(1, SHAPE) is None


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("depth", np.zeros(3)),
        ("depth", np.array([0.0, 1, 2, 9])),
        ("soft", np.array([0.0, np.nan, 1, 1])),
        ("soft", np.array(list("abcd"))),
        ("logits", np.zeros((4, 2), np.float32)),
        ("logits", np.full((4, 3), np.inf, np.float32)),
    ],
)
def test_a_fold_with_other_numbers_is_measured_again(tmp_path: Path, name: str, values: Any) -> None:
    found = kept(tmp_path)
    write_array(tmp_path / "fold-0" / f"{name}.npy", values)
    assert found.read(0, SHAPE) is None


@pytest.mark.parametrize("name", ["fold.json", "depth.npy", "soft.npy", "logits.npy"])
def test_a_truncated_fold_is_measured_again(tmp_path: Path, name: str) -> None:
    found = kept(tmp_path)
    (tmp_path / "fold-0" / name).write_text("[")
    assert found.read(0, SHAPE) is None


def test_folds_of_another_measurement_are_refused_with_all_differences(tmp_path: Path) -> None:
    kept(tmp_path)
    with pytest.raises(RunError) as differs:
        KeptFolds(tmp_path, {**PLAN, "folds": 3, "k": 7})
    assert str(differs.value) == (
        f"{tmp_path} holds folds of another measurement (there → asked):\n"
        "    folds: 2 → 3\n"
        "    k: 5 → 7\n"
        f"    Ask for the same to go on, or remove {tmp_path} to begin anew."
    )


def test_a_folder_that_does_not_say_what_it_holds_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".plan.json.0.tmp").touch()  # what a kill left of a file under way
    KeptFolds(tmp_path, PLAN)
    (tmp_path / "fold-0").mkdir()
    with pytest.raises(RunError) as unknown:
        KeptFolds(tmp_path, PLAN)
    assert str(unknown.value) == (
        f"{tmp_path} is needed for the folds under way, but it does not say what it holds: "
        f"no file {tmp_path / 'plan.json'}.\n"
        "    Move it away, or remove it, and run the same command again."
    )
    write_json(tmp_path / "plan.json", ["folds"])
    with pytest.raises(RunError, match=r"plan\.json is damaged: it holds no JSON object\."):
        KeptFolds(tmp_path, PLAN)


def test_a_damaged_checkpoint_says_which_fold_to_remove(tmp_path: Path) -> None:
    with pytest.raises(FileError) as damaged, KeptFolds(tmp_path, PLAN).training(1):
        raise FileError("last.ckpt is not a checkpoint, or is truncated.\n    Train into another folder.")
    assert str(damaged.value) == (
        "last.ckpt is not a checkpoint, or is truncated.\n"
        f"    Remove {tmp_path / 'fold-1'}, and run the same command again: only this fold is trained anew."
    )
